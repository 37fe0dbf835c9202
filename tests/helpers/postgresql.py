"""A PostgreSQL server of a test alone, where PostgreSQL is installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PLACES = [Path("/usr/lib/postgresql").glob("*/bin"), [Path(p).parent for p in [shutil.which("initdb")] if p]]
BINARIES = [folder for places in PLACES for folder in places if (folder / "postgres").is_file()]


@contextlib.contextmanager
def postgresql_server() -> Iterator[str]:
    """Run a server on a socket in a folder of its own; yields its address. Without PostgreSQL, the test is skipped."""
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL is installed")
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    user = {"user": "nobody"} if os.geteuid() == 0 else {}  # it refuses root
    if user:
        shutil.chown(folder, "nobody")

    def run(name: str, *words: str) -> None:
        done = subprocess.run(
            [BINARIES[-1] / name, *words], capture_output=True, text=True, timeout=120, cwd=folder, **user
        )
        assert done.returncode == 0, done.stdout + done.stderr

    data = f"{folder}/data"
    try:
        run("initdb", "-D", data, "-A", "trust", "-U", "grader", "-E", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://grader@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
