"""A test's replacements for ``input``, ``print``, ``open`` and standard input, for use by the student's code."""

from __future__ import annotations

import builtins
import sys
from typing import Any


class Console:
    """The originals, as they were before any test ran."""

    def __init__(self) -> None:
        self.before = self._now()

    @staticmethod
    def _now() -> dict[str, Any]:
        return {**{name: getattr(builtins, name) for name in ("input", "print", "open")}, "stdin": sys.stdin}

    def replaced(self) -> dict[str, Any]:
        """Return name → replacement for each of them that is replaced now."""
        return {name: value for name, value in self._now().items() if value is not self.before[name]}
