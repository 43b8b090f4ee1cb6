"""What rating points are of: the form of an organisation's universe and target."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.common.errors import InvalidInput
from apps.measurement.actions import Wish, remove_universe, set_universe
from apps.measurement.selectors import get_universe
from apps.orgs.public import OrgRequest, Permission, requires

FIELDS = ("name", "persons", "target_name", "target_persons", "target_cohorts")
LONGEST_NUMBER = 20


@require_GET
@requires(Permission.SET_UNIVERSE)
def universe(request: OrgRequest) -> HttpResponse:
    found = get_universe()
    if found is None:
        return _form(request, dict.fromkeys(FIELDS, ""), exists=False)
    written = {
        "name": found.name,
        "persons": f"{found.persons:,}",
        "target_name": found.target_name,
        "target_persons": f"{found.target_persons:,}" if found.target_persons else "",
        "target_cohorts": "\n".join(found.target_cohorts),
    }
    return _form(request, written, exists=True)


@require_POST
@requires(Permission.SET_UNIVERSE)
def save(request: OrgRequest) -> HttpResponse:
    sent = {name: request.POST.get(name, "").replace("\x00", "\ufffd").strip() for name in FIELDS}
    try:
        wish = Wish(
            name=sent["name"],
            persons=_number(sent["persons"], "universe") or 0,
            target_name=sent["target_name"],
            target_persons=_number(sent["target_persons"], "target"),
            target_cohorts=_lines(sent["target_cohorts"]),
        )
        set_universe(actor=request.actor, org=request.org, wish=wish)
    except InvalidInput as error:
        return _form(request, sent, exists=get_universe() is not None, error=error.message)
    messages.success(request, f"Rating points are of {wish.name} now: {wish.persons:,} persons.")
    return redirect("org:reach", org=request.org.slug)


@require_POST
@requires(Permission.SET_UNIVERSE)
def remove(request: OrgRequest) -> HttpResponse:
    remove_universe(actor=request.actor, org=request.org)
    messages.success(request, "The universe is removed. Rating points are not defined until there is one again.")
    return redirect("org:reach", org=request.org.slug)


def _form(request: OrgRequest, written: dict[str, str], *, exists: bool, error: str = "") -> HttpResponse:
    context: dict[str, Any] = {"written": written, "exists": exists, "error": error}
    return render(request, "measurement/universe.html", context, status=400 if error else 200)


def _lines(text: str) -> tuple[str, ...]:
    """Each once, in the order given."""
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _number(text: str, what: str) -> int | None:
    """`331,900,000` as people write it, with commas or spaces; empty: None."""
    digits = text.replace(",", "").replace(" ", "").replace("\u00a0", "").replace("\u202f", "")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit()) or len(digits) > LONGEST_NUMBER:
        raise InvalidInput(f"{text[:40]!r} is not a number of persons; write the {what} such as 331,900,000.")
    return int(digits)
