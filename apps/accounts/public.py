"""What other rooms may ask of accounts."""

from apps.accounts.actions import get_or_create_user, issue_sign_in_link, set_password
from apps.accounts.models import User

__all__ = ["User", "get_or_create_user", "issue_sign_in_link", "set_password"]
