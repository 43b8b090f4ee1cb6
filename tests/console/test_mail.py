"""Mail that is not sent: shown to super admins while it goes to files, and to nobody where it is sent."""

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import send_mail

from tests.support.world import World

pytestmark = pytest.mark.django_db
MAIL = "/console/mail/"


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    settings.MAIL_CATCHER = True
    return tmp_path


def test_what_was_written_is_listed_and_read(folder: Path, world: World, as_persona: Any) -> None:
    client = as_persona("super_admin")
    assert "Nothing was sent yet" in client.get(MAIL).content.decode()
    send_mail(
        "Grüße <b>", "Join: https://precise.example/invitations/x/\n<script>alert(1)</script>", None, ["a@b.example"]
    )
    (only,) = client.get(MAIL).context["messages_caught"]
    assert (only.subject, only.to) == ("Grüße <b>", "a@b.example")
    page = client.get(f"{MAIL}{only.key}/").content.decode()
    assert 'href="https://precise.example/invitations/x/"' in page
    assert "<script>alert" not in page
    assert "no-store" in client.get(MAIL).headers["Cache-Control"]


@pytest.mark.parametrize(
    "key", ["..%2f..%2fetc%2fpasswd", "20260101-000000-1.log.0", "x", "%00", "20260101-000000-1.log.²"]
)
def test_other_files_are_nobodys(key: str, folder: Path, world: World, as_persona: Any) -> None:
    (folder / "passwd").write_text("secret")
    assert as_persona("super_admin").get(f"{MAIL}{key}/").status_code == 404


def test_where_mail_is_sent_there_is_no_such_page(world: World, as_persona: Any, settings: Any) -> None:
    assert settings.MAIL_CATCHER is False
    assert as_persona("super_admin").get(MAIL).status_code == 404


def test_links_that_let_in_are_for_super_admins(folder: Path, world: World, as_persona: Any) -> None:
    for persona, status in (("org_admin", 403), ("campaign_manager", 403), (None, 302)):
        assert as_persona(persona).get(MAIL).status_code == status
        assert as_persona(persona).get(f"{MAIL}x/").status_code == status
