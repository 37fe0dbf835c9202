"""Cells of the notebook that write over a released file, which is read-only where it is graded."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Collection, Iterator

from autograder.examiner.refusals import dotted

Found = tuple[ast.AST, str, str]
"""Place, reason and remedy."""

_WRITERS = frozenset(["savefig", "save", "savetxt", "savez", "savez_compressed", "imsave", "write_image"])
_REMOVERS = frozenset(["remove", "unlink", "rename", "replace", "rmtree"])
_COPIERS = frozenset(["copy", "copy2", "copyfile", "move"])
"""Functions whose second argument is written."""


def writes_over_released(tree: ast.Module, files: Collection[str]) -> Iterator[Found]:
    """Find calls that write a released file.

    Args:
        tree: a cell that is not a test.
        files: paths of the released files.
    """
    for node in ast.walk(tree):
        path = _written(node) if isinstance(node, ast.Call) else None
        name = posixpath.normpath(path) if path else ""
        if name in files:
            yield (
                node,
                f"{name!r} is released, and a released file cannot be written where notebooks are graded",
                f"write to another name, or copy it first: shutil.copyfile({name!r}, 'my_{posixpath.basename(name)}')",
            )


def _written(call: ast.Call) -> str | None:
    """Return the literal path that a call writes."""
    name = dotted(call.func, {}) or getattr(call.func, "attr", "")
    last = name.rpartition(".")[2] or getattr(call.func, "attr", "")
    texts = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else None for a in call.args]
    if last == "open":
        path, mode = _opened(call, texts)
        return path if set(mode) & set("wax+") else None
    if last in _COPIERS and len(texts) > 1:
        return texts[1]
    if last in ("write_text", "write_bytes", *_REMOVERS) and isinstance(call.func, ast.Attribute):
        made = call.func.value
        if isinstance(made, ast.Call) and made.args and isinstance(made.args[0], ast.Constant):
            return str(made.args[0].value)
    if last in _WRITERS or last in _REMOVERS or last.startswith("to_") or name == "sqlite3.connect":
        return texts[0] if texts else None
    return None


def _opened(call: ast.Call, texts: list[str | None]) -> tuple[str | None, str]:
    """Return path and mode of ``open(path, mode)`` or ``Path(path).open(mode)``."""
    given = next((k.value.value for k in call.keywords if k.arg == "mode" and isinstance(k.value, ast.Constant)), None)
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(owner, ast.Call) and owner.args and isinstance(owner.args[0], ast.Constant):
        return str(owner.args[0].value), str(given or (texts[0] if texts else "") or "r")
    return (texts[0] if texts else None), str(given or (texts[1] if len(texts) > 1 else "") or "r")
