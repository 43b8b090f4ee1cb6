"""Tables of a page as CSV."""

import csv
from collections.abc import Callable, Mapping, Sequence

from django.http import HttpResponse

from apps.common.errors import InvalidInput
from apps.orgs.public import OrgRequest, data_mark

Lines = Sequence[Sequence[object]]


def csv_of(request: OrgRequest, tables: Mapping[str, Callable[[], Lines]], page: str, span: str) -> HttpResponse:
    """The table that `?table=` names, or the page's first; `span` is the period, for the name of the file."""
    table = request.GET.get("table", next(iter(tables)))
    if table not in tables:
        raise InvalidInput(f"There is no table {table[:80]!r} here; use one of {', '.join(tables)}.")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{request.org.slug}-{page}-{table}-{span}{data_mark(request.org)}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    csv.writer(response).writerows(tables[table]())
    return response
