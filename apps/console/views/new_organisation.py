"""Making an organisation in three steps and a last look. Nothing is kept between them but in the page itself."""

import re
import unicodedata
from smtplib import SMTPException
from typing import Any
from uuid import UUID

import structlog
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from apps.common.errors import AppError, InvalidInput
from apps.console.forms import STEPS, ConsoleForm, add_errors, choices_of_lists
from apps.orgs.public import (
    ActorRequest,
    Kind,
    Permission,
    check_wish,
    list_staff,
    open_organisation,
    requires_platform,
    send_invitation,
)

log = structlog.get_logger()
TITLES = ("What it is", "Money, time and ids", "People and retention", "A last look")
REVIEW = len(STEPS) + 1
# Of the form, but not of the organisation's row.
APART = ("admin_email",)


@require_http_methods(["GET", "POST"])
@requires_platform(Permission.MANAGE_ORGANISATIONS)
def new(request: ActorRequest) -> HttpResponse:
    if request.method == "GET":
        return _show(request, 1, STEPS[0]())
    step = _step_of(request)
    if "back" in request.POST:
        return _show(request, max(1, step - 1), _filled(request, max(1, step - 1)))
    wrong = _first_wrong(request, step)
    if wrong is not None:
        return _show(request, *wrong, status=400)
    if step < REVIEW:
        return _show(request, step + 1, _filled(request, step + 1))
    return _create(request)


def _create(request: ActorRequest) -> HttpResponse:
    fields = _values(request, len(STEPS))
    email = fields.pop("admin_email")
    try:
        org, made, token = open_organisation(
            actor=request.actor, admin_email=email, managers=_managers(request), **fields
        )
    except AppError as error:
        form = STEPS[0](request.POST)
        form.is_valid()
        add_errors(form, error)
        return _show(request, 1, form, status=int(error.http_status))
    try:
        send_invitation(made, token, request.user.email)
        messages.success(request, f"{org.name} is made, and {made.email} is invited to administer it.")
    except (OSError, SMTPException) as error:
        log.error("invitation.not_sent", org=org.slug, error=str(error))
        messages.warning(request, f"{org.name} is made, but no mail reached {made.email}: invite them again.")
    return redirect("console:organisation", slug=org.slug)


def _step_of(request: ActorRequest) -> int:
    text = request.POST.get("step", "1")
    if text not in {str(number) for number in range(1, REVIEW + 1)}:
        raise InvalidInput(f"The steps are 1 to {REVIEW}.")
    return int(text)


def _filled(request: ActorRequest, step: int) -> ConsoleForm | None:
    """The step's form with what was said of it before, if anything was."""
    if step == REVIEW:
        return None
    form = STEPS[step - 1]
    said = {name: request.POST[name] for name in form.base_fields if name in request.POST}
    if step == 1 and not said.get("slug"):
        said["slug"] = suggested_slug(said.get("name", ""))
    return form(initial=said)


def _first_wrong(request: ActorRequest, step: int) -> tuple[int, ConsoleForm] | None:
    """The first step up to `step` that cannot be taken as it is said, with what is wrong."""
    data = request.POST.copy()
    if not data.get("slug"):
        data["slug"] = suggested_slug(data.get("name", ""))
    for number, kind in enumerate(STEPS[:step], start=1):
        form = kind(data)
        if form.is_valid():
            try:
                check_wish({name: value for name, value in form.cleaned_data.items() if name not in APART})
            except AppError as error:
                add_errors(form, error)
        if form.errors:
            return number, form
    _managers(request)
    return None


def _values(request: ActorRequest, steps: int) -> dict[str, Any]:
    """What the first steps say, as it was found right."""
    data = request.POST.copy()
    if not data.get("slug"):
        data["slug"] = suggested_slug(data.get("name", ""))
    found: dict[str, Any] = {}
    for kind in STEPS[:steps]:
        form = kind(data)
        if form.is_valid():
            found |= form.cleaned_data
    return found


def _managers(request: ActorRequest) -> list[UUID]:
    """Those of the staff who were chosen; anybody else is refused."""
    chosen = request.POST.getlist("manager")
    if not chosen:
        return []
    staff = {str(user.pk): user.pk for user in list_staff()}
    if set(chosen) - set(staff):
        raise InvalidInput("Campaign managers are people of the platform's own organisation; one of these is not.")
    return [staff[one] for one in dict.fromkeys(chosen)]


def _show(request: ActorRequest, step: int, form: ConsoleForm | None, *, status: int = 200) -> HttpResponse:
    values = _values(request, step - 1)
    chosen = request.POST.getlist("manager")
    staff = list(list_staff()[:200]) if step >= len(STEPS) else []
    shown = set() if form is None else set(form.fields)
    context = {
        "step": step,
        "form": form,
        "titles": list(enumerate(TITLES, start=1)),
        "title": TITLES[step - 1],
        # Said in other steps: carried along, since nothing is kept here.
        "carried": [(name, _text(value)) for name, value in values.items() if name not in shown]
        + _later(request, step, set(values) | shown),
        "carried_managers": chosen if step != len(STEPS) else [],
        "staff": [(user, str(user.pk) in chosen) for user in staff] if step == len(STEPS) else [],
        "managers": [user.email for user in staff if str(user.pk) in chosen],
        "values": values,
        "kind": dict(Kind.choices).get(values.get("kind", ""), ""),
        "sells_data": values.get("kind") in {Kind.DATA_OWNER, Kind.PUBLISHER},
        "lists": choices_of_lists() if step == 2 else {},
    }
    return render(request, "console/new_organisation.html", context, status=status)


def _later(request: ActorRequest, step: int, known: set[str]) -> list[tuple[str, str]]:
    """What was said of later steps by whoever went back."""
    names = {name for kind in STEPS[step:] for name in kind.base_fields} - known
    return [(name, request.POST[name]) for name in sorted(names) if name in request.POST]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def suggested_slug(name: str) -> str:
    """From a name: `OMD East (US)` becomes `omd-east-us`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"^[0-9-]+", "", re.sub(r"[^a-z0-9]+", "-", plain)).strip("-")[:48].strip("-")
