"""What other rooms may ask of organisations."""

from apps.orgs.access import check, requires, requires_platform
from apps.orgs.actions import add_member, create_organisation
from apps.orgs.actor import SERVICE, Actor, acting, declare, in_schema_of
from apps.orgs.api.authentication import Caller
from apps.orgs.api.views import ApiRequest, ApiView
from apps.orgs.api_keys import FORM as API_KEY
from apps.orgs.api_keys import FORM_IN_WORDS as API_KEY_IN_WORDS
from apps.orgs.api_keys import KeyHolder, create_api_key, digest_of, find_key_holder, revoke_api_key
from apps.orgs.audit import record
from apps.orgs.editing.fields import declare_field
from apps.orgs.editing.shown import is_on as admin_mode_is_on
from apps.orgs.editing.shown import may_switch
from apps.orgs.generated import (
    data_contributor_id,
    data_mark,
    data_org_id,
    generated_contributor_id,
    generated_org_id,
    show_generated,
    show_real,
)
from apps.orgs.key_uses import add_deliveries
from apps.orgs.models import Kind, Organisation
from apps.orgs.org_task import OrgTask
from apps.orgs.permissions import Permission, Role, Scope
from apps.orgs.provisioning import migrate_postgres
from apps.orgs.requests import ActorRequest, OrgRequest
from apps.orgs.selectors import buyer_names, find_by_id, find_by_slug, search_organisations
from apps.orgs.views.audit import audit_page

__all__ = [
    "API_KEY",
    "API_KEY_IN_WORDS",
    "SERVICE",
    "Actor",
    "ActorRequest",
    "ApiRequest",
    "ApiView",
    "Caller",
    "KeyHolder",
    "Kind",
    "OrgRequest",
    "OrgTask",
    "Organisation",
    "Permission",
    "Role",
    "Scope",
    "acting",
    "add_deliveries",
    "add_member",
    "admin_mode_is_on",
    "audit_page",
    "buyer_names",
    "check",
    "create_api_key",
    "create_organisation",
    "data_contributor_id",
    "data_mark",
    "data_org_id",
    "declare",
    "declare_field",
    "digest_of",
    "find_by_id",
    "find_by_slug",
    "find_key_holder",
    "generated_contributor_id",
    "generated_org_id",
    "in_schema_of",
    "may_switch",
    "migrate_postgres",
    "record",
    "requires",
    "requires_platform",
    "revoke_api_key",
    "search_organisations",
    "show_generated",
    "show_real",
]
