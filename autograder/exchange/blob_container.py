"""Container of named files in bytes: a line of JSON with their names, sizes and hashes, then their contents.

It has no compression and no links, so that nothing can grow, or lead out of a folder, while it is opened.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

FORMAT = "autograder parcel 1"


def pack(head: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Pack ``head`` (JSON) and ``files`` (relative path with ``/`` → content); equal input gives equal bytes.

    Files with the same content share one copy.
    """
    blobs: dict[str, bytes] = {}
    names = {}
    for name, content in sorted(files.items()):
        digest = hashlib.sha256(content).hexdigest()
        blobs.setdefault(digest, content)
        names[name] = digest
    listed = [[digest, len(content)] for digest, content in blobs.items()]
    first = {"format": FORMAT, "head": dict(head), "files": names, "blobs": listed}
    return b"".join([json.dumps(first, sort_keys=True, allow_nan=False).encode(), b"\n", *blobs.values()])


MAX_HEADER_BYTES = 256 << 20
"""Largest size of the first line; a reader of untrusted bytes passes a smaller bound."""


def unpack(data: bytes, max_header_bytes: int = MAX_HEADER_BYTES) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Unpack the head and the files.

    Raises:
        ValueError: :func:`pack` did not make it: damaged, cut, of another version, or with a path that leads out.
    """
    end = data.find(b"\n", 0, max_header_bytes + 1)
    line, body = data[: max(end, 0)], memoryview(data)[end + 1 :]
    try:
        first = json.loads(line)
        if first["format"] != FORMAT:
            raise ValueError(f"its format is {first['format']!r:.40}")
        if type(first["head"]) is not dict:
            raise ValueError("its head is not a record")
        blobs: dict[str, bytes] = {}
        at = 0
        for digest, size in first["blobs"]:
            # Each byte belongs to one file: none is held, or hashed, twice.
            if type(size) is not int or not 0 <= size <= len(body) - at or digest in blobs:
                raise ValueError("its files lie over each other")
            blobs[digest] = bytes(body[at : at + size])
            at += size
            if hashlib.sha256(blobs[digest]).hexdigest() != digest:
                raise ValueError("a file in it is damaged")
        if at != len(body):
            raise ValueError(f"{len(body) - at:+} bytes")
        return first["head"], {checked_path(name): blobs[digest] for name, digest in first["files"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a parcel of this version of the kit ({error})") from error


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files below ``folder``, for this user alone."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(content)


def checked_path(name: str) -> str:
    """Return a path that stays in its folder; raise ValueError for any other."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise ValueError(f"{name!r:.80} leads out")
    return name
