"""Limits for SQL statements in a connection that a test made, because they may be the student's.

A statement can read and change the database of its connection and no other file: SQLite asks an authorizer about each
action before it prepares a statement. A database outside the test's own folders can only be read. A statement that does
not stand in the test only reads, unless the solution's statements did more
(:mod:`~autograder.examiner.student_text.sql_verbs`).
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from autograder.examiner.student_text.sql_verbs import (
    ACTIONS,
    PRAGMAS,
    READS,
    TABLE_PRAGMAS,
    Statements,
    subject,
    verb_of,
)

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 64 << 20,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1 << 20,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 1000,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
"""Bytes of a value, bytes of a statement, depth of an expression, threads."""
STEPS = 100_000
"""SQLite instructions after which Python runs, so that the cell's time limit ends an endless statement."""
_NOWHERE = frozenset(["", ":memory:"])
"""Databases without a file, which ATTACH may open, as VACUUM does."""
_FUNCTIONS = frozenset(["load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"])
_TABLES = frozenset(["fts3", "fts4", "fts5", "fts5vocab", "rtree", "rtree_i32", "geopoly"])
_READS = READS | {sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT}


class Cursor(sqlite3.Cursor):
    """A cursor that says whose statement runs."""

    def execute(self, sql: Any, *parameters: Any) -> Any:
        """Execute a statement under the rules for it."""
        with _running(self.connection, sql, sys._getframe(1)):
            return super().execute(sql, *parameters)

    def executemany(self, sql: Any, *parameters: Any) -> Any:
        """Execute a statement several times under the rules for it."""
        with _running(self.connection, sql, sys._getframe(1)):
            return super().executemany(sql, *parameters)

    def executescript(self, sql: Any, *more: Any) -> Any:
        """Execute several statements under the rules for them."""
        with _running(self.connection, sql, sys._getframe(1)):
            return super().executescript(sql, *more)


class Connection(sqlite3.Connection):
    """A connection that cannot leave its database."""

    authorizer: _Authorizer | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if _rules:
            _confine(self, _rules[-1].is_writable)

    def cursor(self, factory: Any = Cursor) -> Any:
        """Return a cursor that says whose statement runs."""
        return super().cursor(confined(factory, Cursor))

    def execute(self, sql: Any, *parameters: Any) -> Any:
        """Execute a statement with such a cursor."""
        return self.cursor().execute(sql, *parameters)

    def executemany(self, sql: Any, *parameters: Any) -> Any:
        """Execute a statement several times with such a cursor."""
        return self.cursor().executemany(sql, *parameters)

    def executescript(self, sql: Any, *more: Any) -> Any:
        """Execute several statements with such a cursor."""
        return self.cursor().executescript(sql, *more)


@dataclass(frozen=True)
class Rules:
    """The rules for connections of a test cell."""

    is_writable: Callable[[str], bool]
    """Tells whether a test may change the file with that path."""
    refused: Callable[[str, bool], None]
    """Called with each action that is refused, and whether the statement was not the test's."""
    is_tests: Callable[[str, FrameType], bool] = lambda text, frame: False
    """Tells whether a statement, which the frame executes, stands in the test."""
    verbs: frozenset[str] | None = frozenset()
    """The verbs of other statements besides reading (:mod:`.sql_verbs`); None: all verbs."""
    used: Callable[[str], None] | None = None
    """Called with each verb that such a statement uses, or would use if it were allowed."""


_rules: list[Rules] = []
_plain: Any = sqlite3.Connection
_plain_cursor: Any = sqlite3.Cursor
_plain_connect: Any = sqlite3.connect


@contextlib.contextmanager
def confine_connections(rules: Rules) -> Iterator[None]:
    """Make ``sqlite3`` create confined connections inside the block, for every caller."""
    modules: tuple[Any, ...] = (sqlite3, sqlite3.dbapi2)
    for module in modules:
        module.connect, module.Connection, module.Cursor = _connect, Connection, Cursor
    _rules.append(rules)
    try:
        yield
    finally:
        _rules.pop()
        if not _rules:
            for module in modules:
                module.connect, module.Connection, module.Cursor = _plain_connect, _plain, _plain_cursor


@functools.wraps(_plain_connect)
def _connect(*arguments: Any, **options: Any) -> Any:
    if len(arguments) > FACTORY:
        arguments, options = arguments[:FACTORY], {**_by_keyword(arguments), **options}
    options["factory"] = confined(options.get("factory", Connection), Connection)
    return _plain_connect(*arguments, **options)


FACTORY = 5
"""The position of ``factory`` among the parameters of ``connect``; :data:`_FROM_FACTORY` lists the parameters from
there on."""
_FROM_FACTORY = ("factory", "cached_statements", "uri")


def _by_keyword(arguments: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(_FROM_FACTORY, arguments[FACTORY:], strict=False))


