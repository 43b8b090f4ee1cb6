"""Forms of the console: what a new organisation needs in three steps, and what is edited of one."""

from typing import Any
from zoneinfo import available_timezones

from django import forms

from apps.accounts.public import check_email
from apps.common.errors import AppError
from apps.common.money import CURRENCIES
from apps.orgs.public import LONGEST_RAW_EVENTS, Kind, Tier, check_name

ZONES = "time-zones"
CURRENCY_LIST = "currencies"


class ConsoleForm(forms.Form):
    """Values are new each time: the browser is not to fill them in."""

    use_required_attribute = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.setdefault("autocomplete", "off")


class NameField(forms.CharField):
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return check_name(text, name="The name")
        except AppError as error:
            raise forms.ValidationError(error.message) from error


class EmailField(forms.CharField):
    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            return check_email(text)
        except AppError as error:
            raise forms.ValidationError(error.message) from error


class UpperField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.upper() if isinstance(text, str) else text


class LowerField(forms.CharField):
    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return text.lower() if isinstance(text, str) else text


def _domain() -> forms.CharField:
    return LowerField(
        label="E-mail domain", required=False, max_length=253, empty_value=None,
        help_text="What follows the @ in its people's addresses, such as omd.example.",
    )  # fmt: skip


def _currency() -> forms.CharField:
    return UpperField(
        label="Currency", max_length=3, initial="USD", widget=forms.TextInput({"list": CURRENCY_LIST}),
        help_text="ISO 4217. Figures are kept and shown in it.",
    )  # fmt: skip


def _time_zone() -> forms.CharField:
    return forms.CharField(
        label="Time zone", max_length=64, initial="America/New_York", widget=forms.TextInput({"list": ZONES}),
        help_text="Whole days of its pages begin and end in it.",
    )  # fmt: skip


def _advertiser() -> forms.CharField:
    return forms.CharField(
        label="Advertiser id at The Trade Desk", required=False, max_length=40, empty_value=None,
        help_text="Joins its REDS files and campaigns.",
    )  # fmt: skip


def _salesforce() -> forms.CharField:
    return forms.CharField(
        label="Account id in Salesforce", required=False, max_length=18, help_text="15 or 18 letters and digits."
    )


def _contributor() -> forms.CharField:
    return forms.CharField(
        label="Contributor name", required=False, max_length=120, empty_value=None,
        help_text="For data owners and publishers: what events call it. Empty: its short name.",
    )  # fmt: skip


def _raw_event_days() -> forms.IntegerField:
    return forms.IntegerField(
        label="Days that single events are kept", min_value=1, max_value=LONGEST_RAW_EVENTS, initial=30,
        help_text=f"1 to {LONGEST_RAW_EVENTS}. Sums are kept for two years, the audit trail for seven.",
    )  # fmt: skip


class WhoForm(ConsoleForm):
    """Step 1: what it is called, and what it is."""

    name = NameField(label="Name", max_length=200)
    slug = forms.CharField(
        label="Short name", max_length=48, required=False,
        help_text="Stands in addresses (/o/omd-east/) and never changes. Empty: made from the name.",
    )  # fmt: skip
    # The platform's own organisation is made on the command line: its first administrator may do everything.
    kind = forms.ChoiceField(
        label="Kind", choices=[one for one in Kind.choices if one[0] != Kind.PLATFORM], initial=Kind.AGENCY
    )
    domain = _domain()

    def clean_slug(self) -> str:
        if not (slug := str(self.cleaned_data["slug"])):
            raise forms.ValidationError("Write a short name in letters a to z: none can be made from this name.")
        return slug


class TermsForm(ConsoleForm):
    """Step 2: money, time, and what it is called elsewhere."""

    currency = _currency()
    time_zone = _time_zone()
    ttd_advertiser_id = _advertiser()
    salesforce_account_id = _salesforce()
    contributor_id = _contributor()


class PeopleForm(ConsoleForm):
    """Step 3: who administers and manages it, and how long its events are kept."""

    admin_email = EmailField(
        label="First administrator", max_length=254, widget=forms.EmailInput(),
        help_text="Is invited by e-mail, with a link that works once, for seven days.",
    )  # fmt: skip
    raw_event_days = _raw_event_days()


STEPS: tuple[type[ConsoleForm], ...] = (WhoForm, TermsForm, PeopleForm)


class EditForm(ConsoleForm):
    """Everything that may change of an organisation."""

    name = NameField(label="Name", max_length=200)
    kind = forms.ChoiceField(label="Kind", choices=Kind.choices)
    domain = _domain()
    currency = _currency()
    time_zone = _time_zone()
    ttd_advertiser_id = _advertiser()
    salesforce_account_id = _salesforce()
    contributor_id = _contributor()
    tier = forms.ChoiceField(label="Tier", choices=Tier.choices, help_text="Sets how often it may ask the API.")
    events_per_second = forms.IntegerField(label="Events per second", min_value=1, max_value=1_000_000)
    raw_event_days = _raw_event_days()
    requires_second_step = forms.BooleanField(
        label="Everybody must sign in with a second step", required=False,
    )  # fmt: skip


def choices_of_lists() -> dict[str, list[str]]:
    """For the lists that fields of text offer."""
    return {ZONES: sorted(available_timezones()), CURRENCY_LIST: sorted(CURRENCIES)}


def add_errors(form: ConsoleForm, error: AppError) -> None:
    """What an action found wrong, at its field where it names one."""
    fields = {name: text for name, text in error.data.get("fields", {}).items() if name in form.fields}
    for name, text in fields.items():
        form.add_error(name, text)
    if not fields:
        form.add_error(None, error.message)
