"""Which log it is, by the setting EVENT_LOG_URL."""

from functools import cache

from django.conf import settings

from apps.events.log.interface import EventLog
from apps.events.log.postgres import PostgresLog


@cache
def event_log() -> EventLog:
    """This process's own."""
    return open_log(settings.EVENT_LOG_URL)


def open_log(url: str) -> EventLog:
    if url == "postgres:":
        return PostgresLog()
    if url.startswith("kafka://"):
        # Only where it is wanted: the client brings threads and memory of its own.
        from apps.events.log.kafka.address import parse
        from apps.events.log.kafka.log import KafkaLog

        return KafkaLog(parse(url))
    raise ValueError("EVENT_LOG_URL must be postgres: or start with kafka://.")
