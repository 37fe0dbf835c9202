"""Tables of released files that the examiner reads itself; :mod:`autograder.syntax.released_tables` finds them."""

from __future__ import annotations

import ast
import contextlib
import copy
from collections.abc import Mapping
from typing import Any

from autograder.examiner.workspace import Workspace
from autograder.syntax.released_tables import call_of, file_of


class ReleasedTables:
    """The tables that the examiner reads itself, each once."""

    def __init__(self, statements: Mapping[str, str], imports: Mapping[str, str], workspace: Workspace) -> None:
        """Create the collection.

        Args:
            statements: result of :func:`~autograder.syntax.released_tables.released_tables`.
            imports: name → import statement, for the libraries that read.
            workspace: has the released files.
        """
        self.statements = statements
        self.imports = imports
        self.workspace = workspace
        self.read: dict[str, Any] = {}

    def __contains__(self, name: object) -> bool:
        """Return whether the name stands for a table of a released file that can be read here."""
        if not isinstance(name, str) or name not in self.statements:
            return False
        if name not in self.read:
            self.read[name] = _NOTHING
            with contextlib.suppress(Exception):  # a test then finds what the notebook read
                table = self._read(self.statements[name])
                _copied(table)  # what cannot be copied is the notebook's, too
                self.read[name] = table
        return self.read[name] is not _NOTHING

    def copy(self, name: str) -> Any:
        """Return the table, which the caller may change."""
        return _copied(self.read[name])

    def _read(self, statement: str) -> Any:
        """Read a file, in a folder with nothing else in it.

        Raises:
            Exception: no library that the instructor imports, no released file that stays as it is, or not readable.
        """
        call, path = call_of(statement), file_of(statement)
        library = self.imports[call.func.value.id]
        if path not in self.workspace.fixed or not library.startswith(("import ", "from ")):
            return _NOTHING
        names: dict[str, Any] = {}
        exec(compile(library, "<instructor: imports>", "exec"), names)
        with self.workspace.released({path: self.workspace.fixed[path]}):
            return eval(compile(ast.Expression(call), "<instructor: tables>", "eval"), names)


def _copied(table: Any) -> Any:
    """Return a deep copy; numpy's archive itself, which reads each array anew from its file and cannot be changed."""
    return table if type(table).__name__ == "NpzFile" else copy.deepcopy(table)


_NOTHING = object()
