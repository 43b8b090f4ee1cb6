from django.urls import path

from apps.omg.views import overview

urlpatterns = [path("overview/", overview.overview, name="overview")]
