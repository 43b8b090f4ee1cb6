"""Making an organisation step by step: what is wrong is said at its step, and all of it is made, or nothing."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connections
from django.test import Client

from apps.orgs.actor import SERVICE, acting
from apps.orgs.models import AuditEntry, Invitation, Membership, Organisation
from tests.support.world import World

PATH = "/console/organisations/new/"


@pytest.fixture
def slug() -> str:
    return f"made-{uuid4().hex[:8]}"


@pytest.fixture
def client(committed: World) -> Client:
    browser = Client()
    browser.force_login(
        committed.personas["super_admin"], backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return browser


def wish(short: str, **changes: str) -> dict[str, Any]:
    return {
        "name": f"Made {short}", "slug": short, "kind": "agency", "domain": f"{short}.example",
        "currency": "eur", "time_zone": "Europe/Berlin", "ttd_advertiser_id": short.replace("-", ""),
        "salesforce_account_id": "0015g00000AbCdE", "contributor_id": "", "admin_email": f"First@{short}.example",
        "raw_event_days": "60", **changes,
    }  # fmt: skip


def schemas() -> set[str]:
    with connections["provisioning"].cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace")
        return {name for (name,) in cursor.fetchall()}


def test_step_by_step_to_an_organisation_with_its_first_admin(client: Client, committed: World, slug: str) -> None:
    mail.outbox.clear()
    data = {"name": f"Made {slug}", "kind": "agency", "domain": f"{slug}.example"}
    assert client.get(PATH).context["step"] == 1
    carried: dict[str, Any] = {}
    for step, own in enumerate((data, {**wish(slug)}, {**wish(slug)}), start=1):
        answer = client.post(PATH, {**carried, **own, "step": step})
        assert answer.context["step"] == step + 1, answer.context["form"].errors
        carried = {**carried, **own, **dict(answer.context["carried"])}
    manager = committed.personas["campaign_manager"]
    answer = client.post(PATH, {**wish(slug), "step": 4, "manager": [str(manager.pk)]})
    assert answer.headers["Location"] == f"/console/organisations/{slug}/"
    with acting(SERVICE):
        org = Organisation.objects.get(slug=slug)
        assert (org.currency, org.time_zone, org.raw_event_days, org.domain) == (
            "EUR", "Europe/Berlin", 60, f"{slug}.example",
        )  # fmt: skip
        assert [(one.user, one.role) for one in Membership.objects.filter(org=org)] == [(manager, "campaign_manager")]
        assert Invitation.objects.get(org=org).role == "org_admin"
        assert {entry.action for entry in AuditEntry.objects.filter(org=org)} == {
            "organisation.created", "invitation.sent",
        }  # fmt: skip
    assert org.schema_name in schemas()
    link = re.search(r"https?://[^/]+(/invitations/\S+)", mail.outbox[-1].body)
    assert link
    assert mail.outbox[-1].to == [f"first@{slug}.example"]
    newcomer = Client()
    newcomer.post(link[1])
    assert newcomer.get(f"/o/{slug}/").status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "step", "why"),
    [
        ("name", "", 1, "required"),
        ("name", "Аcme", 1, "look alike"),  # a Cyrillic А
        ("name", "a\u202eb", 1, "one line"),
        ("name", "x" * 201, 1, "at most 200"),
        ("slug", "console", 1, "reserved"),
        ("slug", "Upper", 1, "lower-case"),
        ("slug", "drop table", 1, "lower-case"),
        ("slug", "аcme", 1, "lower-case"),  # a Cyrillic а
        ("slug", "a" * 49, 1, "at most 48"),
        ("kind", "platform", 1, "valid choice"),
        ("domain", "no domain", 1, "is not a domain"),
        ("domain", "пример.example", 1, "is not a domain"),
        ("currency", "dollars", 2, "at most 3"),
        ("currency", "XXQ", 2, "is not a currency"),
        ("time_zone", "Mars/Base", 2, "is not a time zone"),
        ("time_zone", "../../etc/passwd", 2, "is not a time zone"),
        ("ttd_advertiser_id", "<b>", 2, "is not an advertiser id"),
        ("salesforce_account_id", "1", 2, "15 or 18"),
        ("admin_email", "nobody", 3, "is not an e-mail"),
        ("admin_email", "аdmin@example.org", 3, "is not an e-mail"),  # a Cyrillic а
        ("raw_event_days", "0", 3, "greater than or equal to 1"),
        ("raw_event_days", "100000", 3, "less than or equal to 366"),
    ],
)
def test_what_is_wrong_is_said_at_its_step_and_nothing_is_made(
    field: str, value: str, step: int, why: str, client: Client, slug: str
) -> None:
    before = schemas()
    answer = client.post(PATH, {**wish(slug, **{field: value}), "step": 4})
    assert (answer.status_code, answer.context["step"]) == (400, step)
    assert why in str(answer.context["form"].errors[field])
    assert schemas() == before


def test_what_another_has_is_refused(client: Client, slug: str) -> None:
    assert client.post(PATH, {**wish(slug), "step": 4}).status_code == 302
    errors = client.post(PATH, {**wish(slug), "step": 4}).context["form"].errors
    assert "There is an organisation" in str(errors["slug"])
    other = wish(slug + "x", name=f"MADE {slug}")
    assert "has this name already" in str(client.post(PATH, {**other, "step": 4}).context["form"].errors["name"])
    other = wish(slug + "x", domain=f"{slug.upper()}.example")
    assert "has the domain" in str(client.post(PATH, {**other, "step": 4}).context["form"].errors["domain"])


def test_a_failure_at_the_end_leaves_nothing(client: Client, slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("cut off")

    monkeypatch.setattr("apps.orgs.actions.make_invitation", fail)
    before = schemas()
    with pytest.raises(RuntimeError):
        client.post(PATH, {**wish(slug), "step": 4})
    assert schemas() == before
    with acting(SERVICE):
        assert not Organisation.objects.filter(slug=slug).exists()


def test_a_mail_that_does_not_go_out_is_said(client: Client, slug: str, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = client.post(PATH, {**wish(slug), "step": 4}, follow=True)
    assert "no mail reached" in answer.content.decode()


def test_going_back_loses_nothing(client: Client, slug: str) -> None:
    answer = client.post(PATH, {**wish(slug), "step": 3, "back": "1"})
    assert answer.context["step"] == 2
    assert answer.context["form"]["time_zone"].value() == "Europe/Berlin"
    assert dict(answer.context["carried"])["admin_email"] == f"First@{slug}.example"


@pytest.mark.parametrize("step", ["0", "5", "²", "x", "\x00"])
def test_there_are_four_steps(step: str, client: Client, slug: str) -> None:
    assert client.post(PATH, {**wish(slug), "step": step}).status_code == 400


def test_only_staff_become_managers(client: Client, committed: World, slug: str) -> None:
    for manager in (str(committed.personas["stranger"].pk), "nobody"):
        assert client.post(PATH, {**wish(slug), "step": 4, "manager": [manager]}).status_code == 400
    with acting(SERVICE):
        assert not Organisation.objects.filter(slug=slug).exists()


def test_markup_is_text(client: Client, slug: str) -> None:
    name = f'<script>alert("{slug}")</script>'
    answer = client.post(PATH, {**wish(slug, name=name), "step": 4}, follow=True)
    assert "<script>alert" not in answer.content.decode()
    assert "&lt;script&gt;alert" in client.get("/console/", {"q": slug}).content.decode()


def test_without_the_token_nothing_is_made(committed: World, slug: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(
        committed.personas["super_admin"], backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    assert browser.post(PATH, {**wish(slug), "step": 4}).status_code == 403
