from django.urls import path

from apps.events.views import files, sources, tus

urlpatterns = [
    path("sources/", sources.sources, name="sources"),
    path("sources/replay/", sources.replay, name="replay_quarantined"),
    path("files/", files.files, name="files"),
    path("files/send/", files.send, name="send_file"),
    path("files/new/", tus.create, name="create_upload"),
    path("files/<uuid:file_id>/", files.file, name="file"),
    path("files/<uuid:file_id>/bytes/", tus.bytes_of, name="upload_bytes"),
    path("files/<uuid:file_id>/import/", files.start, name="import_file"),
    path("files/<uuid:file_id>/cancel/", files.cancel, name="cancel_import"),
    path("files/<uuid:file_id>/remove/", files.remove, name="remove_file"),
]
