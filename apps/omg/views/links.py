"""Ways from one page of figures to another that keep the period and the filters."""

from collections.abc import Mapping

from django.urls import reverse

from apps.omg.dimensions import Dimension
from apps.orgs.public import OrgRequest

PAGES = {Dimension.CAMPAIGN: "org:campaign"}


def page_of(request: OrgRequest, dimension: Dimension, value: str) -> str:
    """The page of one campaign or line item in the same period and under the same filters; other things have none."""
    if dimension not in PAGES or not value:
        return ""
    return reverse(PAGES[dimension], args=[request.org.slug, value]) + kept_query(request, without=dimension)


def kept_query(request: OrgRequest, *, without: Dimension | None = None, more: Mapping[str, str] | None = None) -> str:
    """Period and filters of this address, for another one."""
    query = request.GET.copy()
    for name in set(query) - {"range", "start", "end", *Dimension}:
        query.pop(name)
    if without is not None:
        query.pop(without.value, None)
    for name, value in (more or {}).items():
        query[name] = value
    return f"?{query.urlencode()}" if query else ""
