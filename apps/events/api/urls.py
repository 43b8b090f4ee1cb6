from django.urls import path

from apps.events.api import metrics

urlpatterns = [path("metrics", metrics.Metrics.as_view(), name="metrics")]
