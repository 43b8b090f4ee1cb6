"""URLs of one organisation; the tenant is `org` of the prefix."""

from django.http.response import HttpResponseBase
from django.urls import include, path

from apps.earnings.views import overview as earnings
from apps.omg.views import overview as omg
from apps.orgs.public import OrgRequest


def home(request: OrgRequest, org: str) -> HttpResponseBase:
    """What the organisation's kind looks at every morning: its earnings, or its media."""
    known = getattr(request, "org", None)
    view = earnings.overview if known is not None and known.sells_data else omg.overview
    return view(request, org=org)


urlpatterns = [
    path("", home, name="home"),
    path("", include("apps.omg.urls")),
    path("", include("apps.measurement.urls")),
    path("", include("apps.earnings.urls")),
    path("", include("apps.events.urls")),
    path("", include("apps.orgs.urls")),
]
