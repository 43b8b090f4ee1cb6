"""A client for benchmarks: keep-alive connections over raw sockets, each with one request under way."""

import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

STATUS_AT = len(b"HTTP/1.1 ")


@dataclass
class Load:
    """What came back: answers by status, and the seconds that each request took from the moment it was due."""

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return sum(self.statuses.values()) / self.seconds


def post(
    port: int, path: str, headers: Mapping[str, str], body: Callable[[int], bytes], *, connections: int, seconds: float,
    rate: float | None = None,
) -> Load:  # fmt: skip
    """POST `body(0)`, `body(1)`, … for so many seconds: as fast as answers come, or `rate` of them a second."""
    head = _head(port, path, headers)
    began = time.perf_counter()
    load, sent = Load(seconds), 0
    with selectors.DefaultSelector() as selector:
        free = deque(_connect(port, selector) for _ in range(connections))
        due: dict[socket.socket, float] = {}
        while (now := time.perf_counter()) < began + seconds or due:
            while free and now < began + seconds and (rate is None or sent < (now - began) * rate):
                connection, content = free.popleft(), body(sent)
                connection.sendall(b"%b%d\r\n\r\n%b" % (head, len(content), content))
                due[connection] = now if rate is None else began + sent / rate
                sent += 1
            for key, _ in selector.select(0.0005 if rate else 0.05):
                connection = key.fileobj  # type: ignore[assignment]
                answer = connection.recv(65_536)
                load.statuses[int(answer[STATUS_AT : STATUS_AT + 3])] += 1
                load.times.append(time.perf_counter() - due.pop(connection))
                free.append(connection)
        for connection in free:
            connection.close()
    return load


def _head(port: int, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\nContent-Length: ").encode()


def _connect(port: int, selector: selectors.BaseSelector) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(connection, selectors.EVENT_READ)
    return connection
