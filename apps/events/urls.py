from django.urls import path

from apps.events.views import files, generated, live_events, quarantine, sources, tus

urlpatterns = [
    path("sources/", sources.sources, name="sources"),
    path("sources/from/<path:name>/", sources.source, name="source"),
    path("sources/events/", live_events.live_events, name="live_events"),
    path("sources/events/<path:event_id>/", live_events.event, name="event"),
    path("sources/lines/<int:record_id>/<int:place>/", live_events.received_line, name="received_line"),
    path("sources/try/", live_events.try_event, name="try_event"),
    path("sources/try/send/", live_events.send_try, name="send_try"),
    path("sources/quarantine/<slug:code>/", quarantine.reason, name="quarantine"),
    path("sources/replay/", quarantine.replay, name="replay_quarantined"),
    path("generated/show/", generated.show_generated, name="show_generated"),
    path("generated/hide/", generated.show_real, name="show_real"),
    path("files/", files.files, name="files"),
    path("files/send/", files.send, name="send_file"),
    path("files/new/", tus.create, name="create_upload"),
    path("files/<uuid:file_id>/", files.file, name="file"),
    path("files/<uuid:file_id>/bytes/", tus.bytes_of, name="upload_bytes"),
    path("files/<uuid:file_id>/import/", files.start, name="import_file"),
    path("files/<uuid:file_id>/cancel/", files.cancel, name="cancel_import"),
    path("files/<uuid:file_id>/remove/", files.remove, name="remove_file"),
]
