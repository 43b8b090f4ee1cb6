"""A person's connected accounts: shown, connected, disconnected. Also those of a provider that was switched off."""

from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.views import ConnectionsView
from django.http import HttpResponse
from django.shortcuts import redirect

from apps.common.errors import InvalidInput
from apps.orgs.actor import as_platform
from apps.orgs.models import IdentityProvider
from apps.orgs.requests import ActorRequest
from apps.orgs.sign_in.providers import provider_for


class Connections(ConnectionsView):
    request: ActorRequest

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            answer: HttpResponse = super().form_valid(form)
        except SocialApp.DoesNotExist:
            form.cleaned_data["account"].delete()
            return redirect("socialaccount_connections")
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        connected = list(SocialAccount.objects.filter(user=self.request.user).order_by("date_joined"))
        names = self._names(connected)
        context["connected"] = [
            {"pk": one.pk, "name": names.get(one.provider, one.provider.capitalize()), "email": _email(one)}
            for one in connected
        ]
        own = _own(self.request)
        context["own_provider"] = own if own and own.key not in {one.provider for one in connected} else None
        return context

    def _names(self, connected: list[SocialAccount]) -> dict[str, str]:
        keys = [one.provider.removeprefix("org-") for one in connected if one.provider.startswith("org-")]
        with as_platform(self.request.actor):
            return {one.key: one.name for one in IdentityProvider.objects.filter(pk__in=keys)}


def _own(request: ActorRequest) -> IdentityProvider | None:
    try:
        return provider_for(request.actor, request.user.email)
    except InvalidInput:
        return None


def _email(account: SocialAccount) -> str:
    return str((account.extra_data.get("id_token") or {}).get("email") or "")


connections = Connections.as_view()
