"""A test's replacements for ``input``, ``print``, ``open`` and standard input, for use by the student's code.

So is what a test sets in ``os.environ``.
"""

from __future__ import annotations

import builtins
import os
import sys
from typing import Any


class Console:
    """The originals, as they were before any test ran."""

    def __init__(self) -> None:
        self.before = self._now()
        self.environment = dict(os.environ)

    def begin(self) -> None:
        """Begin a test cell: what its imports have set in the environment is none of the test's."""
        self.environment = dict(os.environ)

    @staticmethod
    def _now() -> dict[str, Any]:
        return {**{name: getattr(builtins, name) for name in ("input", "print", "open")}, "stdin": sys.stdin}

    def replaced(self) -> dict[str, Any]:
        """Return name → replacement for each of them that is replaced now.

        ``environ`` is variable → text, or None for a variable that the test has removed.
        """
        replaced = {name: value for name, value in self._now().items() if value is not self.before[name]}
        environment = self._changed_variables()
        return {**replaced, "environ": environment} if environment else replaced

    def _changed_variables(self) -> dict[str, str | None]:
        now = dict(os.environ)
        changed = {name for name in now.keys() | self.environment if now.get(name) != self.environment.get(name)}
        return {name: now.get(name) for name in changed if not name.startswith("PYTEST_")}
