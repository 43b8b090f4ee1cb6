"""`manage.py create_org`: everything or nothing, and the link that lets the first admin in."""

import re
from io import StringIO
from uuid import uuid4

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from apps.accounts.public import User, set_password
from apps.orgs.actor import SERVICE, acting
from apps.orgs.models import AuditEntry, Membership, Organisation, Status

pytestmark = pytest.mark.usefixtures("committed")


def create(slug: str, *options: str) -> str:
    out = StringIO()
    arguments = [slug, "--name", "Test", "--kind", "agency", "--admin-email", f"{slug}@first.example", *options]
    call_command("create_org", *arguments, stdout=out)
    return out.getvalue()


def schemas() -> set[str]:
    with connections["provisioning"].cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace")
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def slug() -> str:
    return f"made-{uuid4().hex[:8]}"


def test_makes_schema_admin_and_audit_entry(slug: str) -> None:
    create(slug)
    with acting(SERVICE):
        org = Organisation.objects.get(slug=slug)
        assert org.schema_name in schemas()
        assert Membership.objects.get(org=org).role == "org_admin"
        assert AuditEntry.objects.get(org=org).action == "organisation.created"


def test_the_link_signs_the_admin_in_once(slug: str) -> None:
    link = re.search(r"/sign-in/\S+", create(slug))
    assert link is not None
    first, second = Client(), Client()
    assert f"{slug[0]}…@first.example" in first.get(link[0]).content.decode()
    assert first.post(link[0]).headers["Location"] == "/account/password/set/"
    assert first.get(f"/o/{slug}/").status_code == 200
    assert second.post(link[0]).status_code == 410
    assert second.get(f"/o/{slug}/").status_code == 302


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--currency", "dollars"], "is not a currency"),
        (["--time-zone", "Mars/Base"], "is not a time zone"),
        (["--admin-email", "nobody"], "is not an e-mail address"),
    ],
)
def test_bad_input_leaves_nothing(slug: str, options: list[str], message: str) -> None:
    before = schemas()
    with pytest.raises(CommandError, match=message):
        create(slug, *options)
    assert schemas() == before
    with acting(SERVICE):
        assert not Organisation.objects.filter(slug=slug).exists()


@pytest.mark.parametrize("bad", ["Upper", "under_score", "dash-", "9lives", "a" * 49, "drop table"])
def test_a_bad_short_name_is_refused(bad: str) -> None:
    with pytest.raises(CommandError, match="is not a usable short name"):
        create(bad)


def test_a_taken_short_name_is_refused(slug: str) -> None:
    create(slug)
    with pytest.raises(CommandError, match="There is an organisation"):
        create(slug)


def test_a_failure_after_the_schema_leaves_no_schema(slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("cut off")

    monkeypatch.setattr("apps.orgs.actions.issue_sign_in_link", fail)
    before = schemas()
    with pytest.raises(RuntimeError):
        create(slug)
    assert schemas() == before


def test_who_has_a_password_gets_no_way_around_it(slug: str) -> None:
    email = f"{slug}@first.example"
    create(slug)
    with acting(SERVICE):
        set_password(user=User.objects.get(email=email), password="correct-horse-battery-staple")
    second = create(f"{slug}-b", "--admin-email", email)
    assert "signs in with the password they have" in second
    assert "/sign-in/" not in second
    with pytest.raises(CommandError, match="has a password"):
        call_command("sign_in_link", email)


def test_a_lost_link_is_made_anew(slug: str) -> None:
    create(slug)
    out = StringIO()
    call_command("sign_in_link", f"{slug}@first.example", stdout=out)
    link = re.search(r"/sign-in/\S+", out.getvalue())
    assert link is not None
    assert Client().post(link[0]).headers["Location"] == "/account/password/set/"
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("sign_in_link", "nobody@nowhere.example")


def test_a_link_made_before_two_step_sign_in_asks_for_the_code(slug: str) -> None:
    link = re.search(r"/sign-in/\S+", create(slug))
    assert link is not None
    TOTP.activate(User.objects.get(email=f"{slug}@first.example"), generate_totp_secret())
    browser = Client()
    assert "authenticate" in browser.post(link[0]).headers["Location"]
    assert browser.get(f"/o/{slug}/").status_code == 302


def test_a_suspended_organisation_is_closed_to_its_people(slug: str) -> None:
    link = re.search(r"/sign-in/\S+", create(slug))
    assert link is not None
    browser = Client()
    browser.post(link[0])
    with acting(SERVICE):
        Organisation.objects.filter(slug=slug).update(status=Status.SUSPENDED)
    answer = browser.get(f"/o/{slug}/")
    assert (answer.status_code, "is suspended" in answer.content.decode()) == (403, True)
