"""`manage.py prepare`, `seed_demo --if-empty` and `demo_accounts` in one Django start, which costs a second or two.

The commands themselves belong to the apps.
"""

import argparse
import os
from io import StringIO
from pathlib import Path

import django
from django.core.management import call_command

from config.services.layout import write_private


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m config.services.preparation")
    parser.add_argument("--accounts", type=Path, help="load demonstration data and write the accounts to this file")
    accounts: Path | None = parser.parse_args().accounts
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
    django.setup()
    call_command("prepare")
    if accounts is not None:
        call_command("seed_demo", if_empty=True)
        write_private(accounts, _demo_accounts())


def _demo_accounts() -> str:
    page = StringIO()
    call_command("demo_accounts", stdout=page)
    return page.getvalue()


if __name__ == "__main__":
    main()
