"""The callers behind an audit event: the frames from the event to the instructor's code."""

from __future__ import annotations

import _imp
import functools
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

_KIT = str(Path(__file__).parents[2])
_TESTS = ("<test ", "<instructor")
"""Prefixes of the file names of test cells' code and of the instructor's statements."""
_IMPORTING = "<frozen importlib"
_PACKAGES = frozenset({"site-packages", "dist-packages"})


@functools.cache
def library_folders() -> tuple[str, ...]:
    """Return the folders of the interpreter, its packages and the kit."""
    paths = sysconfig.get_paths()
    packages = [entry for entry in sys.path if _PACKAGES & {*Path(entry).parts}]
    folders = [sys.prefix, sys.base_prefix, paths["stdlib"], paths["platstdlib"], *packages, _KIT]
    return tuple(dict.fromkeys(name for folder in folders for name in (folder, os.path.realpath(folder))))


def is_below(path: str, folders: tuple[str, ...]) -> bool:
    """Return whether an absolute path is one of the folders, or inside one."""
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


def frames(first: FrameType | None) -> Iterator[FrameType]:
    """Yield the frames from the first one outward, up to and including the instructor's innermost one."""
    while first is not None:
        yield first
        if is_instructors(first):
            return
        first = first.f_back


def is_instructors(frame: FrameType) -> bool:
    """Return whether a frame runs a test cell, or a module that is not a library."""
    name = frame.f_code.co_filename
    if name.startswith("<"):
        return name.startswith(_TESTS)
    return not is_below(name, library_folders())


def module_of(frame: FrameType) -> str:
    """Return the dotted name of the module that contains a frame's code."""
    return str(frame.f_globals.get("__name__", ""))


def imports(frame: FrameType) -> bool:
    """Return whether the frame belongs to Python's own import system."""
    return frame.f_code.co_filename.startswith(_IMPORTING)


def loads_extension(frame: FrameType) -> bool:
    """Tell whether an extension module is being loaded: what it compiles then, it brings along."""
    return imports(frame) and frame.f_locals.get("f") in (_imp.create_dynamic, _imp.exec_dynamic)


def is_importing(first: FrameType | None) -> bool:
    """Return whether the event is part of importing a module."""
    return any(map(imports, frames(first)))
