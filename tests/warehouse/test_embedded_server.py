"""The embedded ClickHouse, through an unmodified `clickhouse-connect` and the process's signals only."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import clickhouse_connect
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError, StreamFailureError

from tests.config.launcher import free_port

PASSWORD = "a password with 'quotes'"
HOSTILE = "a'b\\c\t\n ü \u0000 {x:String} -- ' OR 1=1"


class Server:
    """A server process on a free port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.process = self.start()
        self.wait()

    def start(self, port: int | None = None) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "apps.warehouse.embedded",
                "--data",
                str(self.folder),
                "--port",
                str(port or self.port),
            ],
            env={**os.environ, "CLICKHOUSE_PASSWORD": PASSWORD},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError(f"no server: {self.process.stderr.read() if self.process.stderr else ''}")

    def client(self, **options: Any) -> Client:
        fixed = {"host": "127.0.0.1", "port": self.port, "username": "precise", "password": PASSWORD}
        return clickhouse_connect.get_client(**{**fixed, "database": "precise", **options})

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=20)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("clickhouse"))
    yield running
    running.end(signal.SIGTERM)


@pytest.fixture
def client(server: Server) -> Client:
    return server.client()


@pytest.fixture
def table(client: Client, request: pytest.FixtureRequest) -> str:
    name = "t_" + "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
    client.command(f"CREATE TABLE {name} (a UInt64, b String, d DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY a")
    return name


def rows(count: int = 3) -> list[list[object]]:
    return [[number, f"row {number} ü", datetime(2026, 1, 1, tzinfo=UTC)] for number in range(count)]


def test_handshake_and_query(client: Client) -> None:
    assert client.ping()
    assert int(client.server_version.split(".")[0]) >= 24
    result = client.query("SELECT number AS n, toString(number) AS s FROM numbers(3)")
    assert result.column_names == ("n", "s")
    assert result.result_rows == [(0, "0"), (1, "1"), (2, "2")]


def test_a_result_without_rows_still_names_its_columns(client: Client) -> None:
    assert client.query("SELECT number AS n FROM numbers(0)").column_names == ("n",)


def test_bound_parameters_carry_hostile_text_whole(client: Client) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_000)
    row = client.query(
        "SELECT {text:String}, {list:Array(String)}, {moment:DateTime64(3)}, {none:Nullable(Int32)}",
        parameters={"text": HOSTILE, "list": [HOSTILE, ""], "moment": moment, "none": None},
    ).result_rows[0]
    assert row == (HOSTILE, [HOSTILE, ""], moment, None)


@pytest.mark.parametrize("count", [1, 200, 20_000])
def test_values_too_long_for_a_url_are_bound_alike(server: Server, count: int) -> None:
    """The client sends them as a form."""
    values = [f"{HOSTILE}\r\n--{number}" for number in range(count)]
    row = server.client().query("SELECT {list:Array(String)}, {text:String}", parameters={"list": values, "text": "ü"})
    assert row.result_rows[0] == (values, "ü")


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_inserts_and_answers_in_every_encoding(server: Server, table: str, compress: Any) -> None:
    client = server.client(compress=compress)
    assert client.insert(table, rows(1000), column_names=["a", "b", "d"]).written_rows == 1000
    found = client.query(f"SELECT a, b FROM {table} ORDER BY a").result_rows
    assert found == [(row[0], row[1]) for row in rows(1000)]


def test_arrow_both_ways(client: Client, table: str) -> None:
    sent = pa.table(
        {"a": pa.array([1, 2], pa.uint64()), "b": ["x", "y"], "d": pa.array([0, 1], pa.timestamp("ms", "UTC"))}
    )
    client.insert_arrow(table, sent)
    assert client.query_arrow(f"SELECT a, b FROM {table} ORDER BY a").to_pydict() == {"a": [1, 2], "b": ["x", "y"]}


def test_data_frames_stream_in_pieces(client: Client) -> None:
    pytest.importorskip("pandas")
    with client.query_df_stream("SELECT number FROM numbers(1000000)") as stream:
        sizes = [len(frame) for frame in stream]
    assert sum(sizes) == 1_000_000
    assert len(sizes) > 1


def test_raw_insert_as_json_lines(client: Client, table: str) -> None:
    client.raw_insert(table, ["a", "b"], b'{"a": 7, "b": "q"}\n{"a": 8, "b": "r"}\n', fmt="JSONEachRow")
    assert client.command(f"SELECT count() FROM {table}") == 2


def test_raw_query_in_a_format_of_choice(client: Client) -> None:
    assert client.raw_query("SELECT 1 AS x FORMAT JSONEachRow") == b'{"x":1}\n'


def test_settings_are_the_querys_own(client: Client) -> None:
    own = client.query("SELECT getSetting('max_threads')", settings={"max_threads": 1}).result_rows
    other = client.query("SELECT getSetting('max_threads')").result_rows
    assert own == [(1,)]
    assert other != own


