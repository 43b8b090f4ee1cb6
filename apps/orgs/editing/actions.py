"""Edits in place: saved at once, never over somebody else's change, each one undoable and told to the audit trail."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.public import list_emails
from apps.common.errors import AppError, Conflict, InvalidInput, NotFound
from apps.orgs.actor import Actor
from apps.orgs.audit import record
from apps.orgs.editing.fields import Field, find_field, find_row
from apps.orgs.models import Edit, Organisation

KEPT = timedelta(days=90)
# In the place of a personal value, in the audit trail.
NOT_TOLD = "not kept here"


class Changed(Conflict):
    """Somebody changed the value since the editor saw it; `now` is what it is."""

    code = "changed_meanwhile"

    def __init__(self, message: str, now: str) -> None:
        super().__init__(message, data={"now": now})
        self.now = now


def save_edit(*, actor: Actor, org: Organisation, key: str, row_id: UUID, text: str, seen: str) -> Edit | None:
    """Set one field from what was typed. `seen` is the value that the editor began with: when it is no longer the
    value, nothing is written. Answers the edit; None when nothing changed."""
    field = find_field(actor, org, key)
    with transaction.atomic():
        row = find_row(actor, org, field, row_id)
        now = field.text_of(row)
        if now != seen:
            raise Changed(f"{_who_changed(org, field, row_id)} changed it to {field.words(now)} meanwhile.", now)
        return _write(actor, org, field, row, field.read(text, row), "field.edited")


def undo_edit(*, actor: Actor, org: Organisation, edit_id: UUID) -> Edit:
    """Put the value back that the edit replaced, unless somebody changed it again. An undo can be undone, too."""
    with transaction.atomic():
        edit = Edit.objects.select_for_update().filter(org=org, pk=edit_id).first()
        if edit is None:
            raise NotFound("There is no such edit here.")
        field = find_field(actor, org, edit.field)
        row = find_row(actor, org, field, edit.row_id)
        now = field.text_of(row)
        if edit.undone_at is not None:
            raise Conflict("This edit was undone already.")
        if now != edit.after:
            raise Changed(
                f"{_who_changed(org, field, edit.row_id)} changed it to {field.words(now)} since; "
                "undoing would overwrite that.",
                now,
            )
        made = _write(actor, org, field, row, _former(field, edit, row), "field.edit_undone", undoes=edit)
        if made is None:
            raise InvalidInput("There is nothing to undo: the value is what it was.")
        Edit.objects.filter(pk=edit.pk).update(undone_at=timezone.now())
    return made


def list_edits(actor: Actor, org: Organisation, most: int = 8) -> list[Edit]:
    """The actor's own in this organisation, the newest first."""
    own = Edit.objects.filter(org=org, actor=actor.audit_name, undone_at=None)
    return list(own.order_by("-at")[:most])


def forget_edits() -> int:
    """To be done as the platform: what is too old to be undone."""
    return Edit.objects.filter(at__lt=timezone.now() - KEPT).delete()[0]


def _write(
    actor: Actor, org: Organisation, field: Field, row: Any, value: Any, action: str, undoes: Edit | None = None
) -> Edit | None:
    before = field.text_of(row)
    setattr(row, field.attribute, value)
    after = field.text_of(row)
    if after == before:
        return None
    # Not by save(): what else the row's model does when it is saved is not what was asked for.
    field.thing.model._default_manager.filter(pk=row.pk).update(**{field.attribute: value})
    made = Edit.objects.create(
        org_id=org.pk, actor=actor.audit_name, field=field.key, row_id=row.pk, before=before, after=after, undoes=undoes
    )
    told = (NOT_TOLD, NOT_TOLD) if field.is_personal else (before, after)
    record(
        org=org, actor=actor, action=action, target=f"{field.thing.name}/{row.pk}",
        before={field.attribute: told[0]}, after={field.attribute: told[1]}, edit=str(made.pk),
    )  # fmt: skip
    return made


def _former(field: Field, edit: Edit, row: Any) -> Any:
    try:
        return field.read(edit.before, row)
    except AppError as error:
        raise Conflict(f"The former value is no longer allowed. {error.message}") from error


def _who_changed(org: Organisation, field: Field, row_id: UUID) -> str:
    last = Edit.objects.filter(org=org, field=field.key, row_id=row_id).order_by("-at").first()
    try:
        return list_emails([UUID(last.actor)]).get(UUID(last.actor), "Somebody") if last else "Somebody"
    except ValueError:
        return "Somebody"
