from django.urls import path

from apps.console.views import audit, organisations

urlpatterns = [
    path("", organisations.index, name="organisations"),
    path("audit/", audit.audit, name="audit"),
]
