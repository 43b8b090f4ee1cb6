"""What other rooms may ask of accounts."""

from apps.accounts.actions import get_or_create_user, issue_sign_in_link, set_password
from apps.accounts.models import User
from apps.accounts.origin import network_of
from apps.accounts.selectors import find_by_email, list_emails

__all__ = [
    "User",
    "find_by_email",
    "get_or_create_user",
    "issue_sign_in_link",
    "list_emails",
    "network_of",
    "set_password",
]
