"""The working folder of a test, whose files the student's code has at the same relative paths."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

_shared: list[Path] = []


@contextlib.contextmanager
def sharing_folder(folder: Path) -> Iterator[None]:
    """Make a folder the shared one inside the block."""
    _shared.append(folder)
    try:
        yield
    finally:
        _shared.pop()


def shared_folder() -> Path | None:
    """Return the shared folder; None if the test shares no files."""
    return _shared[-1] if _shared else None


MAX_PATH = 200


def is_in_shared_folder(path: str) -> bool:
    """Tell whether an absolute path lies in the shared folder, where it means the same to the student's code."""
    folder = shared_folder()
    return folder is not None and len(path) <= MAX_PATH and Path(path).is_relative_to(folder) and ".." not in path


def new_shared_folder(name: str) -> Path | None:
    """Make an empty folder in the shared one.

    Args:
        name: the beginning of its name; a number follows, since the notebook may have a folder of any name.

    Returns:
        Its path, relative to the shared folder; None if the test shares no files.
    """
    folder, number = shared_folder(), 0
    if folder is None:
        return None
    while True:
        path = folder / f"{name}{number}"
        if not path.exists():
            path.mkdir()
            return path.relative_to(folder)
        number += 1
