"""Progress bar of an audit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from autograder._util.text import one_line
from autograder.cli.progress import BatchProgress
from autograder.extensions.trust.audit_records import Result


class AuditProgress(BatchProgress):
    """Progress of an audit: mutants instead of submissions, verdicts instead of scores.

    ``seconds`` is the time for all of them: the audit ends then, however many are left.
    """

    def __init__(self, due: Sequence[str], title: str, console: Console, *, seconds: float, **options: Any) -> None:
        super().__init__(due, f"{one_line(title, 14)} ≤ {seconds / 60:.3g} min", console, **options)

    def judge(self, name: str, result: Result) -> None:
        """Count one more mutant as done, and show its verdict."""
        verdict = result.verdict.value
        operator = one_line(result.mutant.operator, 60)
        self._count(name, verdict, f"{result.mutant.cell}: {operator}: {verdict}")

    def _standing(self) -> Text:
        parts = [Text(f"{verdict} {number}", _VERDICTS.get(verdict, "")) for verdict, number in self.counts.items()]
        line = Text(" · ", "dim").join(parts)
        line.no_wrap, line.overflow = True, "ellipsis"
        return line


_VERDICTS = {"caught": "green", "spared": "green", "survived": "red", "lost": "bold red", "not graded": "bold red"}
"""Verdicts of an audit → rich's styles."""
