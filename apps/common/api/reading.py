"""What a request asks: parameters and bodies, read by serializers that refuse what they do not know."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, cast

from django.http import QueryDict
from rest_framework import serializers

from apps.common.api.problems import InvalidBody, faults_of
from apps.common.errors import InvalidInput


class Strict(serializers.Serializer):
    """A serializer whose unknown fields are errors that say which field was meant."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := sorted(set(map(str, data)) - set(self.fields))):
            raise serializers.ValidationError(
                {name: [serializers.ErrorDetail(_hint(name, list(self.fields)), "unknown_field")] for name in unknown}
            )
        return super().to_internal_value(data)


class NoParameters(Strict):
    """An address that asks nothing more."""


def read_body(serializer: type[Strict], data: Any) -> dict[str, Any]:
    """The body's values; raises `InvalidBody` with a pointer to each fault."""
    found = serializer(data=data)
    if not found.is_valid():
        faults = list(faults_of(found.errors))
        first = faults[0]
        raise InvalidBody(first["detail"], code=_code(first), data={"pointer": first["pointer"], "errors": faults})
    return cast("dict[str, Any]", found.validated_data)


def read_parameters(serializer: type[Strict], query: QueryDict) -> dict[str, Any]:
    """The parameters' values; raises `InvalidInput` that names each faulty parameter."""
    repeated = [name for name, values in query.lists() if len(values) > 1]
    if repeated:
        raise InvalidInput(f"Give the parameter {repeated[0]} once.", code="repeated_parameter")
    found = serializer(data=query.dict())
    if not found.is_valid():
        faults = [
            {"code": fault["code"], "detail": fault["detail"], "parameter": fault["pointer"].removeprefix("/")}
            for fault in faults_of(found.errors)
        ]
        first = faults[0]
        raise InvalidInput(
            f"Parameter {first['parameter']}: {first['detail']}", code="invalid_parameter", data={"errors": faults}
        )
    return cast("dict[str, Any]", found.validated_data)


def _code(fault: Mapping[str, str]) -> str:
    return "unknown_field" if fault["code"] == "unknown_field" else InvalidBody.code


def _hint(name: str, known: list[str]) -> str:
    if not known:
        return f"{name[:80]!r} is not known; nothing is asked for here."
    near = get_close_matches(name, known, n=1)
    meant = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}."
    return f"{name[:80]!r} is not known; {meant}"
