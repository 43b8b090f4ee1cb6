"""How views describe themselves in the OpenAPI document: what `drf-spectacular` cannot see by itself."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from apps.common.api.reading import NoParameters
from apps.common.problems import MEDIA_TYPE


class Shape(serializers.Serializer):
    """An answer: described, never read."""


# The schema of problem documents, which `config.openapi` puts in; for views that say more about one of theirs.
PROBLEM = {"$ref": "#/components/schemas/Problem"}


def problem_answer(status: int, text: str) -> dict[tuple[int, str], OpenApiResponse]:
    """An entry of `extend_schema`'s `responses`."""
    return {(status, MEDIA_TYPE): OpenApiResponse(PROBLEM, text)}


class Described(AutoSchema):
    """Parameters are those that the view reads, so that the document cannot say others."""

    def get_override_parameters(self) -> list[Any]:
        asks = self.method == "GET" or self.view.asks_when_writing
        return [self.view.parameters] if asks and self.view.parameters is not NoParameters else []

    def get_tags(self) -> list[str]:
        return [self.view.tag]
