"""Feature flags: for everybody, for nobody, or for single organisations."""

from django.db import transaction
from django.db.models import Count

from apps.common.errors import Conflict, Forbidden, InvalidInput, NotFound
from apps.orgs.actor import Actor
from apps.orgs.audit import record
from apps.orgs.models import Flag, FlaggedOrganisation, Organisation
from apps.orgs.permissions import Permission

# What a form says, and what the flag then holds: None leaves it to the organisations.
FOR: dict[str, bool | None] = {"everyone": True, "nobody": False, "chosen": None}


def list_flags() -> list[tuple[Flag, int]]:
    """With the number of organisations that each is on for."""
    found = Flag.objects.annotate(count=Count("organisations")).order_by("name")
    return [(flag, flag.count) for flag in found]


def set_flag(*, actor: Actor, name: str, whom: str) -> Flag:
    _check_staff(actor)
    if whom not in FOR:
        raise InvalidInput(f"A flag is for {', '.join(FOR)}; not for {whom[:40]!r}.")
    with transaction.atomic():
        flag = _lock(name)
        before = flag.everyone
        if before != FOR[whom]:
            flag.everyone = FOR[whom]
            flag.save(update_fields=["everyone", "modified"])
            words = {value: word for word, value in FOR.items()}
            record(
                org=None, actor=actor, action="flag.set", target=f"flag/{name}",
                before={"for": words[before]}, after={"for": whom},
            )  # fmt: skip
    return flag


def flag_organisation(*, actor: Actor, name: str, org: Organisation, on: bool) -> Flag:
    _check_staff(actor)
    with transaction.atomic():
        flag = _lock(name)
        mine = FlaggedOrganisation.objects.filter(flag=flag, organisation=org)
        if mine.exists() == on:
            raise Conflict(f"{name} is {'on' if on else 'off'} for {org.name} already.")
        if on:
            FlaggedOrganisation.objects.create(flag=flag, organisation=org)
        else:
            mine.delete()
        record(org=org, actor=actor, action="flag.given" if on else "flag.taken", target=f"flag/{name}")
    org.forget_flags()
    return flag


def _lock(name: str) -> Flag:
    found: Flag | None = Flag.objects.select_for_update(of=("self",)).filter(name=name).first()
    if found is None:
        raise NotFound("There is no such flag.")
    return found


def _check_staff(actor: Actor) -> None:
    if not actor.may_on_platform(Permission.RUN_PLATFORM):
        raise Forbidden("Flags are set by super admins.")
