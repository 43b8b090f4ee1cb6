"""Edits and editable values as templates show them."""

from typing import Any
from uuid import UUID

from django.urls import reverse

from apps.common.figures import format_age
from apps.orgs.actor import Actor
from apps.orgs.editing.actions import list_edits
from apps.orgs.editing.fields import FIELDS, Field
from apps.orgs.models import Edit, Organisation
from apps.orgs.permissions import Permission
from apps.orgs.requests import ActorRequest, OrgRequest

SESSION_KEY = "admin_mode"


def is_on(request: ActorRequest) -> bool:
    """Whether the person switched admin mode on, and still may."""
    org = getattr(request, "org", None)
    return org is not None and may_switch(request.actor, org) and bool(request.session.get(SESSION_KEY))


def may_switch(actor: Actor, org: Organisation) -> bool:
    return actor.user_id is not None and actor.may(Permission.EDIT_IN_PLACE, org.pk)


def value_context(request: OrgRequest, field: Field, row: Any) -> dict[str, Any]:
    """For `components/editable.html`."""
    text = field.text_of(row)
    return {
        "id": place_of(field.key, row.pk),
        "words": field.words(text),
        "label": field.label,
        "url": reverse("org:edit_field", args=[request.org.slug, field.key, row.pk]),
        "may_edit": is_on(request) and field.may(request.actor, request.org),
    }


def form_context(request: OrgRequest, field: Field, row: Any, **more: Any) -> dict[str, Any]:
    """For `orgs/partials/_edit_form.html`: the form, and whatever was wrong with what it sent."""
    text = field.text_of(row)
    return {
        **value_context(request, field, row),
        "field": field,
        "text": text,
        "seen": text,
        "what": field.thing.name.replace("-", " "),
        **more,
    }


def place_of(key: str, row_id: UUID) -> str:
    return f"edit-{key.replace('.', '-')}-{row_id}"


def edit_rows(request: OrgRequest, now: Any) -> list[dict[str, Any]]:
    return [_row(edit, now) for edit in list_edits(request.actor, request.org) if edit.field in FIELDS]


def _row(edit: Edit, now: Any) -> dict[str, Any]:
    field = FIELDS[edit.field]
    return {
        "id": edit.pk,
        "label": field.label,
        "what": field.thing.name.replace("-", " "),
        "before": field.words(edit.before),
        "after": field.words(edit.after),
        "age": format_age((now - edit.at).total_seconds()),
        "is_undo": edit.undoes_id is not None,
    }
