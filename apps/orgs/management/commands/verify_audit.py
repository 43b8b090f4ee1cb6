"""`manage.py verify_audit`: whether anything in the audit trail was changed, removed or slipped in."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from apps.common.commands import Command as BaseCommand
from apps.common.errors import InvalidInput
from apps.orgs.actor import SERVICE, acting
from apps.orgs.audit import Verified, has_seal, verify_trail

MOST_SHOWN = 20


class Command(BaseCommand):
    help = (
        "Make the audit trail's chain of seals again from its entries. Exit status 1 when something was changed, "
        "removed or slipped in. Note the digest down elsewhere: with --expect a chain that was made anew is found, too."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--expect", metavar="DIGEST", help="a digest that an earlier run printed")

    def run(self, **options: Any) -> None:
        expected = _digest(options["expect"]) if options["expect"] else None
        with acting(SERVICE):
            verified = verify_trail()
            is_known = expected is None or has_seal(expected)
        self._say(verified)
        if not is_known:
            raise CommandError("The chain has no seal with the expected digest: it was made anew, or cut.")
        if verified.findings or verified.unsealed:
            raise CommandError("The audit trail is not as it was written.")

    def _say(self, verified: Verified) -> None:
        for finding in verified.findings[:MOST_SHOWN]:
            self.stdout.write(f"entry {finding.entry_id}: {finding.message}")
        if (more := len(verified.findings) - MOST_SHOWN) > 0:
            self.stdout.write(f"and {more:,} more")
        if verified.unsealed:
            self.stdout.write(f"{verified.unsealed:,} entries older than a minute have no seal: does the worker run?")
        self.stdout.write(f"{verified.entries:,} entries read, {len(verified.findings):,} findings")
        self.stdout.write(f"digest {verified.digest.hex()}")


def _digest(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InvalidInput("A digest is 64 hexadecimal digits, as verify_audit prints it.") from error
