"""The regular files of a folder, as bytes: reading those that changed since the last look, and writing some.

The kernel's side copies out the files that the student's code wrote; the examiner's side uses the same class on its own
folder. No link is followed and nothing is opened that could block; hidden files and Python's caches are skipped.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import time
from collections.abc import Mapping
from typing import Any

MAX_FILES = 1000
MAX_BYTES = 64 * 2**20
"""Bytes of all changed files together."""
MAX_DEPTH = 8
MAX_ENTRIES = 20_000
"""Entries of all folders that are looked at."""
MAX_PATH = 500
FRESH_NS = 100_000_000
"""A file that was written this shortly before a look may change again within one tick of its clock: contents decide."""

IGNORED = frozenset({"__pycache__"})
RELEASED_FILES = "/opt/kernel/files/work"
"""Folder with the files of the release and of the student, read-only, laid out as in the notebook's folder."""

# Paths are text here: pathlib would change some names.
# ruff: noqa: PTH108, PTH118, PTH103, PTH120, PTH211


class WatchedFolder:
    """A folder and its state at the last look."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.seen: dict[str, tuple[int, ...]] = {}
        self.fresh: dict[str, int] = {}
        """Hashes of the contents of files that may change again and look the same."""
        self.renew()

    def renew(self) -> None:
        """Take the present state as known."""
        self.fresh = {}
        try:
            self.seen = self._look()
        except ValueError:  # too much from the start: the first pull reports it
            self.seen = {}

    def pull(self, *, fitting: bool = False) -> tuple[dict[str, bytes], list[str]]:
        """Read what changed since the last look: contents by path (with ``/``), and the paths that are gone.

        Args:
            fitting: past a limit, leave the largest files out.

        Raises:
            ValueError: past a limit; the text says which.
        """
        began = time.time_ns()
        now = self._look()
        changed = [path for path in sorted(now) if now[path] != self.seen.get(path) or path in self.fresh]
        if fitting:
            changed.sort(key=lambda path: now[path][0])
        contents: dict[str, bytes] = {}
        bytes_left = MAX_BYTES
        for position, path in enumerate(changed):
            data = read_regular(os.path.join(self.root, path), MAX_BYTES)
            last = self.fresh.pop(path, None)
            if data is None:
                del now[path]
                continue
            if now[path][1] > began - FRESH_NS:
                self.fresh[path] = hash(data)
            if now[path] == self.seen.get(path) and hash(data) == last:
                continue
            bytes_left -= len(data)
            if fitting and (bytes_left < 0 or len(contents) == MAX_FILES):
                for left_out in changed[position:]:
                    now[left_out] = self.seen.get(left_out, ())
                break
            if len(contents) == MAX_FILES:
                raise ValueError(f"more than {MAX_FILES:,} files")
            if bytes_left < 0:
                raise ValueError(f"more than {MAX_BYTES >> 20} MiB of files")
            contents[path] = data
        gone = sorted(path for path in self.seen if path not in now)
        self.seen = now
        return contents, gone

    def push(self, contents: Mapping[str, bytes], gone: list[str]) -> None:
        """Write and remove files; skip a path that something else occupies.

        A path that ends with ``/`` is a folder, which is made, or removed with what is in it.
        """
        for path in gone:
            if path.endswith("/"):
                shutil.rmtree(os.path.join(self.root, path[:-1]), ignore_errors=True)
                continue
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self.root, path))
            self.seen.pop(path, None)
            self.fresh.pop(path, None)
        for path, data in contents.items():
            full = os.path.join(self.root, path)
            with contextlib.suppress(OSError):
                os.makedirs(os.path.dirname(full), exist_ok=True)
                if path.endswith("/"):
                    continue
                if os.path.lexists(full):
                    os.unlink(full)
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
                with os.fdopen(os.open(full, flags, 0o644), "wb") as file:
                    file.write(data)
                self.seen[path] = _signature(os.lstat(full))
                self.fresh[path] = hash(data)

    def _look(self) -> dict[str, tuple[int, ...]]:
        """Map each path to values that differ once the file has changed."""
        signatures: dict[str, tuple[int, ...]] = {}
        entries = 0
        pending = [("", 0)]
        while pending:
            folder, depth = pending.pop()
            try:
                listed = list(os.scandir(os.path.join(self.root, folder)))
            except OSError:
                continue
            entries += len(listed)
            if entries > MAX_ENTRIES:
                raise ValueError(f"more than {MAX_ENTRIES:,} files and folders")
            for entry in listed:
                path = folder + entry.name
                if entry.name.startswith(".") or entry.name in IGNORED or len(path) > MAX_PATH:
                    continue
                if entry.is_dir(follow_symlinks=False) and depth < MAX_DEPTH:
                    pending.append((path + "/", depth + 1))
                elif entry.is_file(follow_symlinks=False):
                    signatures[path] = _signature(entry.stat(follow_symlinks=False))
        return signatures


def _signature(status: os.stat_result) -> tuple[int, ...]:
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def read_regular(path: str, size: int) -> bytes | None:
    """Read at most ``size + 1`` bytes of a regular file; None for anything else."""
    flags = os.O_RDONLY
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # not on every platform
        flags |= getattr(os, flag, 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            return file.read(size + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except OSError:
        return None


# --- the kernel's own ---------------------------------------------------------------------------------

_kernels: list[WatchedFolder] = []


def copy_given(root: str, source: str = RELEASED_FILES) -> None:
    """Copy the notebook's files into its folder, where its cells may write over them."""
    for folder, _, names in os.walk(source):
        copied = os.path.join(root, os.path.relpath(folder, source))
        for name in names:
            target = os.path.join(copied, name)
            if not os.path.lexists(target):
                os.makedirs(copied, exist_ok=True)
                shutil.copyfile(os.path.join(folder, name), target)


def start(root: str) -> None:
    """Set the notebook's folder, before its first cell."""
    _kernels[:] = [WatchedFolder(root)]


def pull(fitting: bool = False) -> Any:
    """Read the changes of the notebook's folder: ``(contents, gone)``, or the reason why not, as a sentence's end."""
    try:
        return _kernels[0].pull(fitting=fitting)
    except ValueError as error:
        return str(error)


def stand_for(path: str) -> None:
    """Let an absolute path, that of the test's folder in another process, lead to the notebook's folder."""
    if not os.path.lexists(path):
        with contextlib.suppress(OSError):
            os.symlink(_kernels[0].root, path)


def push(contents: dict[str, bytes], gone: list[str]) -> None:
    """Write files into the notebook's folder, and remove some."""
    _kernels[0].push(contents, gone)
