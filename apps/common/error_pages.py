"""How errors look as pages: one translation from `AppError` and from Django's own exceptions.

Below `/api/` nobody looks at pages: there the same errors are problem documents.
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from apps.common.api.problems import problem_response
from apps.common.errors import AppError
from apps.common.period import WrongRange
from apps.common.problems import UNFORESEEN

RANGE = "400_range.html"
TEMPLATES = {400: "400.html", 403: "403.html", 404: "404.html"}


def error_page(request: HttpRequest, error: AppError) -> HttpResponse:
    template = RANGE if isinstance(error, WrongRange) else TEMPLATES.get(int(error.http_status), "400.html")
    context = {"message": error.message, "code": error.code, **error.data}
    return render(request, template, context, status=error.http_status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if _is_of_api(request):
        return problem_response(HTTPStatus.BAD_REQUEST, "bad_request", "This request cannot be read.")
    return render(request, "400.html", {"message": ""}, status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if _is_of_api(request):
        return problem_response(HTTPStatus.FORBIDDEN, "forbidden", str(exception or "This is not for you."))
    return render(request, "403.html", {"message": str(exception or "")}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if _is_of_api(request):
        return problem_response(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address.")
    return render(request, "404.html", {}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_of_api(request):
        return problem_response(HTTPStatus.INTERNAL_SERVER_ERROR, "unforeseen", UNFORESEEN)
    # Without the request: what failed may well be in a context processor.
    return HttpResponse(render_to_string("500.html"), status=500)


def _is_of_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
