"""Runs of one pytest function in the examiner: the real pytest, with the notebook as the fixture ``student``.

:mod:`autograder.release.test_files` writes the test cells that call :func:`run`.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder._util.digests import digest
from autograder.check.cases import case
from autograder.check.events import kernel_ended
from autograder.check.results import Recording, current, recording, report, share
from autograder.check.shared_folder import new_shared_folder
from autograder.errors import CourseError, HostError, RemoteError
from autograder.records.checks import UNDECIDED, Outcome, is_undecided, shortcomings

MARKS = ("points", "visible", "hidden", "notebook")
"""Marks that the kit reads from a test file."""
_NEUTRAL = "/usr"
"""Folder that pytest is started in."""
_WITHOUT = (
    *("cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging", "pastebin"),
    *("setuponly", "setupplan", "skipping", "stepwise", "subtests", "terminal", "threadexception", "tmpdir"),
    *("unittest", "unraisableexception", "warnings"),
)


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
            CourseError: the test file does not ask for the name as ``student.<name>``.
        """
        if name not in self._names:
            raise CourseError(f"the test asks for {name!r} in another way than student.{name}, or at another place")
        return self._names[name]()

    def at(self, place: str) -> Student:
        """Return the names at a cell; the whole test is run there."""
        return self


def student(**names: Callable[[], Any]) -> Student:
    """Make the fixture ``student`` of a test that asks for these names."""
    return Student(names)


@dataclass
class _Part:
    """What a test, a case of ``parametrize`` or a subtest came to."""

    name: str
    results: Recording
    errors: list[BaseException] = field(default_factory=list)
    subtests: list[_Part] = field(default_factory=list)


def run(define: Callable[[], Mapping[str, Any]], test: str, notebook: Student, *, hidden: bool) -> None:
    """Run one test; its failure is raised, and the cases of several are reported as checks of equal weight.

    Args:
        define: runs the test file, and returns what it binds.
        test: ``tests/test_network.py::test_layers``, or with a class before the function.
        notebook: the fixture ``student``.
        hidden: students do not have the test: no message tells its parameters.

    Raises:
        CourseError: the test is at fault: it decides nothing, skips itself, or asks for an unknown fixture.
    """
    outer = current()
    if outer is None:
        raise CourseError(f"{test} is run by the examiner alone")
    parts = _run(define, test, notebook, outer)
    if not parts:
        raise CourseError(f"{test}: pytest found no test there")
    if len(parts) == 1 and not parts[0].subtests:
        outer.extend(parts[0].results)
        outer.unmet += parts[0].results.unmet
        for error in parts[0].errors:
            raise error
        return
    for number, part in enumerate(parts, 1):
        shown = test.rpartition("::")[2] + f", case {number}" if hidden else part.name
        _report(part, shown if len(parts) > 1 else test.rpartition("::")[2], 1.0, outer, hidden=hidden)


def _report(part: _Part, name: str, weight: float, outer: Recording, *, hidden: bool) -> None:
    """Report a part as a check, or its subtests as one each."""
    outer.unmet += part.results.unmet
    outer.extend(check for check in part.results if check.bonus or check.outcome is Outcome.BROKEN)
    failing = part.errors
    if part.subtests and not failing:
        shares = weight / (len(part.subtests) + bool(part.results))
        for number, one in enumerate(part.subtests, 1):
            shown = f"{name}, part {number}" if hidden or not one.name else f"{name}, {one.name}"
            _report(one, shown, shares, outer, hidden=hidden)
        if not part.results:
            return
        weight = shares
    for error in failing:
        if isinstance(error, RemoteError) and not hasattr(error, "remote"):
            raise error  # the kernel is gone, or a person has to look
        with case(name, weight=weight, hidden=hidden):
            raise error
        return
    counted = [check for check in part.results if not check.bonus]
    message = shortcomings(tuple(counted)) or "right"
    evidence = {UNDECIDED: True} if any(map(is_undecided, counted)) else {}
    report(name, share(counted), message, weight=weight, evidence=evidence)


def _run(define: Callable[[], Mapping[str, Any]], test: str, notebook: Student, outer: Recording) -> list[_Part]:
    import pytest

    plugin = _plugin(define, test, notebook, outer)
    arguments = ["--disable-plugin-autoload", "-c", os.devnull, "--rootdir", "/", "--noconftest", "--assert=plain"]
    arguments += ["--capture=no", "--import-mode=importlib", *(f"-pno:{name}" for name in _WITHOUT)]
    with _without_options(), _working_in(_NEUTRAL):
        code = pytest.main(arguments, plugins=[plugin])
    for error in plugin.internal:
        raise error
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise CourseError(f"{test}: pytest ended with {code!r}")
    parts: list[_Part] = plugin.parts
    return parts


