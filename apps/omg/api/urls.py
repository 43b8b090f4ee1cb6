from django.urls import path

from apps.omg.api import query, views

urlpatterns = [
    path("performance", views.Performance.as_view(), name="performance"),
    path("query", query.Query.as_view(), name="query"),
]
