"""The switch between an organisation's real data and generated data."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from apps.events.actions import look_around, look_at_real
from apps.orgs.public import OrgRequest, Permission, requires


@require_POST
@requires(Permission.CHOOSE_DATA)
def show_generated(request: OrgRequest) -> HttpResponse:
    look_around(actor=request.actor, org=request.org)
    return redirect("org:home", org=request.org.slug)


@require_POST
@requires(Permission.CHOOSE_DATA)
def show_real(request: OrgRequest) -> HttpResponse:
    look_at_real(actor=request.actor, org=request.org)
    messages.success(request, "All pages show your real data again.")
    return redirect("org:home", org=request.org.slug)
