"""The texts that the kernel gave during a test cell, as far as they may be paths: a second line behind the places
where files are opened at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from autograder.kernel.codec import Packed

_RAW = (b"/", b".", b"\\")
"""A message without any of these has no path in it; what is escaped may be anything."""
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_ENCODINGS = ("utf-8", "utf-32-le", "utf-32-be", "utf-16-le")
MAX_PATH = 4096
MIN_LOOKED_FOR = 6
"""Characters of a path that is looked for within the bytes of arrays."""
MAX_TEXTS, MAX_CHARACTERS = 20_000, 1 << 24
"""Of all texts together; what comes later is not remembered."""
MAX_FILE_BYTES = MAX_BUFFER_BYTES = 1 << 20
"""Of one file, and of one buffer of an array."""


class Told:
    """What the student's side said in one test cell."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.buffers: list[bytes] = []
        self.left = MAX_CHARACTERS

    def keep(self, packed: Packed) -> None:
        """Remember the texts of a message, at whatever depth and in whatever container they stand."""
        text = bytes(packed.text)
        for found in _STRING.finditer(text) if any(mark in text for mark in _RAW) else ():
            if len(self.paths) >= MAX_TEXTS:
                break
            if any(mark in found[0] for mark in _RAW):
                self._keep(_unescaped(found[0]))
        for buffer in packed.buffers:
            if len(buffer) <= min(MAX_BUFFER_BYTES, self.left) and any(mark in buffer for mark in (b"/", b".")):
                self.left -= len(buffer)
                self.buffers.append(bytes(buffer))

    def keep_file(self, data: bytes) -> None:
        """Remember the lines of a file."""
        if len(data) <= MAX_FILE_BYTES:
            for line in data.decode("utf-8", "replace").splitlines():
                self._keep(line.strip())

    def _keep(self, text: str) -> None:
        fits = len(text) <= min(MAX_PATH, self.left) and len(self.paths) < MAX_TEXTS
        if fits and ("/" in text or "." in text):
            self.left -= len(text)
            self.paths.add(text)

    def has(self, path: str) -> bool:
        """Whether a path is one of these texts, or ends in one that leads upwards."""
        if path in self.paths:
            return True
        if "/../" in f"/{path}/" and any(path.endswith(one) for one in self.paths if ".." in one):
            return True
        if len(path) < MIN_LOOKED_FOR:
            return False
        return any(one in buffer for one in set(_encoded(path)) for buffer in self.buffers)


def _unescaped(string: bytes) -> str:
    if b"\\" not in string:
        return string[1:-1].decode("latin-1")
    try:
        return str(json.loads(string))
    except ValueError:
        return ""


def _encoded(path: str) -> Iterator[bytes]:
    for encoding in _ENCODINGS:
        yield path.encode(encoding, "replace")
