"""Words in one spelling on every page: those of libraries, sizes and ages."""

import re
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from apps.common.figures import format_age, format_size

register = template.Library()
# Not where it is a part of an address.
EMAIL = re.compile(r"(?<![\w.@+-])([Ee])mail(s?)(?![\w@+-]|\.\w)")


@register.filter
def in_our_words(text: Any) -> SafeString:
    """`Email` becomes `E-mail`; markup that was safe stays so, all else is escaped."""
    return mark_safe(EMAIL.sub(r"\1-mail\2", conditional_escape(text)))  # noqa: S308 - escaped in this line


@register.filter
def as_size(count: int) -> str:
    """Bytes in decimal units, as file managers show them."""
    return format_size(count)


@register.filter
def as_age(moment: datetime) -> str:
    return format_age((timezone.now() - moment).total_seconds())
