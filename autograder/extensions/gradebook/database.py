"""Database of the gradebook: opening, locking, transactions.

It is the file gradebook.db of the course, or the PostgreSQL database that nbgrader_config.py names for nbgrader, too.
"""

from __future__ import annotations

import ast
import contextlib
import errno
import functools
import importlib
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from autograder._util.libraries import with_extra
from autograder.course.nbgrader_config import NBGRADER_CONFIG, read_nbgrader_config
from autograder.errors import CourseError, HostError
from autograder.extensions.gradebook.gradebook_databases import read_only_file, with_driver
from autograder.records.course import Course

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

_Result = TypeVar("_Result")

PATIENCE_SECONDS = 30.0
"""Seconds to wait for a gradebook that another process has locked."""

_LOCK_SECONDS = 2
"""Seconds that SQLite itself waits for a lock before one try fails."""

_POSTGRESQL_LOCK = 0x6175746F67726164
"""Number of the kit's advisory lock in a PostgreSQL database: one writer of a gradebook at a time, as in SQLite."""

_OPTION = f"c.CourseDirectory.db_url in {NBGRADER_CONFIG}"


def server(course: Course) -> Any:
    """Return the URL of the PostgreSQL database that holds the course's gradebook; None for the file.

    Raises:
        CourseError: nbgrader_config.py names a database that the kit does not use.
    """
    configured = read_nbgrader_config(course.root).get("CourseDirectory", "db_url")
    if configured is None:
        return None
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(str(configured))
    except ArgumentError:
        raise CourseError(f"{_OPTION} is not the address of a database; {_POSSIBLE}") from None
    if url.get_backend_name() == "postgresql":
        return with_driver(url)
    if url.get_backend_name() == "sqlite" and (course.root / str(url.database)).resolve() == course.gradebook.resolve():
        return None
    raise CourseError(f"{_OPTION} is {url.render_as_string()}, which the kit does not use; {_POSSIBLE}")


_POSSIBLE = "name a PostgreSQL database, or leave it out: then it is gradebook.db in the course folder"


def database_of(course: Course) -> Path | str:
    """Return the gradebook's path, or its address without a password, for messages."""
    url = server(course)
    return course.gradebook if url is None else str(url.render_as_string(hide_password=True))


@contextlib.contextmanager
def opened(course: Course) -> Iterator[Gradebook]:
    """Open the gradebook, and make it if there is none; database errors become HostErrors that name it."""
    _import_nbformat()
    from nbgrader.api import Gradebook, InvalidEntry
    from sqlalchemy import URL
    from sqlalchemy.exc import SQLAlchemyError

    path = database_of(course)
    # URL.create, because a path may hold any character.
    file = URL.create("sqlite", database=str(course.gradebook), query={"timeout": str(_LOCK_SECONDS)})
    url = server(course) or file
    try:
        retry_while_locked(path, lambda: _ensure_schema(url, path))
        book = retry_while_locked(path, lambda: Gradebook(url, course.course_id))
        with book, _without_tracebacks():
            # Rows stay loaded from one submission to the next: the exam's cells are the same for all.
            book.db().expire_on_commit = False
            yield book
    except ModuleNotFoundError as error:
        raise HostError(f"{path} needs a driver ({error}): {with_extra('scale')}") from error
    except (SQLAlchemyError, OSError, InvalidEntry) as error:  # nbgrader calls a full disk an invalid entry
        reason = str(getattr(error, "orig", None) or error).strip()
        if "disk is full" in reason or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise HostError(
                f"{path} cannot be written ({reason}); free space and run the same command again"
            ) from error
        if isinstance(error, InvalidEntry):
            raise
        todo = "restore it from a backup, or move it away" if url is file else "check the server and its user"
        raise HostError(f"{path} cannot be used ({reason}); {todo}") from error


@contextlib.contextmanager
def _without_tracebacks() -> Iterator[None]:
    """Keep nbgrader from printing the traceback of an error that it also raises."""
    log = logging.getLogger("tornado.application")
    log.addFilter(_is_no_rollback)
    try:
        yield
    finally:
        log.removeFilter(_is_no_rollback)


def _is_no_rollback(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Rolling back session")


@contextlib.contextmanager
def read_only(course: Course) -> Iterator[Any]:
    """Connect to the gradebook for reading only: nothing is made, locked or waited for.

    Raises:
        SQLAlchemyError: it cannot be read now.
    """
    from sqlalchemy import create_engine

    url = server(course)
    engine = read_only_file(course.gradebook, _LOCK_SECONDS) if url is None else create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _import_nbformat() -> None:
    """Import nbformat without its slow imports, before nbgrader imports it: a call, as import statements are sorted."""
    importlib.import_module("autograder._util.notebook_format")


def prepare() -> None:
    """Import and look up the needs of :func:`opened` early, while the caller waits for something else."""
    _import_nbformat()
    import nbgrader.api  # noqa: F401
    from sqlalchemy.orm import configure_mappers

    configure_mappers()
    _newest_version()


def _lock(connection: Any) -> None:
    """Take the write lock for this transaction."""
    from sqlalchemy import text

    if connection.engine.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE_SECONDS:.0f}s'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_POSTGRESQL_LOCK})"))
    else:
        connection.execute(text("BEGIN IMMEDIATE"))


def _ensure_schema(url: Any, path: Path | str) -> None:
    """Make the tables, or refuse a gradebook of another version.

    Gradebook itself would run alembic's command, which must then be on PATH.
    """
    from nbgrader.api import Base
    from sqlalchemy import create_engine, inspect, text

    head = _newest_version()
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            _lock(connection)
            tables = inspect(connection).get_table_names()
            if not tables:
                Base.metadata.create_all(connection)
                connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
                connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": head})
                return
            schema = "alembic_version" in tables and connection.scalar(text("SELECT * FROM alembic_version"))
    finally:
        engine.dispose()
    if schema != head:
        raise HostError(
            f"{path} is of another version of nbgrader (schema {schema or 'unknown'}, here {head}); "
            "run `nbgrader db upgrade` in the course folder, it keeps a copy"
        )


@functools.cache
def _newest_version() -> str:
    """Return the version of nbgrader's schema: the revision that no other one follows.

    Alembic would report it, too, but importing it takes longer than all work with the gradebook.
    """
    from nbgrader.dbutil import ALEMBIC_DIR

    revisions: dict[str, object] = {}
    for path in Path(ALEMBIC_DIR, "versions").glob("*.py"):
        values = dict(_constants(ast.parse(path.read_bytes())))
        revisions[str(values["revision"])] = values["down_revision"]
    (newest,) = revisions.keys() - revisions.values()
    return newest


def _constants(tree: ast.Module) -> Iterator[tuple[str, object]]:
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(name)], value=ast.Constant(value)):
                yield name, value


def retry_while_locked(path: Path | str, act: Callable[[], _Result]) -> _Result:
    """Call ``act`` and return its result; try again while another process holds the lock."""
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
                    f"{path} is locked by another process (formgrader or another batch); nothing more was "
                    "recorded. Close it and run the same command again"
                ) from error
            time.sleep(0.1)


def transact(book: Gradebook, path: Path | str, act: Callable[[], None]) -> None:
    """Run ``act`` in one transaction, again from the start if the gradebook was locked."""

    def once() -> None:
        with _transaction(book):
            act()

    retry_while_locked(path, once)


@contextlib.contextmanager
def _transaction(book: Gradebook) -> Iterator[None]:
    """Replace commits within nbgrader's calls by flushes, and commit all at the end, or nothing."""
    session = book.db()
    _lock(session.connection())
    book.db.commit = book.db.flush
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        del book.db.commit
