"""What every view of the API is made of, and the views about the caller itself."""

from http import HTTPStatus
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.api.bodies import MOST_BYTES
from apps.common.api.describing import Shape
from apps.common.api.reading import NoParameters, Strict, read_body, read_parameters
from apps.common.errors import NotFound
from apps.orgs.api import limits
from apps.orgs.api.authentication import Caller
from apps.orgs.audit import record
from apps.orgs.models import Tier
from apps.orgs.permissions import Scope

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class ApiRequest(Request):
    """A request that knows its caller; `actor` and `org` are those of pages."""

    auth: Caller


class ApiView(APIView):
    """A view for keys with `scope` (None: any key) and for people whose role grants as much.

    `parameters` names what the URL may ask; it is read into `self.asked` before the method runs.
    """

    scope: ClassVar[Scope | None]
    # Under which heading the document lists it, and whether writes have parameters too.
    tag: ClassVar[str] = "Account"
    asks_when_writing: ClassVar[bool] = False
    parameters: ClassVar[type[Strict]] = NoParameters
    # Whether asking it by another method than GET changes something.
    changes: ClassVar[bool] = True
    most_bytes: ClassVar[int] = MOST_BYTES
    asked: dict[str, Any]

    def perform_authentication(self, request: ApiRequest) -> None:
        """Whoever is known is counted, whatever becomes of the request."""
        super().perform_authentication(request)
        if isinstance(request.auth, Caller):
            self.limit = limits.take(request.auth.org)
            self.limit.check()

    def initial(self, request: ApiRequest, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.asked = read_parameters(self.parameters, request.query_params)

    def read_body(self, request: ApiRequest, serializer: type[Strict]) -> dict[str, Any]:
        return read_body(serializer, request.data)

    def finalize_response(self, request: ApiRequest, response: Any, *args: Any, **kwargs: Any) -> Any:
        found = super().finalize_response(request, response, *args, **kwargs)
        if limit := getattr(self, "limit", None):
            for name, value in limit.headers.items():
                found.headers.setdefault(name, value)
        found.headers.setdefault("Cache-Control", "no-store")
        self._note(request, found)
        return found

    def _note(self, request: ApiRequest, response: Any) -> None:
        """Who changed something by the API, or took a file away, besides what the action itself notes."""
        changed = self.changes and request.method not in SAFE
        is_file = "json" not in response.headers.get("Content-Type", "json")
        if response.status_code >= HTTPStatus.BAD_REQUEST or not (changed or is_file):
            return
        # DRF would answer a failed authentication again here.
        if isinstance(caller := getattr(request, "_auth", None), Caller):
            action = "api.changed" if changed else "api.exported"
            record(org=caller.org, actor=caller.actor, action=action, target=f"{request.method} {request.path}"[:160])


class OrganisationOfCaller(Shape):
    slug = serializers.CharField(help_text="Its short name, as in `/o/…/`.")
    name = serializers.CharField()
    kind = serializers.CharField()
    currency = serializers.CharField()
    time_zone = serializers.CharField()
    tier = serializers.ChoiceField(choices=Tier.values)


class LimitsOfCaller(Shape):
    requests_per_hour = serializers.IntegerField(help_text="Of the general API.")
    requests_remaining = serializers.IntegerField()
    events_per_second = serializers.IntegerField(help_text="Of the doors that take events.")


class MeShape(Shape):
    name = serializers.CharField(help_text="What the key is called.")
    kind = serializers.ChoiceField(choices=["key", "person"])
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(Scope)))
    expires_at = serializers.DateTimeField(allow_null=True)
    organisation = OrganisationOfCaller()
    limits = LimitsOfCaller()


class Me(ApiView):
    scope = None

    @extend_schema(operation_id="me", responses=MeShape)
    def get(self, request: ApiRequest) -> Response:
        """Who you are: the key, what it may do, for whom, and how often."""
        caller = request.auth
        org = caller.org
        return Response(
            {
                "name": caller.name,
                "kind": "key" if caller.key_id else "person",
                "scopes": sorted(caller.scopes),
                "expires_at": caller.expires_at,
                "organisation": {
                    "slug": org.slug,
                    "name": org.name,
                    "kind": org.kind,
                    "currency": org.currency,
                    "time_zone": org.time_zone,
                    "tier": org.tier,
                },
                "limits": {
                    "requests_per_hour": self.limit.most,
                    "requests_remaining": self.limit.remaining,
                    "events_per_second": org.events_per_second,
                },
            }
        )


class Nothing(APIView):
    """Every address of `/api/` that is none."""

    authentication_classes = ()
    permission_classes = ()
    schema = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        raise NotFound("There is nothing at this address; /api/v1/docs/ lists what there is.")
