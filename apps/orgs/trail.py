"""The audit trail as its pages and files show it: filtered, newest first, in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from apps.accounts.public import find_by_email, list_emails
from apps.common.errors import InvalidInput
from apps.common.texts import search_text
from apps.orgs.models import AuditEntry

AT_ONCE = 50
MOST_EXPORTED = 50_000
# Read as "<who> …"; an action that is not here is shown by its own words.
WORDS: Mapping[str, str] = {
    "admin_mode.off": "left admin mode",
    "admin_mode.on": "switched admin mode on",
    "api.exported": "took a file by the API",
    "api.changed": "changed something by the API",
    "api_key.addresses_changed": "changed from where an API key works",
    "branding.accent_set": "chose the colour of the pages",
    "branding.logo_removed": "removed the logo",
    "branding.logo_set": "set the logo",
    "manager.assigned": "assigned a campaign manager",
    "manager.released": "took a campaign manager off",
    "member.deactivated": "deactivated somebody",
    "member.reactivated": "let somebody in again",
    "organisation.archived": "archived the organisation",
    "organisation.edited": "edited the organisation",
    "organisation.export_fetched": "fetched an export of the organisation",
    "organisation.exported": "asked for an export of the organisation",
    "organisation.opened": "opened the organisation again",
    "organisation.suspended": "suspended the organisation",
    "api_key.created": "made an API key",
    "api_key.rotated": "rotated an API key",
    "api_key.revoked": "took back an API key",
    "audit.exported": "exported the audit trail",
    "audit.read": "read the audit trail of all organisations",
    "data.generated_shown": "let the pages show generated data",
    "data.real_shown": "let the pages show real data",
    "events.imported": "imported a file",
    "events.quarantine_exported": "exported lines from quarantine",
    "events.replayed": "replayed lines from quarantine",
    "events.test_sent": "sent a test event",
    "field.edit_undone": "undid an edit",
    "field.edited": "edited",
    "flow.viewed": "watched the flow of events of all organisations",
    "invitation.accepted": "joined",
    "invitation.revoked": "took back an invitation",
    "invitation.sent": "invited somebody",
    "member.removed": "removed somebody",
    "membership.added": "gave a role",
    "organisation.created": "made the organisation",
    "organisation.read": "looked into the organisation, as staff",
    "organisation.worked_in": "did something in the organisation, as staff",
    "personal_data.read": "read data about people",
    "password.changed": "changed their password",
    "password.reset": "reset their password",
    "password.set": "set a password",
    "roles.changed": "changed somebody's roles",
    "second_step.added": "added a second step of sign-in",
    "second_step.made_optional": "left the second step of sign-in to each person",
    "second_step.required": "demanded a second step of sign-in from everybody",
    "second_step.removed": "removed a second step of sign-in",
    "member.deprovisioned": "took somebody's last role, by the provider",
    "member.provisioned": "let somebody in, by the provider",
    "sign_in.domains_confirmed": "confirmed the domains of the identity provider",
    "sign_in.done": "signed in",
    "sign_in.ended": "signed out",
    "sign_in.failed": "failed to sign in",
    "sign_in.refused": "was refused at the provider",
    "sign_in.provider_added": "set up an identity provider",
    "sign_in.provider_changed": "changed the identity provider",
    "sign_in.provider_removed": "removed the identity provider",
    "flag.given": "switched a feature on for the organisation",
    "flag.set": "switched a feature",
    "flag.taken": "switched a feature off for the organisation",
    "task.dismissed": "dismissed a failed task",
    "task.retried": "ran a failed task again",
    "session.ended": "ended sessions of their own",
    "person.exported": "fetched all that is kept about them",
    "profile.edited": "edited their profile",
    "user.closed": "closed somebody's account",
    "user.opened": "opened somebody's account again",
    "user.signed_out": "ended all sessions of somebody",
    "user.viewed": "looked at somebody's account",
    "users.listed": "looked at people of all organisations",
    "warehouse.crossed": "looked across organisations",
}


@dataclass(frozen=True)
class Question:
    """What the reader looks for; empty fields do not matter. Days are whole ones of `time_zone`, both included."""

    who: str = ""
    action: str = ""
    text: str = ""
    first: date | None = None
    last: date | None = None
    before: int | None = None
    time_zone: str = "UTC"

    @property
    def is_open(self) -> bool:
        return not (self.who or self.action or self.text or self.first or self.last)


@dataclass(frozen=True)
class Line:
    """One entry in words."""

    id: int
    at: datetime
    who: str
    action: str
    words: str
    target: str
    origin: str
    org: str
    detail: dict[str, Any]

    @property
    def about(self) -> str:
        """Its detail in one line."""
        return ", ".join(f"{name} {_plain(value)}" for name, value in self.detail.items())


def read_question(query: Mapping[str, str], time_zone: str) -> Question:
    """From a page's URL; what cannot be meant is refused."""
    first, last = _day(query, "from"), _day(query, "to")
    if first and last and last < first:
        raise InvalidInput(f"The range ends ({last}) before it begins ({first}); exchange the two days.")
    return Question(
        who=search_text(query.get("who", ""), name="Who", longest=200),
        action=search_text(query.get("action", ""), name="Did what", longest=80),
        text=search_text(query.get("q", ""), name="Contains"),
        first=first,
        last=last,
        before=_number(query, "before"),
        time_zone=time_zone,
    )


