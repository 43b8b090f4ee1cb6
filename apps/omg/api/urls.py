from django.urls import path

from apps.omg.api import views

urlpatterns = [path("performance", views.Performance.as_view(), name="performance")]
