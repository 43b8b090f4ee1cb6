"""Whether an organisation's pages show its real data or generated data, and under which names the generated lives.

Generated events are stored under an organisation id of their own, made from the real one: no sum over an organisation
can mix the two, whatever the query. Pages ask `data_org_id` whose events to read, and nothing else.
"""

from uuid import UUID, uuid5

from django.db import transaction

from apps.orgs.actor import Actor
from apps.orgs.audit import record
from apps.orgs.models import GENERATED_DATA, Flag, FlaggedOrganisation, Organisation

PREFIX = "generated:"


def generated_org_id(org_id: UUID) -> UUID:
    return uuid5(org_id, "generated")


def generated_contributor_id(org: Organisation) -> str:
    """The name of a data owner in generated events; no organisation can bear it."""
    return f"{PREFIX}{org.pk}"


def data_org_id(org: Organisation) -> UUID:
    """The id under which the events lie that the organisation's pages show now."""
    return generated_org_id(org.pk) if org.shows_generated else org.pk


def data_contributor_id(org: Organisation) -> str | None:
    """The name under which events of buyers carry the signals that the organisation's pages show now."""
    return generated_contributor_id(org) if org.shows_generated else org.contributor_id


def data_mark(org: Organisation) -> str:
    """For names of files, so that generated figures are told from real ones outside of the pages too."""
    return "-generated" if org.shows_generated else ""


def show_generated(*, actor: Actor, org: Organisation) -> None:
    """From now on, for everybody in the organisation."""
    with transaction.atomic():
        flag = Flag.objects.get(name=GENERATED_DATA)
        _, is_new = FlaggedOrganisation.objects.get_or_create(flag=flag, organisation=org)
        if is_new:
            record(org=org, actor=actor, action="data.generated_shown")
    org.forget_flags()


def show_real(*, actor: Actor, org: Organisation) -> None:
    with transaction.atomic():
        removed, _ = FlaggedOrganisation.objects.filter(flag__name=GENERATED_DATA, organisation=org).delete()
        if removed:
            record(org=org, actor=actor, action="data.real_shown")
    org.forget_flags()
