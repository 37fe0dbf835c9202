"""Regrading does without large libraries where it can, and notices where it can not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from test_batch import grade_here
from tiny import submit, tiny_course, tiny_release

from autograder import batch, libraries, servers, worker
from autograder.processes import in_processes
from autograder.records import Course

LIBRARY = "mailbox"  # of Python's own, imported by nobody here
SOLUTION = f"import {LIBRARY}\n### BEGIN SOLUTION\nname = {LIBRARY}.Mailbox.__name__\n### END SOLUTION"
TEST = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(libraries, "_wanted", [])
    monkeypatch.delitem(sys.modules, LIBRARY, raising=False)
    libraries.do_without([LIBRARY])
    yield
    sys.modules.pop(LIBRARY, None)


def test_an_import_fails_and_is_noticed_also_where_it_is_caught(absent: None) -> None:
    assert not libraries.wanted()
    with pytest.raises(ImportError, match="mailbox is not imported in this process"):
        importlib.import_module(LIBRARY)
    assert libraries.wanted()


def test_to_ask_whether_it_is_installed_is_no_import(absent: None) -> None:
    assert importlib.util.find_spec(LIBRARY) is not None
    libraries.do_without(["no_such_library"])
    assert importlib.util.find_spec("no_such_library") is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_library")
    assert not libraries.wanted()


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No thread, and no library that starts some."""
    monkeypatch.setattr("autograder.servers.threading.active_count", lambda: 1)
    monkeypatch.setattr(servers, "STARTS_THREADS", ())
    servers.stop_copy()
    yield
    servers.stop_copy()


def copy_for(*, kernels: bool) -> int:
    """Its process id."""
    assert servers.start_copy([], (), kernels=kernels)
    assert servers._copy is not None
    return servers._copy.pid


@pytest.mark.usefixtures("alone")
def test_a_copy_that_starts_no_kernels_gives_way_to_one_that_does() -> None:
    without = copy_for(kernels=False)
    assert copy_for(kernels=False) == without
    with_kernels = copy_for(kernels=True)
    assert with_kernels != without
    assert copy_for(kernels=False) == with_kernels


@pytest.mark.usefixtures("alone")
def test_where_a_thread_runs_the_copy_that_is_there_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The progress bar has one; a kernel's modules are imported where one is started."""
    without = copy_for(kernels=False)
    monkeypatch.setattr("autograder.servers.threading.active_count", lambda: 2)
    assert copy_for(kernels=True) == without
    assert not servers.start_copy(["another"], (), kernels=False)


def test_what_a_batch_without_executions_does_without_is_not_imported() -> None:
    code = "import autograder.processes, sys; print([n for n in ('zmq', 'jupyter_client', 'nbgrader.api') if n in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"


def course_with(root: Path, test: str) -> Course:
    return tiny_course(root, solution=SOLUTION, test=TEST.format(test))


@pytest.mark.parametrize(
    ("test", "where"),
    [
        ("assert name == 'mailbox'", ["without"]),
        (f"assert name == {LIBRARY}.Mailbox.__name__", ["without", "with"]),
        ("try:\n    import mailbox\nexcept BaseException:\n    pass\nassert name == 'Mailbox'", ["without", "with"]),
    ],
)
def test_what_needs_a_library_is_graded_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, test: str, where: list[str]
) -> None:
    """From the kept run in both cases."""
    monkeypatch.setattr(worker, "HEAVY", ("numpy", LIBRARY))
    started: list[str] = []
    start = servers.process

    def counted(*args: object, light: bool) -> object:
        started.append("without" if light else "with")
        return start(*args, light=light)

    monkeypatch.setattr("autograder.servers.process", counted)
    course = course_with(tmp_path, "assert name")
    submit(course, "ada", f"import {LIBRARY}\nname = {LIBRARY}.Mailbox.__name__")

    def grade() -> batch.Batch:
        started.clear()
        return batch.run(batch.plan(course, tiny_release(course)), execute=partial(in_processes, target=grade_here))

    assert grade().graded == ("ada",)
    assert started == ["with"]
    course = course_with(tmp_path, test)
    done = grade()
    assert started == where
    (book,) = done.grades[0].notebooks
    assert book.kept
    assert book.score == (2 if "Mailbox" in test else 0), book.questions[0].detail


def test_one_that_needs_libraries_speaks_for_those_after_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No further ones are tried in vain."""
    monkeypatch.setattr(worker, "HEAVY", ("numpy", LIBRARY))
    course = course_with(tmp_path, "assert name")
    for name in ("ada", "bob", "eve"):
        submit(course, name, f"import {LIBRARY}\nname = {LIBRARY}.Mailbox.__name__  # {name}")
    batch.run(batch.plan(course, tiny_release(course)), execute=partial(in_processes, target=grade_here))
    started: list[bool] = []
    start = servers.process

    def counted(*args: object, light: bool) -> object:
        started.append(light)
        return start(*args, light=light)

    monkeypatch.setattr("autograder.servers.process", counted)
    course = course_with(tmp_path, f"assert name == {LIBRARY}.Mailbox.__name__")
    done = batch.run(batch.plan(course, tiny_release(course)), execute=partial(in_processes, target=grade_here))
    assert [grade.score for grade in done.grades] == [2, 2, 2]
    assert started == [True, False, False, False]
