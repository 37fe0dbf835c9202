"""Limits for SQL statements in a connection that a test made, because they may be the student's.

A statement can read and change the database of its connection and no other file: SQLite asks an authorizer about each
action before it prepares a statement. A database outside the test's own folders can only be read.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

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
_PRAGMAS = frozenset((
    "analysis_limit", "application_id", "auto_vacuum", "automatic_index", "busy_timeout", "cache_size",
    "case_sensitive_like", "collation_list", "compile_options", "data_version", "database_list",
    "defer_foreign_keys", "encoding", "foreign_key_check", "foreign_key_list", "foreign_keys", "freelist_count",
    "full_column_names", "function_list", "ignore_check_constraints", "incremental_vacuum", "index_info",
    "index_list", "index_xinfo", "integrity_check", "journal_mode", "max_page_count", "module_list", "optimize",
    "page_count", "page_size", "pragma_list", "quick_check", "read_uncommitted", "recursive_triggers",
    "schema_version", "secure_delete", "short_column_names", "synchronous", "table_info", "table_list",
    "table_xinfo", "temp_store", "user_version",
))  # fmt: skip
"""Pragmas that describe the database or set how it is stored; others name files, other memory or the schema itself."""
_TABLE_PRAGMAS = frozenset(name for name in _PRAGMAS if name.endswith(("_list", "_info", "_xinfo", "_check")))
"""Pragmas whose argument is the name of a table instead of a value."""
_READS = frozenset([
    sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT,
])  # fmt: skip
_NAMES = {
    getattr(sqlite3, f"SQLITE_{name}"): name.replace("_", " ")
    for name in ("ATTACH", "FUNCTION", "PRAGMA", "CREATE_VTABLE", "DROP_VTABLE", "INSERT", "UPDATE", "DELETE")
}


class Connection(sqlite3.Connection):
    """A connection that cannot leave its database."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if _rules:
            _confine(self, _rules[-1].is_writable)


@dataclass(frozen=True)
class Rules:
    """The rules for connections of a test cell."""

    is_writable: Callable[[str], bool]
    """Tells whether a test may change the file with that path."""
    refused: Callable[[str], None]
    """Called with each action that is refused."""


_rules: list[Rules] = []
_plain: Any = sqlite3.Connection
_plain_connect: Any = sqlite3.connect


@contextlib.contextmanager
def confine_connections(rules: Rules) -> Iterator[None]:
    """Make ``sqlite3`` create confined connections inside the block, for every caller."""
    modules: tuple[Any, ...] = (sqlite3, sqlite3.dbapi2)
    for module in modules:
        module.connect, module.Connection = _connect, Connection
    _rules.append(rules)
    try:
        yield
    finally:
        _rules.pop()
        if not _rules:
            for module in modules:
                module.connect, module.Connection = _plain_connect, _plain


@functools.wraps(_plain_connect)
def _connect(*arguments: Any, **options: Any) -> Any:
    if len(arguments) > FACTORY:
        arguments, options = arguments[:FACTORY], {**_named(arguments), **options}
    options["factory"] = confined_class(options.get("factory", Connection))
    return _plain_connect(*arguments, **options)


FACTORY = 5
"""The position of ``factory`` among the parameters of ``connect``; :data:`_FROM_FACTORY` lists the parameters from
there on."""
_FROM_FACTORY = ("factory", "cached_statements", "uri")


def _named(arguments: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(_FROM_FACTORY, arguments[FACTORY:], strict=False))


def confined_class(kind: Any) -> Any:
    """Return the class if its connections are confined, otherwise a subclass whose connections are."""
    if not isinstance(kind, type) or not issubclass(kind, sqlite3.Connection):
        return kind
    return kind if issubclass(kind, Connection) else type(kind.__name__, (kind, Connection), {})


def is_confined(connection: Any) -> bool:
    """Return whether a connection that is being created will be confined."""
    return isinstance(connection, Connection)


def _confine(connection: sqlite3.Connection, is_writable: Callable[[str], bool]) -> None:
    (_, _, file), *_ = _plain.execute(connection, "PRAGMA database_list").fetchall()
    for limit, most in _LIMITS.items():
        _plain.setlimit(connection, limit, most)
    _plain.set_progress_handler(connection, lambda: 0, STEPS)
    _plain.set_authorizer(connection, _Authorizer(not file or is_writable(file)))


class _Authorizer:
    """The callback that SQLite asks about each action of a statement."""

    def __init__(self, writable: bool) -> None:
        self.writable = writable

    def __call__(self, action: int, first: str | None, second: str | None, database: str | None, by: str | None) -> int:
        if _is_harmless(action, first, second) and (self.writable or _only_reads(action, first, second, database)):
            return sqlite3.SQLITE_OK
        for rules in _rules[-1:]:  # the running test cell's; an earlier cell may have made the connection
            rules.refused(f"{_NAMES.get(action, 'a change of the database')} {first or second or ''}".strip())
        return sqlite3.SQLITE_DENY


def _is_harmless(action: int, first: str | None, second: str | None) -> bool:
    """Return whether an action stays within the database."""
    if action == sqlite3.SQLITE_ATTACH:
        return first in _NOWHERE
    if action == sqlite3.SQLITE_FUNCTION:
        return (second or "").lower() not in _FUNCTIONS
    if action == sqlite3.SQLITE_PRAGMA:
        return (first or "").lower() in _PRAGMAS
    if action in (sqlite3.SQLITE_CREATE_VTABLE, sqlite3.SQLITE_DROP_VTABLE):
        return (second or "").lower() in _TABLES
    return True


def _only_reads(action: int, first: str | None, second: str | None, database: str | None) -> bool:
    """Return whether an action changes at most temporary tables."""
    if action == sqlite3.SQLITE_PRAGMA:
        return second is None or (first or "").lower() in _TABLE_PRAGMAS
    return action in _READS or database == "temp" or first == "sqlite_temp_master"
