"""The pytest plugin that collects one test in the examiner, lends it ``student`` and keeps what happens."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from autograder._util.digests import digest
from autograder.check.asking import kernel_ended
from autograder.check.results import CheckRecorder, recording
from autograder.check.shared_folder import new_shared_folder
from autograder.errors import CourseError, HostError

MARKS = ("points", "visible", "hidden", "notebook")
"""Marks that the kit reads from a test file."""


@dataclass
class CaseRun:
    """What a test, a case of ``parametrize`` or a subtest came to."""

    name: str
    results: CheckRecorder
    errors: list[BaseException] = field(default_factory=list)
    subtests: list[CaseRun] = field(default_factory=list)


class Plugin:
    """The plugin of one run.

    Args:
        define: runs the test file, and returns what it binds.
        test: ``tests/test_network.py::test_layers``, or with a class before the function.
        notebook: the fixture ``student``.
        outer: the recording of the test cell.
    """

    def __init__(self, define: Callable[[], Mapping[str, Any]], test: str, notebook: Any, outer: CheckRecorder) -> None:
        self.define, self.test, self.notebook, self.outer = define, test, notebook, outer
        self.folder = os.getcwd()  # noqa: PTH109
        self.parts: list[CaseRun] = []
        self.internal: list[BaseException] = []
        """Errors that end the run: of the test file, of pytest and of the examiner."""

    @pytest.fixture(name="student")
    def _student(self) -> Any:
        return self.notebook

    @pytest.fixture(name="tmp_path")
    def _tmp_path(self) -> Iterator[Path]:
        # Relative, so that a path below it means the same file to the student's code.
        shared = new_shared_folder(f"tmp-{digest(self.test)[:8]}-")
        if shared is not None:
            yield shared
            return
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)

    @pytest.fixture(name="subtests")
    def _subtests(self) -> Any:
        return _Subtests(self.test, self.parts[-1], self.outer)

    def pytest_configure(self, config: Any) -> None:
        """Register the kit's marks."""
        for mark in MARKS:
            config.addinivalue_line("markers", mark)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: Any) -> bool:
        """Collect the test, and nothing else of its file."""
        file, _, path = self.test.partition("::")
        session.items = []
        module = types.ModuleType(Path(file).stem)
        try:
            with working_in(self.folder):
                vars(module).update(self.define())
        except BaseException as error:
            self.internal.append(_as_examined(error, self.test))
            return True
        collected = _TestModule.from_parent(session, path=Path(self.folder, file))
        collected.content = module
        session.items = [item for item in session.genitems(collected) if _path_of(item) == path]
        for item in session.items:
            _leave_no_chance(getattr(item.obj, "__func__", item.obj))
        session.testscollected = len(session.items)
        return True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Any:
        """Run a case in the notebook's folder, with a recording of its own."""
        with working_in(self.folder), recording(self.outer.earned) as results:
            part = CaseRun(item.name, results)
            self.parts.append(part)
            report_result = yield
        ending = kernel_ended()
        if ending is not None and not (part.errors or part.results or part.subtests):
            part.errors.append(ending)  # the test may have caught it, as with raises(Exception)
        return report_result

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
        """Keep a case's error; pytest's own report would show values, and ask the student's objects for their texts."""
        error = None if call.excinfo is None else call.excinfo.value
        if error is not None:
            error = _from_test(_as_examined(error, self.test))
            self.parts[-1].errors.append(error)
            if isinstance(error, HostError) or not isinstance(error, Exception):
                self.internal.append(error)
                item.session.shouldstop = "the test ended"
        outcome: Any = "passed" if error is None else "failed"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, call.when)

    def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
        """Keep the interrupt."""
        self.internal.append(_as_examined(excinfo.value, self.test))

    def pytest_internalerror(self, excinfo: Any) -> bool:
        """Keep an error of pytest's own, unprinted."""
        self.internal.append(excinfo.value)
        return True

    def pytest_collectreport(self, report: Any) -> None:
        """Keep a failed collection as the course's fault."""
        if report.failed:
            self.internal.append(CourseError(f"{self.test}: {report.longrepr}"))


class _TestModule(pytest.Module):
    content: types.ModuleType

    def _getobj(self) -> types.ModuleType:
        return self.content


def _leave_no_chance(test: Any) -> None:
    """Let a test of Hypothesis try the same examples on every answer, and end at the first that fails.

    Smaller examples are for those who read its report, and cost many calls. No example has a limit of its own: a call
    takes longer here than in one process.
    """
    library, settings = sys.modules.get("hypothesis"), getattr(test, "_hypothesis_internal_use_settings", None)
    if library is None or settings is None:
        return
    test._hypothesis_internal_use_settings = library.settings(
        settings,
        phases=[phase for phase in settings.phases if phase.name not in ("shrink", "explain")],
        suppress_health_check=list(library.HealthCheck),
        database=None,
        deadline=None,
        derandomize=True,
    )


class _Subtests:
    """The fixture ``subtests``."""

    def __init__(self, test: str, part: CaseRun, outer: CheckRecorder) -> None:
        self._test, self._part, self._outer = test, part, outer

    @contextlib.contextmanager
    def test(self, msg: str | None = None, **values: Any) -> Iterator[None]:
        """Record a block as a part; what it raises does not end the test."""
        with recording(self._outer.earned) as results:
            part = CaseRun(str(msg or ""), results)
            self._part.subtests.append(part)
            try:
                yield
            except Exception as error:
                if isinstance(error, HostError):
                    raise
                part.errors.append(error)
            except pytest.fail.Exception as error:
                part.errors.append(_as_examined(error, self._test))


@contextlib.contextmanager
def working_in(folder: str) -> Iterator[None]:
    """Change the current folder: pytest goes back to where it was started, which a test may not open."""
    before = os.getcwd()  # noqa: PTH109
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _path_of(item: Any) -> str:
    class_names = [item.cls.__name__] if item.cls else []
    return "::".join([*class_names, item.originalname])


def _from_test(error: BaseException) -> BaseException:
    """Begin the traceback at the test's own line, without pytest's."""
    begin = error.__traceback__
    while begin is not None and not begin.tb_frame.f_code.co_filename.startswith("<test "):
        begin = begin.tb_next
    return error.with_traceback(begin) if begin is not None else error


def _as_examined(error: BaseException, test: str) -> BaseException:
    """Turn pytest's exceptions into those that the examiner knows."""
    if isinstance(error, pytest.fail.Exception):
        return AssertionError(str(error.msg)).with_traceback(error.__traceback__)
    if isinstance(error, pytest.skip.Exception | pytest.xfail.Exception | pytest.exit.Exception):
        return CourseError(f"{test} skips itself ({error}); a test with points has to decide")
    if isinstance(error, pytest.FixtureLookupError):
        return CourseError(f"{test} asks for {error.argname!r}, which is no fixture")
    return error
