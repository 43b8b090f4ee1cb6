"""`python -m apps.warehouse.embedded`: the server process, sole owner of its data directory."""

import argparse
import fcntl
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from cheroot.wsgi import Server

from apps.warehouse.embedded.engine import Engine
from apps.warehouse.embedded.wsgi import Application

THREADS = 16
PATIENCE_SECONDS = 5


def main() -> None:
    options = read_options()
    if not (password := os.environ.get("CLICKHOUSE_PASSWORD")):
        sys.exit("CLICKHOUSE_PASSWORD is not set: nobody should reach the data without one.")
    options.data.mkdir(parents=True, exist_ok=True)
    lock = own(options.data)
    check_port(options.host, options.port)
    engine = Engine(options.data / "store", options.database, options.max_memory)
    application = Application(engine, os.environ.get("CLICKHOUSE_USER", "precise"), password)
    server = Server((options.host, options.port), application, numthreads=THREADS, request_queue_size=128)
    server.shutdown_timeout = PATIENCE_SECONDS
    stop_on_signals(server)
    server.prepare()
    print(f"ClickHouse {engine.version()} (embedded) on {options.host}:{options.port}", flush=True)
    server.serve()
    engine.close()
    lock.close()


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m apps.warehouse.embedded",
        description="ClickHouse's engine behind its HTTP interface. The password is CLICKHOUSE_PASSWORD, the user "
        "CLICKHOUSE_USER (default precise). SIGTERM and SIGINT stop it cleanly.",
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    parser.add_argument("--data", type=Path, required=True, help="the data directory, made when absent")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default 127.0.0.1)")
    parser.add_argument("--database", default="precise", help="database made at the start (default precise)")
    parser.add_argument(
        "--max-memory", type=int, default=memory * 6 // 10, help="bytes one query may use (default 60%% of memory)"
    )
    return parser.parse_args()


def own(folder: Path) -> BinaryIO:
    """Lock the data directory for this process, or leave with a message that names its owner."""
    file = (folder / "owner.lock").open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        owner = file.read().decode().strip() or "unknown"
        sys.exit(f"{folder} belongs to the running process {owner}; stop it first, or use another --data.")
    file.truncate(0)
    file.write(str(os.getpid()).encode())
    file.flush()
    return file


def check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            sys.exit(f"Port {port} of {host} is not free ({error.strerror}); use another --port.")


def stop_on_signals(server: Server) -> None:
    """Let running queries finish for some seconds, then end them with the process."""

    def stop(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=server.stop, daemon=True).start()
        deadline = threading.Timer(PATIENCE_SECONDS + 2, os._exit, (0,))
        deadline.daemon = True
        deadline.start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


if __name__ == "__main__":
    main()
