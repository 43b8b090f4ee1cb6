"""Periodic work of the console."""

from celery import shared_task

from apps.console.system.runs import purge_failed


@shared_task(time_limit=60)
def forget_failed_tasks() -> int:
    return purge_failed()
