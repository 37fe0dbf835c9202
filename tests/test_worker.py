"""One submission in, one folder out."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest
from exams import exam_of
from kernels import InProcessKernel
from tiny import YAML, submit, tiny_course, tiny_release

from autograder import batch, result, worker
from autograder.errors import SandboxError
from autograder.probe import keras_training
from autograder.records import CellRun, Course, Exam, ExamCell, Role, RunStatus
from autograder.sandbox.warm import Address
from autograder.worker import Work, start_kernel


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = tiny_course(tmp_path, yaml=YAML + "    due: 2030-01-01\n    late: {kind: per_day, per_day: 0.25}\n")
    submit(made, "ada")
    return made


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> list[InProcessKernel]:
    started: list[InProcessKernel] = []

    def start(work: Work) -> InProcessKernel:
        started.append(InProcessKernel())
        return started[-1]

    monkeypatch.setattr(worker, "start_kernel", start)
    return started


def work_of(course: Course, student: str = "ada") -> Work:
    (work,) = batch.plan(course, tiny_release(course), [student])
    return work


def test_the_folder_holds_the_grade_the_masked_notebook_and_the_time(
    course: Course, kernels: list[InProcessKernel]
) -> None:
    (course.submitted("ada", "hw") / "timestamp.txt").write_text("2029-12-31 12:00:00.000000 UTC")
    work = work_of(course)
    grade = worker.grade_submission(work)
    folder = course.autograded("ada", "hw")
    assert sorted(p.name for p in folder.iterdir()) == ["nb.ipynb", "result.json", "timestamp.txt"]
    assert result.read(folder / "result.json") == result.public(grade)
    assert result.read(folder / "result.json", work.details) == grade
    assert (grade.score, grade.late_penalty) == (2, 0)
    assert grade.submitted_at == datetime(2029, 12, 31, 12, tzinfo=UTC)
    assert grade.content_keys == work.content_keys
    assert {"autograder", "python", "numpy"} <= set(grade.versions)
    assert "double(21)" not in (folder / "nb.ipynb").read_text()
    assert nbformat.read(folder / "nb.ipynb", as_version=4).cells
    assert all(kernel.closed for kernel in kernels)


def test_lateness_costs_what_the_course_says(course: Course) -> None:
    (course.submitted("ada", "hw") / "timestamp.txt").write_text("2030-01-02 12:00:00 UTC")
    grade = worker.grade_submission(work_of(course))
    assert (grade.late_penalty, grade.score) == (0.5, 1.5)


@pytest.mark.parametrize(
    ("name", "content", "status"), [("nb.ipynb", "not json", "invalid"), ("other.ipynb", "", "missing")]
)
def test_without_a_readable_notebook_there_is_a_grade_and_no_notebook_to_show(
    course: Course, kernels: list[InProcessKernel], name: str, content: str, status: str
) -> None:
    folder = course.submitted("ada", "hw")
    (folder / "nb.ipynb").unlink()
    (folder / name).write_text(content)
    grade = worker.grade_submission(work_of(course))
    assert (grade.status, grade.score, grade.max_score) == (status, 0, 2)
    assert [p.name for p in course.autograded("ada", "hw").iterdir()] == ["result.json"]
    assert kernels == []


def test_where_the_host_fails_the_old_folder_stays(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    before = worker.grade_submission(work_of(course))

    def refuse(work: Work) -> InProcessKernel:
        raise SandboxError("no namespaces left")

    monkeypatch.setattr(worker, "start_kernel", refuse)
    assert worker.attempt(work_of(course)) == "no namespaces left"
    assert result.read(course.autograded("ada", "hw") / "result.json") == before
    assert list((course.state / "work").iterdir()) == []


class Killed(InProcessKernel):
    """SIGKILL ends it in its first cell."""

    def run(self, source: str, seconds: float) -> CellRun:
        self.end = (RunStatus.KILLED, "The kernel died.")
        return CellRun("error", error="the kernel died")

    def killed(self) -> bool:
        return bool(self.end)


def test_a_notebook_whose_kernel_somebody_killed_is_run_again(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its grade is that of an undisturbed run."""
    expected = worker.grade_submission(work_of(course))
    waiting: list[type[InProcessKernel]] = [Killed, Killed, InProcessKernel]
    monkeypatch.setattr(worker, "start_kernel", lambda work: waiting.pop(0)())
    assert worker.grade_submission(work_of(course)).notebooks[0].questions == expected.notebooks[0].questions


