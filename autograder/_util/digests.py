"""Digests of folders, values, and the kit's own code, from which cache keys are made."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.records.limits import MAX_SUBMITTED_FILE_BYTES

IGNORED = frozenset({".ipynb_checkpoints", "__pycache__", ".git"})
"""Folders that belong to tools and are no part of the work."""


def folder_key(folder: Path) -> str:
    """Digest the names and contents of a folder that a student may have filled."""
    return listed_key(file_digests(folder))


def file_digests(folder: Path) -> dict[str, tuple[int, str]]:
    """Digest the files of a folder: path in it → size and SHA-256, in hex.

    For a file that is too large for any submission, the time stands in for the content: reading a terabyte would hold
    up the batch. For a file that cannot be read, it is the error number; grading reports it.
    """
    digests = {}
    for path in regular_files(folder):
        try:
            with path.open("rb") as file:
                status = os.fstat(file.fileno())
                is_large = status.st_size > MAX_SUBMITTED_FILE_BYTES
                size = status.st_size
                content = b"%d\0" % status.st_mtime_ns if is_large else hashlib.file_digest(file, "sha256").digest()
        except OSError as error:
            size, content = 0, b"error %d\0" % (error.errno or 0)
        digests[path.relative_to(folder).as_posix()] = (size, content.hex())
    return digests


def listed_key(files: Mapping[str, tuple[int, str]]) -> str:
    """Make the :func:`folder_key` of a folder with these files: path in the folder → size and SHA-256, in hex."""
    digest = hashlib.sha256()
    for name in sorted(files, key=_in_order_of_a_walk):
        size, content = files[name]
        digest.update(b"%b\0%d\0" % (name.encode("utf-8", "surrogateescape"), size))
        digest.update(bytes.fromhex(content))
    return digest.hexdigest()


def _in_order_of_a_walk(name: str) -> list[tuple[bool, str]]:
    """Sort the files of a folder before its subfolders."""
    *folders, last = name.split("/")
    return [*((True, folder) for folder in folders), (False, last)]


def regular_files(folder: Path) -> list[Path]:
    """List the regular files of a folder, sorted; links and special files are left out."""
    files: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if n not in IGNORED)
        files += [p for p in (Path(parent) / n for n in sorted(names)) if _is_regular(p)]
    return files


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


@functools.cache
def own_code() -> dict[str, str]:
    """Digest each of the kit's modules as this process found them: students import from them."""
    package = Path(__file__).resolve().parents[1]
    return {str(path.relative_to(package)): _content(path) for path in package.rglob("*.py")}


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(*values: Any) -> str:
    """Digest plain values, dates and paths into one key."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
