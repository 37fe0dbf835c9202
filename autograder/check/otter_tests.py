"""Visible tests of an otter notebook, run in the student's own kernel: what ``autograder try`` calls for each question.

They are in the notebook's metadata, as otter's doctests or as the source of its functions. They decide no points.
"""

from __future__ import annotations

import doctest
import inspect
import io
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograder.check.display import same_display
from autograder.errors import CourseError

CALL = re.compile(r"^\s*grader\.check\(\s*[\"']([^\"']+)[\"']\s*\)", re.MULTILINE)
"""Call of a notebook that runs the tests of a question."""
_IMPORT = re.compile(r"^from otter\.test_files import test_case\s*$", re.MULTILINE)
Case = tuple[str, str, Callable[[], str]]
"""Name of a case, its message for a failure, and its run, which returns what is wrong."""


def tests_of(metadata: Any) -> dict[str, Any]:
    """Return the tests in a notebook's metadata by question; empty if it has none of otter's."""
    otter = metadata.get("otter") if isinstance(metadata, dict) else None
    tests = otter.get("tests") if isinstance(otter, dict) else None
    return {k: v for k, v in tests.items() if isinstance(v, dict | str)} if isinstance(tests, dict) else {}


def use_stand_in() -> None:
    """Let notebooks import otter in this process, where otter-grader is not installed."""
    folder = Path(__file__).parents[1] / "kernel" / "stand_ins"
    if find_spec("otter") is None and folder.is_dir():
        sys.path.append(str(folder))


def run_test(question: str, test: Mapping[str, Any] | str, names: Mapping[str, Any]) -> None:
    """Run a question's visible tests on the notebook's names.

    Raises:
        AssertionError: a case fails; it says which one, and what it should show.
        CourseError: the test is not as otter writes tests.
    """
    cases = _functions(question, test, names) if isinstance(test, str) else _doctests(question, test, names)
    for name, message, run in cases:
        problem = run()
        if problem:
            raise AssertionError(f"{name}: {message or problem}")


class _Spelled(doctest.OutputChecker):
    """Comparison of texts that takes the spellings of other versions for the same value."""

    def check_output(self, want: str, actual: str, optionflags: int) -> bool:
        return super().check_output(want, actual, optionflags) or same_display(actual, want)


def _doctests(question: str, test: Mapping[str, Any], names: Mapping[str, Any]) -> Iterator[Case]:
    try:
        cases = [case for suite in test["suites"] for case in suite["cases"]]
        codes = [str(case["code"]) for case in cases]
    except (KeyError, TypeError) as error:
        raise CourseError(f"{question}: not a test of otter's ({type(error).__name__}: {error})") from None
    for number, (case, code) in enumerate(zip(cases, codes, strict=True), 1):
        yield f"{question} - {number}", str(case.get("failure_message") or ""), _doctest(question, code, names)


def _doctest(question: str, code: str, names: Mapping[str, Any]) -> Callable[[], str]:
    def run() -> str:
        example = doctest.DocTestParser().get_doctest(code, dict(names), question, None, 0)
        output = io.StringIO()
        doctest.DocTestRunner(checker=_Spelled(), verbose=False).run(example, out=output.write, clear_globs=False)
        lines = output.getvalue().split("Failed example:", 1)[-1]
        return " ".join(lines.split())

    return run


def _functions(question: str, source: str, names: Mapping[str, Any]) -> Iterator[Case]:
    functions: list[tuple[Callable[..., Any], str]] = []

    def test_case(*_: Any, failure_message: str | None = None, **__: Any) -> Callable[[Any], Any]:
        def note(function: Callable[..., Any]) -> Callable[..., Any]:
            functions.append((function, failure_message or ""))
            return function

        return note

    exec(compile(_IMPORT.sub("", source), f"<tests of {question}>", "exec"), {"test_case": test_case})
    for number, (function, message) in enumerate(functions, 1):
        yield f"{question} - {number}", message, _call(function, names)


def _call(function: Callable[..., Any], names: Mapping[str, Any]) -> Callable[[], str]:
    def run() -> str:
        values = {n: dict(names) if n == "env" else names.get(n) for n in inspect.signature(function).parameters}
        try:
            function(**values)
        except Exception as error:
            return f"{type(error).__name__}: {error}".rstrip(": ")
        return ""

    return run
