from django.urls import path

from apps.console.views import organisations

urlpatterns = [path("", organisations.index, name="organisations")]
