"""`{% editable "organisation.name" org %}`: the value, and in admin mode, for who may, the way to edit it in place."""

from typing import Any

from django import template

from apps.orgs.editing.fields import FIELDS
from apps.orgs.editing.shown import value_context

register = template.Library()


@register.inclusion_tag("components/editable.html", takes_context=True)
def editable(context: dict[str, Any], key: str, row: Any) -> dict[str, Any]:
    return value_context(context["request"], FIELDS[key], row)
