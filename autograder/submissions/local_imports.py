"""Modules beside a notebook that its code imports, found from texts: nothing is imported."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Iterator

from autograder._util.syntax import parsed

ReadFile = Callable[[str], "bytes | None"]
"""Function from a path beside the notebook to its content; None if there is no such file."""
_MAGIC = re.compile(r"(?m)^([^\S\n]*)[%!].*$")
MAX_MODULES = 200


def local_modules(sources: Iterable[str], folders: Iterable[str], open_file: ReadFile) -> tuple[list[str], list[str]]:
    """Find the modules that code imports, with those that they import in turn.

    Args:
        sources: the code cells.
        folders: folders beside the notebook that may be on Python's path, besides its own.
        open_file: reads a file.

    Returns:
        Paths of the modules; and the names of modules that are neither there nor installed.
    """
    bases = ["", *(f"{folder.strip('./')}/" for folder in folders if folder.strip("./"))]
    files: dict[str, None] = {}
    missing: dict[str, None] = {}
    waiting = [(name, base, is_certain) for source in sources for name, is_certain in _imports(source, "")
               for base in bases]  # fmt: skip
    visited: set[tuple[str, str]] = set()
    resolved: set[str] = set()
    while waiting and len(files) < MAX_MODULES:
        name, base, is_certain = waiting.pop(0)
        if (name, base) in visited:
            continue
        visited.add((name, base))
        paths = _paths(name, base, open_file)
        if paths:
            resolved.add(name)
        elif is_certain:
            missing.setdefault(name)
        for path, content, package in paths:
            if path not in files:
                files[path] = None
                waiting += [(inner, each, sure) for inner, sure in _imports(_text(content), package) for each in bases]
    return list(files), [name for name in missing if name not in resolved and not _is_installed(name, files)]


def _imports(source: str, package: str) -> Iterator[tuple[str, bool]]:
    """Yield the names that are imported, and whether each is certainly a module: ``from a import b`` may be any."""
    tree = parsed(source) or parsed(_MAGIC.sub(r"\1pass", source))
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import):
            yield from ((alias.name, True) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if package else []
            around = parts[: len(parts) - node.level + 1] if node.level else []
            origin = ".".join([*around, *([node.module] if node.module else [])])
            if origin:
                yield origin, not node.level
            yield from ((f"{origin}.{alias.name}".lstrip("."), False) for alias in node.names if alias.name != "*")


def _paths(name: str, base: str, open_file: ReadFile) -> list[tuple[str, bytes, str]]:
    """Return path, content and package, for relative imports, of a module and of the packages around it."""
    parts = name.split(".")
    paths: list[tuple[str, bytes, str]] = []
    for count in range(1, len(parts) + 1):
        stem, package = base + "/".join(parts[:count]), ".".join(parts[:count])
        if (content := open_file(f"{stem}/__init__.py")) is not None:
            paths.append((f"{stem}/__init__.py", content, package))
        elif (content := open_file(f"{stem}.py")) is not None:
            paths.append((f"{stem}.py", content, ".".join(parts[: count - 1])))
            return paths if count == len(parts) else []
        elif count == len(parts):
            return []
    return paths


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _is_installed(name: str, files: Iterable[str]) -> bool:
    """Tell whether a module is a library's, by its first word; one whose folder lies beside the notebook is not."""
    top = name.partition(".")[0]
    if any(path.startswith(f"{top}/") or path == f"{top}.py" for path in files):
        return False
    if top in sys.stdlib_module_names or top in sys.modules:
        return True
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False
