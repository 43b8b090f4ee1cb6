"""`manage.py seed_demo`: organisations, people 300,000 events and platform reports to look at."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandParser

from apps.accounts.public import set_password
from apps.common.commands import Command as BaseCommand
from apps.events.public import DemoBuyer, generate_demo
from apps.measurement.public import UniverseWish, set_universe
from apps.orgs.public import (
    SERVICE,
    Actor,
    Kind,
    Organisation,
    Role,
    acting,
    add_member,
    create_organisation,
    in_schema_of,
)
from config.demo import ACCOUNTS, PASSWORD_FILE, demo_password
from config.demo_reports import REPORTS, write_report

OWNERS = (
    ("broadcaster-x", "Broadcaster X", Kind.DATA_OWNER, "broadcaster_x"),
    ("retailer-y", "Retailer Y", Kind.DATA_OWNER, "retailer_y"),
    ("identity-graph-z", "Identity Graph Z", Kind.DATA_OWNER, "identity_graph_z"),
    ("geo-signals", "Geo Signals", Kind.PUBLISHER, "geo_signals"),
)
CONTRIBUTORS = tuple(owner[3] for owner in OWNERS)
BUYERS = (
    (
        "OMD East", Kind.AGENCY, "America/New_York",
        DemoBuyer("omd-east", ("autumn-launch", "loyalty-q4", "always-on"), 150_000, CONTRIBUTORS, 78.0),
    ),
    (
        "Northwind Foods", Kind.ADVERTISER, "America/Chicago",
        DemoBuyer("northwind-foods", ("snack-relaunch", "holiday-table"), 90_000, CONTRIBUTORS[:3], 34.0),
    ),
    (
        "Civic Motors", Kind.ADVERTISER, "America/Los_Angeles",
        DemoBuyer("civic-motors", ("ev-test-drive", "dealer-days"), 60_000, CONTRIBUTORS[1:], 310.0),
    ),
)  # fmt: skip
SEED = 20_260_101


class Command(BaseCommand):
    help = "Fill an empty installation with demonstration organisations, accounts and 300,000 events (fixed seed)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there is any organisation")

    def run(self, **options: Any) -> None:
        with acting(SERVICE):
            complete = PASSWORD_FILE.exists() and Organisation.objects.filter(slug="omd-east").exists()
            present = set(Organisation.objects.values_list("slug", flat=True))
        if options["if_empty"] and (complete or present - DEMO_SLUGS):
            return
        self._organisations(present)
        for number, (_, _, _, buyer) in enumerate(BUYERS):
            self._events(buyer, SEED + number)
        self._reports(BUYERS[0][3].slug)
        self._universe(BUYERS[0][3].slug)
        self._accounts()

    def _organisations(self, present: set[str]) -> None:
        wanted: list[tuple[str, str, Kind, str, str | None]] = [("precise", "Precise", Kind.PLATFORM, "UTC", None)]
        wanted += [(buyer.slug, name, kind, zone, None) for name, kind, zone, buyer in BUYERS]
        wanted += [(slug, name, kind, "America/New_York", contributor) for slug, name, kind, contributor in OWNERS]
        for slug, name, kind, zone, contributor in wanted:
            if slug in present:
                continue
            self.stdout.write(f"Making {name}")
            create_organisation(
                actor=SERVICE, slug=slug, name=name, kind=kind, time_zone=zone, contributor_id=contributor,
                admin_email=f"admin@{slug}.example",
            )  # fmt: skip

    def _events(self, buyer: DemoBuyer, seed: int) -> None:
        end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"demo-{buyer.slug}.ndjson"
            self.stdout.write(f"Inventing {buyer.events:,} events for {buyer.slug}")
            with path.open("wb") as file:
                file.writelines(line + b"\n" for line in generate_demo(buyer, seed=seed, end=end))
            call_command("import_events", path, org=buyer.slug, format="ndjson", history=True, stdout=StringIO())

    def _universe(self, slug: str) -> None:
        """The demonstration's persons are numbered up to 40,000, a third of them in each cohort."""
        with acting(SERVICE):
            org = Organisation.objects.get(slug=slug)
            with in_schema_of(org):
                admin = Actor("demonstration", frozenset({(org.pk, Role.ORG_ADMIN)}))
                wish = UniverseWish("Demonstration market", 40_000, "In market", 13_334, ("in-market",))
                set_universe(actor=admin, org=org, wish=wish)

    def _reports(self, slug: str) -> None:
        with acting(SERVICE):
            org = Organisation.objects.get(slug=slug)
        self.stdout.write(f"Inventing what platforms report to {slug}")
        with TemporaryDirectory() as folder:
            for report in REPORTS:
                path = Path(folder) / f"{report.source}.csv"
                path.write_text(write_report(org, report), encoding="utf-8")
                options = {"org": slug, "source": report.source, "platform": report.platform}
                call_command("import_performance", path, **options, stdout=StringIO())

    def _accounts(self) -> None:
        password = demo_password()
        with acting(SERVICE):
            for account in ACCOUNTS:
                org = Organisation.objects.get(slug=account.org)
                member = add_member(actor=SERVICE, org=org, email=account.email, role=Role(account.role))
                set_password(user=member.user, password=password)


DEMO_SLUGS = {"precise", *(buyer.slug for *_, buyer in BUYERS), *(owner[0] for owner in OWNERS)}
