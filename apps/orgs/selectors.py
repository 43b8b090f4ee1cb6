"""Reads of organisations from PostgreSQL."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import reduce
from operator import or_
from uuid import UUID

from django.db import connection
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.common.errors import NotFound
from apps.orgs.actor import Actor
from apps.orgs.models import Membership, Organisation, Status

# So many stand in the frame of each page; who may enter more finds them on a page of their own.
MOST_LISTED = 50


def list_organisations(actor: Actor, most: int | None = None) -> list[Organisation]:
    """What the actor may enter, by name, up to `most`. Row-level security says the same a second time."""
    if actor.user_id is None:
        return []
    found = Organisation.objects.exclude(status=Status.ARCHIVED)
    if not actor.is_super_admin:
        found = found.filter(pk__in=actor.org_ids)
    return list(found[:most])


def search_organisations(text: str, *, status: str = "", kind: str = "") -> QuerySet[Organisation]:
    """Organisations whose name, short name, domain or ids elsewhere contain `text`, with their number of people."""
    people = Membership.objects.filter(org=OuterRef("pk")).order_by().values("org")
    members = people.annotate(count=Count("user", distinct=True)).values("count")
    found: QuerySet[Organisation] = Organisation.objects.annotate(
        members=Coalesce(Subquery(members), 0, output_field=IntegerField())
    ).order_by("name", "pk")
    if status:
        found = found.filter(status=status)
    if kind:
        found = found.filter(kind=kind)
    if text:
        fields = ("name", "slug", "domain", "ttd_advertiser_id", "salesforce_account_id")
        found = found.filter(reduce(or_, (Q(**{f"{field}__icontains": text}) for field in fields)))
    return found


def count_by_status() -> dict[str, int]:
    return dict(Organisation.objects.order_by().values_list("status").annotate(Count("pk")))


def count_by_role() -> dict[str, int]:
    """How many people hold each role, in whichever organisation."""
    found = Membership.objects.order_by().values_list("role")
    return dict(found.annotate(Count("user", distinct=True)))


def buyer_names(org_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names of organisations that a data owner earns from, whether or not the owner may enter them.

    The database answers names only, through a function of its own: row-level security stays as it is.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM public.buyer_names(%s)", [list(set(org_ids))])
        return dict(cursor.fetchall())


def find_by_slug(slug: str) -> Organisation:
    """The organisation with this short name; unknown: an error that names the closest ones."""
    found: Organisation | None = Organisation.objects.filter(slug=slug).first()
    if found is None:
        known = list(Organisation.objects.values_list("slug", flat=True))
        raise NotFound(f"There is no organisation {slug!r}. {_hint(slug, sorted(known))}")
    return found


def find_by_id(org_id: UUID) -> Organisation:
    found: Organisation | None = Organisation.objects.filter(pk=org_id).first()
    if found is None:
        raise NotFound("There is no such organisation.")
    return found


def _hint(slug: str, known: list[str]) -> str:
    if not known:
        return "There is none yet; make one with `manage.py create_org`."
    if near := get_close_matches(slug, known, n=3):
        return f"Did you mean {' or '.join(near)}?"
    more = f" and {len(known) - 5} more" if len(known) > 5 else ""
    return f"Known: {', '.join(known[:5])}{more}."
