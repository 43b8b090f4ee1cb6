"""`manage.py demo_accounts`: who can sign in to the demonstration, and how."""

from typing import Any

from apps.common.commands import Command as BaseCommand
from config.demo import ACCOUNTS, PASSWORD_FILE, demo_password


class Command(BaseCommand):
    help = "Print the demonstration accounts and their password, if this installation has them."

    def run(self, **options: Any) -> None:
        if not PASSWORD_FILE.exists():
            return
        width = max(len(account.email) for account in ACCOUNTS)
        for account in ACCOUNTS:
            self.stdout.write(f"  {account.email:<{width}}  {account.what}")
        self.stdout.write(f"  password of each: {demo_password()}")
