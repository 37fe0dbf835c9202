"""Files that are either the old ones or the new ones, never half of each."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from autograder.errors import HostError


def write_atomically(path: Path, data: bytes | str, *, mode: int = 0o644) -> None:
    """Write ``data`` (text as UTF-8) beside ``path``, flush it to the disk, and rename it over ``path``.

    Folders on the way are made. Whoever reads ``path`` sees the whole old file or the whole new one, also
    after a power cut. A symbolic link at ``path`` is replaced, not followed. The umask does not change
    ``mode``.

    Raises:
        HostError: the folder or the file can not be written.
    """
    content = data.encode("utf-8", "backslashreplace") if isinstance(data, str) else data
    aside: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".tmp", dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
        aside = None
        _flush_folder(path.parent)
    except OSError as error:
        raise HostError(f"{path} can not be written ({error.strerror or error}); free space or rights?") from error
    finally:
        if aside is not None:
            with contextlib.suppress(OSError):
                Path(aside).unlink()


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_folder(new: Path, target: Path) -> None:
    """Put the finished folder ``new`` in the place of ``target`` (same file system), which may or may not
    exist.

    Whoever opens ``target`` finds the old files or the new ones; between the two renames, which nothing
    long happens between, there is none.

    Raises:
        HostError: it can not be moved; the old folder is back in its place then.
    """
    old = new.parent / f"{new.name}.replaced"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replaced = target.exists() or target.is_symlink()
        if replaced:
            target.rename(old)
        try:
            new.rename(target)
        except OSError:
            if replaced:
                old.rename(target)
            raise
        _flush_folder(target.parent)
    except OSError as error:
        raise HostError(f"{target} can not be replaced ({error.strerror or error}); free space or rights?") from error
    if replaced:
        old.unlink() if old.is_symlink() else shutil.rmtree(old, ignore_errors=True)
