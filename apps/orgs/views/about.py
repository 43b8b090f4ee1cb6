"""The organisation itself: what it is called, and by which rules its data is kept and counted."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.orgs.access import requires
from apps.orgs.permissions import Permission
from apps.orgs.requests import OrgRequest


@require_GET
@requires(Permission.EDIT_IN_PLACE)
def about(request: OrgRequest) -> HttpResponse:
    return render(request, "orgs/about.html", {})
