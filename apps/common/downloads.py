"""Files to download: made on disk while the view's transaction lasts, sent in pieces once it is over."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import IO

from django.http import StreamingHttpResponse

PIECE = 1 << 16


def send_file(file: IO[bytes], *, name: str, content_type: str) -> StreamingHttpResponse:
    """An open file from its beginning; it is closed when it has been sent. The server takes no other than an
    asynchronous iterator piece by piece."""
    response = StreamingHttpResponse(_pieces(file), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Content-Length"] = str(file.seek(0, os.SEEK_END))
    return response


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        file.seek(0)
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
