"""The form of a watched source: its fields in people's words, and what is wrong at the field where it is wrong."""

from typing import Any

from django import forms

from apps.common.errors import AppError
from apps.events.formats.registry import FORMATS
from apps.events.models import Cadence, WatchedSource
from apps.events.watched.actions import Wish
from apps.events.watched.names import pattern_of
from apps.events.watched.places import Key, place_of
from apps.orgs.public import Organisation

MOST_LATENESS = 60 * 24 * 14


class WatchedSourceForm(forms.Form):
    name = forms.CharField(max_length=60, help_text="How this source is called on pages and in counts.")
    url = forms.CharField(
        label="Folder or bucket", max_length=500, help_text="Such as s3://bucket/prefix. Folders below it belong to it."
    )
    access_key_id = forms.CharField(
        label="Access key ID", max_length=128, required=False,
        help_text="Of a key that may list and read this prefix, and nothing else.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    secret = forms.CharField(
        label="Secret access key", max_length=256, required=False, strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )  # fmt: skip
    format = forms.ChoiceField(choices=[("", "Choose a format")])
    pattern = forms.CharField(
        label="Which files",
        max_length=200,
        initial="*",
        help_text="Such as *.log.gz or impressions_*.",
    )
    cadence = forms.ChoiceField(label="A file comes", choices=Cadence.choices, initial=Cadence.HOURLY)
    lateness_minutes = forms.IntegerField(
        label="Allowed lateness, in minutes", min_value=0, max_value=MOST_LATENESS, initial=60,
        help_text="After the end of its hour or day. Beeswax wins take up to 450.",
    )  # fmt: skip
    hour_pattern = forms.CharField(
        label="Where the path says its hour", max_length=200, required=False,
        help_text="Such as logs/%Y/%m/%d/win_%H*. Empty: the ways of The Trade Desk, Beeswax and others are known; "
        "a path without a time counts for the hour in which it came.",
    )  # fmt: skip
    done_marker = forms.CharField(
        label="Marker of complete files", max_length=80, required=False,
        help_text="_SUCCESS for a file of that name in the folder, .done for one behind each file's name. "
        "Empty: a file is taken once it has stopped growing.",
    )  # fmt: skip
    history = forms.BooleanField(label="Take events older than 90 days, too", required=False)

    def __init__(self, *args: Any, org: Organisation, source: WatchedSource | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.org, self.source = org, source
        described = [(one.name, one.description[:1].upper() + one.description[1:]) for one in FORMATS.values()]
        self.fields["format"].choices = [("", "Choose a format"), *described]  # type: ignore[attr-defined]
        has_key = source is not None and source.access_key_id
        self.fields["secret"].help_text = (
            "Empty keeps the one there is. It is encrypted and never shown."
            if has_key
            else "It is encrypted and never shown again."
        )

    @classmethod
    def initial_of(cls, source: WatchedSource) -> dict[str, Any]:
        return {name: getattr(source, name) for name in cls.base_fields if name != "secret"}

    def clean_done_marker(self) -> str:
        text = str(self.cleaned_data["done_marker"])
        if "/" in text:
            raise forms.ValidationError("A marker is a file's name or ending, without a slash.")
        return text

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        self._check_key(found)
        if found.get("url"):
            key = Key(found["access_key_id"], "") if found.get("access_key_id") else None
            self._try("url", lambda: place_of(found["url"], org=self.org.slug, key=key))
        if found.get("hour_pattern"):
            self._try(
                "hour_pattern", lambda: pattern_of(found["hour_pattern"], daily=found.get("cadence") == Cadence.DAILY)
            )
        return found

    @property
    def wish(self) -> Wish:
        return Wish(**self.cleaned_data)

    def _check_key(self, found: dict[str, Any]) -> None:
        kept = self.source.access_key_id if self.source else ""
        if found.get("secret") and not found.get("access_key_id"):
            self.add_error("access_key_id", "A secret needs the ID of its key.")
        elif found.get("access_key_id") and not found.get("secret") and found["access_key_id"] != kept:
            self.add_error("secret", "This key needs its secret.")

    def _try(self, field: str, act: Any) -> None:
        try:
            act()
        except AppError as error:
            self.add_error(field, error.message)
