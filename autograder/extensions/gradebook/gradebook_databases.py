"""Databases of gradebooks, by SQLAlchemy: the file for reading only, and the driver of PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

DEFAULT_LOCK_SECONDS = 5.0
"""How long SQLite waits for a lock where nothing else is said."""


def read_only_file(path: Path, lock_seconds: float = DEFAULT_LOCK_SECONDS) -> Engine:
    """Return an engine that reads an SQLite file, and neither makes nor writes it."""
    import sqlite3

    from sqlalchemy import create_engine

    file = f"{path.resolve().as_uri()}?mode=ro"
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(file, uri=True, timeout=lock_seconds))


def with_driver(url: URL) -> URL:
    """Return the address of a PostgreSQL database with the driver that the kit installs, if it names none."""
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
