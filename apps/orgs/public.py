"""What other rooms may ask of organisations."""

from apps.orgs.access import check, requires, requires_platform, requires_staff
from apps.orgs.actions import add_member, check_wish, create_organisation, open_organisation
from apps.orgs.actor import SERVICE, Actor, acting, as_platform, declare, in_schema_of
from apps.orgs.api.authentication import Caller
from apps.orgs.api.views import ApiRequest, ApiView
from apps.orgs.api_keys import FORM as API_KEY
from apps.orgs.api_keys import FORM_IN_WORDS as API_KEY_IN_WORDS
from apps.orgs.api_keys import KeyHolder, create_api_key, digest_of, find_key_holder, revoke_api_key
from apps.orgs.audit import record
from apps.orgs.branding import remove_logo, set_accent, set_logo
from apps.orgs.editing.fields import declare_field
from apps.orgs.editing.shown import is_on as admin_mode_is_on
from apps.orgs.editing.shown import may_switch
from apps.orgs.export import ask_for_export, get_export, list_exports, path_of, read_pieces
from apps.orgs.flags import flag_organisation, list_flags, set_flag
from apps.orgs.generated import (
    data_contributor_id,
    data_mark,
    data_org_id,
    generated_contributor_id,
    generated_org_id,
    show_generated,
    show_real,
)
from apps.orgs.invitations import send_invitation
from apps.orgs.key_uses import add_deliveries
from apps.orgs.lifecycle import (
    EDITABLE,
    assign_manager,
    edit_organisation,
    list_managers,
    list_staff,
    release_manager,
    set_status,
    version_of,
)
from apps.orgs.models import LONGEST_RAW_EVENTS, OWNER_KINDS, Export, Kind, Organisation, Status, Tier
from apps.orgs.names import check_name
from apps.orgs.org_task import OrgTask
from apps.orgs.permissions import PLATFORM_ROLES, TABLE, Permission, Role, Scope
from apps.orgs.provisioning import migrate_postgres
from apps.orgs.reach import reaches_people
from apps.orgs.reads import reads_personal_data
from apps.orgs.requests import ActorRequest, OrgRequest
from apps.orgs.selectors import (
    MOST_LISTED,
    buyer_names,
    count_by_role,
    count_by_status,
    find_by_id,
    find_by_slug,
    search_organisations,
)
from apps.orgs.users import (
    Held,
    State,
    close_account,
    count_keys,
    get_user,
    list_held,
    open_account,
    search_users,
    sign_out,
)
from apps.orgs.views.audit import audit_entry_page, audit_page

__all__ = [
    "API_KEY",
    "API_KEY_IN_WORDS",
    "EDITABLE",
    "LONGEST_RAW_EVENTS",
    "MOST_LISTED",
    "OWNER_KINDS",
    "PLATFORM_ROLES",
    "SERVICE",
    "TABLE",
    "Actor",
    "ActorRequest",
    "ApiRequest",
    "ApiView",
    "Caller",
    "Export",
    "Held",
    "KeyHolder",
    "Kind",
    "OrgRequest",
    "OrgTask",
    "Organisation",
    "Permission",
    "Role",
    "Scope",
    "State",
    "Status",
    "Tier",
    "acting",
    "add_deliveries",
    "add_member",
    "admin_mode_is_on",
    "as_platform",
    "ask_for_export",
    "assign_manager",
    "audit_entry_page",
    "audit_page",
    "buyer_names",
    "check",
    "check_name",
    "check_wish",
    "close_account",
    "count_by_role",
    "count_by_status",
    "count_keys",
    "create_api_key",
    "create_organisation",
    "data_contributor_id",
    "data_mark",
    "data_org_id",
    "declare",
    "declare_field",
    "digest_of",
    "edit_organisation",
    "find_by_id",
    "find_by_slug",
    "find_key_holder",
    "flag_organisation",
    "generated_contributor_id",
    "generated_org_id",
    "get_export",
    "get_user",
    "in_schema_of",
    "list_exports",
    "list_flags",
    "list_held",
    "list_managers",
    "list_staff",
    "may_switch",
    "migrate_postgres",
    "open_account",
    "open_organisation",
    "path_of",
    "reaches_people",
    "read_pieces",
    "reads_personal_data",
    "record",
    "release_manager",
    "remove_logo",
    "requires",
    "requires_platform",
    "requires_staff",
    "revoke_api_key",
    "search_organisations",
    "search_users",
    "send_invitation",
    "set_accent",
    "set_flag",
    "set_logo",
    "set_status",
    "show_generated",
    "show_real",
    "sign_out",
    "version_of",
]
