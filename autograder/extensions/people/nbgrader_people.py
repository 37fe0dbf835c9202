"""Students of an nbgrader gradebook: a file, or a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder._util.libraries import with_extra
from autograder.errors import CourseError, HostError, UsageError
from autograder.extensions.gradebook.gradebook_databases import read_only_file, with_driver
from autograder.term.people import Person

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

_STUDENTS = "SELECT id, first_name, last_name, email, lms_user_id FROM student ORDER BY id"


def is_address(text: str) -> bool:
    """Tell whether a text is the address of a database, and not a path."""
    return "://" in text


def people_of_gradebook(source: Path | str | URL) -> tuple[Person, ...]:
    """Read the students of a gradebook of nbgrader's, which is opened for reading only.

    Args:
        source: the file, or the address of a database as nbgrader's ``db_url`` has it.

    Raises:
        UsageError: there is no such file, or the address is none that the kit reads.
        CourseError: it is no gradebook of nbgrader's.
        HostError: the database does not answer, or its driver is missing.
    """
    from sqlalchemy import text
    from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError

    name = _database_label(source)
    try:
        engine = _engine(source)
    except (ModuleNotFoundError, ArgumentError) as error:
        raise HostError(f"{name} needs a driver ({error}): {with_extra('scale')}") from error
    try:
        with engine.connect() as connection:
            rows = connection.execute(text(_STUDENTS)).all()
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        if isinstance(error, OperationalError) and engine.dialect.name == "postgresql":
            raise HostError(f"{name} cannot be used ({reason}); check the server and its user") from error
        raise CourseError(f"{name}: is no gradebook of nbgrader's ({reason})") from error
    finally:
        engine.dispose()
    return tuple(_person(*row) for row in rows)


def _person(id: str, first: str | None, last: str | None, email: str | None, lms: str | None) -> Person:
    return Person(id, f"{first or ''} {last or ''}".strip(), email or "", ids={"lms_user_id": lms} if lms else {})


def _engine(source: Path | str | URL) -> Engine:
    """Return an engine that reads a gradebook and cannot write it."""
    from sqlalchemy import create_engine

    if isinstance(source, Path):
        return _engine_of_file(source)
    url = _url(source)
    if url.get_backend_name() == "sqlite":
        return _engine_of_file(Path(url.database or ""))
    if url.get_backend_name() != "postgresql":
        raise UsageError(
            f"{_database_label(url)} is of no kind that is read here; name a file, or a PostgreSQL database"
        )
    return create_engine(with_driver(url), execution_options={"postgresql_readonly": True})


def _engine_of_file(path: Path) -> Engine:
    if not path.is_file():
        raise UsageError(f"there is no gradebook {path}")
    return read_only_file(path)


def _url(address: str | URL) -> Any:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(address)
    except ArgumentError:
        raise UsageError(
            "this is not the address of a database; write it like postgresql://grader@db.example/course"
        ) from None


def _database_label(source: Path | str | URL) -> str:
    """Return a gradebook's name for messages: the file's name, or the address without its password."""
    return source.name if isinstance(source, Path) else str(_url(source).render_as_string(hide_password=True))
