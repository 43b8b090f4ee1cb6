from django.urls import path

from apps.events.views import sources

urlpatterns = [
    path("sources/", sources.sources, name="sources"),
    path("sources/replay/", sources.replay, name="replay_quarantined"),
]
