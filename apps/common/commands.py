"""A base for management commands: an `AppError` becomes one clear line and a non-zero exit, never a traceback."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from apps.common.errors import AppError


class Command(BaseCommand):
    """Derive from this and implement `run`."""

    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run(**options)
        except AppError as error:
            raise CommandError(f"{error.message}") from error
        except OperationalError as error:
            raise CommandError(
                f"PostgreSQL does not answer ({str(error).strip().splitlines()[0]}). "
                "Start the services with `make run`, or check DATABASE_URL."
            ) from error

    def run(self, **options: Any) -> None:
        raise NotImplementedError
