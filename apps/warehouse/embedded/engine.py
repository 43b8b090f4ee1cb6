"""The engine's side: one handle per request, its settings, its statement. Knows nothing of HTTP."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from chdb import ChdbError
from chdb.state.sqlitelike import Connection, StreamingInserter, StreamingResult

# Formats of which the pieces of a stream, put end to end, are what one piece would be.
STREAMED = frozenset({"Native", "TabSeparated", "TSV", "TabSeparatedRaw", "TSVRaw", "CSV", "JSONEachRow", "RowBinary"})
READS = re.compile(r"^\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*(SELECT|WITH|\()", re.I | re.S)
TRAILING_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.I)
# A FORMAT clause ends the statement; a long statement is not searched through for it.
LONGEST_TAIL = 200
CODE = re.compile(r"Code: (\d+)\.")
DEFAULTS: Mapping[str, str] = {"date_time_input_format": "best_effort"}


class EngineError(Exception):
    """The engine's own complaint: its number and its sentence."""

    def __init__(self, text: str) -> None:
        start = text.find("Code: ")
        self.text = text[max(start, 0) :]
        found = CODE.search(self.text)
        self.code = int(found.group(1)) if found else 1002
        super().__init__(self.text)


@dataclass(frozen=True)
class Statement:
    """What is to be run: the SQL without its FORMAT clause, the format, and the values of its parameters."""

    sql: str
    output: str
    parameters: Mapping[str, str]

    @property
    def reads(self) -> bool:
        return bool(READS.match(self.sql))


@dataclass
class Result:
    """The first piece is there before the answer begins, so that most errors still get a status of their own."""

    first: bytes
    rest: Iterator[bytes]
    read_rows: int = 0
    read_bytes: int = 0


class Engine:
    """The data directory of this process."""

    def __init__(self, folder: Path, database: str, max_memory: int) -> None:
        self.folder, self.database, self.max_memory = folder, database, max_memory
        # Held open for the life of the process: the engine closes its tables with the last handle.
        self._keeper = Connection(str(folder))
        self._keeper.query(f"CREATE DATABASE IF NOT EXISTS {quote_name(database)}")

    def session(self, database: str, settings: Mapping[str, str]) -> "Session":
        """A handle of its own for one request: what it sets, no other request sees."""
        connection = Connection(str(self.folder))
        chosen = {**DEFAULTS, "max_memory_usage": str(self.max_memory), **settings}
        assignments = ", ".join(f"{_setting_name(name)} = {quote(value)}" for name, value in chosen.items())
        try:
            _run(connection, f"USE {quote_name(database or self.database)}")
            _run(connection, f"SET {assignments}")
        except EngineError:
            connection.close()
            raise
        return Session(connection)

    def version(self) -> str:
        return str(self._keeper.query("SELECT version()", "TabSeparatedRaw").bytes().decode().strip())

    def close(self) -> None:
        self._keeper.close()


class Session:
    """One request's handle."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stream: StreamingResult | None = None

    def execute(self, statement: Statement) -> Result:
        if statement.reads and statement.output in STREAMED:
            return self._execute_streamed(statement)
        try:
            found = self._connection.query(statement.sql, statement.output, params=dict(statement.parameters))
        except (ChdbError, RuntimeError) as error:
            raise EngineError(str(error)) from error
        return Result(found.bytes() or b"", iter(()), found.storage_rows_read(), found.storage_bytes_read())

    def insert(self, sql: str, input_format: str, body: Iterator[bytes]) -> int:
        """Feed `body` to an INSERT piece by piece; answers the rows written, views included."""
        try:
            inserter: StreamingInserter = self._connection.send_insert(sql, input_format)
            with inserter:
                for piece in body:
                    inserter.append(piece)
                return int(inserter.finish().rows_written)
        except (ChdbError, RuntimeError) as error:
            raise EngineError(str(error)) from error

    def close(self) -> None:
        """Also ends a query whose reader went away."""
        if self._stream is not None:
            with suppress(ChdbError):
                self._stream.cancel()
        self._connection.close()

    def _execute_streamed(self, statement: Statement) -> Result:
        try:
            self._stream = self._connection.send_query(
                statement.sql, statement.output, params=dict(statement.parameters)
            )
            first = self._stream.fetch()
        except (ChdbError, RuntimeError) as error:
            raise EngineError(str(error)) from error
        if first is None:
            return Result(self._empty(statement), iter(()))
        return Result(first.bytes(), self._pieces(self._stream))

    def _pieces(self, stream: StreamingResult) -> Iterator[bytes]:
        try:
            while (piece := stream.fetch()) is not None:
                yield piece.bytes()
        except (ChdbError, RuntimeError) as error:
            raise EngineError(str(error)) from error

    def _empty(self, statement: Statement) -> bytes:
        """No rows: chDB gives nothing at all, a server gives a Native block of no rows that names the columns."""
        if statement.output != "Native" or not statement.sql.lstrip()[:6].upper().startswith(("SELECT", "WITH")):
            return b""
        described = self._connection.query(
            f"DESCRIBE TABLE ({statement.sql.rstrip().rstrip(';')})",
            "TabSeparatedRaw",
            params=dict(statement.parameters),
        )
        columns = [line.split("\t") for line in (described.bytes() or b"").decode().splitlines()]
        fields = b"".join(_text(name) + _text(kind) for name, kind, *_ in columns)
        return _number(len(columns)) + _number(0) + fields


def parse(sql: str, parameters: Mapping[str, str], default_format: str) -> Statement:
    tail = max(len(sql) - LONGEST_TAIL, 0)
    found = TRAILING_FORMAT.search(sql, tail)
    if found is None:
        return Statement(sql, default_format, parameters)
    return Statement(sql[: found.start()], found.group(1), parameters)


def quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_name(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _setting_name(name: str) -> str:
    if not re.fullmatch(r"\w+", name):
        raise EngineError(f"Code: 115. DB::Exception: Unknown setting '{name}'. (UNKNOWN_SETTING)")
    return name


def _run(connection: Connection, sql: str) -> None:
    try:
        connection.query(sql)
    except (ChdbError, RuntimeError) as error:
        raise EngineError(str(error)) from error


def _number(value: int) -> bytes:
    """An unsigned LEB128, as the Native format counts."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _text(value: str) -> bytes:
    data = value.encode()
    return _number(len(data)) + data
