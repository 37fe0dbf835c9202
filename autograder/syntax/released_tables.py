"""Tables that a locked cell reads from a released file: ``people = pd.read_csv("people.csv")``.

A student's cell may rebind such a name, or change the table, and with it what a test computes as expected. So the
examiner reads the file itself, and a test finds this table under the name; the student's functions get what the test
passes to them. A table that an answer of the instructor's rebinds or changes is an answer: a test sees the student's.
"""

from __future__ import annotations

import ast
import contextlib
import copy
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from autograder._util.syntax import parsed
from autograder.syntax.file_paths import relative
from autograder.syntax.magics import without_magics
from autograder.syntax.shared_names import CHANGING_CALLS

if TYPE_CHECKING:
    from autograder.examiner.workspace import Workspace

_READERS = frozenset(
    "read_csv read_table read_fwf read_json read_excel read_parquet read_feather loadtxt genfromtxt load imread".split()  # noqa: SIM905
)


def released_tables(locked: Iterable[str], sources: Iterable[str]) -> dict[str, str]:
    """Return name → statement for tables that locked cells read, with literals alone, and that no other code changes.

    Args:
        locked: the sources of cells that students cannot edit.
        sources: the sources of all cells that are not tests, locked ones included.
    """
    trees = [tree for source in sources if (tree := parsed(without_magics(source))) is not None]
    changed = [name for tree in trees for node in ast.walk(tree) for name in _changed(node)]
    statements: dict[str, str] = {}
    for tree in (parsed(without_magics(source)) for source in locked):
        for statement in tree.body if tree is not None else ():
            name = _read_name(statement)
            if name and changed.count(name) == 1:  # by this statement alone
                statements[name] = ast.unparse(statement)
    return statements


def file_of(statement: str) -> str:
    """Return the path of the file that such a statement reads."""
    return relative(_call(statement).args[0].value)


def _call(statement: str) -> Any:
    return ast.parse(statement).body[0].value  # type: ignore[attr-defined]


def _read_name(statement: ast.stmt) -> str:
    """Return the name that a statement binds to what a library reads from a file; empty for another statement."""
    match statement:
        case ast.Assign([ast.Name(name)], ast.Call(ast.Attribute(ast.Name(), reader), [file, *more], keywords)):
            arguments = [file, *more, *(keyword.value for keyword in keywords)]
            from_file = isinstance(file, ast.Constant) and isinstance(file.value, str) and "://" not in file.value
            if reader in _READERS and from_file and all(map(_is_literal, arguments)):
                return name
    return ""


def _is_literal(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _changed(node: ast.AST) -> Iterable[str]:
    """Yield the names that a node binds, or whose object it changes."""
    match node:
        case ast.Name(name, ast.Store() | ast.Del()):
            yield name
        case ast.Subscript(ctx=ast.Store() | ast.Del()) | ast.Attribute(ctx=ast.Store() | ast.Del()):
            yield from _root(node.value)
        case ast.Call(ast.Attribute(value, method), keywords=keywords):
            if method in CHANGING_CALLS or any(keyword.arg == "inplace" for keyword in keywords):
                yield from _root(value)
        case ast.FunctionDef(name) | ast.ClassDef(name) | ast.AsyncFunctionDef(name):
            yield name
        case ast.Global(names):
            yield from names
        case ast.alias(name, alias):
            yield alias or name.split(".")[0]


def _root(value: ast.expr) -> Iterable[str]:
    """Yield the name in ``name.loc[rows]["column"]``."""
    while isinstance(value, ast.Subscript | ast.Attribute):
        value = value.value
    if isinstance(value, ast.Name):
        yield value.id


class ReleasedTables:
    """The tables that the examiner reads itself, each once."""

    def __init__(self, statements: Mapping[str, str], imports: Mapping[str, str], workspace: Workspace) -> None:
        """Create the collection.

        Args:
            statements: result of :func:`released_tables`.
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
        call, path = _call(statement), file_of(statement)
        library = self.imports[call.func.value.id]
        if path not in self.workspace.fixed or not library.startswith(("import ", "from ")):
            return _NOTHING
        names: dict[str, Any] = {}
        exec(compile(library, "<instructor: imports>", "exec"), names)
        with self.workspace.released({path: self.workspace.given[path]}):
            return eval(compile(ast.Expression(call), "<instructor: tables>", "eval"), names)


def _copied(table: Any) -> Any:
    """Return a deep copy; numpy's archive itself, which reads each array anew from its file and cannot be changed."""
    return table if type(table).__name__ == "NpzFile" else copy.deepcopy(table)


_NOTHING = object()
