"""`autograder grade --dry-run`: which grades would change, and nothing that changes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.tiny import TEST, Here, copied, grade_here, grade_in_this_process, submit, tiny_course, tiny_release

from autograder import cli
from autograder.coordinator.batch import earlier, plan
from autograder.coordinator.executions import differences
from autograder.coordinator.forecast import RESTS_ON, compare
from autograder.errors import HostError
from autograder.exchange.work import Work
from autograder.records.course import Course
from autograder.records.grade import Batch, Grade


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose notebook a kernel was started for; batches run in this process."""
    names: list[str] = []

    def start(work: Work) -> InProcessKernel:
        names.append(work.student)
        return InProcessKernel()

    monkeypatch.setattr(tiny, "start_kernel", start)
    grade_in_this_process(monkeypatch, Here())
    return names


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Graded: ada 2, bob 0, eve 2; and joe, who came later."""
    made = tiny_course(tmp_path_factory.mktemp("graded"))
    for name, answer in (("ada", "2 * x"), ("bob", "2"), ("eve", "x + x if x < 50 else 0")):
        submit(made, name, f"def double(x):\n    return {answer}")
    with pytest.MonkeyPatch.context() as patched:
        grade_in_this_process(patched, Here())
        assert grade(made).exit_code == 0
    return made


@pytest.fixture
def course(graded_course: Course, tmp_path: Path, started: list[str]) -> Course:
    return copied(graded_course, tmp_path)


def grade(course: Course, *options: str) -> Result:
    return CliRunner().invoke(cli.main, ["grade", "hw", "--course", str(course.root), *options], catch_exceptions=False)


def change_test(course: Course, old: str, new: str) -> None:
    tiny_course(course.root, test=TEST.replace(old, new))


def state(course: Course) -> dict[str, str]:
    """Every file of the course, but for the runs, the exams, the logs and the locks."""
    files = [path for path in course.root.rglob("*") if path.is_file() and not path.name.endswith("lock")]
    kept = [
        p
        for p in files
        if not p.is_relative_to(course.runs) and not p.is_relative_to(course.state / "log") and p.parent.name != "exams"
    ]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


def test_it_says_whose_grade_would_change_and_changes_nothing(course: Course, started: list[str]) -> None:
    change_test(course, "== 42", "== 43")
    before = state(course)
    said = grade(course, "--dry-run")
    assert state(course) == before
    assert said.exit_code == 0
    lines = [line.split() for line in said.stdout.splitlines() if line]
    assert lines[:3] == [
        ["student", "before", "after", "questions", "that", "change"],
        ["ada", "2", "0", "test-double", "2", "→", "0"],
        ["eve", "2", "0", "test-double", "2", "→", "0"],
    ]
    assert "2 of 3 grades would change, 1 would stay; nothing was executed. No grade was written." in said.stdout
    assert started == []


def test_what_it_executed_the_grade_after_it_does_not(course: Course, started: list[str]) -> None:
    change_test(course, "double(21) == 42", "double(60) == 120")
    said = grade(course, "--dry-run")
    assert "1 of 3 grades would change, 2 would stay; 3 needed an execution." in said.stdout
    assert ["eve", "2", "0", "test-double", "2", "→", "0"] in [line.split() for line in said.stdout.splitlines()]
    assert sorted(started) == ["ada", "bob", "eve"]
    assert grade(course).exit_code == 0
    assert sorted(started) == ["ada", "bob", "eve"]


def test_without_a_change_no_grade_would_change(course: Course, started: list[str]) -> None:
    said = grade(course, "--dry-run")
    told = f"0 of 3 grades would change, 3 would stay; nothing was executed. No grade was written. {RESTS_ON}\n"
    assert said.stdout == told


def test_who_has_no_grade_yet_would_get_one(course: Course, started: list[str]) -> None:
    submit(course, "joe")
    said = grade(course, "--dry-run")
    assert ["joe", "–", "2"] in [line.split() for line in said.stdout.splitlines()]
    assert "1 of 4 grades would change, 3 would stay" in said.stdout
    assert not course.autograded("joe", "hw").exists()


def test_only_those_that_are_named_are_looked_at(course: Course, started: list[str]) -> None:
    change_test(course, "== 42", "== 43")
    assert "1 of 1 grades would change" in grade(course, "--dry-run", "--student", "ada").stdout


def test_an_outcome_that_changes_is_told_where_the_score_does_not(course: Course, started: list[str]) -> None:
    change_test(course, "assert double(21) == 42", "raise ImportError")
    said = grade(course, "--dry-run")
    assert ["bob", "0", "0", "test-double", "failed", "→", "broken"] in [x.split() for x in said.stdout.splitlines()]


def test_points_that_change_are_a_change(course: Course, started: list[str]) -> None:
    path = course.source("hw") / "nb.ipynb"
    path.write_text(path.read_text().replace('"points": 2', '"points": 5'))
    said = grade(course, "--dry-run", "--json", str(course.root / "out.json"))
    assert "3 of 3 grades would change" in said.stdout
    assert started == []
    content = json.loads((course.root / "out.json").read_text())
    question = {"id": "test-double", "before": 2.0, "after": 5.0}
    assert content["changes"][0] == {"student": "ada", "before": 2.0, "after": 5.0, "questions": [question]}
    assert content["executed"] == []


def test_who_could_not_be_graded_is_3_and_counted(
    course: Course, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(work: Work) -> Grade:
        if work.student == "bob":
            raise HostError("no space left")
        return grade_here(work)

    change_test(course, "== 42", "== 43")
    grade_in_this_process(monkeypatch, Here(fail))
    before = state(course)
    said = grade(course, "--dry-run")
    assert said.exit_code == 3
    assert "2 of 3 grades would change, 0 would stay, 1 could not be graded" in said.stdout
    assert "not graded: bob: no space left" in said.stderr
    assert state(course) == before


def test_quiet_shows_the_table_and_nothing_else(course: Course, started: list[str]) -> None:
    change_test(course, "== 42", "== 43")
    said = grade(course, "--dry-run", "--quiet")
    assert said.stderr == ""
    assert said.stdout == grade(course, "--dry-run").stdout != ""


def test_force_executes_for_the_dry_run_too(course: Course, started: list[str]) -> None:
    said = grade(course, "--dry-run", "--force")
    assert "0 of 3 grades would change, 3 would stay; 3 needed an execution" in said.stdout
    assert sorted(started) == ["ada", "bob", "eve"]


def test_a_question_that_the_students_process_measures_is_labeled(course: Course, started: list[str]) -> None:
    """Its points can be the student's own gift."""
    (work,) = (work for work in plan(course, tiny_release(course)) if work.student == "ada")
    before = earlier(work)
    assert before is not None
    (book,) = before.notebooks
    (question,) = book.questions
    marked = replace(book, questions=(replace(question, score=0.0, in_kernel=True),))
    (change,) = compare([work], {"ada": replace(before, notebooks=(marked,))}, Batch((), (), ())).changes
    assert str(change.questions[0]) == "test-double 2 → 0 (measured in the student's process)"


