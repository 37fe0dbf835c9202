"""The operators that the examiner may ask for, by the names of the ``operator`` module."""

from __future__ import annotations

import copy
import operator
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import figures, workfiles

BINARY = tuple("add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift".split())  # noqa: SIM905
"""Between two objects of the student's."""
IN_PLACE = tuple("iadd isub imul itruediv ifloordiv imod ipow imatmul iand ior ixor".split())  # noqa: SIM905
UNARY = tuple("neg pos abs invert getitem setitem delitem".split())  # noqa: SIM905
"""Of one object of the student's, with an index where there is one."""
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge", "contains")
"""Their answers are booleans."""

MAX_ENTRIES = 10_000
"""Of a folder that is looked through."""


def files(folder: str, part: str, most: int, size: int) -> Any:
    """The contents of a folder's regular files whose names contain ``part``, in the order of the names.

    Nothing is followed that is a link, and nothing opened that could block.

    Args:
        folder: from the working folder.
        most: how many files, at most.
        size: bytes of all of them, at most.

    Returns:
        A list of bytes; or why not: ``missing``, ``link``, ``many`` or ``large``.
    """
    here = Path.cwd().resolve()
    path = here / folder
    if not path.is_dir():
        return "missing"
    if path.resolve() != path:
        return "link"
    names = []
    with os.scandir(str(path)) as entries:
        for number, entry in enumerate(entries):
            if number >= MAX_ENTRIES:
                return "many"
            if part in entry.name and entry.is_file(follow_symlinks=False):
                names.append(entry.name)
    if len(names) > most:
        return "many"
    contents = []
    for name in sorted(names):
        data = _regular(path / name, size)
        size -= len(data)
        if size < 0:
            return "large"
        contents.append(data)
    return contents


def _regular(path: Path, size: int) -> bytes:
    """At most ``size + 1`` bytes of a regular file; none of anything else."""
    flags = os.O_RDONLY
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # not everywhere
        flags |= getattr(os, flag, 0)
    with os.fdopen(os.open(str(path), flags), "rb") as file:
        return file.read(size + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""


def kinds(value: Any) -> list[str]:
    """``module.Class`` of the classes that an object is an instance of, or a class is derived from."""
    mro = (value if isinstance(value, type) else type(value)).__mro__
    return [f"{kind.__module__}.{kind.__qualname__}" for kind in mro]


OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in (*BINARY, *IN_PLACE, *UNARY, *COMPARISONS)},
    "bool": bool,
    "close_figures": figures.close,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "dir": dir,
    "enter": lambda value: value.__enter__(),
    "figure": figures.claim,
    "figures": figures.current,
    "files": files,
    "float": float,
    "format": format,
    "kinds": kinds,
    "hash": hash,
    "int": int,
    "iter": iter,
    "len": len,
    "next": next,
    "pull_files": workfiles.pull,
    "push_files": workfiles.push,
    "repr": repr,
    "reversed": reversed,
    "round": round,
    "str": str,
}