def test_where_somebody_kills_its_kernel_each_time_there_is_no_grade(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "start_kernel", lambda work: Killed())
    assert "killed the notebook's kernel each of 3 times" in worker.attempt(work_of(course))
    assert not course.autograded("ada", "hw").exists()


def test_the_run_of_a_kernel_that_was_killed_is_not_kept(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is graded from kept runs is what an undisturbed run gave."""
    waiting: list[type[InProcessKernel]] = [Killed, InProcessKernel]
    monkeypatch.setattr(worker, "start_kernel", lambda work: waiting.pop(0)())
    work = replace(work_of(course), runs=tmp_path / "runs")
    first = worker.grade_submission(work)
    again = worker.grade_submission(replace(work, kept=True))
    assert again.notebooks[0].kept
    assert again.notebooks[0].questions == first.notebooks[0].questions
    assert again.score == first.score > 0


def test_a_timestamp_is_copied_within_bounds(course: Course) -> None:
    with (course.submitted("ada", "hw") / "timestamp.txt").open("wb") as file:
        file.truncate(1 << 40)
    worker.grade_submission(work_of(course))
    assert (course.autograded("ada", "hw") / "timestamp.txt").stat().st_size == worker.MAX_TIMESTAMP


def test_a_new_grade_replaces_the_whole_folder(course: Course) -> None:
    worker.grade_submission(work_of(course))
    (course.autograded("ada", "hw") / "left.txt").write_text("from before")
    worker.grade_submission(work_of(course))
    assert not (course.autograded("ada", "hw") / "left.txt").exists()


def test_the_courses_own_modules_are_found_while_grading_and_not_after(course: Course) -> None:
    paths = list(sys.path)
    worker.grade_submission(work_of(course))
    assert sys.path == paths


def test_a_timestamp_that_is_a_link_is_not_followed(course: Course, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("2029-01-01 00:00:00 UTC")
    (course.submitted("ada", "hw") / "timestamp.txt").symlink_to(secret)
    grade = worker.grade_submission(work_of(course))
    assert grade.submitted_at is None
    assert not (course.autograded("ada", "hw") / "timestamp.txt").exists()


def test_a_students_file_goes_along_but_never_in_the_place_of_the_instructors(course: Course) -> None:
    (course.source("hw") / "data.csv").write_text("the instructor's")
    folder = course.submitted("ada", "hw")
    for name in ("data.csv", "mine.py", "timestamp.txt", "second.ipynb"):
        (folder / name).write_text("the student's")
    files = work_of(course).files
    assert set(files) == {"data.csv", "mine.py"}
    assert files["data.csv"].read_text() == "the instructor's"


def test_a_fault_of_the_kit_says_so_and_leaves_its_traceback(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(work: Work) -> object:
        return {}["key"]

    assert worker.attempt(work_of(course), fail) == f"{worker.FAULT}KeyError: 'key'"  # type: ignore[arg-type]
    assert "Traceback" in capsys.readouterr().err


def test_the_libraries_that_take_long_are_those_that_the_instructor_imports() -> None:
    exam = exam_of((Role.FREE, "import numpy as np\nfrom keras.layers import Dense\nimport json"))
    assert worker.heavy_modules([exam]) == ["numpy", "keras"]


def test_a_kernel_imports_what_students_see_imported(course: Course, tmp_path: Path) -> None:
    """What a module of the release imports is among it; a solution's, a hidden test's imports and that module are not."""
    (tmp_path / "helpers.py").write_text("def load():\n    import csv\n")
    exam = exam_of(
        (Role.FREE, "import numpy as np\nfrom matplotlib import pyplot\nimport helpers, jax"),
        (Role.TEST, "### BEGIN HIDDEN TESTS\nimport scipy.stats\n### END HIDDEN TESTS"),
    )
    exam = replace(exam, cells=(exam.cells[0], replace(exam.cells[1], released="import unittest")))
    work = replace(work_of(course), exams=(exam,), files={"helpers.py": tmp_path / "helpers.py"})
    assert worker.released_modules(work) == ["matplotlib", "matplotlib.pyplot", "numpy", "unittest", "csv"]


def test_the_kernel_trains_fast_where_the_course_says_so(course: Course) -> None:
    assignment = course.assignments["hw"]
    assert worker.kernel_options(assignment) == []
    assert worker.kernel_options(replace(assignment, training="fast")) == [keras_training.OPTION]


def test_the_time_that_a_submission_may_take_grows_with_its_notebooks(course: Course) -> None:
    work = work_of(course)
    twice = replace(work, exams=work.exams * 2)
    assert twice.seconds - work.seconds == 3 * (2 * 60 + 300)


ENDS = """
import multiprocessing, os, sys, time
sys.path[:0] = {path!r}
from autograder import worker
reader, writer = multiprocessing.Pipe(duplex=False)
if os.fork() == 0:
    reader.close()
    worker._end_with_coordinator(writer)
    time.sleep(0.3)
    print("lives while it is listened to", flush=True)
    time.sleep(30)
    print("lives on", flush=True)
time.sleep(1)
"""


def test_a_process_that_nobody_listens_to_ends_at_once() -> None:
    """However the coordinator ended."""
    script = ENDS.format(path=sys.path) + "os._exit(0)"
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=True)
    assert said.stdout == "lives while it is listened to\n"


ADDRESS = Address(1, 0, (), (), (), (), (), ("numpy.linalg",))


@pytest.mark.parametrize(
    ("released", "imported"),
    [
        ("import os, scipy\nos.environ['KERAS_BACKEND'] = 'jax'\nimport keras, pytensor", ["keras", "scipy"]),
        ("%env PYTENSOR_FLAGS=floatX=float32\nimport pytensor", []),
        ("import pytensor", ["pytensor"]),
    ],
)
def test_what_may_look_at_the_environment_is_not_imported_before_it_is_set(
    course: Course, released: str, imported: list[str]
) -> None:
    """But for what every kernel imports before its first cell."""
    work = work_of(course)
    (exam,) = work.exams
    cells = tuple(replace(cell, released=released if i == 0 else "") for i, cell in enumerate(_code(exam)))
    assert worker.released_modules(replace(work, exams=(replace(exam, cells=cells),))) == imported


def _code(exam: Exam) -> list[ExamCell]:
    return [cell for cell in exam.cells if cell.cell_type == "code"]


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("own", "tried"), [(set(), ["WarmSandbox", "BubblewrapSandbox"]), ({"numpy.py"}, ["BubblewrapSandbox"])]
)
def test_a_kernel_that_a_fork_can_not_be_is_started(
    course: Course, monkeypatch: pytest.MonkeyPatch, own: set[str], tried: list[str]
) -> None:
    """It does not come up there; or a file of the student's takes the place of what the template has imported."""
    given: list[str] = []

    def refuse(sandbox: object, *_: object, **__: object) -> None:
        given.append(type(sandbox).__name__)
        if given[-1] == "WarmSandbox":
            raise SandboxError("it does not answer")

    monkeypatch.setattr("autograder.kernel.SandboxedKernel", refuse)
    work = work_of(course)
    (exam,) = work.exams
    cells = tuple(replace(cell, released="import numpy.linalg") for cell in _code(exam))
    files = {**work.files, **{name: work.submission / name for name in own}}
    start_kernel(replace(work, exams=(replace(exam, cells=cells),), files=files, template=ADDRESS))
    assert given == tried
