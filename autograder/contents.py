"""What lies in a folder: its regular files, and a hash of all of them."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from autograder.members import SUBMISSION

IGNORED = frozenset({".ipynb_checkpoints", "__pycache__", ".git"})
"""Folders that belong to tools and not to the work."""


def folder_key(folder: Path) -> str:
    """The names and contents of a folder that a student may have filled.

    Of a file that is too large for any submission only size and time count, so that one of a terabyte holds nobody up;
    a file that can not be read is a fact like any other, and the grading says so.
    """
    digest = hashlib.sha256()
    for path in regular_files(folder):
        name = str(path.relative_to(folder)).encode("utf-8", "surrogateescape")
        try:
            status = path.stat()
            digest.update(b"%b\0%d\0" % (name, status.st_size))
            if status.st_size > SUBMISSION.member_bytes:
                digest.update(b"%d\0" % status.st_mtime_ns)
                continue
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            digest.update(b"%b\0error %d\0" % (name, error.errno or 0))
    return digest.hexdigest()


def regular_files(folder: Path) -> list[Path]:
    """The regular files of a folder, sorted: links and special files are passed over."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if n not in IGNORED)
        found += [p for p in (Path(parent) / n for n in sorted(names)) if _is_regular(p)]
    return found


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False
