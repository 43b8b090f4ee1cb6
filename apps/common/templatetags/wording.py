"""Words of libraries in our spelling, so that one thing has one name on every page."""

import re
from typing import Any

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

register = template.Library()
# Not where it is a part of an address.
EMAIL = re.compile(r"(?<![\w.@+-])([Ee])mail(s?)(?![\w@+-]|\.\w)")


@register.filter
def in_our_words(text: Any) -> SafeString:
    """`Email` becomes `E-mail`; markup that was safe stays so, all else is escaped."""
    return mark_safe(EMAIL.sub(r"\1-mail\2", conditional_escape(text)))  # noqa: S308 - escaped in this line
