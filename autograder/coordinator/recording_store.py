"""The folder of recordings: ``.autograder/runs/<key>.run``, each the transcript of one notebook's kernels.

The store handles bytes that it does not open. A file that is damaged or malformed counts as missing: the notebook is
executed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from autograder.records.limits import MAX_RECORDING_BYTES

MAX_STORE_BYTES = 4 * 2**30
"""Limit on all files together; the least recently used are removed first."""
_SUFFIX = ".run"


class RecordingStore:
    """The folder of recordings; a key is a hexadecimal digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{_SUFFIX}"

    def has(self, key: str) -> bool:
        """Return whether there is a recording, usable or not."""
        return self._path(key).is_file()

    def load(self, key: str, *, mark: bool = True) -> bytes:
        """Read the unchecked bytes of a recording; empty if there is none.

        Args:
            key: the recording's key.
            mark: whether this counts as a use, by which :meth:`prune` decides.
        """
        path = self._path(key)
        try:
            with path.open("rb") as file:
                data = file.read(MAX_RECORDING_BYTES + 1)
            if mark:
                os.utime(path)
        except OSError:
            return b""
        return data if len(data) <= MAX_RECORDING_BYTES else b""

    def save(self, key: str, data: bytes) -> bool:
        """Keep a recording in place of an earlier one; return whether it is kept.

        An empty or too large recording, or one that cannot be written, is not kept. The earlier one is removed in any
        case, as it is out of date.
        """
        try:
            if 0 < len(data) <= MAX_RECORDING_BYTES:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _write(self._path(key), data)
                return True
        except OSError:
            pass
        with contextlib.suppress(OSError):
            self._path(key).unlink(missing_ok=True)
        return False

    def prune(self, max_bytes: int = MAX_STORE_BYTES) -> None:
        """Remove half-written files, and the least recently used recordings until the rest fits ``max_bytes``."""
        recordings: list[tuple[float, int, Path]] = []
        with contextlib.suppress(OSError):
            for path in self.folder.iterdir():
                with contextlib.suppress(OSError):
                    if path.suffix != _SUFFIX:
                        path.unlink()
                        continue
                    status = path.stat()
                    recordings.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in recordings)
        for _, size, path in sorted(recordings, key=lambda one: one[0]):
            if total <= max_bytes:
                return
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size


def _write(path: Path, data: bytes) -> None:
    """Write aside, then rename.

    Nothing waits for the disk: the digest detects a file that a power cut has damaged.
    """
    descriptor, aside = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
