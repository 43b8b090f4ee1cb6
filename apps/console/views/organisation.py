"""One organisation, for super admins: what it is, who manages it, how it looks, whether it is open, its export."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from apps.common.errors import AppError, InvalidInput
from apps.common.texts import one_line
from apps.console.forms import ConsoleForm, EditForm, add_errors, choices_of_lists
from apps.orgs.public import (
    EDITABLE,
    ActorRequest,
    Organisation,
    Permission,
    Status,
    ask_for_export,
    assign_manager,
    edit_organisation,
    find_by_slug,
    get_export,
    list_exports,
    list_managers,
    list_staff,
    path_of,
    read_pieces,
    record,
    release_manager,
    remove_logo,
    requires_platform,
    set_accent,
    set_logo,
    set_status,
    version_of,
)

staff_only = requires_platform(Permission.MANAGE_ORGANISATIONS)


@require_GET
@staff_only
def index(request: ActorRequest, slug: str) -> HttpResponse:
    return _show(request, _get(slug))


@require_POST
@staff_only
def edit(request: ActorRequest, slug: str) -> HttpResponse:
    org, form = _get(slug), EditForm(request.POST)
    if not form.is_valid():
        return _show(request, org, form, status=400)
    try:
        edit_organisation(actor=request.actor, org=org, changes=form.cleaned_data, seen=request.POST.get("seen", ""))
    except AppError as error:
        add_errors(form, error)
        return _show(request, org, form, status=int(error.http_status))
    return _back(request, slug, "The changes are saved.")


@require_POST
@staff_only
def change_status(request: ActorRequest, slug: str) -> HttpResponse:
    """Suspend, archive or open again. What ends access names the organisation once more, against slips."""
    org, wanted = _get(slug), request.POST.get("status", "")
    if wanted not in Status.values:
        raise InvalidInput(f"An organisation is {', '.join(Status.values)}; not {wanted[:40]!r}.")
    reason = one_line(request.POST.get("reason", ""), name="The reason", longest=200)
    try:
        if wanted == Status.ARCHIVED and request.POST.get("confirm", "").strip() != org.slug:
            raise InvalidInput(f"To archive {org.name}, write its short name, {org.slug}, into the field.")
        set_status(actor=request.actor, org=org, status=Status(wanted), reason=reason)
        if wanted == Status.ARCHIVED and request.POST.get("export") == "1":
            ask_for_export(actor=request.actor, org=org)
    except AppError as error:
        return _show(request, org, error=error)
    words = {"active": "is open again", "suspended": "is suspended", "archived": "is archived"}[wanted]
    return _back(request, slug, f"{org.name} {words}.")


@require_POST
@staff_only
def add_manager(request: ActorRequest, slug: str) -> HttpResponse:
    org = _get(slug)
    try:
        user = assign_manager(actor=request.actor, org=org, user_id=_user_id(request))
    except AppError as error:
        return _show(request, org, error=error)
    return _back(request, slug, f"{user.email} manages {org.name} now.")


@require_POST
@staff_only
def remove_manager(request: ActorRequest, slug: str) -> HttpResponse:
    org = _get(slug)
    release_manager(actor=request.actor, org=org, user_id=_user_id(request))
    return _back(request, slug, f"They no longer manage {org.name}.")


@require_POST
@staff_only
def brand(request: ActorRequest, slug: str) -> HttpResponse:
    """Logo and colour, each by a button of its own."""
    org, what = _get(slug), request.POST.get("what", "")
    try:
        if what == "logo":
            set_logo(actor=request.actor, org=org, upload=request.FILES.get("logo"))
        elif what == "no-logo":
            remove_logo(actor=request.actor, org=org)
        elif what in {"accent", "no-accent"}:
            accent = "" if what == "no-accent" else request.POST.get("accent", "")
            set_accent(actor=request.actor, org=org, accent=accent)
        else:
            raise InvalidInput("Say what is to change: logo, no-logo, accent or no-accent.")
    except AppError as error:
        return _show(request, org, error=error)
    return _back(request, slug, f"Pages of {org.name} look so from now on.")


@require_POST
@staff_only
def export(request: ActorRequest, slug: str) -> HttpResponse:
    org = _get(slug)
    try:
        ask_for_export(actor=request.actor, org=org)
    except AppError as error:
        return _show(request, org, error=error)
    return _back(request, slug, "The export is being made; it will be listed here.")


@require_GET
@staff_only
def download(request: ActorRequest, slug: str, export_id: UUID) -> StreamingHttpResponse:
    org = _get(slug)
    found = get_export(org, export_id)
    record(org=org, actor=request.actor, action="organisation.export_fetched", target=f"export/{found.pk}")
    response = StreamingHttpResponse(read_pieces(path_of(found)), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{org.slug}-{found.created_at:%Y-%m-%d}.zip"'
    response["Content-Length"] = str(found.size)
    return response


def _get(slug: str) -> Organisation:
    return find_by_slug(slug)


def _user_id(request: ActorRequest) -> UUID:
    try:
        return UUID(request.POST.get("user", ""))
    except ValueError as error:
        raise InvalidInput("Choose a person.") from error


def _back(request: ActorRequest, slug: str, said: str) -> HttpResponse:
    messages.success(request, said)
    return redirect("console:organisation", slug=slug)


def _show(
    request: ActorRequest, org: Organisation, form: ConsoleForm | None = None, *, error: AppError | None = None,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    managers = list_managers(org)
    assigned = {user.pk for user, _ in managers}
    context: dict[str, Any] = {
        "org": org,
        "form": form or EditForm(initial={name: getattr(org, name) for name in EDITABLE}),
        "seen": request.POST.get("seen") or version_of(org),
        "error": error.message if error else "",
        "managers": managers,
        "staff": [user for user in list_staff()[:200] if user.pk not in assigned],
        "exports": list_exports(org),
        "lists": choices_of_lists(),
    }
    return render(request, "console/organisation.html", context, status=int(error.http_status) if error else status)
