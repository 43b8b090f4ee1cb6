"""The ASGI entry point of the web process: the ingest edge and, for everything else, Django."""

import gc
import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
pages = get_asgi_application()

from apps.events.edge.application import Edge  # noqa: E402 - needs Django's settings

edge = Edge()
# What exists by now stays; looking through it again and again costs the edge a twentieth of its time.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 50)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http" and edge.has(scope["path"]):
        await edge(scope, receive, send)
    else:
        await pages(scope, receive, send)
