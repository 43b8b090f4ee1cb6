"""The tus 1.0 protocol (core, creation, termination): uploads that go on where they stopped. See https://tus.io.

Answers are plain text; 409 tells a client to ask for the offset again.
"""

import base64
import binascii
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from apps.common.errors import AppError, InvalidInput
from apps.common.texts import whole_number
from apps.events.uploads.actions import begin_upload, get_upload, offset_of, receive_bytes, remove_upload
from apps.orgs.public import OrgRequest, Permission, requires

VERSION = "1.0.0"
BODY = "application/offset+octet-stream"
View = Callable[..., HttpResponse]


class Refused(AppError):
    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.http_status = status


def speaks_tus(view: View) -> View:
    """Errors as plain text, the protocol's version both ways, and nothing kept by caches."""

    @wraps(view)
    def spoken(request: OrgRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
                raise Refused(HTTPStatus.PRECONDITION_FAILED, f"Send the header Tus-Resumable: {VERSION}.")
            response = view(request, *args, **kwargs)
        except AppError as error:
            response = HttpResponse(error.message, status=error.http_status, content_type="text/plain; charset=utf-8")
        response["Tus-Resumable"] = response["Tus-Version"] = VERSION
        response["Cache-Control"] = "no-store"
        return response

    return spoken


@require_http_methods(["POST", "OPTIONS"])
@requires(Permission.IMPORT_EVENTS)
@speaks_tus
def create(request: OrgRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        answer = HttpResponse(status=HTTPStatus.NO_CONTENT)
        answer["Tus-Extension"], answer["Tus-Max-Size"] = "creation,termination", str(settings.UPLOAD_MOST_BYTES)
        return answer
    name = _metadata(request.headers.get("Upload-Metadata", "")).get("filename", "")
    size = _number(request, "Upload-Length")
    upload = begin_upload(actor=request.actor, org=request.org, name=name, size=size)
    response = HttpResponse(status=HTTPStatus.CREATED)
    response["Location"] = reverse("org:upload_bytes", args=[request.org.slug, upload.pk])
    return response


@require_http_methods(["HEAD", "PATCH", "DELETE"])
@requires(Permission.IMPORT_EVENTS)
@speaks_tus
def bytes_of(request: OrgRequest, file_id: UUID) -> HttpResponse:
    return {"HEAD": _tell, "PATCH": _take, "DELETE": _end}[request.method or ""](request, file_id)


def _tell(request: OrgRequest, upload_id: UUID) -> HttpResponse:
    upload = get_upload(upload_id)
    there = offset_of(request.org, upload)
    response = HttpResponse()
    response["Upload-Offset"], response["Upload-Length"] = str(there), str(upload.size)
    return response


def _take(request: OrgRequest, upload_id: UUID) -> HttpResponse:
    if request.content_type != BODY:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send the bytes with Content-Type: {BODY}.")
    offset = _number(request, "Upload-Offset")
    upload = receive_bytes(actor=request.actor, org=request.org, upload_id=upload_id, offset=offset, body=request)
    response = HttpResponse(status=HTTPStatus.NO_CONTENT)
    response["Upload-Offset"] = str(upload.received)
    return response


def _end(request: OrgRequest, upload_id: UUID) -> HttpResponse:
    remove_upload(actor=request.actor, org=request.org, upload_id=upload_id)
    return HttpResponse(status=HTTPStatus.NO_CONTENT)


def _number(request: OrgRequest, header: str) -> int:
    text = request.headers.get(header, "")
    return whole_number(text, f"The header {header} must be a number of bytes, not {text[:40]!r}.")


def _metadata(text: str) -> dict[str, str]:
    """`filename d29ybGQ=,filetype …`: names and base64."""
    pairs = (pair.strip().partition(" ") for pair in text.split(",") if pair.strip())
    try:
        return {name: base64.b64decode(value, validate=True).decode() for name, _, value in pairs}
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InvalidInput("The header Upload-Metadata must hold base64 of UTF-8.") from error
