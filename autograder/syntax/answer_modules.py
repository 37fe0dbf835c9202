"""Modules that answer, and modules that take something from them: what only the student's kernel imports.

"Given or answered?" has one answer for everything that asks: :func:`answered`, as an exam keeps it. A released module
that takes something from an answer runs with it, in the kernel; a module of tests asks the kernel.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from autograder._util.syntax import parsed

PREFIX = "_answer_"
"""Prefix of the name under which the kernel holds an answer module for a test."""


@dataclass(frozen=True, slots=True)
class Module:
    """A module of the course."""

    file: str
    """Path within the course, by which its several names are one module."""
    source: str


def handle_name(module: str) -> str:
    """Return the name under which the kernel holds a module for tests."""
    return PREFIX + module.replace(".", "_")


def answered(
    modules: Mapping[str, Module], answers: Collection[str], released: Collection[str]
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Read whose a course's modules are from what they import.

    Args:
        modules: dotted name → module. A package has its own name, and one module may have several names.
        answers: the files that are answers.
        released: all files that students get.

    Returns:
        Dotted names of the modules that only the kernel imports: answers, and released ones that take something from
        one. And each other module that takes something from those → what it takes from.
    """
    imported = {name: taken_modules(name, modules) for name in modules}
    theirs = {name for name, module in modules.items() if module.file in answers}
    while True:
        more = {name for name in modules.keys() - theirs if modules[name].file in released and imported[name] & theirs}
        # What lies in a package of theirs can only be imported with it.
        more |= {name for name in modules.keys() - theirs if any(one in theirs for one in packages_of(name))}
        if not more:
            break
        theirs |= more
    asking: dict[str, set[str]] = {name: imported[name] & theirs for name in modules.keys() - theirs}
    while True:
        grown = {
            name: names.union(*(asking[other] for other in imported[name] & asking.keys()))
            for name, names in asking.items()
        }
        if grown == asking:
            return tuple(sorted(theirs)), {name: tuple(sorted(names)) for name, names in asking.items() if names}
        asking = grown


def asked_modules(
    imported: Collection[str], theirs: Collection[str], asking: Mapping[str, tuple[str, ...]]
) -> list[str]:
    """List the modules of the kernel that code needs which imports these modules."""
    direct = {name for name in imported if name in theirs}
    return sorted(direct.union(*(asking.get(name, ()) for name in imported)))


def packages_of(name: str) -> Iterator[str]:
    """Yield the packages that a module lies in, the innermost first."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def taken_modules(name: str, modules: Mapping[str, Module]) -> set[str]:
    """Return the names of the course's modules that a module of the course imports, in whatever scope."""
    module = modules[name]
    tree = parsed(module.source)
    package = name if module.file.endswith("/__init__.py") else name.rpartition(".")[0]
    imported: set[str] = set()
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".") if package else []
            base = parts[: len(parts) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            imported.update([origin, *(f"{origin}.{alias.name}".lstrip(".") for alias in node.names)])
    return imported & modules.keys()
