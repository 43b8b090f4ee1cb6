"""`kafka://host:9092,other:9092/topic?name=value`: where the log is, and what librdkafka is told beyond our own."""

import logging
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# What an operator may say: how to get in, not how the log behaves.
OPERATORS = ("security.", "sasl.", "ssl.", "client.", "socket.", "broker.")


@dataclass(frozen=True)
class Address:
    brokers: str
    topic: str
    options: dict[str, str] = field(repr=False)  # a password may be among them

    @property
    def settings(self) -> dict[str, Any]:
        """For every client; what it has to say of its connections goes into our log."""
        logger = logging.getLogger("precise.kafka")
        return {"client.id": "precise", **self.options, "bootstrap.servers": self.brokers, "logger": logger}


def parse(url: str) -> Address:
    """Raise `ValueError` for what is not one; the text never repeats options, since a password is one of them."""
    parts = urlsplit(url)
    topic = parts.path.strip("/")
    if not parts.netloc or not topic or "/" in topic:
        raise ValueError("EVENT_LOG_URL must be like kafka://host:9092,other:9092/topic.")
    if "@" in parts.netloc:
        raise ValueError("EVENT_LOG_URL takes a user as ?sasl.username=…&sasl.password=…, not before an @.")
    options = dict(parse_qsl(parts.query))
    if strange := [name for name in options if not name.startswith(OPERATORS)]:
        raise ValueError(f"EVENT_LOG_URL has {', '.join(strange)}; options start with {', '.join(OPERATORS)}.")
    return Address(parts.netloc, topic, options)
