"""Two administrators who remove one another at the same moment: one of them stays."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from django.db import connections

from apps.accounts.public import User
from apps.common.errors import AppError
from apps.orgs import people
from apps.orgs.actor import SERVICE, Actor, acting
from apps.orgs.models import Membership
from apps.orgs.permissions import Role
from apps.orgs.public import create_organisation
from tests.support.world import World


def test_an_admin_is_left(committed: World) -> None:
    slug = f"race-{uuid4().hex[:8]}"
    org, _ = create_organisation(
        actor=SERVICE, slug=slug, name="Race", kind="agency", admin_email=f"one@{slug}.example"
    )
    with acting(SERVICE):
        other = User.objects.create_user(f"two@{slug}.example")
        Membership.objects.create(user=other, org=org, role="org_admin")
        ids = list(Membership.objects.filter(org=org).values_list("user", flat=True))

    def leave(user_id: Any) -> bool:
        actor = Actor("x", frozenset({(org.pk, Role.ORG_ADMIN)}), user_id=user_id)
        try:
            with acting(actor):
                people.set_roles(actor=actor, org=org, user_id=user_id, roles=[])
        except AppError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(leave, ids)) == [False, True]
