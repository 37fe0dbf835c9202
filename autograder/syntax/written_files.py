"""Paths that a notebook's cells write, read from their syntax."""

from __future__ import annotations

import ast
import functools
import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from autograder._util.syntax import parsed
from autograder.records.exam import Exam, Role
from autograder.syntax.magics import without_magics
from autograder.syntax.refusals import dotted

_WRITERS = frozenset(["savefig", "save", "savetxt", "savez", "savez_compressed", "imsave", "write_image"])
_REMOVERS = frozenset(["remove", "unlink", "rename", "replace", "rmtree"])
_COPIERS = frozenset(["copy", "copy2", "copyfile", "move"])
"""Functions whose second argument is written."""
_MODULES = frozenset(["codecs", "gzip", "bz2", "lzma", "io", "os", "builtins"])
"""Modules with a function ``open``."""


def written_paths(exam: Exam) -> frozenset[str]:
    """Return the paths that the instructor's own cells write: these files are the notebook's output.

    A path may be a text, or a name that some cell binds to a text.
    """
    return _paths_in_sources(_sources(exam)).by_cells


def paths_written_by_calls(exam: Exam) -> frozenset[str]:
    """Return the paths that the instructor's functions write: each call in a test does so again."""
    return _paths_in_sources(_sources(exam)).by_functions


def _sources(exam: Exam) -> tuple[str, ...]:
    return tuple(cell.source for cell in exam.cells if cell.cell_type == "code" and cell.role is not Role.TEST)


class _WrittenPaths(NamedTuple):
    """The paths that some cells write, and those among them that their functions write."""

    by_cells: frozenset[str]
    by_functions: frozenset[str]


@functools.lru_cache(maxsize=64)
def _paths_in_sources(sources: tuple[str, ...]) -> _WrittenPaths:
    trees = [tree for source in sources if (tree := parsed(without_magics(source))) is not None]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    texts = _texts(trees)
    return _WrittenPaths(_all_written(trees, texts), _all_written(functions, texts))


def _all_written(trees: Iterable[ast.AST], texts: Mapping[str, Sequence[str]]) -> frozenset[str]:
    return frozenset(path for tree in trees for _, path in writes(tree, texts))


def writes(tree: ast.AST, texts: Mapping[str, Sequence[str]]) -> Iterator[tuple[ast.Call, str]]:
    """Yield the calls that write a file, with its path.

    Args:
        tree: a cell.
        texts: name → the texts that cells bind to it.
    """
    for node in ast.walk(tree):
        target = _written_path(node) if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and target is not None:
            yield from ((node, posixpath.normpath(path)) for path in _paths(target, texts) if path)


def _texts(trees: Sequence[ast.Module]) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    texts.setdefault(target.id, []).extend(_paths(node.value, {}))
    return texts


def _paths(node: ast.expr, texts: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return the texts that an expression may stand for: ``"a.csv"``, ``Path("a.csv")``, a name of one."""
    match node:
        case ast.Constant(str() as text):
            return [text]
        case ast.Name(name):
            return texts.get(name, ())
        case ast.Call(function, [inner]) if (dotted(function, {}) or "").rpartition(".")[2] in ("Path", "str"):
            return _paths(inner, texts)
    return ()


def _written_path(call: ast.Call) -> ast.expr | None:
    """Return the path that a call writes, as it stands there."""
    name = dotted(call.func, {}) or getattr(call.func, "attr", "")
    last = name.rpartition(".")[2] or getattr(call.func, "attr", "")
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    first = call.args[0] if call.args else None
    if last == "open":
        path, mode = _opened(call, owner)
        return path if set(mode) & set("wax+") else None
    if last in _COPIERS:
        return call.args[1] if len(call.args) > 1 else None
    if last in ("write_text", "write_bytes"):
        return owner
    if last in _REMOVERS and isinstance(owner, ast.Call):
        return owner
    if last in _WRITERS or last in _REMOVERS or last.startswith("to_") or name == "sqlite3.connect":
        return first
    return None


def _opened(call: ast.Call, owner: ast.expr | None) -> tuple[ast.expr | None, str]:
    """Return path and mode of ``open(path, mode)`` or ``Path(path).open(mode)``."""
    mode_keyword = next((k.value for k in call.keywords if k.arg == "mode"), None)
    is_method = owner is not None and not (isinstance(owner, ast.Name) and owner.id in _MODULES)
    places = call.args if is_method else call.args[1:]
    mode = mode_keyword or (places[0] if places else None)
    text = mode.value if isinstance(mode, ast.Constant) and isinstance(mode.value, str) else "r"
    return (owner if is_method else call.args[0] if call.args else None), text
