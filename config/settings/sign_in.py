"""Who may say who somebody is: providers of customers (Google, Auth0), the staff's directories (Entra ID, Okta), and
the tables from their claims to roles. Organisations' own providers stand in the database."""

from typing import Any

from config import env


def role_groups(name: str, default: str = "") -> dict[str, list[str]]:
    """`App.Role=super_admin,Other=campaign_manager` as role to the groups or app roles that give it."""
    table: dict[str, list[str]] = {}
    for pair in env.words(name, default):
        group, is_pair, role = pair.rpartition("=")
        if not is_pair or not group:
            raise env.MissingSetting(f"{name} is a list of GROUP=role, separated by commas; {pair!r} is none.")
        table.setdefault(role.strip(), []).append(group.strip())
    return table


def _app(key: str, name: str, issuer: str) -> dict[str, Any]:
    prefix = key.upper()
    return {
        "provider_id": key,
        "name": name,
        "client_id": env.text(f"{prefix}_CLIENT_ID", ""),
        "secret": env.text(f"{prefix}_CLIENT_SECRET", ""),
        "settings": {"server_url": issuer},
    }


_apps = [_app("google", "Google", "https://accounts.google.com"), _app("auth0", "Auth0", env.text("AUTH0_ISSUER", ""))]
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "openid_connect": {
        "provider_class": "apps.orgs.sign_in.provider.OrganisationProvider",
        "APPS": [app for app in _apps if app["client_id"] and app["settings"]["server_url"]],
    }
}
SOCIALACCOUNT_ADAPTER = "apps.orgs.sign_in.adapter.SocialAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
# Auth0 may say by a claim for which organisation somebody comes (its short name) and by another with which roles.
SIGN_IN_CLAIMS: dict[str, dict[str, Any]] = (
    {
        "auth0": {
            "org": env.text("AUTH0_ORGANISATION_CLAIM"),
            "roles": env.text("AUTH0_ROLES_CLAIM", "roles"),
            "table": role_groups("AUTH0_ROLES"),
        }
    }
    if env.text("AUTH0_ORGANISATION_CLAIM", "")
    else {}
)
# For trying things out with a provider on this machine; never on a server that others reach.
SIGN_IN_LOCAL_PROVIDERS = env.flag("SIGN_IN_LOCAL_PROVIDERS")

ENTRA_TENANT = env.text("ENTRA_TENANT", "")
STAFF_DOMAINS = frozenset(word.lower() for word in env.words("STAFF_DOMAINS"))
STAFF_ROLES = role_groups("STAFF_ROLES", "Precise.SuperAdmin=super_admin,Precise.CampaignManager=campaign_manager")
SOCIAL_AUTH_ENTRA_OIDC_ENDPOINT = f"https://login.microsoftonline.com/{ENTRA_TENANT}/v2.0"
SOCIAL_AUTH_ENTRA_KEY = env.text("ENTRA_CLIENT_ID", "")
SOCIAL_AUTH_ENTRA_SECRET = env.text("ENTRA_CLIENT_SECRET", "")
SOCIAL_AUTH_OKTA_OIDC_ENDPOINT = env.text("OKTA_ISSUER", "")
SOCIAL_AUTH_OKTA_SCOPE = ["groups"]
SOCIAL_AUTH_OKTA_KEY = env.text("OKTA_CLIENT_ID", "")
SOCIAL_AUTH_OKTA_SECRET = env.text("OKTA_CLIENT_SECRET", "")
SOCIAL_AUTH_URL_NAMESPACE = "social"
SOCIAL_AUTH_REQUESTS_TIMEOUT = 6
SOCIAL_AUTH_LOGIN_REDIRECT_URL = "/"
SOCIAL_AUTH_PIPELINE = (
    "social_core.pipeline.social_auth.social_details",
    "social_core.pipeline.social_auth.social_uid",
    "social_core.pipeline.social_auth.auth_allowed",
    "social_core.pipeline.social_auth.social_user",
    "apps.orgs.sign_in.staff.admit",
    "social_core.pipeline.social_auth.associate_user",
    "apps.orgs.sign_in.staff.enter",
)
