"""nbgrader_config.py: read from its syntax tree, never run."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.errors import CourseError

NBGRADER_CONFIG = "nbgrader_config.py"


@dataclass(frozen=True, slots=True)
class NbgraderConfig:
    """What nbgrader_config.py sets, read from its syntax tree."""

    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """``{"IncludeHeaderFooter": {"header": "source/header.ipynb"}}``: literals only."""
    computed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(class, option) whose value is not a literal → the line where it is set."""

    def get(self, owner: str, option: str, default: Any = None) -> Any:
        """The literal that ``c.<owner>.<option>`` is set to.

        Raises:
            CourseError: it is computed, and nobody can tell what it would be.
        """
        self.check(owner, option)
        return self.values.get(owner, {}).get(option, default)

    def check(self, owner: str, option: str | None = None) -> None:
        """Raise :class:`CourseError` where the option, or any of ``owner``, is computed."""
        for (set_for, name), line in self.computed.items():
            if set_for == owner and option in (None, name):
                todo = "write its value as plain text or numbers; this file is read, never run"
                raise CourseError(f"{NBGRADER_CONFIG}:{line}: c.{owner}.{name} is computed: {todo}")


def read_nbgrader_config(root: Path) -> NbgraderConfig:
    """Read the top-level lines ``c.<Class>.<option> = <literal>`` of nbgrader_config.py; nothing is run.

    Raises:
        CourseError: the file is not Python.
    """
    path = root / NBGRADER_CONFIG
    if not path.is_file():
        return NbgraderConfig()
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise CourseError(f"{NBGRADER_CONFIG}:{line}: not valid Python: {error}") from None
    values: dict[str, dict[str, Any]] = {}
    computed: dict[tuple[str, str], int] = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Attribute(ast.Attribute(ast.Name("c"), owner), option)], value=expression):
                try:
                    values.setdefault(owner, {})[option] = ast.literal_eval(expression)
                    computed.pop((owner, option), None)
                except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                    computed[owner, option] = statement.lineno
    return NbgraderConfig(values, computed)
