"""The operations that the examiner may ask for, most by the names of the ``operator`` module."""

from __future__ import annotations

import copy
import operator
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import base_values, figures, observing, passed_tensors, workfiles

BINARY = tuple("add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift".split())  # noqa: SIM905
"""Operators between two objects of the student's."""
IN_PLACE = tuple("iadd isub imul itruediv ifloordiv imod ipow imatmul iand ior ixor".split())  # noqa: SIM905
UNARY = tuple("neg pos abs invert getitem setitem delitem".split())  # noqa: SIM905
"""Operators on one object of the student's, some with an index."""
COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge", "contains")
"""Operators whose results are booleans."""

MAX_ENTRIES = 10_000
"""Entries of a folder that are looked at."""


def files(folder: str, part: str, max_files: int, size: int) -> Any:
    """Read the folder's regular files whose names contain ``part``, in the order of their names.

    No link is followed, and nothing is opened that could block.

    Args:
        folder: a path from the working folder.
        part: a part of the names.
        max_files: the most files.
        size: the most bytes of all files together.

    Returns:
        A list of bytes; or the reason for none: ``missing``, ``link``, ``many`` or ``large``.
    """
    current = Path.cwd().resolve()
    path = current / folder
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
    if len(names) > max_files:
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
    """Read at most ``size + 1`` bytes of a regular file; nothing from anything else."""
    flags = os.O_RDONLY
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # not on every platform
        flags |= getattr(os, flag, 0)
    with os.fdopen(os.open(str(path), flags), "rb") as file:
        return file.read(size + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""


def kinds(value: Any) -> list[str]:
    """List ``module.Class`` of the classes that an object is an instance of, or a class derives from."""
    mro = (value if isinstance(value, type) else type(value)).__mro__
    return [f"{kind.__module__}.{kind.__qualname__}" for kind in mro]


OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in (*BINARY, *IN_PLACE, *UNARY, *COMPARISONS)},
    "base": base_values.base_value,
    "axes_array": figures.axes_array,
    "blank_figure": figures.blank,
    "bool": bool,
    "close_figures": figures.close,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "dir": dir,
    "figure": figures.claim,
    "figures": figures.current,
    "files": files,
    "fill_tensor": passed_tensors.fill,
    "float": float,
    "format": format,
    "generators": observing.generators,
    "kinds": kinds,
    "hash": hash,
    "int": int,
    "iter": iter,
    "len": len,
    "next": next,
    "pull_files": workfiles.pull,
    "push_files": workfiles.push,
    "stand_for": workfiles.stand_for,
    "repr": repr,
    "reversed": reversed,
    "round": round,
    "str": str,
    "tensors": list,
}
