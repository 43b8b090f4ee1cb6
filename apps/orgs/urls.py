from django.urls import path

from apps.orgs.views import audit, people

urlpatterns = [
    path("people/", people.index, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/invitations/<uuid:invitation_id>/revoke/", people.revoke, name="revoke_invitation"),
    path("people/<uuid:user_id>/", people.person, name="person"),
    path("people/<uuid:user_id>/roles/", people.change_roles, name="change_roles"),
    path("audit/", audit.audit, name="audit"),
    path("audit/<int:entry_id>/", audit.audit_entry, name="audit_entry"),
]
