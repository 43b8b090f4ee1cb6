"""Single sign-on in a real browser, whose Content-Security-Policy forbids forms to lead to other sites."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from apps.orgs.actor import SERVICE, acting
from apps.orgs.models import IdentityProvider
from tests.accounts.test_single_sign_on import set_up
from tests.support import oidc
from tests.support.world import World

pytestmark = pytest.mark.browser


@pytest.fixture
def acme(committed: World) -> Iterator[tuple[oidc.Provider, str]]:
    domain = f"acme-{uuid4().hex[:8]}.example"
    with oidc.running() as provider:
        own = set_up(committed.orgs["rival"], provider.issuer, domain)
        yield provider, domain
        with acting(SERVICE):
            IdentityProvider.objects.filter(pk=own.pk).delete()


def test_the_way_to_the_provider_and_back(acme: tuple[oidc.Provider, str], world: World, open_as: Any) -> None:
    provider, domain = acme
    provider.add_person("ada", email=f"ada@{domain}", groups=["Planners"])
    page = open_as(None)
    page.goto("/account/login/")
    page.get_by_role("link", name="Sign in with your organisation").click()
    page.get_by_label("E-mail").fill(f"ada@{domain}")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{provider.issuer}/**")
    page.locator("input[name=sub]").first.fill("ada")
    page.get_by_role("button", name="Authorize").first.click()
    page.wait_for_url(f"**/o/{world.slug('rival')}/**")
    expect(page.get_by_text(f"ada@{domain}", exact=True)).to_be_visible()
