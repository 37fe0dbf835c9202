"""What a test puts in the place of ``input``, ``print``, ``open`` and standard input: the student's code meets it."""

from __future__ import annotations

import builtins
import sys
from typing import Any


class Console:
    """Remembers what stood there before any test ran."""

    def __init__(self) -> None:
        self.before = self._now()

    @staticmethod
    def _now() -> dict[str, Any]:
        return {**{name: getattr(builtins, name) for name in ("input", "print", "open")}, "stdin": sys.stdin}

    def replaced(self) -> dict[str, Any]:
        """Name → what stands there now, where that is something else than before."""
        return {name: value for name, value in self._now().items() if value is not self.before[name]}
