"""Processes that do without the large libraries, and notice when they cannot.

Importing TensorFlow takes longer than everything else that grading from a kept run does. So that is tried first in a
process that has not imported such libraries: where an import of one is begun, ``wanted()`` says so from then on,
whatever a test makes of the ImportError that it gets, and the work is done again where they are.
"""

from __future__ import annotations

import functools
import importlib.abc
import sys
from collections.abc import Sequence
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_wanted: list[str] = []


class _Absent(importlib.abc.Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        want(spec.name)
        raise ImportError(f"{spec.name} is not imported in this process", name=spec.name)

    def exec_module(self, module: ModuleType) -> None:
        raise AssertionError("no module was made")


class _Finder(importlib.abc.MetaPathFinder):
    """Whether a library is installed can be asked as ever; only its import fails."""

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
    """From now on these libraries cannot be imported in this process, as far as they are not yet."""
    sys.meta_path.insert(0, _Finder(names))


def want(name: str) -> None:
    """Something is about to be imported, or would be if it was not known that it cannot be."""
    _wanted.append(name)


def wanted() -> bool:
    """Whether one of them was to be imported."""
    return bool(_wanted)


@functools.cache
def version(distribution: str) -> str | None:
    """The version that is installed, looked up without an import; None where there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