# --- why something is executed again -------------------------------------------------------------------------


def with_packages(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """The kernel's Python has these packages."""
    monkeypatch.setattr("autograder.coordinator.cache_keys.packages", lambda *prefixes: sorted(names))


@pytest.mark.parametrize("option", ["--dry-run", "--workers=1"])
def test_an_upgraded_package_is_named_where_recordings_do_not_fit_any_more(
    option: str, tmp_path: Path, started: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    course = tiny_course(tmp_path)
    for name in ("ada", "bob"):
        submit(course, name)
    with_packages(monkeypatch, "numpy-2.4.5.dist-info", "idna-3.1-py3.11.egg-info")
    assert "recording" not in grade(course).stderr
    started.clear()
    submit(course, "bob", "def double(x):\n    return x + x")  # his own change needs no reason
    change_test(course, "double(21) == 42", "double(20) == 40")
    with_packages(monkeypatch, "numpy-2.4.6.dist-info", "idna-3.1-py3.11.egg-info")
    said = " ".join(grade(course, option).stderr.split())
    assert "1 recording does not fit any more, so notebooks are executed again: numpy 2.4.5 → 2.4.6" in said
    assert sorted(started) == ["ada", "bob"]
    assert "recording" not in grade(course, option).stderr


def renumbered(course: Course, number: int) -> None:
    """Give each cell of the source an id of its own, as `nbformat.v4` draws new ones at each call."""
    path = course.source("hw") / "nb.ipynb"
    content = json.loads(path.read_text())
    content["nbformat_minor"] = 5
    for index, cell in enumerate(content["cells"]):
        cell["id"] = f"drawn{number}-{index}"
    path.write_text(json.dumps(content))


def test_new_ids_of_all_cells_execute_nothing(tmp_path: Path, started: list[str]) -> None:
    """A script that makes the source notebook draws them anew each time that it runs."""
    course = tiny_course(tmp_path)
    renumbered(course, 1)
    submit(course, "ada")
    grade(course)
    started.clear()
    renumbered(course, 2)
    change_test(course, "== 42", "== 43")
    said = grade(course)
    assert started == []
    assert "recording" not in said.stderr


@pytest.mark.parametrize("option", ["--dry-run", "--workers=1"])
def test_code_that_students_see_is_named_where_it_has_changed(option: str, course: Course, started: list[str]) -> None:
    change_test(course, "assert double(1) == 2", "assert double(2) == 4")
    said = " ".join(grade(course, option).stderr.split())
    assert "3 recordings do not fit any more, so notebooks are executed again: the code that students see" in said
    assert sorted(started) == ["ada", "bob", "eve"]


@pytest.mark.parametrize("option", ["--dry-run", "--workers=1"])
def test_a_question_that_a_recording_does_not_answer_is_named(option: str, course: Course, started: list[str]) -> None:
    change_test(course, "assert double(21) == 42", "assert double(x=21) == 42")
    said = " ".join(grade(course, option).stderr.split())
    assert "recordings have no answer, so notebooks were executed again: tests ask what they did not ask then" in said
    assert "ada" in said
    assert sorted(started) == ["ada", "bob", "eve"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 1, "students": 3}', "[" * 100_000])
def test_a_damaged_record_of_executions_gives_no_reason_and_no_fault(course: Course, content: str) -> None:
    path = course.state / "executions/hw.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    change_test(course, "double(21) == 42", "double(20) == 40")
    assert grade(course).exit_code == 0


def test_each_part_of_the_environment_has_words() -> None:
    then = {"kit": "1", "packages": ["a_b-1.dist-info", "gone-2.dist-info"], "limits": {"cell_seconds": 1}}
    now = {"kit": "2", "packages": ["a_b-2.dist-info"], "limits": {"cell_seconds": 2}}
    assert differences(then, now) == ["a-b 1 → 2, gone 2 → none", "version of the kit", "limits"]
