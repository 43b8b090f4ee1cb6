"""ClickHouse's HTTP interface over the engine, as a WSGI application."""

import hmac
import json
import re
import time
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from apps.warehouse.embedded import coding
from apps.warehouse.embedded.coding import BadEncoding
from apps.warehouse.embedded.engine import Engine, EngineError, Result, Session, Statement, parse

# URL parameters that are the protocol's own; all others are settings of the query.
PROTOCOL = frozenset(
    [
        "query",
        "database",
        "user",
        "password",
        "default_format",
        "session_id",
        "session_timeout",
        "session_check",
        "query_id",
        "quota_key",
        "compress",
        "decompress",
        "buffer_size",
        "wait_end_of_query",
        "client_protocol_version",
        "role",
        "enable_http_compression",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
    ]
)
INSERT = re.compile(r"^\s*INSERT\b", re.I)
INSERT_FORMAT = re.compile(r"\bFORMAT\s+(\w+)[ \t]*(?:;[ \t]*)?(?:\r?\n|$)", re.I)
LONGEST_STATEMENT = 16 << 20
FORM = re.compile(r'multipart/form-data;.*?\bboundary="?([^";]+)', re.I)
FIELD_NAME = re.compile(rb'\bname="([^"]*)"')
# As ClickHouse answers them; every other code is a 500.
NOT_FOUND = frozenset({16, 46, 47, 50, 56, 60, 73, 81, 115, 128, 336})
BAD_REQUEST = frozenset({6, 26, 27, 33, 36, 38, 41, 62, 72, 117, 130, 456, 457})
AUTHENTICATION_FAILED = 516
START = Callable[[str, list[tuple[str, str]]], Any]


@dataclass(frozen=True)
class Request:
    """One request, its body not yet read."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Iterator[bytes]

    @property
    def settings(self) -> dict[str, str]:
        return {
            name: value for name, value in self.query.items() if name not in PROTOCOL and not name.startswith("param_")
        }

    @property
    def parameters(self) -> dict[str, str]:
        return {name[6:]: value for name, value in self.query.items() if name.startswith("param_")}


class Application:
    def __init__(self, engine: Engine, user: str, password: str) -> None:
        self.engine, self._user, self._password = engine, user, password
        self._fixed = [("X-ClickHouse-Server-Display-Name", "embedded"), ("X-ClickHouse-Timezone", "UTC")]

    def __call__(self, environ: Mapping[str, Any], start: START) -> Iterable[bytes]:
        request = read_request(environ)
        headers = [*self._fixed, ("X-ClickHouse-Query-Id", request.query.get("query_id") or str(uuid4()))]
        if request.path == "/ping" or (request.method == "GET" and "query" not in request.query):
            return _plain(start, "200 OK", b"Ok.\n", headers)
        try:
            if not self._knows(request):
                raise EngineError(
                    f"Code: {AUTHENTICATION_FAILED}. DB::Exception: Authentication failed: password is incorrect, "
                    "or there is no user with such name. (AUTHENTICATION_FAILED)"
                )
            return self._answer(request, start, headers)
        except BadEncoding as error:
            return _failure(start, EngineError(f"Code: 354. DB::Exception: {error} (ZLIB_INFLATE_FAILED)"), headers)
        except EngineError as error:
            return _failure(start, error, headers)

    def _knows(self, request: Request) -> bool:
        user, password = credentials(request)
        names = hmac.compare_digest(user.encode(), self._user.encode())
        return hmac.compare_digest(password.encode(), self._password.encode()) and names

    def _answer(self, request: Request, start: START, headers: list[tuple[str, str]]) -> Iterable[bytes]:
        sql, data = split_statement(request)
        session = self.engine.session(request.query.get("database", ""), request.settings)
        began = time.perf_counter()
        try:
            if data is not None:
                written = session.insert(sql, data.format, data.body)
                headers.append(_summary(began, written_rows=written))
                session.close()
                return _plain(start, "200 OK", b"", headers)
            default = (
                request.headers.get("x-clickhouse-format") or request.query.get("default_format") or "TabSeparated"
            )
            statement = parse(sql, request.parameters, default)
            result = session.execute(statement)
        except BaseException:
            session.close()
            raise
        headers.append(_summary(began, read_rows=result.read_rows, read_bytes=result.read_bytes))
        return Answer(session, statement, result, request, start, headers)


@dataclass(frozen=True)
class InsertData:
    format: str
    body: Iterator[bytes]


class Answer:
    """A result on its way to the client. Closed by the server, also when the client goes away in the middle."""

    def __init__(
        self, session: Session, statement: Statement, result: Result, request: Request, start: START,
        headers: list[tuple[str, str]],
    ) -> None:  # fmt: skip
        self._session, self._result, self._tag = session, result, uuid4().hex[:16]
        wanted = request.query.get("enable_http_compression") == "1"
        encoding = coding.choose(request.headers.get("accept-encoding", "")) if wanted else ""
        headers += [("X-ClickHouse-Format", statement.output), ("X-ClickHouse-Exception-Tag", self._tag)]
        headers.append(("Content-Type", "application/octet-stream"))
        if encoding:
            headers.append(("Content-Encoding", encoding))
        start("200 OK", headers)
        self._body = coding.encoded(self._pieces(), encoding)

    def __iter__(self) -> Iterator[bytes]:
        return (piece for piece in self._body if piece)

    def close(self) -> None:
        self._session.close()

    def _pieces(self) -> Iterator[bytes]:
        yield self._result.first
        try:
            yield from self._result.rest
        except EngineError as error:
            message = error.text.encode()
            tag = self._tag.encode()
            size = str(len(message)).encode()
            yield (
                b"\r\n__exception__\r\n"
                + tag
                + b"\r\n"
                + message
                + b"\n"
                + size
                + b" "
                + tag
                + b"\r\n__exception__\r\n"
            )


def read_request(environ: Mapping[str, Any]) -> Request:
    headers = {name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name[:5] == "HTTP_"}
    length = environ.get("CONTENT_LENGTH", "")
    packed = coding.pieces(environ["wsgi.input"], int(length) if length.isdigit() else None)
    body = coding.decoded(packed, headers.get("content-encoding", ""))
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    form = FORM.match(environ.get("CONTENT_TYPE", ""))
    if form:
        query, body = {**query, **form_fields(b"".join(body), form.group(1))}, iter(())
    return Request(environ["REQUEST_METHOD"], environ["PATH_INFO"], query, headers, body)


def form_fields(body: bytes, boundary: str) -> dict[str, str]:
    """The fields of a form: the client sends SQL and parameters so, when they are too long for a URL."""
    fields = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode())[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        if name := FIELD_NAME.search(head):
            fields[name.group(1).decode()] = value.decode("utf-8", "replace")
    return fields


def credentials(request: Request) -> tuple[str, str]:
    """From basic authentication, ClickHouse's own headers, or the URL."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = b64decode(value).decode().partition(":")
        except ValueError:
            return "", ""
        return user, password
    if "x-clickhouse-user" in request.headers:
        return request.headers["x-clickhouse-user"], request.headers.get("x-clickhouse-key", "")
    return request.query.get("user", ""), request.query.get("password", "")


