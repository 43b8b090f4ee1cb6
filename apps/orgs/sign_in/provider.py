"""django-allauth's OpenID Connect provider as we want it: PKCE, nonce, a checked signature, nothing from the address.

allauth finds it by `SOCIALACCOUNT_PROVIDERS`, and the URLs beside it (`urls.py`) as those of the provider's package.
"""

import secrets
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse

from apps.orgs.sign_in.outgoing import check_scheme
from apps.orgs.sign_in.tokens import BadToken, read_id_token

DISCOVERY_SECONDS = 600
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def discover(issuer: str) -> dict[str, Any]:
    """What the provider says of itself; kept for ten minutes. What is amiss: an OAuth2Error or RequestException."""
    key = f"oidc:{issuer}"
    kept: dict[str, Any] | None = cache.get(key)
    if kept is not None:
        return kept
    with get_adapter().get_requests_session() as session:
        answer = session.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        answer.raise_for_status()
        found = answer.json()
    if not isinstance(found, dict) or any(not isinstance(found.get(name), str) for name in ENDPOINTS):
        raise OAuth2Error("The discovery document lacks an endpoint.")
    if str(found.get("issuer")).rstrip("/") != issuer.rstrip("/"):
        raise OAuth2Error("The discovery document is another issuer's.")
    for name in ENDPOINTS:
        check_scheme(found[name])
    cache.set(key, found, DISCOVERY_SECONDS)
    return found


class OrganisationAdapter(OpenIDConnectOAuth2Adapter):
    """One sign-in at one provider."""

    @property
    def openid_config(self) -> dict[str, Any]:
        return discover(self.get_provider().app.settings["server_url"])

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Claims of the token, completed by those of the userinfo endpoint; the token's win."""
        config = self.openid_config
        with get_adapter().get_requests_session() as session:
            answer = session.get(config["jwks_uri"])
            answer.raise_for_status()
            keys = answer.json()
        try:
            claims = read_id_token(
                str(kwargs["response"].get("id_token")), keys, issuer=config["issuer"], client_id=app.client_id
            )
        except BadToken as error:
            raise OAuth2Error(f"The id_token was refused: {error}") from error
        if "userinfo_endpoint" in config:
            more = self._fetch_user_info(token.token)
            if more.get("sub") != claims["sub"]:
                raise OAuth2Error("The userinfo is about somebody else.")
            claims = {**more, **claims}
        login = self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        login.claims = claims
        return login


class OrganisationProvider(OpenIDConnectProvider):
    oauth2_adapter_class = OrganisationAdapter
    pkce_enabled_default = True

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """allauth lets the address add parameters and scopes; here it does not."""
        kwargs: dict[str, Any] = super().get_redirect_from_request_kwargs(request)
        return {**kwargs, "scope": self.get_scope(), "auth_params": self.get_auth_params()}

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        nonce = secrets.token_urlsafe(24)
        kwargs["auth_params"] = {**(kwargs.get("auth_params") or {}), "nonce": nonce}
        answer: HttpResponse = super().redirect(request, process, next_url=next_url, data=data, nonce=nonce, **kwargs)
        return answer

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """No more of a person than tells accounts apart."""
        return {"id_token": {name: data["id_token"].get(name) for name in ("iss", "sub", "email")}}
