"""How much of a request Django may gather: it writes a body to disk whole before anybody is asked who sends it."""

from collections.abc import Awaitable, Callable
from typing import Any

Application = Callable[[Any, Any, Any], Awaitable[None]]
PLAIN = (b"content-type", b"text/plain; charset=utf-8")


class LimitBodies:
    """Answers 413 to a body above `most(path)`: at once where its length is said, else when it gets there."""

    def __init__(self, application: Application, most: Callable[[str], int]) -> None:
        self._application, self._most = application, most

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        left = most = self._most(scope["path"])
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > most:
            await _refuse(send, most)
            return

        async def counted() -> Any:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            # Gathering ends as if the client had gone; it is told below.
            return message if left >= 0 else {"type": "http.disconnect"}

        await self._application(scope, counted, send)
        if left < 0:
            await _refuse(send, most)


async def _refuse(send: Any, most: int) -> None:
    text = f"The request is too large: at most {most:,} bytes are taken here.".encode()
    headers = [PLAIN, (b"content-length", str(len(text)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": text})
