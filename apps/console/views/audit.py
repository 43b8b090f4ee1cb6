"""The audit trail of all organisations, for super admins. Reading it is noted in it."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from apps.orgs.public import ActorRequest, Permission, audit_entry_page, audit_page, record, requires_platform


@require_GET
@requires_platform(Permission.VIEW_ALL_ORGANISATIONS)
def audit(request: ActorRequest) -> HttpResponse:
    response = audit_page(request, org_id=None, time_zone="UTC")
    record(org=None, actor=request.actor, action="audit.read", query=request.GET.urlencode()[:200])
    return response


@require_GET
@requires_platform(Permission.VIEW_ALL_ORGANISATIONS)
def entry(request: ActorRequest, entry_id: int) -> HttpResponse:
    response = audit_entry_page(request, entry_id, org_id=None, time_zone="UTC")
    record(org=None, actor=request.actor, action="audit.read", entry=entry_id)
    return response
