"""The console with 1,000 organisations and 50,000 people, and deployments over 300 organisations' schemas.

Pages: server time of the whole page, in this process, asked in turns. Rows stand for organisations where schemas do not
matter: no page looks into them but Storage, which counts every ten minutes at most.

Deployments: `prepare` over real schemas, without a new migration and with one that adds a column; the latter is cut off
in the middle and begun again.
"""

import itertools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from django.test import Client

from apps.accounts.models import User
from apps.orgs.actor import SERVICE, acting, declare
from apps.orgs.models import Kind, Membership, Organisation
from apps.orgs.permissions import Role
from apps.orgs.provisioning import PROVISIONING, migrate_postgres, schemas_behind
from apps.orgs.public import add_member, create_organisation
from tests.bench.report import Report
from tests.bench.skeleton import percentile

ORGANISATIONS = 1_000
PEOPLE = 50_000
SCHEMAS = 300
REQUESTS = 60
WARM_UP = 3
MADE = 10
PAGES = {
    "organisations": "/console/",
    "organisations_searched": "/console/?q=agency+9&status=active",
    "new_organisation": "/console/organisations/new/",
    "organisation": "/console/organisations/{org}/",
    "users": "/console/users/",
    "users_last_page": "/console/users/?page=1000",
    "users_searched": "/console/users/?q=person-4999",
    "users_without_second_step": "/console/users/?state=one_step&role=viewer",
    "user": "/console/users/{user}/",
    "roles": "/console/roles/",
    "audit": "/console/audit/",
    "flow": "/console/flow/",
    "system": "/console/system/",
    "profile": "/profile/",
}


def run(report: Report) -> None:
    suffix = uuid4().hex[:8]
    boss, home = _staff(suffix)
    fill(suffix)
    try:
        _pages(report, boss, suffix)
        _creation(report, suffix)
    finally:
        forget(suffix)
    _deployment(report, suffix)
    assert home


def _staff(suffix: str) -> tuple[User, Organisation]:
    org, _ = create_organisation(
        actor=SERVICE, slug=f"staff-{suffix}", name=f"Staff {suffix}", kind=Kind.PLATFORM,
        admin_email=f"boss@{suffix}.example",
    )  # fmt: skip
    with acting(SERVICE):
        add_member(actor=SERVICE, org=org, email=f"manager@{suffix}.example", role=Role.CAMPAIGN_MANAGER)
        return User.objects.get(email=f"boss@{suffix}.example"), org


def fill(suffix: str) -> None:
    """Rows of organisations, people and memberships; each person is a viewer of one, and every tenth of a second."""
    with acting(SERVICE):
        orgs = Organisation.objects.bulk_create(
            Organisation(
                slug=f"agency-{number}-{suffix}", name=f"Agency {number} {suffix}", kind=Kind.AGENCY,
                schema_name=f"none_{number}_{suffix}",
            )
            for number in range(ORGANISATIONS)
        )  # fmt: skip
        people = User.objects.bulk_create(
            (User(email=f"person-{number}@{suffix}.example", password="!") for number in range(PEOPLE)),
            batch_size=5_000,
        )
        Membership.objects.bulk_create(_memberships(orgs, people), batch_size=5_000)
    # As the owner: the application's role may not.
    with connections[PROVISIONING].cursor() as cursor:
        cursor.execute("ANALYZE")


def _memberships(orgs: list[Organisation], people: list[User]) -> Iterator[Membership]:
    for number, user in enumerate(people):
        role = Role.ORG_ADMIN if number < len(orgs) else Role.VIEWER
        yield Membership(user=user, org=orgs[number % len(orgs)], role=role)
        if number % 10 == 0:
            yield Membership(user=user, org=orgs[(number + 1) % len(orgs)], role=Role.MARKETER)


def forget(suffix: str) -> None:
    """Organisations with entries in the trail stay, since the trail does."""
    with acting(SERVICE):
        Membership.objects.filter(org__slug__endswith=suffix, user__email__startswith="person-").delete()
        User.objects.filter(email__startswith="person-", email__endswith=f"@{suffix}.example").delete()
        Organisation.objects.filter(schema_name__startswith="none_", slug__endswith=suffix).delete()


