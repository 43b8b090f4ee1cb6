"""Writes to organisations. Each is one transaction with its audit entry, or nothing."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import connections, transaction

from apps.accounts.public import get_or_create_user, issue_sign_in_link
from apps.common.errors import Conflict, Forbidden, InvalidInput
from apps.orgs.actor import Actor, declare
from apps.orgs.audit import record
from apps.orgs.models import OWNER_KINDS, TEMPLATE_SCHEMA, Kind, Membership, Organisation
from apps.orgs.permissions import PLATFORM_ROLES, Role

PROVISIONING = "provisioning"


def create_organisation(
    *, actor: Actor, slug: str, name: str, kind: str, admin_email: str, **fields: Any
) -> tuple[Organisation, str | None]:
    """Make schema, organisation, first admin and their one-time sign-in link; answers (organisation, token).

    There is no token for an admin who signs in with a password already.

    Everything happens in one transaction on the owner's connection, the schema included: a failure leaves nothing.
    """
    org = Organisation(slug=slug, name=name, kind=kind, schema_name=schema_name_of(slug), **fields)
    if kind in OWNER_KINDS and not org.contributor_id:
        org.contributor_id = slug
    with transaction.atomic(using=PROVISIONING):
        declare(actor, PROVISIONING)
        _check(org)
        _clone_template(org.schema_name)
        org.save(using=PROVISIONING, force_insert=True)
        user = get_or_create_user(email=admin_email, using=PROVISIONING)
        role = Role.SUPER_ADMIN if kind == Kind.PLATFORM else Role.ORG_ADMIN
        Membership.objects.using(PROVISIONING).create(user=user, org=org, role=role)
        token = issue_sign_in_link(user=user, using=PROVISIONING)
        record(org=org, actor=actor, action="organisation.created", using=PROVISIONING, kind=kind, admin=str(user.pk))
    return org, token


def add_member(*, actor: Actor, org: Organisation, email: str, role: Role) -> Membership:
    """Give a person a role in the organisation; saying it twice changes nothing."""
    if not (actor.is_service or actor.is_super_admin):
        raise Forbidden("Only platform staff may give roles.")
    if role in PLATFORM_ROLES and role is not Role.CAMPAIGN_MANAGER and org.kind != Kind.PLATFORM:
        raise InvalidInput(f"{role.value.replace('_', ' ')} is a role of the platform's own organisation.")
    with transaction.atomic():
        user = get_or_create_user(email=email)
        membership, created = Membership.objects.get_or_create(user=user, org=org, role=role)
        if created:
            record(org=org, actor=actor, action="membership.added", user=str(user.pk), role=role.value)
    return membership


def schema_name_of(slug: str) -> str:
    return "org_" + slug.replace("-", "_")


def _check(org: Organisation) -> None:
    try:
        org.full_clean(exclude=["id"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        # Our own rules name the value first, and say more than Django's.
        reasons = [next((t for t in texts if t.startswith("'")), texts[0]) for texts in error.message_dict.values()]
        raise InvalidInput(" ".join(reasons)) from error
    others = Organisation.objects.using(PROVISIONING)
    if others.filter(slug=org.slug).exists() or others.filter(schema_name=org.schema_name).exists():
        raise Conflict(f"There is an organisation {org.slug!r} already; choose another short name.")
    if org.contributor_id and others.filter(contributor_id=org.contributor_id).exists():
        raise Conflict(f"Another organisation is the contributor {org.contributor_id!r} already.")


def _clone_template(schema_name: str) -> None:
    with connections[PROVISIONING].cursor() as cursor:
        cursor.execute("SELECT public.clone_tenant(%s, %s)", [TEMPLATE_SCHEMA, schema_name])