def find_entries(question: Question, org_id: UUID | None) -> QuerySet[AuditEntry]:
    """Newest first: one organisation's, or of all that the actor may see."""
    entries = AuditEntry.objects.select_related("org").order_by("-id")
    if org_id is not None:
        entries = entries.filter(org=org_id)
    if question.who:
        entries = entries.filter(actor=_actor(question.who))
    if question.action:
        entries = entries.filter(action=question.action)
    if question.text:
        spoken = Q(target__icontains=question.text) | Q(detail_text__icontains=question.text)
        entries = entries.annotate(detail_text=Cast("detail", TextField())).filter(spoken)
    if question.first:
        entries = entries.filter(at__gte=_midnight(question.first, question.time_zone))
    if question.last:
        entries = entries.filter(at__lt=_midnight(question.last + timedelta(days=1), question.time_zone))
    if question.before:
        entries = entries.filter(pk__lt=question.before)
    return entries


def list_actions(org_id: UUID | None) -> list[str]:
    entries = AuditEntry.objects.filter(org=org_id) if org_id else AuditEntry.objects.all()
    return sorted(entries.values_list("action", flat=True).distinct())


def describe(entries: Iterable[AuditEntry]) -> list[Line]:
    entries = list(entries)
    said = [text for entry in entries for text in (entry.actor, *map(str, entry.detail.values()))]
    names = list_emails(found for text in said if (found := _as_id(text)))
    return [_line(entry, names) for entry in entries]


def _line(entry: AuditEntry, names: Mapping[UUID, str]) -> Line:
    """Entries name people by id, which alone says nothing once a person was removed."""
    person = _as_id(entry.actor)
    who = names.get(person, "a person who was removed") if person else entry.actor
    return Line(
        id=entry.pk,
        at=entry.at,
        who="Precise" if who == "service" else who,
        action=entry.action,
        words=words_of(entry.action),
        target=entry.target,
        origin=entry.origin,
        org=entry.org.name if entry.org else "",
        detail={name: _named(value, names) for name, value in entry.detail.items()},
    )


def _named(value: Any, names: Mapping[UUID, str]) -> Any:
    found = _as_id(value)
    return names.get(found, value) if found else value


def words_of(action: str) -> str:
    return WORDS.get(action) or action.replace(".", " ").replace("_", " ")


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return " and ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _actor(who: str) -> str:
    """People act under their id; parts of the platform under their name."""
    if "@" in who:
        person = find_by_email(who)
        return str(person.pk) if person else ""
    return "service" if who.lower() == "precise" else who


def _as_id(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _day(query: Mapping[str, str], name: str) -> date | None:
    if not (text := query.get(name, "")):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"{text[:40]!r} is not a day; use a date such as 2026-03-31.") from error
    if not 1971 <= day.year <= 2100:
        raise InvalidInput(f"{day} is too far from today; use a day within 1971 to 2100.")
    return day


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidInput(f"{name} is the number of an entry.")
    return int(text)


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(time_zone))
