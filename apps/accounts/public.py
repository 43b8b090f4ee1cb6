"""What other rooms may ask of accounts."""

from apps.accounts.actions import (
    check_email,
    get_or_create_user,
    issue_sign_in_link,
    set_password,
    verify_address,
)
from apps.accounts.adapter import AccountAdapter
from apps.accounts.models import User
from apps.accounts.origin import network_of
from apps.accounts.selectors import find_by_email, has_second_step, list_emails
from apps.accounts.views.sign_in import sign_in_invited

__all__ = [
    "AccountAdapter",
    "User",
    "check_email",
    "find_by_email",
    "get_or_create_user",
    "has_second_step",
    "issue_sign_in_link",
    "list_emails",
    "network_of",
    "set_password",
    "sign_in_invited",
    "verify_address",
]
