from django.urls import path

from apps.omg.views import overview, reach, reported

urlpatterns = [
    path("overview/", overview.overview, name="overview"),
    path("reach/", reach.reach_page, name="reach"),
    path("reported/", reported.reported, name="reported"),
]
