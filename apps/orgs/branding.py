"""How an organisation's pages look: its logo, drawn anew from what was uploaded, and a colour that stays legible."""

from hashlib import sha256
from io import BytesIO
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from PIL import Image, UnidentifiedImageError

from apps.common.errors import Forbidden, InvalidInput
from apps.orgs.actor import Actor
from apps.orgs.audit import record
from apps.orgs.models import Logo, Organisation, check_accent
from apps.orgs.permissions import Permission

MOST_BYTES = 1_000_000
MOST_PIXELS = 16_000_000
# Four times the size at which it is shown, for dense screens.
SIDE = 128
FORMATS = ("PNG", "JPEG", "WEBP")
# Contrast of text and of its ground, as WCAG 2.2 counts it for AA.
LEGIBLE = 4.5
# The least favourable of the grounds that text in the accent stands on, by theme.
GROUNDS = {"light": "#f1f1ee", "dark": "#1f2328"}


def set_logo(*, actor: Actor, org: Organisation, upload: "UploadedFile[Any] | None") -> None:
    _check_staff(actor)
    content = draw(_bytes_of(upload))
    digest = sha256(content).hexdigest()[:16]
    with transaction.atomic():
        Logo.objects.update_or_create(org=org, defaults={"content": content})
        Organisation.objects.filter(pk=org.pk).update(logo_digest=digest)
        record(org=org, actor=actor, action="branding.logo_set", target=f"organisation/{org.slug}", size=len(content))


def remove_logo(*, actor: Actor, org: Organisation) -> None:
    _check_staff(actor)
    with transaction.atomic():
        gone, _ = Logo.objects.filter(org=org).delete()
        Organisation.objects.filter(pk=org.pk).update(logo_digest="")
        if gone:
            record(org=org, actor=actor, action="branding.logo_removed", target=f"organisation/{org.slug}")


def set_accent(*, actor: Actor, org: Organisation, accent: str) -> None:
    """Empty: the platform's own colour."""
    _check_staff(actor)
    accent = accent.strip().lower()
    try:
        if accent:
            check_accent(accent)
    except ValidationError as error:
        raise InvalidInput(error.messages[0]) from error
    with transaction.atomic():
        before = Organisation.objects.select_for_update(of=("self",)).values_list("accent", flat=True).get(pk=org.pk)
        if before != accent:
            Organisation.objects.filter(pk=org.pk).update(accent=accent)
            record(
                org=org, actor=actor, action="branding.accent_set", target=f"organisation/{org.slug}",
                before={"accent": before}, after={"accent": accent},
            )  # fmt: skip


def draw(content: bytes) -> bytes:
    """A PNG of at most `SIDE` pixels a side: nothing of the upload stays but what is seen."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise InvalidInput(
                    f"The picture has {picture.width:,} × {picture.height:,} pixels; {MOST_PIXELS:,} are the most."
                )
            drawn = picture.convert("RGBA")
    except UnidentifiedImageError as error:
        raise InvalidInput("This is no picture that a logo is made of; use a PNG, JPEG or WebP file.") from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidInput("The picture is damaged; save it anew as PNG and upload that.") from error
    drawn.thumbnail((SIDE, SIDE))
    out = BytesIO()
    drawn.save(out, "PNG", optimize=True)
    return out.getvalue()


def stylesheet(accent: str) -> str:
    """The tokens of a colour, in both themes: lightened or darkened until text in it is legible."""
    light, dark = (legible(accent, ground) for ground in GROUNDS.values())
    return f"""@layer tokens {{
  :root {{
    --accent: light-dark({light}, {dark});
    --accent-ink: var(--accent);
    --accent-soft: color-mix(in srgb, var(--accent) 7%, var(--card));
    --accent-bar: color-mix(in srgb, var(--accent) 30%, var(--card));
    --accent-line: color-mix(in srgb, var(--accent) 40%, var(--card));
  }}
}}
"""


def legible(colour: str, ground: str) -> str:
    """`colour`, moved away from `ground` until it can be read on it and on a tint of itself."""
    away = (0, 0, 0) if _luminance(_rgb(ground)) > 0.5 else (255, 255, 255)
    start = _rgb(colour)
    for step in range(101):
        mixed = _mix(start, away, step / 100)
        tint = _mix(_rgb(ground), mixed, 0.07)
        if min(_contrast(mixed, _rgb(ground)), _contrast(mixed, tint)) >= LEGIBLE + 0.1:
            return "#" + "".join(f"{part:02x}" for part in mixed)
    raise AssertionError("black and white are legible on any ground")


def _bytes_of(upload: "UploadedFile[Any] | None") -> bytes:
    if upload is None or not upload.size:
        raise InvalidInput("Choose a picture: a PNG, JPEG or WebP file.")
    if (upload.size or 0) > MOST_BYTES:
        raise InvalidInput(f"The file has {upload.size or 0:,} bytes; {MOST_BYTES:,} are the most for a logo.")
    return bytes(upload.read())


def _check_staff(actor: Actor) -> None:
    if not actor.may_on_platform(Permission.MANAGE_ORGANISATIONS):
        raise Forbidden("Only platform staff may change how an organisation looks.")


Colour = tuple[int, ...]


def _rgb(colour: str) -> Colour:
    return tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))


def _luminance(colour: Colour) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(first: Colour, second: Colour) -> float:
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)
