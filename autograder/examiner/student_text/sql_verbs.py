"""The verbs of SQL statements, for statements that do not stand in the test: what they may do besides reading.

A verb is ``INSERT people``, ``DELETE people`` or ``DROP TABLE people``, with the name that it changes. ``CREATE TABLE``
stands without one, because a name for something new is the student's choice.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

_ACTIONS = (
    "CREATE_INDEX CREATE_TABLE CREATE_TEMP_INDEX CREATE_TEMP_TABLE CREATE_TEMP_TRIGGER CREATE_TEMP_VIEW CREATE_TRIGGER "
    "CREATE_VIEW CREATE_VTABLE DROP_INDEX DROP_TABLE DROP_TEMP_INDEX DROP_TEMP_TABLE DROP_TEMP_TRIGGER DROP_TEMP_VIEW "
    "DROP_TRIGGER DROP_VIEW DROP_VTABLE INSERT UPDATE DELETE ALTER_TABLE REINDEX ANALYZE PRAGMA TRANSACTION SAVEPOINT "
    "ATTACH DETACH"
)
ACTIONS = {getattr(sqlite3, f"SQLITE_{name}"): name.replace("_", " ") for name in _ACTIONS.split()}
"""Number of an action → its words."""
READS = frozenset([
    sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE,
])  # fmt: skip
_SCHEMA = frozenset(["sqlite_master", "sqlite_temp_master", "sqlite_schema", "sqlite_temp_schema"])
"""Tables that SQLite changes by itself when something is created or dropped, and that no statement can change."""
_VACUUM = "vacuum_"
"""Beginning of the name under which VACUUM attaches its copy; a name in it hides none."""
_HARMLESS = frozenset(["BEGIN", "COMMIT", "RELEASE"])
"""Parts of a transaction that change nothing; ``ROLLBACK`` undoes what the test has done."""
_PRAGMAS = (
    "analysis_limit", "application_id", "auto_vacuum", "automatic_index", "busy_timeout", "cache_size",
    "case_sensitive_like", "collation_list", "compile_options", "data_version", "database_list",
    "defer_foreign_keys", "encoding", "foreign_key_check", "foreign_key_list", "foreign_keys", "freelist_count",
    "full_column_names", "function_list", "ignore_check_constraints", "incremental_vacuum", "index_info",
    "index_list", "index_xinfo", "integrity_check", "journal_mode", "max_page_count", "module_list", "optimize",
    "page_count", "page_size", "pragma_list", "quick_check", "read_uncommitted", "recursive_triggers",
    "schema_version", "secure_delete", "short_column_names", "synchronous", "table_info", "table_list",
    "table_xinfo", "temp_store", "user_version",
)  # fmt: skip
PRAGMAS = frozenset(_PRAGMAS)
"""Pragmas that describe the database or set how it is stored; others name files, other memory or the schema itself."""
TABLE_PRAGMAS = frozenset(name for name in PRAGMAS if name.endswith(("_list", "_info", "_xinfo", "_check")))
"""Pragmas whose argument is the name of a table instead of a value."""


def verb_of(action: int, first: str | None, second: str | None, schema: str | None = None) -> str:
    """Return the verb of an action that SQLite asks about; empty if it changes nothing that a test may read."""
    if (schema or "").startswith(_VACUUM):
        return ""
    words, name = ACTIONS.get(action, ""), subject(action, first, second)
    if action in READS or name in _SCHEMA:
        return ""
    if words in ("TRANSACTION", "SAVEPOINT"):
        return "" if (first or "").upper() in _HARMLESS else "ROLLBACK"
    if words == "PRAGMA":
        reads = second is None or name in TABLE_PRAGMAS
        return "" if reads else f"PRAGMA {name}"
    if words in ("ATTACH", "DETACH", "REINDEX"):  # VACUUM attaches; files are refused before
        return ""
    if not words:
        return f"action {action}"
    return words if words.startswith("CREATE") or words == "ANALYZE" else f"{words} {name}"


def subject(action: int, first: str | None, second: str | None) -> str:
    """Return the name of what an action changes, in small letters."""
    return ((second if action == sqlite3.SQLITE_ALTER_TABLE else first) or "").lower()


@dataclass
class Statements:
    """The rule for the statements of one connection that do not stand in the test."""

    existing: frozenset[str] = frozenset()
    """Names in all schemas before the statement that runs, in small letters."""
    made: set[str] = field(default_factory=set)
    """Names that such statements made: they may do with these what they like."""

    def fault(
        self, allowed: frozenset[str] | None, action: int, first: str | None, second: str | None, schema: str | None
    ) -> str:
        """Return the verb of an action that is not allowed; empty if it is.

        Args:
            allowed: the verbs that statements may use besides reading; None: all verbs.
            action: the number of the action.
            first: its first name, by the action.
            second: its second name.
            schema: ``main``, ``temp``, or an attached one.
        """
        verb, name = verb_of(action, first, second, schema), subject(action, first, second)
        makes = verb.startswith("CREATE")
        if makes and (schema == "temp" or " TEMP " in verb) and name in self.existing:
            return f"{verb} over another name"
        if allowed is not None and verb and verb not in allowed and name not in self.made:
            return verb
        if makes and name not in self.existing:
            self.made.add(name)
        return ""
