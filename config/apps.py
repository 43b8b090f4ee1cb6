"""What happens once in every process of Django's: tasks get to know the broker that the settings name."""

from importlib import import_module

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Without it a web process would send tasks to the default application's broker, which is none of ours."""
        import_module("config.celery")
