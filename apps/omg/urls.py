from django.urls import path

from apps.omg.views import explain, explore, geography, overview, reach, reported, subject

urlpatterns = [
    path("overview/", overview.overview, name="overview"),
    path("explore/", explore.explore, name="explore"),
    path("geography/", geography.geography, name="geography"),
    path("campaigns/<path:campaign>/", subject.campaign, name="campaign"),
    path("explain/<str:metric>/", explain.explain_page, name="explain"),
    path("reach/", reach.reach_page, name="reach"),
    path("reported/", reported.reported, name="reported"),
]
