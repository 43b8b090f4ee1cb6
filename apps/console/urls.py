from django.urls import path

from apps.console.views import audit, flow, mail, new_organisation, organisation, organisations, roles, system, users

urlpatterns = [
    path("", organisations.index, name="organisations"),
    path("organisations/new/", new_organisation.new, name="new_organisation"),
    path("organisations/<slug:slug>/", organisation.index, name="organisation"),
    path("organisations/<slug:slug>/edit/", organisation.edit, name="edit_organisation"),
    path("organisations/<slug:slug>/status/", organisation.change_status, name="change_status"),
    path("organisations/<slug:slug>/managers/add/", organisation.add_manager, name="add_manager"),
    path("organisations/<slug:slug>/managers/remove/", organisation.remove_manager, name="remove_manager"),
    path("organisations/<slug:slug>/brand/", organisation.brand, name="brand"),
    path("organisations/<slug:slug>/export/", organisation.export, name="export_organisation"),
    path("organisations/<slug:slug>/exports/<uuid:export_id>/", organisation.download, name="download_export"),
    path("users/", users.index, name="users"),
    path("users/<uuid:user_id>/", users.one, name="user"),
    path("users/<uuid:user_id>/account/", users.change_account, name="change_account"),
    path("users/<uuid:user_id>/roles/", users.give_role, name="give_role"),
    path("roles/", roles.index, name="roles"),
    path("mail/", mail.index, name="mail"),
    path("mail/<str:key>/", mail.one, name="mail_message"),
    path("system/", system.index, name="system"),
    path("system/tasks/<uuid:task_id>/", system.see_to_task, name="see_to_task"),
    path("system/flags/<slug:name>/", system.change_flag, name="change_flag"),
    path("flow/", flow.flow, name="flow"),
    path("audit/", audit.audit, name="audit"),
    path("audit/<int:entry_id>/", audit.entry, name="audit_entry"),
]
