"""Answers of ClickHouse, kept in Redis for as long as they are true.

The key is made of the organisation, of what the asker may see of it, of the query with all that it binds, and of the
watermark, which changes with every event that is stored. The watermark is looked up at most every few seconds, so new
data shows at once. Without Redis everything is asked anew.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any
from uuid import UUID

import structlog
from django.core.cache import BaseCache, caches
from redis.exceptions import RedisError

from apps.omg.queries import watermark
from apps.warehouse.public import execute

log = structlog.get_logger()
# What everyone who may ask at all sees the same of; a narrower permission would be another scope.
EVERYTHING = "organisation"
WATERMARK_SECONDS = 5
ANSWER_SECONDS = 600
# Whole files are not kept: they are asked for once.
MOST_KEPT_ROWS = 2_000
Rows = list[dict[str, Any]]


@dataclass
class Asker:
    """For whom a request asks, and whether an answer that is kept will do."""

    org_id: UUID
    scope: str = EVERYTHING
    anew: bool = False

    def ask(self, tag: str, sql: str, params: Mapping[str, Any] | None = None) -> Rows:
        if self.anew:
            return execute(self.org_id, tag, sql, params)
        key = f"answer:{_digest(str(self.org_id), self.scope, self.watermark, tag, sql, params)}"
        found = _kept(key)
        if found is None:
            found = execute(self.org_id, tag, sql, params)
            if len(found) <= MOST_KEPT_ROWS:
                _keep(key, found, ANSWER_SECONDS)
        return found

    @property
    def as_of(self) -> datetime | None:
        """When the newest of the organisation's events arrived; None without any."""
        return self.watermark["last_received"] if self.watermark["events"] else None

    @cached_property
    def watermark(self) -> dict[str, Any]:
        key = f"watermark:{self.org_id}"
        found = None if self.anew else _kept(key)
        if found is None:
            found = execute(self.org_id, "omg.watermark", watermark.SQL)
            _keep(key, found, WATERMARK_SECONDS)
        return found[0]


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()


@cache
def _store() -> BaseCache:
    """One for all threads: Django would open connections of its own for each thread that looks."""
    return caches["default"]


def _kept(key: str) -> Rows | None:
    try:
        found: Rows | None = _store().get(key)
    except (RedisError, OSError) as error:
        log.warning("answers.not_kept", error=type(error).__name__)
        return None
    return found


def _keep(key: str, rows: Rows, seconds: int) -> None:
    try:
        _store().set(key, rows, seconds)
    except (RedisError, OSError) as error:
        log.warning("answers.not_kept", error=type(error).__name__)
