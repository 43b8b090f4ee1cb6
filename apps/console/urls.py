from django.urls import path

from apps.console.views import audit, flow, organisations

urlpatterns = [
    path("", organisations.index, name="organisations"),
    path("flow/", flow.flow, name="flow"),
    path("audit/", audit.audit, name="audit"),
]