def confined(kind: Any, by: type) -> Any:
    """Return the class of connections or cursors if it is confined, otherwise a subclass that is."""
    if not isinstance(kind, type) or not issubclass(kind, by.__base__ or by):
        return kind
    return kind if issubclass(kind, by) else type(kind.__name__, (kind, by), {})


def is_confined(connection: Any) -> bool:
    """Return whether a connection that is being created will be confined."""
    return isinstance(connection, Connection)


def _confine(connection: Connection, is_writable: Callable[[str], bool]) -> None:
    (_, _, file), *_ = _plain_cursor(connection).execute("PRAGMA database_list").fetchall()
    for limit, most in _LIMITS.items():
        _plain.setlimit(connection, limit, most)
    _plain.set_progress_handler(connection, lambda: 0, STEPS)
    connection.authorizer = _Authorizer(not file or is_writable(file))
    _plain.set_authorizer(connection, connection.authorizer)


@contextlib.contextmanager
def _running(connection: Any, sql: Any, frame: FrameType) -> Iterator[None]:
    """Apply the rules for a statement while it is executed."""
    authorizer = getattr(connection, "authorizer", None)
    if authorizer is None or authorizer.is_busy or not _rules:
        yield
        return
    authorizer.is_tests = isinstance(sql, str) and _rules[-1].is_tests(sql, frame)
    authorizer.is_busy = True
    try:
        if not authorizer.is_tests:
            authorizer.others.existing = _names(connection)
        yield
    finally:
        authorizer.is_busy = authorizer.is_tests = False


def _names(connection: Any) -> frozenset[str]:
    """Return the names in all schemas, in small letters."""
    made_of, connection.text_factory = connection.text_factory, str
    try:
        cursor = _plain_cursor(connection)
        cursor.row_factory = None
        schemas = [row[1] for row in cursor.execute("PRAGMA database_list").fetchall()]
        quoted = ['"' + schema.replace('"', '""') + '"' for schema in schemas]
        tables = [cursor.execute(f"SELECT name FROM {schema}.sqlite_master").fetchall() for schema in quoted]
        return frozenset(str(name).lower() for rows in tables for (name,) in rows)
    finally:
        connection.text_factory = made_of


_OUTSIDE = frozenset(["ROLLBACK"])
"""Verbs of the test's calls that execute no statement: ``connection.rollback()``."""


class _Authorizer:
    """The callback that SQLite asks about each action of a statement."""

    def __init__(self, writable: bool) -> None:
        self.writable = writable
        self.is_busy = False
        """Whether a cursor of the kit's executes a statement."""
        self.is_tests = False
        """Whether that statement stands in the test."""
        self.others = Statements()

    def __call__(self, action: int, first: str | None, second: str | None, database: str | None, by: str | None) -> int:
        is_others = not self.is_tests or (by or "").lower() in self.others.made
        if not _is_harmless(action, first, second) or not (
            self.writable or _only_reads(action, first, second, database)
        ):
            return self._refuse(f"{ACTIONS.get(action, 'an action')} {first or second or ''}".strip(), is_others)
        if not is_others and self._is_hidden(action, first, second):
            return self._refuse("CREATE of a hidden name", is_others=True)
        if not is_others or not _rules:
            return sqlite3.SQLITE_OK
        rules = _rules[-1]
        verbs = rules.verbs if self.is_busy else _OUTSIDE
        fault = self.others.fault(verbs, action, first, second, database)
        verb = verb_of(action, first, second, database)
        if self.is_busy and rules.used is not None and verb and fault in ("", verb):
            rules.used(verb)
        return self._refuse(fault, is_others=True) if fault else sqlite3.SQLITE_OK

    def _is_hidden(self, action: int, first: str | None, second: str | None) -> bool:
        """Return whether the test makes what another statement's name would hide."""
        makes = verb_of(action, first, second).startswith("CREATE")
        return makes and subject(action, first, second) in self.others.made

    def _refuse(self, action: str, is_others: bool) -> int:
        for rules in _rules[-1:]:  # the running test cell's; an earlier cell may have made the connection
            rules.refused(action, is_others)
        return sqlite3.SQLITE_DENY


def _is_harmless(action: int, first: str | None, second: str | None) -> bool:
    """Return whether an action stays within the database."""
    if action == sqlite3.SQLITE_ATTACH:
        return first in _NOWHERE
    if action == sqlite3.SQLITE_FUNCTION:
        return (second or "").lower() not in _FUNCTIONS
    if action == sqlite3.SQLITE_PRAGMA:
        return (first or "").lower() in PRAGMAS
    if action in (sqlite3.SQLITE_CREATE_VTABLE, sqlite3.SQLITE_DROP_VTABLE):
        return (second or "").lower() in _TABLES
    return True


def _only_reads(action: int, first: str | None, second: str | None, database: str | None) -> bool:
    """Return whether an action changes at most temporary tables."""
    if action == sqlite3.SQLITE_PRAGMA:
        return second is None or (first or "").lower() in TABLE_PRAGMAS
    return action in _READS or database == "temp" or first == "sqlite_temp_master"