@contextlib.contextmanager
def _working_in(folder: str) -> Iterator[None]:
    """Change the current folder: pytest goes back to where it was started, which a test may not open."""
    before = os.getcwd()  # noqa: PTH109
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _without_options() -> Iterator[None]:
    """Take pytest's options out of the environment."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYTEST_")}
    try:
        yield
    finally:
        os.environ.update(kept)


def _plugin(define: Callable[[], Mapping[str, Any]], test: str, notebook: Student, outer: Recording) -> Any:
    """Make the plugin that collects the test, lends it ``student`` and keeps what happens."""
    import pytest

    file, folder = test.partition("::")[0], os.getcwd()  # noqa: PTH109
    module = types.ModuleType(Path(file).stem)

    class File(pytest.Module):
        def _getobj(self) -> types.ModuleType:
            return module

    class Subtests:
        def __init__(self, part: _Part) -> None:
            self.part = part

        @contextlib.contextmanager
        def test(self, msg: str | None = None, **values: Any) -> Iterator[None]:
            with recording(outer.earned) as results:
                one = _Part(str(msg or ""), results)
                self.part.subtests.append(one)
                try:
                    yield
                except Exception as error:
                    if isinstance(error, HostError):
                        raise
                    one.errors.append(error)
                except pytest.fail.Exception as error:
                    one.errors.append(_own(error, test))

    class Plugin:
        def __init__(self) -> None:
            self.parts: list[_Part] = []
            self.internal: list[BaseException] = []

        @pytest.fixture(name="student")
        def _student(self) -> Student:
            return notebook

        @pytest.fixture(name="tmp_path")
        def _tmp_path(self) -> Iterator[Path]:
            # Relative, so that a path below it means the same file to the student's code.
            shared = new_shared_folder(f"tmp-{digest(test)[:8]}-")
            if shared is not None:
                yield shared
                return
            with tempfile.TemporaryDirectory() as folder:
                yield Path(folder)

        @pytest.fixture(name="subtests")
        def _subtests(self) -> Any:
            return Subtests(self.parts[-1])

        def pytest_configure(self, config: Any) -> None:
            for mark in MARKS:
                config.addinivalue_line("markers", mark)

        @pytest.hookimpl(tryfirst=True)
        def pytest_collection(self, session: Any) -> bool:
            session.items = []
            try:
                with _working_in(folder):
                    vars(module).update(define())
            except BaseException as error:
                self.internal.append(_own(error, test))
                return True
            collected = File.from_parent(session, path=Path("/", file))
            session.items = [item for item in session.genitems(collected) if _path_of(item) == test.partition("::")[2]]
            session.testscollected = len(session.items)
            return True

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(self, item: Any) -> Any:
            with _working_in(folder), recording(outer.earned) as results:
                part = _Part(item.name, results)
                self.parts.append(part)
                done = yield
            ending = kernel_ended()
            if ending is not None and not (part.errors or part.results or part.subtests):
                part.errors.append(ending)  # the test may have caught it, as with raises(Exception)
            return done

        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
            # pytest's own report would show values: that asks the student's objects for their texts.
            error = None if call.excinfo is None else call.excinfo.value
            if error is not None:
                error = _from_test(_own(error, test))
                self.parts[-1].errors.append(error)
                if isinstance(error, HostError) or not isinstance(error, Exception):
                    self.internal.append(error)
                    item.session.shouldstop = "the test ended"
            outcome: Any = "passed" if error is None else "failed"
            return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, call.when)

        def pytest_keyboard_interrupt(self, excinfo: Any) -> None:
            self.internal.append(_own(excinfo.value, test))

        def pytest_internalerror(self, excinfo: Any) -> bool:
            self.internal.append(excinfo.value)
            return True

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                self.internal.append(CourseError(f"{test}: {report.longrepr}"))

    return Plugin()


def _path_of(item: Any) -> str:
    named = [item.cls.__name__] if item.cls else []
    return "::".join([*named, item.originalname])


def _from_test(error: BaseException) -> BaseException:
    """Begin the traceback at the test's own line, without pytest's."""
    begin = error.__traceback__
    while begin is not None and not begin.tb_frame.f_code.co_filename.startswith("<test "):
        begin = begin.tb_next
    return error.with_traceback(begin) if begin is not None else error


def _own(error: BaseException, test: str) -> BaseException:
    """Turn pytest's exceptions into those that the examiner knows."""
    import pytest

    if isinstance(error, pytest.fail.Exception):
        return AssertionError(str(error.msg)).with_traceback(error.__traceback__)
    if isinstance(error, pytest.skip.Exception | pytest.xfail.Exception | pytest.exit.Exception):
        return CourseError(f"{test} skips itself ({error}); a test with points has to decide")
    if isinstance(error, pytest.FixtureLookupError):
        return CourseError(f"{test} asks for {error.argname!r}, which is no fixture")
    return error
