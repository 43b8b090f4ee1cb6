from django.urls import path

from apps.omg.views import overview, reported

urlpatterns = [
    path("overview/", overview.overview, name="overview"),
    path("reported/", reported.reported, name="reported"),
]
