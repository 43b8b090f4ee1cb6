from django.urls import path

from apps.orgs.api.views import Me

urlpatterns = [path("me", Me.as_view(), name="me")]
