"""Tables that a locked cell reads from a released file: ``people = pd.read_csv("people.csv")``.

A student's cell may rebind such a name, or change the table, and with it what a test computes as expected. So the
examiner reads the file itself, and a test finds this table under the name; the student's functions get what the test
passes to them. A table that an answer of the instructor's rebinds or changes is an answer: a test sees the student's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from autograder._util.syntax import is_literal, parsed
from autograder.syntax.file_paths import relative
from autograder.syntax.magics import without_magics
from autograder.syntax.shared_names import CHANGING_CALLS

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
    return relative(call_of(statement).args[0].value)


def call_of(statement: str) -> Any:
    """Return the call by which such a statement reads."""
    return ast.parse(statement).body[0].value  # type: ignore[attr-defined]


def _read_name(statement: ast.stmt) -> str:
    """Return the name that a statement binds to what a library reads from a file; empty for another statement."""
    match statement:
        case ast.Assign([ast.Name(name)], ast.Call(ast.Attribute(ast.Name(), reader), [file, *more], keywords)):
            arguments = [file, *more, *(keyword.value for keyword in keywords)]
            from_file = isinstance(file, ast.Constant) and isinstance(file.value, str) and "://" not in file.value
            if reader in _READERS and from_file and all(map(is_literal, arguments)):
                return name
    return ""


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
