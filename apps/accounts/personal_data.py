"""What accounts keep of a person, for their own export. Secrets stay out: only that there are some is said."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from apps.accounts.models import SignInPlace, User
from apps.accounts.sessions import list_sessions


def collect(user: User) -> dict[str, Any]:
    return {
        "account": {
            "id": user.pk,
            "email": user.email,
            "name": user.name,
            "joined": user.date_joined,
            "last_sign_in": user.last_login,
            "has_password": user.has_usable_password(),
            "does_not_want": user.muted,
        },
        "addresses": list(EmailAddress.objects.filter(user=user).values("email", "verified", "primary")),
        "second_steps": list(Authenticator.objects.filter(user=user).values("type", "created_at", "last_used_at")),
        "sessions": [
            {"network": one.ip, "browser": one.user_agent, "since": one.created_at} for one in list_sessions(user)
        ],
        "sign_in_places": list(SignInPlace.objects.filter(user=user).values("network", "first_at", "last_at")),
    }
