"""The demonstration accounts of a local installation. Their one password is made at random and kept under `var/`."""

import secrets
from dataclasses import dataclass

from django.conf import settings

PASSWORD_FILE = settings.VAR_DIR / "run" / "demo-password"


@dataclass(frozen=True)
class Account:
    email: str
    org: str
    role: str
    what: str


ACCOUNTS = (
    Account("super@demo.example", "precise", "super_admin", "super admin, all organisations"),
    Account("buyer@demo.example", "omd-east", "org_admin", "media buyer, OMD East"),
    Account("marketer@demo.example", "northwind-foods", "marketer", "marketer, Northwind Foods"),
    Account("owner@demo.example", "broadcaster-x", "data_owner", "data owner, Broadcaster X"),
)


def demo_password() -> str:
    """The password of all demonstration accounts, made on first use."""
    if not PASSWORD_FILE.exists():
        PASSWORD_FILE.parent.mkdir(parents=True, exist_ok=True)
        PASSWORD_FILE.touch(mode=0o600)
        PASSWORD_FILE.write_text(f"{secrets.token_hex(3)}-{secrets.token_hex(3)}-{secrets.token_hex(3)}\n")
    return PASSWORD_FILE.read_text().strip()
