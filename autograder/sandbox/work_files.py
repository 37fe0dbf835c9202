"""The files beside a notebook: the student's copies, which its cells may write over, and large ones, which are bound.

A course lays data beside a notebook, and a notebook may write over them, as it may on the student's own computer. The
kernel's agent copies them into the work folder before the first cell. The examiner has files of its own.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path

from autograder.kernel.workfiles import RELEASED_FILES
from autograder.sandbox.base import HOME

MAX_FILE_BYTES = 16 * 2**20
"""Size up to which a file is copied."""
MAX_BYTES = 64 * 2**20
"""Size of all copies together."""
READ_AT_IMPORT = frozenset({"matplotlibrc"})
"""Files that a library reads from the work folder when it is imported, which a template does before any copy."""


def work_files(files: Mapping[str, Path]) -> dict[str, Path]:
    """Say where a kernel finds a notebook's files: path inside → host file.

    Args:
        files: path in the work folder → host file.
    """
    bound = read_only(files)
    return {f"{HOME if name in bound else RELEASED_FILES}/{name}": path for name, path in files.items()}


def read_only(files: Mapping[str, Path]) -> frozenset[str]:
    """Return the paths of files that a notebook cannot write over, as they are too large to be copied."""
    return too_large({name: _size(path) for name, path in files.items()})


def too_large(sizes: Mapping[str, int | None]) -> frozenset[str]:
    """Return the paths of files that are not copied.

    Args:
        sizes: path in the work folder → bytes; None for what is no plain file.
    """
    refused = set()
    bytes_left = MAX_BYTES
    for name, size in sizes.items():
        if size is None or size > min(bytes_left, MAX_FILE_BYTES) or name in READ_AT_IMPORT:
            refused.add(name)
        else:
            bytes_left -= size
    return frozenset(refused)


def _size(path: Path) -> int | None:
    try:
        status = path.lstat()
    except OSError:  # the sandbox says what is wrong with it
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None
