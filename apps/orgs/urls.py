from django.urls import path

from apps.orgs.views import about, api_keys, audit, brand, editing, identity_provider, people

urlpatterns = [
    path("about/", about.about, name="about"),
    path("admin-mode/", editing.switch, name="admin_mode"),
    path("edit/<str:key>/<uuid:row_id>/", editing.edit, name="edit_field"),
    path("edits/", editing.edits, name="edits"),
    path("edits/<uuid:edit_id>/undo/", editing.undo, name="undo_edit"),
    path("people/", people.index, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/second-step/", people.require_second_step, name="require_second_step"),
    path("people/invitations/<uuid:invitation_id>/revoke/", people.revoke, name="revoke_invitation"),
    path("people/<uuid:user_id>/", people.person, name="person"),
    path("people/<uuid:user_id>/roles/", people.change_roles, name="change_roles"),
    path("sign-in/", identity_provider.page, name="sign_in"),
    path("sign-in/save/", identity_provider.save, name="save_sign_in"),
    path("sign-in/try/", identity_provider.attempt, name="try_sign_in"),
    path("sign-in/confirm/", identity_provider.confirm, name="confirm_sign_in"),
    path("sign-in/remove/", identity_provider.remove, name="remove_sign_in"),
    path("people/<uuid:user_id>/active/", people.set_active, name="set_active"),
    path("api-keys/", api_keys.index, name="api_keys"),
    path("api-keys/create/", api_keys.create, name="create_api_key"),
    path("api-keys/<uuid:key_id>/", api_keys.one, name="api_key"),
    path("api-keys/<uuid:key_id>/rotate/", api_keys.rotate, name="rotate_api_key"),
    path("api-keys/<uuid:key_id>/addresses/", api_keys.limit, name="limit_api_key"),
    path("api-keys/<uuid:key_id>/revoke/", api_keys.revoke, name="revoke_api_key"),
    path("brand/<slug:digest>.png", brand.logo, name="logo"),
    path("brand/<slug:accent>.css", brand.colours, name="colours"),
    path("audit/", audit.audit, name="audit"),
    path("audit/<int:entry_id>/", audit.audit_entry, name="audit_entry"),
]
