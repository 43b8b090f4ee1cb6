"""Bodies and answers of the API: JSON and nothing else, within bounds, numbers with all their digits."""

from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import msgspec
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser

from apps.common.errors import AppError

MOST_BYTES = 1_000_000
DECODER = msgspec.json.Decoder(float_hook=Decimal)


class TooLarge(AppError):
    """A body longer than its address takes."""

    code = "body_too_large"
    http_status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class Malformed(AppError):
    """A body that is not JSON."""

    code = "malformed_json"


class JsonParser(BaseParser):
    """Whole JSON up to the view's `most_bytes`; numbers with a point become `Decimal`."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        most = getattr((parser_context or {}).get("view"), "most_bytes", MOST_BYTES)
        body = stream.read(most + 1)
        if len(body) > most:
            raise TooLarge(f"A body here has at most {most / 1_000_000:g} MB.")
        try:
            return DECODER.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
            raise Malformed(f"The body is not JSON: {str(error)[:200]}.", data={"pointer": ""}) from error


class OnlyJson(BaseContentNegotiation):
    """Whatever the client says it accepts, JSON is what there is."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        kind = request.content_type.partition(";")[0].strip().lower()
        return parsers[0] if kind in {"", parsers[0].media_type} else None

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
