"""The gradebook's file: opening, locking, transactions."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from autograder.errors import HostError
from autograder.records import Course

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

_Made = TypeVar("_Made")

PATIENCE_SECONDS = 30.0
"""How long a gradebook that another process has locked is waited for."""

_LOCK_SECONDS = 2
"""How long SQLite itself waits for a lock before one try has failed."""


@contextlib.contextmanager
def opened(course: Course) -> Iterator[Gradebook]:
    """The gradebook, made where there is none; every error of the database is a HostError that names the
    file."""
    from nbgrader.api import Gradebook
    from sqlalchemy import URL
    from sqlalchemy.exc import SQLAlchemyError

    path = course.gradebook
    # URL.create, for a path may hold any character.
    url = URL.create("sqlite", database=str(path), query={"timeout": str(_LOCK_SECONDS)})
    try:
        patiently(path, lambda: _ensure_schema(url, path))
        book = patiently(path, lambda: Gradebook(url, course.course_id))
        with book:
            # Rows stay loaded from one submission to the next: the exam's cells are the same for all.
            book.db().expire_on_commit = False
            yield book
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error)
        raise HostError(f"{path} can not be used ({reason}); restore it from a backup, or move it away") from error


def _ensure_schema(url: Any, path: Path) -> None:
    """Make the tables, as Gradebook would by running alembic's command, which needs it on PATH; or refuse a
    gradebook of another version."""
    from alembic.script import ScriptDirectory
    from nbgrader.api import Base
    from nbgrader.dbutil import ALEMBIC_DIR
    from sqlalchemy import create_engine, inspect, text

    head = ScriptDirectory(ALEMBIC_DIR).get_current_head()
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("BEGIN IMMEDIATE"))
            tables = inspect(connection).get_table_names()
            if not tables:
                Base.metadata.create_all(connection)
                connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
                connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
                return
            found = "alembic_version" in tables and connection.scalar(text("SELECT * FROM alembic_version"))
    finally:
        engine.dispose()
    if found != head:
        raise HostError(
            f"{path} is of another version of nbgrader (schema {found or 'unknown'}, here {head}); "
            "run `nbgrader db upgrade` in the course folder, it keeps a copy"
        )


def patiently(path: Path, act: Callable[[], _Made]) -> _Made:
    """What ``act`` returns, tried again while another process holds the lock."""
    from nbgrader.api import InvalidEntry
    from sqlalchemy.exc import OperationalError

    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return act()
        except (OperationalError, InvalidEntry) as error:
            if "locked" not in str(error):
                raise
            if time.monotonic() >= deadline:
                raise HostError(
                    f"{path} is locked by another process (formgrader? another batch?); nothing more was "
                    "recorded. Close it and run the same command again"
                ) from error
            time.sleep(0.1)


def transact(book: Gradebook, path: Path, act: Callable[[], None]) -> None:
    """Do ``act`` in one transaction, from the start again where the gradebook was locked."""

    def once() -> None:
        with _transaction(book):
            act()

    patiently(path, once)


@contextlib.contextmanager
def _transaction(book: Gradebook) -> Iterator[None]:
    """nbgrader's calls in here flush where they would commit; all is committed at the end, or nothing."""
    from sqlalchemy import text

    session = book.db()
    session.execute(text("BEGIN IMMEDIATE"))
    book.db.commit = book.db.flush
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        del book.db.commit
