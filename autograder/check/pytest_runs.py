"""Runs of one pytest function in the examiner: the real pytest, with the notebook as the fixture ``student``.

The extension ``pytest_files`` writes the test cells that call :func:`run`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autograder.check.cases import case
from autograder.check.results import CheckRecorder, current, report, share
from autograder.errors import CourseError, EmptyAnswerError, RemoteError
from autograder.records.checks import Outcome, is_undecided, shortcomings

if TYPE_CHECKING:  # it imports pytest
    from autograder.check.pytest_collection import CaseRun

_NEUTRAL = "/usr"
"""Folder that pytest is started in."""
_WITHOUT = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "logging", "pastebin"),
    *("setuponly", "setupplan", "skipping", "stepwise", "subtests", "terminal", "threadexception", "tmpdir"),
    *("unittest", "unraisableexception", "warnings"),
)


class UnnamedError(CourseError, AttributeError):
    """A name that the fixture does not have: a library may ask ``hasattr``, and a test is at fault."""


class Student:
    """The fixture ``student``: its attributes are the notebook's names."""

    def __init__(self, names: Mapping[str, Callable[[], Any]]) -> None:
        """Create the fixture.

        Args:
            names: name → function that looks the name up.
        """
        self._names = names

    def __getattr__(self, name: str) -> Any:
        """Look a name up.

        Raises:
            UnnamedError: the test file does not ask for the name as ``student.<name>``.
        """
        if name not in self._names:
            raise UnnamedError(f"the test asks for {name!r} in another way than student.{name}, or at another place")
        return self._names[name]()

    def at(self, cell_id: str) -> Student:
        """Return the names at a cell; the whole test is run there."""
        return self


def student(**names: Callable[[], Any]) -> Student:
    """Make the fixture ``student`` of a test that asks for these names."""
    return Student(names)


def run(
    define: Callable[[], Mapping[str, Any]],
    test: str,
    notebook: Student,
    *,
    hidden: bool,
    conftest: ModuleType | None = None,
) -> None:
    """Run one test; its failure is raised, and the cases of several are reported as checks of equal weight.

    Args:
        define: runs the test file, and returns what it binds.
        test: ``tests/test_network.py::test_layers``, or with a class before the function.
        notebook: the fixture ``student``.
        hidden: students do not have the test: no message tells its parameters.
        conftest: the module with fixtures of the course's tests.

    Raises:
        CourseError: the test is at fault: it decides nothing, skips itself, or asks for an unknown fixture.
    """
    outer = current()
    if outer is None:
        raise CourseError(f"{test} is run by the examiner alone")
    parts = _run(define, test, notebook, outer, conftest)
    if not parts:
        raise CourseError(f"{test}: pytest found no test there")
    if len(parts) == 1 and not parts[0].subtests:
        outer.extend(parts[0].results)
        outer.unmet += parts[0].results.unmet
        for error in parts[0].errors:
            raise error
        return
    for number, part in enumerate(parts, 1):
        title = test.rpartition("::")[2] + f", case {number}" if hidden else part.name
        _report(part, title if len(parts) > 1 else test.rpartition("::")[2], 1.0, outer, hidden=hidden)


def _report(part: CaseRun, name: str, weight: float, outer: CheckRecorder, *, hidden: bool) -> None:
    """Report a part as a check, or its subtests as one each."""
    outer.unmet += part.results.unmet
    outer.extend(check for check in part.results if check.bonus or check.outcome is Outcome.BROKEN)
    failing = part.errors
    if part.subtests and not failing:
        shares = weight / (len(part.subtests) + bool(part.results))
        for number, subtest in enumerate(part.subtests, 1):
            title = f"{name}, part {number}" if hidden or not subtest.name else f"{name}, {subtest.name}"
            _report(subtest, title, shares, outer, hidden=hidden)
        if not part.results:
            return
        weight = shares
    for error in failing:
        if isinstance(error, RemoteError) and not (hasattr(error, "remote") or isinstance(error, EmptyAnswerError)):
            raise error  # the kernel is gone, or a person has to look
        with case(name, weight=weight, hidden=hidden):
            raise error
        return
    counted = [check for check in part.results if not check.bonus]
    message = shortcomings(tuple(counted)) or "right"
    report(name, share(counted), message, weight=weight, undecided=any(map(is_undecided, counted)))


def _run(
    define: Callable[[], Mapping[str, Any]],
    test: str,
    notebook: Student,
    outer: CheckRecorder,
    conftest: ModuleType | None,
) -> list[CaseRun]:
    import pytest

    from autograder.check.pytest_collection import Plugin, working_in

    plugin = Plugin(define, test, notebook, outer)
    arguments = ["--disable-plugin-autoload", "-c", os.devnull, "--rootdir", plugin.folder, "--noconftest"]
    arguments += ["--assert=plain", "--capture=no", "--import-mode=importlib", *(f"-pno:{name}" for name in _WITHOUT)]
    with _without_options(), working_in(_NEUTRAL):
        code = pytest.main(arguments, plugins=[plugin, *([conftest] if conftest is not None else [])])
    for error in plugin.internal:
        raise error
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise CourseError(f"{test}: pytest ended with {code!r}")
    return plugin.parts


@contextlib.contextmanager
def _without_options() -> Iterator[None]:
    """Take pytest's options out of the environment."""
    options = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYTEST_")}
    try:
        yield
    finally:
        os.environ.update(options)