@pytest.mark.parametrize(
    ("sql", "code", "name"),
    [
        ("SELECT * FROM nowhere", 60, "UNKNOWN_TABLE"),
        ("SELEKT 1", 62, "SYNTAX_ERROR"),
        ("SELECT throwIf(1, 'boom')", 395, "boom"),
        ("SELECT 1 SETTINGS no_such_setting = 1", 115, "UNKNOWN_SETTING"),
    ],
)
def test_errors_have_clickhouses_code_and_message(client: Client, sql: str, code: int, name: str) -> None:
    with pytest.raises(DatabaseError, match=name) as caught:
        client.query(sql)
    assert caught.value.code == code


def test_a_wrong_password_is_refused(server: Server) -> None:
    with pytest.raises(ClickHouseError, match="516"):
        server.client(password="wrong")


def test_an_unknown_database_is_refused(server: Server) -> None:
    with pytest.raises(ClickHouseError, match="81"):
        server.client(database="nowhere").query("SELECT 1")


def test_an_error_in_mid_stream_is_an_error_not_a_short_result(client: Client) -> None:
    sql = "SELECT throwIf(number = 9000000, 'boom') FROM numbers(10000000)"
    with pytest.raises(StreamFailureError, match="boom"), client.query_row_block_stream(sql) as stream:
        for _ in stream:
            pass


def test_eight_clients_at_once(server: Server, table: str) -> None:
    def work(number: int) -> int:
        client = server.client()
        client.insert(table, [[number * 100 + place, "x", datetime.now(UTC)] for place in range(100)])
        return int(client.query("SELECT sum(number) FROM numbers(3000000)").result_rows[0][0])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(8))) == {4_499_998_500_000}
    assert server.client().command(f"SELECT uniqExact(a) FROM {table}") == 800


def test_a_token_inserts_once_and_views_follow(client: Client, table: str) -> None:
    client.command(f"ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 100")
    client.command(
        f"CREATE TABLE {table}_sum (n UInt64) ENGINE = MergeTree ORDER BY n"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    client.command(f"CREATE MATERIALIZED VIEW {table}_mv TO {table}_sum AS SELECT count() AS n FROM {table}")
    once = {"insert_deduplication_token": "t1", "deduplicate_blocks_in_dependent_materialized_views": 1}
    for _ in range(2):
        client.insert(table, rows(), column_names=["a", "b", "d"], settings=once)
    assert client.command(f"SELECT count() FROM {table}") == 3
    assert client.query(f"SELECT n FROM {table}_sum").result_rows == [(3,)]


def test_filters_by_table_hold(client: Client, table: str) -> None:
    client.insert(table, rows(), column_names=["a", "b", "d"])
    found = client.query(f"SELECT a FROM {table}", settings={"additional_table_filters": f"{{'{table}': 'a = 1'}}"})
    assert found.result_rows == [(1,)]


def test_a_large_result_does_not_fill_the_servers_memory(server: Server, client: Client) -> None:
    """8M rows of 64 bytes are 512 MB: the server passes them on piece by piece."""
    before = resident_megabytes(server.process.pid)
    with client.query_row_block_stream(
        "SELECT repeat('x', 64) FROM numbers(8000000)", {"max_block_size": 65536}
    ) as stream:
        assert sum(len(block) for block in stream) == 8_000_000
    assert resident_megabytes(server.process.pid) - before < 250


def resident_megabytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


def test_a_second_owner_is_refused_by_name(server: Server) -> None:
    second = server.start(free_port())
    assert second.wait(timeout=20) != 0
    message = second.stderr.read() if second.stderr else ""
    assert f"belongs to the running process {server.process.pid}" in message


def test_a_taken_port_is_refused(server: Server, tmp_path: Path) -> None:
    other = Server.__new__(Server)
    other.folder, other.port = tmp_path, server.port
    process = other.start()
    assert process.wait(timeout=20) != 0
    assert "is not free" in (process.stderr.read() if process.stderr else "")


def test_data_survives_kill_9_in_mid_insert_and_a_clean_stop(tmp_path: Path) -> None:
    first = Server(tmp_path)
    client = first.client()
    client.command("CREATE TABLE kept (a UInt64) ENGINE = MergeTree ORDER BY a")
    client.insert("kept", [[1], [2]], column_names=["a"])
    with ThreadPoolExecutor(1) as pool:
        insert = pool.submit(client.command, "INSERT INTO kept SELECT number FROM numbers(2000000000)")
        while first.client().command("SELECT count() FROM system.processes") < 2 and not insert.done():
            time.sleep(0.01)
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
        with pytest.raises(OperationalError):
            insert.result()
    second = Server(tmp_path)
    assert second.client().command("SELECT countIf(a IN (1, 2)) FROM kept") >= 2
    assert second.end(signal.SIGTERM) == 0
