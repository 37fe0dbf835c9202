"""The course's own modules that a notebook imports: their folders and the names of ``from helper import *``.

All is read from texts. Nothing of the course is imported outside of a sandbox.
"""

from __future__ import annotations

import ast
import functools
import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from autograder._util.digests import IGNORED
from autograder._util.syntax import parsed
from autograder.records.exam import Exam, Role
from autograder.syntax.module_state import sharing_names, used_names
from autograder.syntax.names import bindings
from autograder.syntax.refusals import aliases, dotted

TESTS = "tests"
"""Folder of an assignment's test files, beside its notebooks."""
_NO_DATA = (".py", ".pyc", ".ipynb")
MAX_DEPTH = 20
"""Modules whose stars lead to one another."""


def search_folders(exam: Exam) -> list[str]:
    """List the folders beside the notebook that its cells put on Python's path: ``sys.path.append("./code")``.

    The folder may be a constant of the notebook, as in ``where = "code"; sys.path.append(where)``.
    """
    return list(_search_folders(tuple(cell.source for cell in exam.cells if cell.cell_type == "code")))


@functools.lru_cache(maxsize=64)
def _search_folders(sources: tuple[str, ...]) -> tuple[str, ...]:
    """Find the folders in the sources of an exam, which are the same for each submission."""
    trees = [_tree(source) for source in sources]
    imports = aliases(trees)
    constants = _constants(trees)
    search_path: dict[str, None] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and dotted(node.func, imports) in _EXTENDING and node.args:
            folder = posixpath.normpath(_text(node.args[-1], imports, constants) or "/")
            if not folder.startswith(("/", "..", "~", ".")):
                search_path[folder] = None
    return tuple(search_path)


_EXTENDING = ("sys.path.append", "sys.path.insert")
_KEEPING = ("os.path.abspath", "os.path.normpath", "os.path.realpath", "str", "pathlib.Path")


def _constants(trees: Sequence[ast.Module]) -> dict[str, str]:
    """Return the texts of names that the notebook binds to one text alone."""
    bound: dict[str, set[str]] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Assign):
            text = node.value.value if isinstance(node.value, ast.Constant) else None
            for target in node.targets:
                if isinstance(target, ast.Name):
                    bound.setdefault(target.id, set()).add(text if isinstance(text, str) else "")
    return {name: text for name, (text, *others) in bound.items() if text and not others}


def _text(node: ast.expr, imports: Mapping[str, str], constants: Mapping[str, str]) -> str:
    """Return the path that an expression stands for; empty if it cannot be read."""
    match node:
        case ast.Constant(str() as text):
            return text
        case ast.Name(name):
            return constants.get(name, "")
        case ast.Call(function, [inner], []) if dotted(function, imports) in _KEEPING:
            return _text(inner, imports, constants)
        case ast.Call(function, [*parts], []) if dotted(function, imports) == "os.path.join" and parts:
            texts = [_text(part, imports, constants) for part in parts]
            return posixpath.join(*texts) if all(texts) else ""
    return ""


def test_files(source: Path) -> list[Path]:
    """List an assignment's test files for pytest, also in folders of ``tests``, in the order of their names.

    Args:
        source: the folder of the notebooks.
    """
    return sorted(path for path in (source / TESTS).rglob("test_*.py") if path.is_file())


def tests_data(source: Path) -> dict[str, Path]:
    """List the files beside an assignment's test files that are no modules, such as ``tests/_snapshots/rope.npz``.

    Notebooks, and names that begin with a dot, are none of them.

    Args:
        source: the folder of the notebooks.

    Returns:
        Path from that folder → file, in the order of the paths; empty if there are no test files.
    """
    files = sorted((source / TESTS).rglob("*")) if test_files(source) else []
    return {
        path.as_posix(): source / path
        for path in (file.relative_to(source) for file in files if file.is_file())
        if path.suffix not in _NO_DATA and not any(part in IGNORED or part.startswith(".") for part in path.parts)
    }


