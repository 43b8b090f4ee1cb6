"""Mail of this installation while it is not sent: for development, and for super admins only, since links let in."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.console.mail import get_caught, list_caught
from apps.orgs.public import ActorRequest, Permission, requires_platform


@require_GET
@never_cache
@requires_platform(Permission.RUN_PLATFORM)
def index(request: ActorRequest) -> HttpResponse:
    return render(request, "console/mail.html", {"messages_caught": list_caught()})


@require_GET
@never_cache
@requires_platform(Permission.RUN_PLATFORM)
def one(request: ActorRequest, key: str) -> HttpResponse:
    return render(request, "console/mail_message.html", {"message": get_caught(key)})
