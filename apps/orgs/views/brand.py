"""How an organisation's pages look: its logo and its colours, for whoever may enter. Addresses name the content, so
that browsers keep it."""

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from apps.common.errors import NotFound
from apps.orgs.branding import stylesheet
from apps.orgs.models import Logo
from apps.orgs.requests import OrgRequest

KEPT = "private, max-age=31536000, immutable"


@require_GET
def logo(request: OrgRequest, org: str, digest: str) -> HttpResponse:
    if request.actor.user_id is None:
        return redirect_to_login(request.get_full_path())
    found = Logo.objects.filter(org=request.org).first()
    if found is None or request.org.logo_digest != digest:
        raise NotFound("There is no such logo.")
    return HttpResponse(bytes(found.content), content_type="image/png", headers={"Cache-Control": KEPT})


@require_GET
def colours(request: OrgRequest, org: str, accent: str) -> HttpResponse:
    if request.actor.user_id is None:
        return redirect_to_login(request.get_full_path())
    if request.org.accent != f"#{accent}":
        raise NotFound("There is no such colour.")
    return HttpResponse(stylesheet(request.org.accent), content_type="text/css", headers={"Cache-Control": KEPT})