def module_folders(source: Path, root: Path, exams: Sequence[Exam]) -> tuple[Path, ...]:
    """List the folders that the examiner imports the course's own modules from, in order.

    Args:
        source: the folder of the notebooks.
        root: the course.
        exams: the notebooks.
    """
    candidates = dict.fromkeys(source / folder for exam in exams for folder in search_folders(exam))
    within = [f for f in candidates if f.is_dir() and f.resolve().is_relative_to(source.resolve())]
    tests = sorted({source / TESTS, *(path.parent for path in files)}) if (files := test_files(source)) else []
    return (source, *within, *tests, root)


def star_names(exam: Exam, folders: Sequence[Path]) -> dict[str, tuple[str, ...]]:
    """Find the names that each ``from module import *`` of a course's module binds: module → names.

    What an answer module imports from a library is the library's, and none of its names: ``np`` is no answer.
    """
    names = {}
    for cell in exam.cells:
        for module in _stars(_tree(cell.source)) if cell.cell_type == "code" else ():
            file = _file(module, folders)
            if file is not None:
                public = _public(file, folders, MAX_DEPTH)
                libraries = _of_libraries(_tree(file.read_text("utf-8", "replace")), exam.theirs)
                names[module] = tuple(sorted(public - libraries if module in exam.theirs else public))
    return names


def _of_libraries(tree: ast.Module, theirs: Collection[str]) -> set[str]:
    """Return the names that a module imports from elsewhere than the modules of the student's."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {(a.asname or a.name).partition(".")[0] for a in node.names if a.name not in theirs}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module not in theirs:
            names |= {a.asname or a.name for a in node.names if f"{node.module}.{a.name}" not in theirs}
    return names


def state_names(exam: Exam, folders: Sequence[Path]) -> dict[str, tuple[str, ...]]:
    """Find the names that share state in the course's modules: module → names.

    Modules of which only tests use such names are left out, as all calls then go to one copy.
    """
    trees = [_tree(c.source) for c in exam.cells if c.cell_type == "code" and c.role is not Role.TEST]
    used = frozenset[str]().union(*map(used_names, trees))
    sharing = {}
    for module in sorted({module for tree in trees for node in ast.walk(tree) for module in _imported(node)}):
        file = _file(module, folders)
        names = sharing_names(file.read_text("utf-8", "replace")) if file is not None else frozenset()
        if names & used:
            sharing[module] = tuple(sorted(names))
    return sharing


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module


def _public(file: Path, folders: Sequence[Path], depth: int) -> set[str]:
    """Return what a module's ``__all__`` lists, or all names without an underscore that it binds."""
    source = file.read_text("utf-8", "replace")
    tree = _tree(source)
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in statement.targets):
            try:
                return set(map(str, ast.literal_eval(statement.value)))
            except (ValueError, TypeError):
                break
    starred = {module: _file(module, folders) for module in _stars(tree)}
    starred |= _relative_stars(tree, file)
    stars = {module: tuple(_public(path, folders, depth - 1)) for module, path in starred.items() if path and depth}
    bound = bindings(source, stars)
    return {name for name in bound.assigned.union(bound.definitions) if not name.startswith("_")}


def _relative_stars(tree: ast.AST, file: Path) -> dict[str, Path | None]:
    """Find the files of ``from .module import *`` in a package."""
    found_files: dict[str, Path | None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node.module and node.names[0].name == "*":
            folder = file.parents[node.level - 1] if len(file.parents) >= node.level else file.parent
            found_files[node.module] = _file(node.module, [folder])
    return found_files


def _file(module: str, folders: Sequence[Path]) -> Path | None:
    stem = module.replace(".", "/")
    files = (folder / form for folder in folders for form in (f"{stem}/__init__.py", f"{stem}.py"))
    return next((file for file in files if file.is_file()), None)


def _stars(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level and node.names[0].name == "*":
            yield node.module


def _tree(source: str) -> ast.Module:
    lines = (line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
    return parsed(source) or parsed("\n".join(lines)) or ast.Module([], [])
