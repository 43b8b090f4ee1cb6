from django.urls import path

from apps.earnings.views import overview

urlpatterns = [path("earnings/", overview.overview, name="earnings")]