def split_statement(request: Request) -> tuple[str, InsertData | None]:
    """The SQL, and for an INSERT with a format the data that follows it: in the body, or behind the SQL in the body."""
    sql = request.query.get("query", "")
    if sql:
        found = INSERT_FORMAT.search(sql) if INSERT.match(sql) else None
        if found:
            head, inline = sql[: found.start()], sql[found.end() :].encode()
            return head, InsertData(found.group(1), chain([inline] if inline else [], request.body))
        return sql + _rest(request.body), None
    first = next(request.body, b"")
    if INSERT.match(first[:64].decode("latin-1")):
        text = first[:LONGEST_STATEMENT].decode("latin-1")
        found = INSERT_FORMAT.search(text)
        if found:
            head = first[: found.start()].decode()
            return head, InsertData(found.group(1), chain([first[found.end() :]], request.body))
    return (first + b"".join(request.body)).decode("utf-8", "replace"), None


def _rest(body: Iterator[bytes]) -> str:
    data = b"".join(body)
    return f"\n{data.decode('utf-8', 'replace')}" if data else ""


def _summary(began: float, **counts: int) -> tuple[str, str]:
    names = ("read_rows", "read_bytes", "written_rows", "written_bytes", "result_rows", "result_bytes")
    values = {name: str(counts.get(name, 0)) for name in names}
    values["elapsed_ns"] = str(int((time.perf_counter() - began) * 1e9))
    return "X-ClickHouse-Summary", json.dumps(values)


def _failure(start: START, error: EngineError, headers: list[tuple[str, str]]) -> Iterable[bytes]:
    status = "500 Internal Server Error"
    if error.code in NOT_FOUND:
        status = "404 Not Found"
    elif error.code in BAD_REQUEST:
        status = "400 Bad Request"
    elif error.code == AUTHENTICATION_FAILED:
        status = "403 Forbidden"
    return _plain(
        start, status, f"{error.text}\n".encode(), [*headers, ("X-ClickHouse-Exception-Code", str(error.code))]
    )


def _plain(start: START, status: str, body: bytes, headers: list[tuple[str, str]]) -> Iterable[bytes]:
    length = ("Content-Length", str(len(body)))
    start(status, [*headers, length, ("Content-Type", "text/plain; charset=UTF-8")])
    return [body]
