"""The API on what arrived: sources, imports, quarantine, and single events as they are stored.

Always of real data, whatever the organisation's pages show.
"""

from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.response import Response

from apps.common.api.describing import problem_answer
from apps.common.api.pages import PageParameters, page_of
from apps.common.errors import NotFound
from apps.events.actions import replay_quarantined
from apps.events.api import shapes
from apps.events.flow.minutes import REAL
from apps.events.generated import DOOR
from apps.events.models import FileImport, QuarantinedLine
from apps.events.queries import one_event
from apps.events.sources import SHOWN_DAYS, list_sources, stored_name, waiting_lines
from apps.orgs.public import ApiRequest, ApiView, Scope

EVENT_ID = OpenApiParameter("event_id", str, OpenApiParameter.PATH, description="As the source gave it.")


NOTHING = problem_answer(404, "No line is in quarantine for this reason.")
REPLAY = OpenApiExample("old", {"code": "timestamp_too_old", "history": True}, request_only=True)


class EventsView(ApiView):
    tag = "Events"
    scope = Scope.READ_EVENTS


class Event(EventsView):
    @extend_schema(operation_id="event", parameters=[EVENT_ID], responses=shapes.EventShape)
    def get(self, request: ApiRequest, event_id: str) -> HttpResponse:
        """One event as it is stored, in canonical form. One that has just arrived may still wait: 404 until then."""
        row = one_event.fetch(request.auth.org.pk, event_id)
        if row is None:
            raise NotFound(
                "No event of this id is stored: it never arrived, waits to be processed, or is in quarantine."
            )
        return HttpResponse(shapes.show_event(row), content_type="application/json")


class Sources(EventsView):
    @extend_schema(operation_id="sources", responses=shapes.SourcesShape)
    def get(self, request: ApiRequest) -> Response:
        """What arrived through which door in the last days, and how much waits."""
        found = list_sources(request.auth.org, timezone.now(), data=REAL)
        items = [shapes.show_source(source) for source in found]
        return Response({"days": SHOWN_DAYS, "waiting": waiting_lines(request.auth.org), "items": items})


class Imports(EventsView):
    parameters = PageParameters

    @extend_schema(operation_id="imports", responses=shapes.ImportsShape)
    def get(self, request: ApiRequest) -> Response:
        """Files that were imported, newest first."""
        return Response(page_of(_real_imports(), "started_at", self.asked).told(shapes.show_import))


class Import(EventsView):
    @extend_schema(operation_id="import", responses=shapes.ImportShape)
    def get(self, request: ApiRequest, import_id: UUID) -> Response:
        """One imported file and what became of its lines."""
        run = _real_imports().filter(pk=import_id).first()
        if run is None:
            raise NotFound("There is no such import.")
        return Response(shapes.show_import(run))


def _real_imports() -> QuerySet[FileImport]:
    return FileImport.objects.exclude(door__startswith=DOOR)


class Quarantine(EventsView):
    parameters = shapes.QuarantineParameters

    @extend_schema(operation_id="quarantine", responses=shapes.QuarantineShape)
    def get(self, request: ApiRequest) -> Response:
        """Lines that broke a rule, newest first, with the reason."""
        wanted = {name: self.asked[name] for name in ("code", "source") if name in self.asked}
        if "source" in wanted:
            wanted["source"] = stored_name(wanted["source"])
        lines = QuarantinedLine.objects.filter(REAL, **wanted).defer("line")
        lines = lines.annotate(start=Left("line", shapes.SHOWN_OF_A_LINE))
        return Response(page_of(lines, "created_at", self.asked).told(shapes.show_quarantined))


class Replay(EventsView):
    scope = Scope.WRITE_EVENTS

    @extend_schema(
        operation_id="replay",
        request=shapes.ReplayBody,
        responses={202: shapes.ReplayShape, **NOTHING},
        examples=[REPLAY],
    )
    def post(self, request: ApiRequest) -> Response:
        """Send lines in quarantine through ingest once more. What still breaks a rule comes back to quarantine."""
        body, caller = self.read_body(request, shapes.ReplayBody), request.auth
        count = replay_quarantined(actor=caller.actor, org=caller.org, code=body["code"], history=body["history"])
        return Response({"replayed": count}, status=202)
