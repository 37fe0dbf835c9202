"""One submission in, one folder out."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.tiny import YAML, ending_here, grade_here, submit, tiny_course, tiny_release

from autograder.coordinator import batch, submission_grading
from autograder.errors import SandboxError
from autograder.exchange import result_json
from autograder.exchange.work import MAX_TIMESTAMP, Work
from autograder.records.course import Course
from autograder.records.grade import Grade, NotebookGrade
from autograder.records.run import CellRun, RunStatus
from autograder.results.report import grades_csv, render_class_report, render_feedback


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

    monkeypatch.setattr(tiny, "start_kernel", start)
    return started


def work_of(course: Course, student: str = "ada") -> Work:
    (work,) = batch.plan(course, tiny_release(course), [student])
    return work


def test_the_folder_holds_the_grade_the_masked_notebook_and_the_time(
    course: Course, kernels: list[InProcessKernel]
) -> None:
    (course.submitted("ada", "hw") / "timestamp.txt").write_text("2029-12-31 12:00:00.000000 UTC")
    work = work_of(course)
    grade = grade_here(work)
    folder = course.autograded("ada", "hw")
    assert sorted(p.name for p in folder.iterdir()) == ["nb.ipynb", "result.json", "timestamp.txt"]
    assert result_json.read(folder / "result.json") == result_json.public(grade)
    assert result_json.read(folder / "result.json", work.details) == grade
    assert (grade.score, grade.late_penalty) == (2, 0)
    assert grade.submitted_at == datetime(2029, 12, 31, 12, tzinfo=UTC)
    assert grade.content_keys == work.content_keys
    assert {"autograder", "python", "numpy"} <= set(grade.versions)
    assert "double(21)" not in (folder / "nb.ipynb").read_text()
    assert nbformat.read(folder / "nb.ipynb", as_version=4).cells
    assert all(kernel.closed for kernel in kernels)


def test_own_times_are_for_the_teacher_and_that_of_a_hidden_test_for_nobody_else(course: Course) -> None:
    work = work_of(course)
    (book,) = grade_here(work).notebooks
    assert book.own_seconds == book.wall_seconds > 0
    (question,) = book.questions
    assert question.answer_seconds is not None
    assert question.test_seconds is not None
    assert question.test_seconds > 0
    result = json.loads((course.autograded("ada", "hw") / "result.json").read_text())
    assert (result["questions"][0]["answer_seconds"], result["questions"][0]["test_seconds"]) == (
        question.answer_seconds, None,
    )  # fmt: skip


@pytest.mark.parametrize(("seconds", "executed"), [((4.0,), 4), ((3.0, 2.0), 5), ((99.0,), 10), ((0.0,), None)])
def test_the_last_cell_had_run_the_notebooks_own_seconds_after_a_kernel_was_lent(
    seconds: tuple[float, ...], executed: int | None
) -> None:
    lent = datetime(2030, 1, 1, tzinfo=UTC)
    books = [NotebookGrade("nb", "completed", "", (), wall_seconds=of_one) for of_one in seconds]
    time_of = submission_grading._executed(lent, books, lent + timedelta(seconds=10))
    assert time_of == (None if executed is None else lent + timedelta(seconds=executed))


def test_nothing_is_lent_or_executed_where_a_recording_is_read(course: Course) -> None:
    book = NotebookGrade("nb", "completed", "", (), wall_seconds=4.0, replayed=True)
    lent = datetime(2030, 1, 1, tzinfo=UTC)
    assert submission_grading._executed(lent, [book], lent) is None
    assert grade_here(work_of(course)).times.lent is None  # this examiner starts its kernel by itself


def test_a_grade_says_when_its_steps_were_done(course: Course) -> None:
    began = datetime.now(UTC)

    def examine(work: Work) -> submission_grading.ExaminerReply:
        return replace(tiny.examine_here(work), lent=datetime.now(UTC))

    grade = submission_grading.grade_submission(work_of(course), examine)
    times = grade.times
    assert began <= times.begun <= times.lent <= times.executed <= times.examined <= grade.graded_at


def test_lateness_costs_what_the_course_says(course: Course) -> None:
    (course.submitted("ada", "hw") / "timestamp.txt").write_text("2030-01-02 12:00:00 UTC")
    grade = grade_here(work_of(course))
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
    grade = grade_here(work_of(course))
    assert (grade.status, grade.score, grade.max_score) == (status, 0, 2)
    assert [p.name for p in course.autograded("ada", "hw").iterdir()] == ["result.json"]
    assert kernels == []


def test_where_the_host_fails_the_old_folder_stays(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    before = grade_here(work_of(course))

    def refuse(work: Work) -> InProcessKernel:
        raise SandboxError("no namespaces left")

    monkeypatch.setattr(tiny, "start_kernel", refuse)
    assert ending_here(work_of(course)).text == "no namespaces left"
    assert result_json.read(course.autograded("ada", "hw") / "result.json") == before
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
    expected = grade_here(work_of(course))
    waiting: list[type[InProcessKernel]] = [Killed, Killed, InProcessKernel]
    monkeypatch.setattr(tiny, "start_kernel", lambda work: waiting.pop(0)())
    assert grade_here(work_of(course)).notebooks[0].questions == expected.notebooks[0].questions


def test_where_somebody_kills_its_kernel_each_time_there_is_no_grade(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny, "start_kernel", lambda work: Killed())
    assert "kernel was killed from outside in each of 3 runs" in ending_here(work_of(course)).text
    assert not course.autograded("ada", "hw").exists()


def test_the_run_of_a_kernel_that_was_killed_is_not_kept(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is graded from kept runs is what an undisturbed run gave."""
    waiting: list[type[InProcessKernel]] = [Killed, InProcessKernel]
    monkeypatch.setattr(tiny, "start_kernel", lambda work: waiting.pop(0)())
    work = replace(work_of(course), runs=tmp_path / "runs")
    first = grade_here(work)
    again = grade_here(replace(work, replay_only=True))
    assert again.notebooks[0].replayed
    assert again.notebooks[0].questions == first.notebooks[0].questions
    assert again.score == first.score > 0
    assert again.notebooks[0].questions[0].test_seconds is None  # nothing of the student's ran


