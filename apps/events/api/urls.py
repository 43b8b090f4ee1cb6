from django.urls import path

from apps.events.api import metrics, views

urlpatterns = [
    path("sources", views.Sources.as_view(), name="sources"),
    path("imports", views.Imports.as_view(), name="imports"),
    path("imports/<uuid:import_id>", views.Import.as_view(), name="import"),
    path("quarantine", views.Quarantine.as_view(), name="quarantine"),
    path("quarantine/replay", views.Replay.as_view(), name="replay"),
    path("metrics", metrics.Metrics.as_view(), name="metrics"),
    # Ids may hold slashes. The doors below /events are the edge's, which sees a request first.
    path("events/<path:event_id>", views.Event.as_view(), name="event"),
]
