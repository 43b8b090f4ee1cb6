from django.apps import AppConfig


class LogConfig(AppConfig):
    name = "apps.events.log"
    label = "ingest_log"
