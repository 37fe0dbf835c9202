"""Files that are either the old ones or the new ones, never half of each."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from autograder.errors import HostError


def write_atomically(path: Path, data: bytes | str, *, mode: int = 0o644) -> None:
    """Write ``data`` (text as UTF-8) beside ``path``, flush it to the disk, and rename it over ``path``.

    Folders on the way are made. Whoever reads ``path`` sees the whole old file or the whole new one, also
    after a power cut. A symbolic link at ``path`` is replaced, not followed. The umask does not change ``mode``.

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
        raise HostError(
            f"{path} can not be written ({error.strerror or error}); free space or rights?"
        ) from error
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
