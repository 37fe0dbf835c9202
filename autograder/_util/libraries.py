"""Imports of large libraries that fail in this process and are recorded.

Importing TensorFlow takes longer than all other steps of a replay. So a replay is first tried in a process that cannot
import such libraries. If a test begins to import one, ``wanted()`` is True from then on, however the test handles the
ImportError. The work is done again in a process that can import them.
"""

from __future__ import annotations

import functools
import importlib.abc
import inspect
import sys
from collections.abc import Sequence
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_wanted: list[str] = []


class _Absent(importlib.abc.Loader):
    """A loader that records the import and refuses it."""

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        want(spec.name)
        raise ImportError(f"{spec.name} is not imported in this process", name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        raise AssertionError("no module was made")


class _Finder(importlib.abc.MetaPathFinder):
    """A finder that reports the libraries as installed; only their import fails."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.names:
            return None
        spec = PathFinder.find_spec(fullname)
        if spec is not None:
            spec.loader = _Absent()
        return spec


def do_without(names: Sequence[str]) -> None:
    """Make imports of these libraries fail in this process, unless they are already imported."""
    sys.meta_path.insert(0, _Finder(names))


def want(name: str) -> None:
    """Record that a library would be imported here."""
    _wanted.append(name)


def wanted() -> bool:
    """Tell whether an import of one of the libraries was recorded."""
    return bool(_wanted)


@functools.cache
def with_extra(extra: str) -> str:
    """Say how to install the kit with an extra: from its checkout or its wheel, and from no index."""
    return f"`pip install '.[{extra}]'` in the kit's checkout, or its wheel: `pip install 'nbexaminer-….whl[{extra}]'`"


@functools.cache
def version(distribution: str) -> str | None:
    """Return the installed version without an import; None where the distribution is not installed.

    It is read once: what this process has imported stays, whatever is installed meanwhile.
    """
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def public_classes(module: str) -> dict[str, type]:
    """Import a module of a library, and list its classes by each of their names."""
    members = vars(importlib.import_module(module))
    classes = {name: found for name, found in members.items() if inspect.isclass(found)}
    return {found.__name__: found for found in classes.values()} | classes
