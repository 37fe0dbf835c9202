"""Comparison of two grades as records: all that a student can read, but for what was measured.

Scores and outcomes of questions are left to :func:`autograder.coordinator.forecast.changed_questions`, which has words
of its own for them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from autograder._util.text import one_line
from autograder.exchange.result_json import public, to_json
from autograder.records.grade import Grade

_MEASURED = frozenset(
    {"wall_seconds", "own_seconds", "cpu_seconds", "answer_seconds", "test_seconds", "peak_memory_mib", "times"}
    | {"graded_at", "versions", "content_keys", "sandbox", "kept", "diagnoses"}
)
"""Keys of times and memory; of where and from what a grade was made, which is compared elsewhere; of what is no part
of a grade."""
_DERIVED = frozenset({"status", "score", "max_score", "needs_manual_grade"})
_NOT_OF_RUNS = frozenset({"student", "assignment", "late_penalty", "submitted_at", "dates", "files"})
"""Keys that do not depend on what happens in an execution."""
_TOLERANCE = 1e-6
_MAX_VALUE = 40

_Path = tuple[str, ...]


def differing_parts(grade: Grade, replayed: Grade, *, is_certain: bool) -> Iterator[str]:
    """Yield what differs between a grade and one that was made anew: ``test-double max_score 50 → 5``.

    Args:
        grade: the grade as it was given.
        replayed: the grade that was made anew.
        is_certain: whether there was no chance in it, as in a recording. If there was, messages, checks and curves of
            two honest runs differ, and only what no run decides is compared.
    """
    before, after = (dict(_leaves(to_json(public(each)))) for each in (grade, replayed))
    for path in dict.fromkeys([*before, *after]):
        if (is_certain or path[0] in _NOT_OF_RUNS or path[-1] == "max_score") and not _agree(
            before.get(path), after.get(path)
        ):
            change = f"{_short(before.get(path))} → {_short(after.get(path))}"
            yield one_line(f"{' '.join(path[1:] or path)} {change}", 300)


def _leaves(value: Any, path: _Path = ()) -> Iterator[tuple[_Path, Any]]:
    """Take a record apart: path in words → value, for all that is compared."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            is_skipped = key in _MEASURED or (not path and key in _DERIVED)
            if not is_skipped and not (_is_question(path) and key in ("score", "outcome")):
                yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            names = (
                [inner[key] for key in ("id", "name", "notebook") if key in inner] if isinstance(inner, dict) else []
            )
            yield from _leaves(inner, (*path, f"{number} {names[0]}" if names else str(number)))
    else:
        yield path, value


def _is_question(path: _Path) -> bool:
    return len(path) == 2 and path[0] == "questions"


def _agree(before: Any, after: Any) -> bool:
    numbers = [value for value in (before, after) if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == 2:
        return math.isclose(*numbers, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    return type(before) is type(after) and bool(before == after)


def _short(value: Any) -> str:
    text = "nothing" if value is None or value == "" else str(value)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}…"
