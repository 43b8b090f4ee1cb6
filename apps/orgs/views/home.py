"""Where a person lands: their organisation, or the choice of one."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from apps.orgs.requests import ActorRequest
from apps.orgs.selectors import list_organisations


@require_GET
def choose_organisation(request: ActorRequest) -> HttpResponse:
    if request.actor.user_id is None:
        return redirect_to_login("/")
    if request.actor.is_super_admin:
        return redirect("console:organisations")
    if len(request.organisations) == 1:
        return redirect("org:home", org=request.organisations[0].slug)
    return render(request, "accounts/home.html", {"organisations": list_organisations(request.actor)})