def _pages(report: Report, boss: User, suffix: str) -> None:
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(boss, backend="allauth.account.auth_backends.AuthenticationBackend")
    with acting(SERVICE):
        someone = User.objects.get(email=f"person-7@{suffix}.example")
    paths = {name: path.format(org=f"agency-7-{suffix}", user=someone.pk) for name, path in PAGES.items()}
    times: dict[str, list[float]] = {name: [] for name in paths}
    for turn in range(WARM_UP + REQUESTS):
        for name, path in paths.items():
            seconds = _timed(lambda path=path: _get(browser, path))
            if turn >= WARM_UP:
                times[name].append(seconds * 1000)
    for name, mine in times.items():
        report.add(f"{name}_p95", percentile(mine, 95), "ms", target=150, best="least")


def _creation(report: Report, suffix: str) -> None:
    """The slowest of some, beside a thousand."""
    slowest = max(_timed(lambda number=number: _make(f"made-{number}-{suffix}")) for number in range(MADE))
    report.add("creation_slowest", slowest, "s", target=5, best="least")


def _deployment(report: Report, suffix: str) -> None:
    with acting(SERVICE):
        held = Organisation.objects.filter(schema_name__startswith="org_").count()
    for number in range(max(0, SCHEMAS - held)):
        _make(f"tenant-{number}-{suffix}")
    report.add("schemas", len(_schemas()), "schemas", target=SCHEMAS)
    report.add("deployment_without_migrations", _timed(_prepare), "s", target=30, best="least")
    with _new_column() as undo:
        try:
            began = time.perf_counter()
            _cut_off(after=SCHEMAS // 2)
            left = len(schemas_behind())
            _prepare()
            report.add("deployment_with_a_column", time.perf_counter() - began, "s", target=120, best="least")
            report.add("left_when_cut_off", left, "schemas", target=SCHEMAS // 2 + 1, best="least")
            assert schemas_behind() == []
        finally:
            undo()


class CutOff(Exception):
    """Somebody pulled the plug."""


def _cut_off(*, after: int) -> None:
    told = itertools.count()

    def say(text: str) -> None:
        if text.startswith("Migrating organisation schema") and next(told) >= after:
            raise CutOff

    try:
        migrate_postgres(say)
    except CutOff:
        return
    raise AssertionError("there was too little to do")


@contextmanager
def _new_column() -> Iterator[Callable[[], None]]:
    """A migration of `events` that adds a column, in a package that stands in for its own. Answers what undoes it."""

    import apps.events.migrations as own

    folder = Path(own.__file__).parent
    last = max(path.stem for path in folder.glob("0*.py"))
    with TemporaryDirectory() as parent:
        package = Path(parent) / "bench_migrations"
        package.mkdir()
        for path in [*folder.glob("*.py")]:
            (package / path.name).symlink_to(path)
        (package / "9999_bench.py").write_text(MIGRATION.format(last=last))
        sys.path.insert(0, parent)
        settings.MIGRATION_MODULES = {**settings.MIGRATION_MODULES, "events": "bench_migrations"}
        try:
            yield _undo
        finally:
            settings.MIGRATION_MODULES = {k: v for k, v in settings.MIGRATION_MODULES.items() if k != "events"}
            sys.path.remove(parent)


MIGRATION = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "{last}")]
    operations = [migrations.AddField("upload", "bench_note", models.CharField(max_length=20, db_default=""))]
"""


def _undo() -> None:
    for schema in ["tenant_template", *_schemas(), "public"]:
        with transaction.atomic(using=PROVISIONING), connections[PROVISIONING].cursor() as cursor:
            cursor.execute(f'ALTER TABLE IF EXISTS "{schema}".events_upload DROP COLUMN IF EXISTS bench_note')
            cursor.execute(f"DELETE FROM \"{schema}\".django_migrations WHERE app = 'events' AND name = '9999_bench'")


def _schemas() -> list[str]:
    with transaction.atomic(using=PROVISIONING):
        declare(SERVICE, PROVISIONING)
        found = Organisation.objects.using(PROVISIONING).filter(schema_name__startswith="org_")
        return list(found.values_list("schema_name", flat=True))


def _prepare() -> None:
    call_command("prepare", stdout=StringIO(), verbosity=0)


def _make(slug: str) -> None:
    create_organisation(actor=SERVICE, slug=slug, name=slug, kind=Kind.AGENCY, admin_email=f"{slug}@bench.example")


def _get(browser: Client, path: str) -> None:
    response = browser.get(path)
    assert response.status_code == 200, (path, response.status_code)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
