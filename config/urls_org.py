"""URLs of one organisation; the tenant is `org` of the prefix."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from apps.earnings.views import overview as earnings
from apps.omg.views import overview as omg


def home(request: HttpRequest, org: str) -> HttpResponse:
    """What the organisation's kind looks at every morning: its earnings, or its media."""
    page = earnings if request.org is not None and request.org.sells_data else omg
    return page.overview(request, org=org)


urlpatterns = [
    path("", home, name="home"),
    path("", include("apps.omg.urls")),
    path("", include("apps.earnings.urls")),
]
