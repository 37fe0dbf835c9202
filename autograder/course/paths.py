"""Rules for where the files of a course may lie."""

from __future__ import annotations

from pathlib import Path, PurePosixPath


def inside(root: Path, relative: str, base: Path) -> Path:
    """Resolve the path ``relative`` below ``base``, symbolic links followed.

    Raises:
        ValueError: it is absolute, has ``..`` in it, or a link leads out of ``root``; the message says which.
    """
    pure = PurePosixPath(relative)
    if pure.is_absolute() or "\\" in relative or "\0" in relative:
        raise ValueError("must be a relative path with forward slashes")
    if ".." in pure.parts:
        raise ValueError("must not contain '..'")
    path = (base / pure).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError("is a symbolic link that leads out of the course")
    return path


def is_hidden(root: Path, path: Path) -> bool:
    """Tell whether the resolved ``path`` lies in, or is, source/<assignment>/hidden of the course in ``root``."""
    root = root.resolve()
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    return len(parts) >= 3 and parts[0] == "source" and parts[2] == "hidden"
