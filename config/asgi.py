"""The ASGI entry point of the web process: the ingest edge and, for everything else, Django."""

import gc
import os
import re
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
django = get_asgi_application()

from django.conf import settings  # noqa: E402 - needs the name of the settings

from apps.common.bodies import LimitBodies  # noqa: E402
from apps.events.edge.application import Edge  # noqa: E402 - needs Django's settings

# Around the bytes of a form that uploads a file stand its other fields.
FORM = 1_000_000
MOST_ELSEWHERE = 20_000_000
UPLOADS = re.compile(r"/o/[^/]+/files/")


def most_bytes(path: str) -> int:
    return int(settings.UPLOAD_MOST_BYTES) + FORM if UPLOADS.match(path) else MOST_ELSEWHERE


pages = LimitBodies(django, most_bytes)

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
