"""A web process as it runs in production, on a port of its own, over the tests' own services."""

import os
import signal
import socket
import subprocess
import sys
import time

from tests.config.launcher import free_port


class Site:
    def __init__(self, **env: str) -> None:
        self.port = free_port()
        self._env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings.test", **env}
        self.process = self.start()

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> "subprocess.Popen[bytes]":
        static = os.environ["PRECISE_VAR"] + "/static"
        command = [
            sys.executable, "-m", "granian", "--interface", "asginl", "config.asgi:application", "--host", "127.0.0.1",
            "--port", str(self.port), "--static-path-route", "/static", "--static-path-mount", static,
            "--log-level", "error",
        ]  # fmt: skip
        # A group of its own, so that `kill` reaches the worker, too.
        self.process = subprocess.Popen(command, env=self._env, process_group=0)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self.process
            time.sleep(0.05)
        raise AssertionError("the web process did not answer")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)

    def kill(self) -> None:
        """-9 for the supervisor and its worker at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=20)

    def __enter__(self) -> "Site":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