def test_a_timestamp_is_copied_within_bounds(course: Course) -> None:
    with (course.submitted("ada", "hw") / "timestamp.txt").open("wb") as file:
        file.truncate(1 << 40)
    grade_here(work_of(course))
    assert (course.autograded("ada", "hw") / "timestamp.txt").stat().st_size == MAX_TIMESTAMP


def test_a_new_grade_replaces_the_whole_folder(course: Course) -> None:
    grade_here(work_of(course))
    (course.autograded("ada", "hw") / "left.txt").write_text("from before")
    grade_here(work_of(course))
    assert not (course.autograded("ada", "hw") / "left.txt").exists()


def test_the_courses_own_modules_are_found_while_grading_and_not_after(course: Course) -> None:
    paths = list(sys.path)
    grade_here(work_of(course))
    assert sys.path == paths


def test_a_timestamp_that_is_a_link_is_not_followed(course: Course, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("2029-01-01 00:00:00 UTC")
    (course.submitted("ada", "hw") / "timestamp.txt").symlink_to(secret)
    grade = grade_here(work_of(course))
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


def test_a_fault_of_the_kit_says_so_and_leaves_its_traceback(course: Course) -> None:
    def fail(work: Work) -> Grade:
        return {}["key"]

    work = work_of(course)
    reason = ending_here(work, fail).text
    assert reason.startswith("KeyError: 'key'; the last lines of")
    assert "Traceback" in work.log.read_text()


@pytest.mark.parametrize(("decimals", "score"), [("", 0.67), ("    decimals: 0\n", 1), ("    decimals: 4\n", 0.6667)])
def test_scores_are_rounded_as_the_course_says(decimals: str, score: float, tmp_path: Path) -> None:
    made = tiny_course(tmp_path, yaml=YAML + decimals, test="assert double(1)\nround(2 / 3, 6)")
    submit(made, "ada")
    assert grade_here(work_of(made)).score == score


@pytest.mark.parametrize(("decimals", "score", "shown"), [("", 21.99, "21.99"), ("    decimals: 0\n", 22, "22")])
def test_pages_show_the_rounded_score_and_no_full_credit(
    decimals: str, score: float, shown: str, tmp_path: Path
) -> None:
    """A check misses its best value by a hair: 21.98995 of 25 is rounded, and its credit is 99 %."""
    test = "from autograder import check\ncheck.report('loss', 21.98995 / 22, 'Low.', weight=22)\ncheck.report('size', 0, 'Large.', weight=3)"
    made = tiny_course(tmp_path, yaml=YAML + decimals)
    graded = tiny.cell(test, "test-double", grade=True, locked=True, points=25)
    (made.source("hw") / "nb.ipynb").write_text(tiny.notebook(tiny.cell("x = 1", "double", solution=True), graded))
    submit(made, "ada")
    grade = grade_here(work_of(made))
    assert grade.score == score
    assert f"{shown},25," in grades_csv([grade])
    page = render_feedback(made, made.assignments["hw"], grade, {})
    assert f"<b>{shown}</b><span>of 25</span>" in page
    assert "<span>99 %</span>" in page
    report = "".join(render_class_report(made, made.assignments["hw"], [grade]))
    assert f"<b>{shown}</b> / 25" in report


def hand_in_stripped(course: Course, *sources: str) -> None:
    """Without nbgrader's metadata, as a converter leaves a notebook."""
    text = tiny.notebook(*[tiny.cell(source) for source in sources])
    (course.submitted("ada", "hw") / "nb.ipynb").write_text(text)


def test_a_notebook_that_lost_its_metadata_earns_what_it_is_worth(course: Course) -> None:
    hand_in_stripped(course, "import math", "def double(x):\n    return 2 * x", "assert double(1) == 2")
    grade = grade_here(work_of(course))
    assert (grade.score, grade.needs_manual_grade) == (2, False)
    shown = nbformat.read(course.autograded("ada", "hw") / "nb.ipynb", 4)
    assert "found by the names that it defines" in shown.cells[1].metadata.autograder.note


def test_an_answer_in_doubt_is_for_a_person_and_no_silent_0(course: Course) -> None:
    hand_in_stripped(course, "def double(x):\n    return 3 * x", "def double(x):\n    return 4 * x")
    (question,) = grade_here(work_of(course)).notebooks[0].questions
    assert (question.score, question.needs_manual_grade) == (0, True)
    assert "a person decides" in question.message


def test_a_notebook_without_any_cell_or_name_of_the_assignment_is_called_anothers(course: Course) -> None:
    hand_in_stripped(course, "def triple(x):\n    return 3 * x", "def half(x):\n    return x / 2")
    (question,) = grade_here(work_of(course)).notebooks[0].questions
    assert question.needs_manual_grade
    assert "This seems to be another assignment's notebook: no cell of this one is in it." in question.message


def test_of_answers_in_doubt_what_is_right_is_earned(course: Course) -> None:
    hand_in_stripped(course, "def double(x):\n    return 3 * x", "def double(x):\n    return 2 * x")
    grade = grade_here(work_of(course))
    assert (grade.score, grade.needs_manual_grade) == (2, False)


@pytest.mark.parametrize(("loops", "waits"), [(2, False), (3, True)])
def test_tests_behind_a_cell_that_was_stopped_early_wait_for_a_person(
    course: Course, monkeypatch: pytest.MonkeyPatch, loops: int, waits: bool
) -> None:
    class Looping(InProcessKernel):
        def run(self, source: str, seconds: float) -> CellRun:
            return CellRun("timed_out") if "while True" in source else super().run(source, seconds)

    monkeypatch.setattr(tiny, "start_kernel", lambda _: Looping())
    slow = [tiny.cell(f"factor = {number}\nwhile True: pass") for number in range(loops)]
    answer = tiny.cell("def double(x):\n    return factor * x", "double", solution=True)
    (course.submitted("ada", "hw") / "nb.ipynb").write_text(tiny.notebook(*slow, answer))
    (question,) = grade_here(work_of(course)).notebooks[0].questions
    assert (question.score, question.needs_manual_grade) == (0, waits)
    assert ("a later one was stopped early: a person decides" in question.message) is waits


def test_a_library_that_exits_is_a_fault_with_its_name_and_no_silent_end(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exits(work: Work) -> InProcessKernel:
        raise SystemExit(0)

    monkeypatch.setattr(tiny, "start_kernel", exits)
    assert ending_here(work_of(course)).text.startswith("SystemExit: 0")
