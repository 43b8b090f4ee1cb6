"""What other rooms may ask of accounts."""

from apps.accounts.actions import (
    check_email,
    edit_profile,
    get_or_create_user,
    issue_sign_in_link,
    set_account_active,
    set_password,
    verify_address,
)
from apps.accounts.adapter import AccountAdapter
from apps.accounts.models import User
from apps.accounts.notices import Notice, notify
from apps.accounts.origin import network_of
from apps.accounts.personal_data import collect
from apps.accounts.selectors import find_by_email, has_second_step, list_emails, with_second_step
from apps.accounts.sessions import browser_words, end_other_sessions, end_session, end_sessions, list_sessions
from apps.accounts.views.sign_in import sign_in_invited

__all__ = [
    "AccountAdapter",
    "Notice",
    "User",
    "browser_words",
    "check_email",
    "collect",
    "edit_profile",
    "end_other_sessions",
    "end_session",
    "end_sessions",
    "find_by_email",
    "get_or_create_user",
    "has_second_step",
    "issue_sign_in_link",
    "list_emails",
    "list_sessions",
    "network_of",
    "notify",
    "set_account_active",
    "set_password",
    "sign_in_invited",
    "verify_address",
    "with_second_step",
]
