"""The general API, `/api/v1/…`. The edge takes its own (events, conversions, schema) before Django sees them."""

from django.urls import include, path, re_path

from apps.orgs.api.views import Nothing
from config import openapi

urlpatterns = [
    path("v1/openapi.json", openapi.openapi, name="openapi"),
    path("v1/docs/", openapi.reference, name="docs"),
    path("v1/", include("apps.orgs.api.urls")),
    path("v1/", include("apps.events.api.urls")),
    path("v1/", include("apps.omg.api.urls")),
    re_path(r"", Nothing.as_view()),
]
