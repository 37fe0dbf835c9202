"""The texts of the kernel during a test cell that may be paths, or SQL statements that change something.

They are a second line of defense behind the places where files may be opened at all, and behind the rule that a
statement stands in the test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from autograder.codec import Packed

_RAW = (b"/", b".", b"\\")
"""A message without any of these characters contains no path; an escape may be any character."""
_CHANGES = re.compile(
    rb"(?i:alter|analyze|attach|create|delete|drop|insert|pragma|reindex|replace|rollback|update|vacuum)"
)
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')
_ENCODINGS = ("utf-8", "utf-32-le", "utf-32-be", "utf-16-le")
MAX_PATH = 4096
MIN_LOOKED_FOR = 6
"""Fewest characters of a path that is searched for in the bytes of arrays."""
MAX_TEXTS, MAX_CHARACTERS = 20_000, 1 << 24
"""Limits for all texts together; texts beyond them are not remembered."""
MAX_FILE_BYTES = MAX_BUFFER_BYTES = 1 << 20
"""Limits for one file, and for one buffer of an array."""


class KernelText:
    """The texts that the student's side sent in one test cell."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.statements: set[str] = set()
        self.buffers: list[bytes] = []
        self.left = MAX_CHARACTERS

    def keep(self, packed: Packed) -> None:
        """Remember the texts of a message, at any depth and in any container."""
        text = bytes(packed.text)
        if _CHANGES.search(text):
            self._keep_statements(text)
        for literal in _STRING.finditer(text) if any(mark in text for mark in _RAW) else ():
            if len(self.paths) >= MAX_TEXTS:
                break
            if any(mark in literal[0] for mark in _RAW):
                self._keep(_unescaped(literal[0]))
        for buffer in packed.buffers:
            may_be_text = any(mark in buffer for mark in (b"/", b".")) or _CHANGES.search(buffer)
            if len(buffer) <= min(MAX_BUFFER_BYTES, self.left) and may_be_text:
                self.left -= len(buffer)
                self.buffers.append(bytes(buffer))

    def _keep_statements(self, text: bytes) -> None:
        for literal in _STRING.finditer(text):
            if len(self.statements) < MAX_TEXTS and _CHANGES.search(literal[0]):
                self.statements.add(_spaced(_unescaped(literal[0])))

    def says(self, statement: str) -> bool:
        """Return whether an SQL statement is one of these texts, or may be, because there were too many of them."""
        if len(self.statements) >= MAX_TEXTS or _spaced(statement) in self.statements:
            return True
        return any(one in buffer for one in set(_encoded(statement)) for buffer in self.buffers)

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
        """Return whether a path is one of these texts, or ends in one that leads upward."""
        if path in self.paths:
            return True
        if "/../" in f"/{path}/" and any(path.endswith(one) for one in self.paths if ".." in one):
            return True
        if len(path) < MIN_LOOKED_FOR:
            return False
        return any(one in buffer for one in set(_encoded(path)) for buffer in self.buffers)


def _spaced(statement: str) -> str:
    return " ".join(statement.split())


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
