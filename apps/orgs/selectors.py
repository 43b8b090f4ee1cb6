"""Reads of organisations from PostgreSQL."""

from collections.abc import Iterable
from difflib import get_close_matches
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from apps.common.errors import NotFound
from apps.orgs.actor import Actor
from apps.orgs.models import Organisation, Status


def list_organisations(actor: Actor) -> list[Organisation]:
    """What the actor may enter, by name. Row-level security says the same a second time."""
    if actor.user_id is None:
        return []
    found = Organisation.objects.exclude(status=Status.ARCHIVED)
    if not actor.is_super_admin:
        found = found.filter(pk__in=actor.org_ids)
    return list(found)


def search_organisations(text: str) -> QuerySet[Organisation]:
    """Every organisation whose name or short name contains `text`, with its number of members."""
    found: QuerySet[Organisation] = Organisation.objects.annotate(
        members=Count("memberships__user", distinct=True)
    ).order_by("name")
    return found.filter(name__icontains=text) | found.filter(slug__icontains=text) if text else found


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
