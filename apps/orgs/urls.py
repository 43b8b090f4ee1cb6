from django.urls import path

from apps.orgs.views import audit

urlpatterns = [
    path("audit/", audit.audit, name="audit"),
    path("audit/<int:entry_id>/", audit.audit_entry, name="audit_entry"),
]
