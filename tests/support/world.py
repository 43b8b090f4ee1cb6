"""The world of the tests: organisations, personas and golden events, made through the product's own actions."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

from django.core.management import call_command

from apps.accounts.models import User
from apps.events.watched.actions import Wish, add_source
from apps.orgs.models import Kind, Organisation
from apps.orgs.permissions import Role
from apps.orgs.public import SERVICE, Actor, acting, add_member, create_organisation, in_schema_of

NOW = datetime.now(UTC).replace(microsecond=0)
YESTERDAY_NOON = (NOW - timedelta(days=1)).replace(hour=12, minute=0, second=0)

# Counted on that day on Hulu, campaign `autumn`: 4 impressions for $0.08, 1 click, 1 sale of $30.25.
GOLDEN_REPORT = (
    "Day,Campaign ID,Campaign,Platform,Currency,Cost,Impressions,Clicks,Conversions,Revenue\n"
    f"{YESTERDAY_NOON:%Y-%m-%d},autumn,Autumn launch,hulu,USD,0.09,5,1,2,60.50\n"
    f"{YESTERDAY_NOON:%Y-%m-%d},elsewhere,Elsewhere,hulu,USD,1.00,7,,,\n"
)


@dataclass
class World:
    """`buyer` and `rival` are tenants of one kind; `owner`'s signals are on the buyer's events, `other_owner`'s not."""

    orgs: dict[str, Organisation] = field(default_factory=dict)
    personas: dict[str, User] = field(default_factory=dict)
    watched: UUID | None = None

    def slug(self, name: str) -> str:
        return self.orgs[name].slug


def build_world() -> World:
    # A fresh suffix per session: the services' data survives from one run of the tests to the next.
    suffix, world = uuid4().hex[:8], World()
    kinds = {
        "buyer": Kind.AGENCY,
        "rival": Kind.ADVERTISER,
        "owner": Kind.DATA_OWNER,
        "other_owner": Kind.PUBLISHER,
        "platform": Kind.PLATFORM,
    }
    for name, kind in kinds.items():
        slug = f"{name.replace('_', '-')}-{suffix}"
        world.orgs[name], _ = create_organisation(
            actor=SERVICE, slug=slug, name=f"{name.replace('_', ' ').title()} {suffix}", kind=kind,
            admin_email=f"{slug}@first.example",
        )  # fmt: skip
    for persona, org, role in PERSONAS:
        with acting(SERVICE):
            membership = add_member(
                actor=SERVICE, org=world.orgs[org], email=f"{persona}-{suffix}@personas.example", role=role
            )
        world.personas[persona] = membership.user
    import_lines(world.slug("buyer"), golden_events(world.orgs["owner"].contributor_id or ""))
    import_lines(world.slug("rival"), rival_events())
    import_report(world.slug("buyer"), "hulu-report", GOLDEN_REPORT)
    import_report(world.slug("rival"), "theirs", f"Day,Campaign,Cost\n{YESTERDAY_NOON:%Y-%m-%d},rivals-report,1\n")
    world.watched = watch_bucket(world.orgs["buyer"])
    return world


PERSONAS = (
    ("super_admin", "platform", Role.SUPER_ADMIN),
    ("campaign_manager", "buyer", Role.CAMPAIGN_MANAGER),
    ("org_admin", "buyer", Role.ORG_ADMIN),
    ("marketer", "buyer", Role.MARKETER),
    ("measurement_partner", "buyer", Role.MEASUREMENT_PARTNER),
    ("viewer", "buyer", Role.VIEWER),
    ("data_owner", "owner", Role.DATA_OWNER),
    ("stranger", "rival", Role.ORG_ADMIN),
)


def watch_bucket(org: Organisation) -> UUID:
    """A watched folder without files; nobody asks S3 before somebody looks."""
    wish = Wish(name="Vendor logs", url="s3://delivery/wins", format="ndjson", access_key_id="key", secret="secret")
    with acting(SERVICE), in_schema_of(org):
        admin = Actor("first admin", frozenset({(org.pk, Role.ORG_ADMIN)}))
        return add_source(actor=admin, org=org, wish=wish).pk


def golden_events(contributor: str) -> list[dict[str, Any]]:
    """Eleven events whose sums are easily made by hand: see `tests/omg/test_overview_page.py`."""
    at = YESTERDAY_NOON
    shown = [
        event("impression", at, platform="hulu", campaign="autumn", price=20, contributor=contributor, number=n)
        for n in range(4)
    ]
    linear = [event("impression", at, platform="linear", campaign="autumn", price=10, number=n) for n in range(2)]
    clicks = [event("click", at, platform="hulu", campaign="autumn", contributor=contributor)]
    sales = [
        event("purchase", at, platform="hulu", campaign="autumn", revenue="30.25", contributor=contributor),
        event("conversion", at, platform="linear", campaign="brand", revenue="9.75"),
    ]
    earlier = [
        event("impression", at - timedelta(days=days), platform="hulu", campaign="autumn", price=40)
        for days in (30, 58)
    ]
    return shown + linear + clicks + sales + earlier


def rival_events() -> list[dict[str, Any]]:
    return [event("purchase", YESTERDAY_NOON, platform="retail", campaign="rivals-secret", revenue="1000")]


def event(
    kind: str, at: datetime, *, platform: str, campaign: str, price: float | None = None,
    revenue: str | None = None, contributor: str = "", number: int = 0,
) -> dict[str, Any]:  # fmt: skip
    made: dict[str, Any] = {
        "event_id": f"golden-{kind}-{platform}-{campaign}-{number}-{at:%Y%m%d}",
        "event_type": kind,
        "timestamp": at.isoformat(),
        "user_id": f"person-{number}",
        "source": {"platform": platform, "campaign_id": campaign, "channel": "tv" if platform == "linear" else "video"},
    }
    if price is not None:
        made["metadata"] = {"clearing_price": price}
    if revenue is not None:
        made["properties"] = {"revenue": revenue, "currency": "USD"}
    if contributor:
        made["attribution"] = {
            "data_contributors": [{"id": contributor, "signal_type": "purchase_intent", "weight": 0.5}]
        }
    return made


def import_lines(org: str, events: list[dict[str, Any]] | list[bytes], *options: str) -> dict[str, Any]:
    """Import events as an NDJSON file through the command; answers its JSON summary."""
    lines = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in events]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.ndjson"
        path.write_bytes(b"\n".join(lines) + b"\n")
        return import_path(org, path, "ndjson", *options)


def import_report(org: str, source: str, text: str) -> None:
    """Import a report of campaign performance through the command."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report.csv"
        path.write_text(text)
        call_command(
            "import_performance", str(path), "--org", org, "--source", source, stdout=StringIO(), stderr=StringIO()
        )


def import_path(org: str, path: Path, file_format: str, *options: str) -> dict[str, Any]:
    out = StringIO()
    call_command(
        "import_events", str(path), "--org", org, "--format", file_format, *options, stdout=out, stderr=StringIO()
    )
    return dict(json.loads(out.getvalue().strip().splitlines()[-1]))
