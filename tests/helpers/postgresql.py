"""A PostgreSQL server of a test alone, where PostgreSQL is installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PLACES = [Path("/usr/lib/postgresql").glob("*/bin"), [Path(p).parent for p in [shutil.which("initdb")] if p]]
BINARIES = [folder for places in PLACES for folder in places if (folder / "postgres").is_file()]
SECONDS = 120


class PostgreSQLServer:
    """A server on a socket in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self.user = {"user": "nobody"} if os.geteuid() == 0 else {}  # it refuses root
        if self.user:
            shutil.chown(folder, "nobody")
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", "grader", "-E", "UTF8")

    @property
    def address(self) -> str:
        return f"postgresql://grader@/postgres?host={self.folder}"

    def run(self, name: str, *words: object) -> None:
        command = [BINARIES[-1] / name, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, cwd=self.folder, **self.user)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self, fsync: str = "off") -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync={fsync}"
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "-o", options, "start")

    def kill(self) -> None:
        """End the server as the machine's end would, and start it again."""
        os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        deadline = time.monotonic() + SECONDS
        while True:  # its children hold its memory until they see that it is gone
            try:
                return self.start("on")
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def stop(self) -> None:
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")


@contextlib.contextmanager
def postgresql_server(fsync: str = "off") -> Iterator[PostgreSQLServer]:
    """Run a server. Without PostgreSQL, the test is skipped."""
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL is installed")
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    try:
        server = PostgreSQLServer(folder)
        server.start(fsync)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
