"""Values of the test that the student's functions read as global variables, lent for one request.

``limit = 3`` in a test reaches a function that reads ``limit`` only while a request runs in which the solution was seen
to read it. A value under a name could be an expected one. Hidden data never go by a name, and neither does a value that
the test has bound or filled after it asked for them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Set
from typing import Any

from autograder.check.data import is_hidden
from autograder.codec import CodecError, Packed
from autograder.examiner.remote.changes import TestedCall
from autograder.examiner.tainted_names import TaintedNames

RUNNING = frozenset(["call", "getattr", "setattr", "delattr", "operate", "elsewhere", "ask_model"])
"""Requests that run the student's code."""

OF_FILES = (("pull_files",), ("push_files",), ("stand_for",))
"""Operations on the notebook's folder, which the kernel and its copies share: the kernel knows its state."""


class Lending:
    """The values of one test cell that may be lent."""

    def __init__(self, remote: Any) -> None:
        self.remote = remote
        self.values: dict[str, Any] = {}
        """Name that the test has bound → its value."""
        self.readable: Set[str] = frozenset()
        """Global names that functions of the instructor's source read: no other name is tried with the solution."""
        self.kept_back: set[str] = set()
        """Names whose values do not go to the kernel in any way."""
        self.tainted: TaintedNames | None = None
        self.lent: dict[str, Packed] = {}
        """Name → the value that the student's code has had under it: until another is bound, that is no secret."""
        self._depth = 0

    def begin(self) -> None:
        """Begin a test cell."""
        self.values.clear()
        self.lent.clear()
        self.kept_back.clear()

    def bind(self, name: str, value: Any, *, secret: bool) -> None:
        """Note that the test has bound a name; a secret value is kept back, and one that no function reads."""
        self.forget(name)
        if secret or name not in self.readable:
            self.kept_back.add(name)
        else:
            self.values[name] = value

    def is_secret(self, name: str) -> bool:
        """Tell whether the value under a name may be of hidden data."""
        return name in self.kept_back or (self.tainted is not None and self.tainted.holds(name))

    def forget(self, name: str) -> None:
        """Forget a name that the test has deleted, or bound to what the kernel has."""
        self.values.pop(name, None)
        self.lent.pop(name, None)
        self.kept_back.discard(name)

    @contextlib.contextmanager
    def during(self, verb: str, arguments: tuple[Any, ...], call: TestedCall) -> Iterator[tuple[Any, ...]]:
        """Yield the request to send in place of this one; inside the block it is sent."""
        permissions = self.remote.permissions
        if verb not in RUNNING or arguments[:1] in OF_FILES or (not self.values and not permissions.traces_reads):
            yield (verb, *arguments)
            return
        readable = permissions.reads(*call, self.values.keys())
        lent = self._encodable(readable, frozenset() if call.names else self.lent.keys())
        if verb == "call" and (refused := self.values.keys() - self.lent.keys()):
            permissions.reads_later(refused)
        self._depth += 1
        try:
            yield ("lend", lent, verb, arguments) if lent else (verb, *arguments)
        finally:
            self._depth -= 1
            if permissions.traces_reads and self._depth == 0 and not self.remote.lost:
                names_read = self.remote.ask("reads")
                permissions.was_read(*call, lent.keys() & set(names_read))

    def _encodable(self, names: Set[str], again: Set[str]) -> Mapping[str, Any]:
        """Return the values that can travel; others are not needed in the kernel.

        Args:
            names: those to lend.
            again: those to lend if the kernel has had this very value: a generator reads a name when it is read.
        """
        values = {}
        for name in names | again:
            with contextlib.suppress(CodecError):
                if not is_hidden(self.values[name]) and not self.is_secret(name):
                    packed = self.remote.encoded(self.values[name])
                    if name in names or packed == self.lent[name]:  # the test may have changed what it lent
                        self.lent[name] = packed
                        values[name] = self.values[name]
        return values
