"""The way from a figure to its explanation."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.urls import reverse

from apps.omg.dimensions import Dimension
from apps.omg.metrics import EVERY
from apps.omg.views.links import kept_query

register = template.Library()


@register.simple_tag(takes_context=True)
def explain_url(context: Mapping[str, Any], metric: str) -> str:
    """In the page's period and under its filters, of what the page is of; empty where nothing explains it."""
    request = context["request"]
    if metric not in EVERY:
        return ""
    subject = context.get("subject")
    more = {Dimension(subject["by"]).value: subject["name"]} if subject else {}
    return reverse("org:explain", args=[request.org.slug, metric]) + kept_query(request, more=more)
