"""Writes of measurement. Each is one transaction with its audit entry, or nothing."""

from dataclasses import asdict, dataclass

from django.db import transaction

from apps.common.errors import InvalidInput
from apps.measurement.models import Universe
from apps.orgs.public import Actor, Organisation, Permission, check, record

MOST_PERSONS = 10_000_000_000
MOST_COHORTS = 50
LONGEST_NAME = 80
LONGEST_COHORT = 256


@dataclass(frozen=True)
class Wish:
    """A universe as somebody wants it; no target: no `target_persons`."""

    name: str
    persons: int
    target_name: str = ""
    target_persons: int | None = None
    target_cohorts: tuple[str, ...] = ()


def set_universe(*, actor: Actor, org: Organisation, wish: Wish) -> Universe:
    """From now on reach and rating points are of these persons, for every period that is looked at."""
    check(actor, Permission.SET_UNIVERSE, org)
    _refuse_what_is_wrong(wish)
    with transaction.atomic():
        before = Universe.objects.select_for_update().first()
        fields = {**asdict(wish), "target_cohorts": list(wish.target_cohorts), "changed_by": actor.audit_name}
        after, _ = Universe.objects.update_or_create(pk=1, defaults=fields)
        record(
            org=org, actor=actor, action="universe.set", target=wish.name,
            before=_told(before) if before else None, after=_told(after),
        )  # fmt: skip
    return after


def remove_universe(*, actor: Actor, org: Organisation) -> None:
    """Rating points are not defined any more; nothing to remove is no error."""
    check(actor, Permission.SET_UNIVERSE, org)
    with transaction.atomic():
        before = Universe.objects.select_for_update().first()
        if before is not None:
            before.delete()
            record(org=org, actor=actor, action="universe.removed", target=before.name, before=_told(before))


def _told(universe: Universe) -> dict[str, object]:
    return {
        "name": universe.name,
        "persons": universe.persons,
        "target_name": universe.target_name,
        "target_persons": universe.target_persons,
        "target_cohorts": universe.target_cohorts,
    }


def _refuse_what_is_wrong(wish: Wish) -> None:
    for what, name in (("universe", wish.name), ("target", wish.target_name)):
        if len(name) > LONGEST_NAME:
            raise InvalidInput(f"The name of the {what} must have at most {LONGEST_NAME} characters.")
    if not wish.name:
        raise InvalidInput("The universe must have a name, such as US persons 2+.")
    if not 1 <= wish.persons <= MOST_PERSONS:
        raise InvalidInput(f"The universe must be 1 to {MOST_PERSONS:,} persons.")
    if len(wish.target_cohorts) > MOST_COHORTS or any(len(one) > LONGEST_COHORT for one in wish.target_cohorts):
        raise InvalidInput(f"A target must be at most {MOST_COHORTS} cohorts of {LONGEST_COHORT} characters each.")
    given = (bool(wish.target_name), wish.target_persons is not None, bool(wish.target_cohorts))
    if any(given) and not all(given):
        raise InvalidInput("A target must have a name, a number of persons and at least one cohort; or none of them.")
    if wish.target_persons is not None and not 1 <= wish.target_persons <= wish.persons:
        raise InvalidInput(f"The target must be a part of the universe: 1 to {wish.persons:,} persons.")
