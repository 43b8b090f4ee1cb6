"""What can be edited in place, one line a field. How it is entered, checked and shown follows from the model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import ValidationError
from django.db import models

from apps.accounts.public import User
from apps.common.errors import Forbidden, InvalidInput, NotFound
from apps.orgs.actor import Actor, as_platform
from apps.orgs.models import ApiKey, Membership, Organisation
from apps.orgs.permissions import Permission

Find = Callable[[Actor, Organisation, UUID], Any]
FIELDS: dict[str, "Field"] = {}


@dataclass(frozen=True)
class Thing:
    """A kind of row: what it is called, and how one of them is found, locked, in an organisation. None: not theirs."""

    name: str
    model: type[models.Model]
    find: Find


@dataclass(frozen=True)
class Field:
    """`of_staff`: only the platform's staff may. `is_personal`: the audit trail, which outlives a person's data, says
    that it changed and not to what."""

    thing: Thing
    attribute: str
    permission: Permission
    unit: str = ""
    of_staff: bool = False
    is_personal: bool = False

    @property
    def key(self) -> str:
        return f"{self.thing.name}.{self.attribute}"

    @property
    def column(self) -> Any:
        return self.thing.model._meta.get_field(self.attribute)

    @property
    def label(self) -> str:
        return str(self.column.verbose_name)

    @property
    def choices(self) -> list[tuple[str, str]]:
        return [(str(value), str(words)) for value, words in self.column.choices or []]

    @property
    def is_number(self) -> bool:
        return isinstance(self.column, models.IntegerField)

    @property
    def longest(self) -> int | None:
        longest: int | None = self.column.max_length
        return longest

    def text_of(self, row: models.Model) -> str:
        """The value as it is entered, compared and kept."""
        value = getattr(row, self.attribute)
        return "" if value is None else str(value)

    def words(self, text: str) -> str:
        """The value as it is read."""
        if not text:
            return "–"
        if self.choices:
            return dict(self.choices).get(text, text)
        shown = intcomma(text) if self.is_number else text
        return f"{shown} {self.unit}" if self.unit else shown

    def read(self, text: str, row: models.Model) -> Any:
        """The value that the text means; what cannot be meant is refused in the words of the model's own rules."""
        text = text.strip()
        if not text.isprintable():
            raise InvalidInput(f"The {self.label} is one line of printable characters.")
        try:
            value: Any = self.column.clean(text if text or not self.column.null else None, row)
        except ValidationError as error:
            raise InvalidInput(f"{self.label.capitalize()}: {' '.join(error.messages)}") from error
        return value

    def may(self, actor: Actor, org: Organisation) -> bool:
        if self.of_staff and not actor.may_on_platform(Permission.VIEW_ALL_ORGANISATIONS):
            return False
        return actor.may(self.permission, org.pk)


def find_field(actor: Actor, org: Organisation, key: str) -> Field:
    """The declared field, for who may edit it."""
    field = FIELDS.get(key)
    if field is None:
        raise NotFound("There is no such field to edit.")
    if not field.may(actor, org):
        raise Forbidden(f"Your role does not reach the {field.label} of the {field.thing.name}.")
    return field


def find_row(actor: Actor, org: Organisation, field: Field, key: UUID) -> Any:
    found = field.thing.find(actor, org, key)
    if found is None:
        raise NotFound(f"There is no such {field.thing.name} here.")
    return found


def declare_field(thing: Thing, attribute: str, permission: Permission, **more: Any) -> None:
    field = Field(thing, attribute, permission, **more)
    FIELDS[field.key] = field


def _organisation(actor: Actor, org: Organisation, key: UUID) -> Organisation | None:
    found: Organisation | None = Organisation.objects.select_for_update(of=("self",)).filter(pk=org.pk).first()
    return found if key == org.pk else None


def _person(actor: Actor, org: Organisation, key: UUID) -> User | None:
    """A member; who belongs elsewhere, too, is not this organisation's to change."""
    if not Membership.objects.filter(org=org, user=key).exists():
        return None
    with as_platform(actor):
        is_elsewhere = Membership.objects.filter(user=key).exclude(org=org).exists()
    if is_elsewhere and not actor.is_super_admin and key != actor.user_id:
        raise Forbidden("They belong to other organisations as well: they change that themselves, under Profile.")
    return User.objects.select_for_update().filter(pk=key).first()


def _api_key(actor: Actor, org: Organisation, key: UUID) -> ApiKey | None:
    return ApiKey.objects.select_for_update().filter(org=org, pk=key).first()


ORGANISATION = Thing("organisation", Organisation, _organisation)
PERSON = Thing("user", User, _person)
API_KEY = Thing("api-key", ApiKey, _api_key)

declare_field(ORGANISATION, "name", Permission.EDIT_ORGANISATION)
declare_field(ORGANISATION, "time_zone", Permission.EDIT_ORGANISATION)
declare_field(ORGANISATION, "raw_event_days", Permission.EDIT_ORGANISATION, unit="days", of_staff=True)
declare_field(ORGANISATION, "events_per_second", Permission.EDIT_ORGANISATION, unit="per second", of_staff=True)
declare_field(ORGANISATION, "tier", Permission.EDIT_ORGANISATION, of_staff=True)
declare_field(PERSON, "name", Permission.MANAGE_PEOPLE, is_personal=True)
declare_field(API_KEY, "name", Permission.MANAGE_API_KEYS)
