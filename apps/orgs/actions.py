"""Writes that make organisations and give roles. Each is one transaction with its audit entry, or nothing."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connections, transaction
from django.db.models import QuerySet

from apps.accounts.public import User, get_or_create_user, issue_sign_in_link
from apps.common.errors import Conflict, Forbidden, InvalidInput
from apps.orgs.actor import Actor, declare
from apps.orgs.audit import record
from apps.orgs.invitations import make_invitation
from apps.orgs.models import OWNER_KINDS, TEMPLATE_SCHEMA, Invitation, Kind, Membership, Organisation
from apps.orgs.permissions import PLATFORM_ROLES, Role

PROVISIONING = "provisioning"


def create_organisation(
    *, actor: Actor, slug: str, name: str, kind: str, admin_email: str, **fields: Any
) -> tuple[Organisation, str | None]:
    """Make schema, organisation, first admin and their one-time sign-in link; answers (organisation, token).

    There is no token for an admin who signs in with a password already.

    Everything happens in one transaction on the owner's connection, the schema included: a failure leaves nothing.
    """
    org = _new(slug=slug, name=name, kind=kind, **fields)
    with transaction.atomic(using=PROVISIONING):
        _establish(actor, org)
        user = get_or_create_user(email=admin_email, using=PROVISIONING)
        Membership.objects.using(PROVISIONING).create(user=user, org=org, role=first_role(kind))
        token = issue_sign_in_link(user=user, using=PROVISIONING)
        record(org=org, actor=actor, action="organisation.created", using=PROVISIONING, kind=kind, admin=str(user.pk))
    return org, token


def open_organisation(
    *, actor: Actor, admin_email: str, managers: Collection[UUID] = (), **fields: Any
) -> tuple[Organisation, Invitation, str]:
    """As `create_organisation`, but the first admin is invited, and campaign managers are assigned with it.

    Answers the organisation, the invitation and the token of its link, which is to be sent.
    """
    if not (actor.is_service or actor.is_super_admin):
        raise Forbidden("Only platform staff may make organisations.")
    org = _new(**fields)
    with transaction.atomic(using=PROVISIONING):
        _establish(actor, org)
        made, token = make_invitation(
            actor=actor, org=org, email=admin_email, role=first_role(org.kind), using=PROVISIONING
        )
        for user in User.objects.using(PROVISIONING).filter(pk__in=managers, is_active=True):
            Membership.objects.using(PROVISIONING).create(user=user, org=org, role=Role.CAMPAIGN_MANAGER)
        record(
            org=org, actor=actor, action="organisation.created", using=PROVISIONING, kind=org.kind,
            invitation=str(made.pk), managers=sorted(map(str, managers)),
        )  # fmt: skip
    return org, made, token


def check_wish(fields: Mapping[str, Any]) -> None:
    """Whether an organisation could be made with these values, as far as they are given; says of each what is wrong."""
    org = Organisation(**fields)
    org.schema_name = schema_name_of(org.slug)
    check_fields(org, exclude={field.name for field in Organisation._meta.fields} - set(fields))
    check_taken(org, Organisation.objects.all())
    if org.name:
        check_name_free(org.name, Organisation.objects.all())


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


def first_role(kind: str) -> Role:
    return Role.SUPER_ADMIN if kind == Kind.PLATFORM else Role.ORG_ADMIN


def schema_name_of(slug: str) -> str:
    return "org_" + slug.replace("-", "_")


def check_fields(org: Organisation, *, exclude: Collection[str] = ()) -> None:
    """Each value by itself; raises `InvalidInput` whose data names the fields that are wrong."""
    try:
        org.full_clean(exclude={"id", *exclude}, validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        # Our own rules name the value first, and say more than Django's.
        reasons = {
            name: next((text for text in texts if text.startswith("'")), texts[0])
            for name, texts in error.message_dict.items()
        }
        raise InvalidInput(" ".join(reasons.values()), data={"fields": reasons}) from error


def check_taken(org: Organisation, others: QuerySet[Organisation]) -> None:
    """Against the organisations that there are: what may be only once."""
    if others.filter(slug=org.slug).exists() or others.filter(schema_name=org.schema_name).exists():
        _taken("slug", f"There is an organisation {org.slug!r} already; choose another short name.")
    if org.contributor_id and others.filter(contributor_id=org.contributor_id).exists():
        _taken("contributor_id", f"Another organisation is the contributor {org.contributor_id!r} already.")
    if org.domain and (other := others.filter(domain=org.domain).first()):
        _taken("domain", f"{other.name} has the domain {org.domain!r} already.")
    if org.ttd_advertiser_id and (other := others.filter(ttd_advertiser_id=org.ttd_advertiser_id).first()):
        _taken("ttd_advertiser_id", f"{other.name} is the advertiser {org.ttd_advertiser_id!r} already.")


def check_name_free(name: str, others: QuerySet[Organisation]) -> None:
    """Two organisations of one name cannot be told apart where one chooses among them."""
    if other := others.filter(name__iexact=name).first():
        _taken("name", f"{other.name} ({other.slug}) has this name already; add what tells them apart.")


def _taken(field: str, message: str) -> None:
    raise Conflict(message, data={"fields": {field: message}})


def _new(*, slug: str, kind: str, **fields: Any) -> Organisation:
    org = Organisation(slug=slug, kind=kind, schema_name=schema_name_of(slug), **fields)
    if kind in OWNER_KINDS and not org.contributor_id:
        org.contributor_id = slug
    return org


def _establish(actor: Actor, org: Organisation) -> None:
    """Schema and row, on the owner's connection; whoever makes the same name at the same time waits here."""
    declare(actor, PROVISIONING)
    check_fields(org)
    with connections[PROVISIONING].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('establish_organisation'))")
    check_taken(org, Organisation.objects.using(PROVISIONING))
    with connections[PROVISIONING].cursor() as cursor:
        cursor.execute("SELECT public.clone_tenant(%s, %s)", [TEMPLATE_SCHEMA, org.schema_name])
    org.save(using=PROVISIONING, force_insert=True)
