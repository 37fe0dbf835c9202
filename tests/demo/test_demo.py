"""The demo: a course to try, and a class of made-up submissions."""

from __future__ import annotations

import ast
import shutil
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from helpers.lessons import IN_PYTORCH, ROOT, prepared_course

from autograder import demo
from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.demo import classroom
from autograder.errors import CourseError, UsageError
from autograder.release import build as release

NAME = demo.ASSIGNMENT


@pytest.fixture(scope="module")
def class_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo course with its release and its class."""
    root = demo.make_course(tmp_path_factory.mktemp("demo") / "course")
    course = prepared_course(NAME, root)
    assignment = course.assignments[NAME]
    release.write(course, assignment, release.build(course, assignment))
    assert demo.make_class(root, NAME) == tuple(student.name for student in demo.STUDENTS)
    return root


def submission(root: Path, student: str) -> Any:
    return nbformat.read(root / "submitted" / student / NAME / f"{NAME}.ipynb", as_version=4)


def grade_ids(notebook: Any) -> list[str]:
    return [c.metadata["nbgrader"]["grade_id"] for c in notebook.cells if "nbgrader" in c.metadata]


# --- the course ----------------------------------------------------------------------------------------


@pytest.mark.integration
def test_the_demo_course_is_the_kits_own(class_course: Path) -> None:
    course = load_course(class_course)
    assert NAME in course.assignments
    assert (course.hidden(NAME) / "holdout.npz").is_file()
    assert (class_course / "kaggle_data.py").is_file()
    assert (class_course / "nbgrader_config.py").is_file()


def test_its_student_who_never_ends_holds_it_up_for_less_than_a_lessons_limit(tmp_path: Path) -> None:
    here = load_course(demo.make_course(tmp_path / "demo")).assignments[NAME].limits
    own = load_course(demo.demo_course.kit_course()).assignments[NAME].limits
    assert (here.cell_seconds, own.cell_seconds) == (15, 30)
    assert replace(here, cell_seconds=30) == own


def test_an_earlier_demo_is_renewed_without_its_students(tmp_path: Path) -> None:
    target = demo.make_course(tmp_path / "demo")
    (target / "submitted" / "somebody").mkdir(parents=True)
    (target / "gradebook.db").write_text("old")
    (target / "course.yaml").write_text("course: changed")
    demo.make_course(target)
    assert not (target / "submitted").exists()
    assert not (target / "gradebook.db").exists()
    assert load_course(target).course_id == "deep-learning-basics"


def test_a_folder_with_somebodys_work_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("my work")
    with pytest.raises(UsageError, match="is not empty and not an earlier demo"):
        demo.make_course(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_kits_own_course_and_a_file_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for target in (Path(__file__).resolve().parents[2], file):
        with pytest.raises(UsageError, match="choose a folder of its own"):
            demo.make_course(target)


# --- the class -----------------------------------------------------------------------------------------


def test_every_student_hands_in_one_notebook_with_a_time(class_course: Path) -> None:
    assert len(demo.STUDENTS) >= 14
    for student in demo.STUDENTS:
        files = sorted(p.name for p in (class_course / "submitted" / student.name / NAME).iterdir())
        assert files == [f"{NAME}.ipynb", "timestamp.txt"]


def test_only_the_late_submission_is_late(class_course: Path) -> None:
    from nbgrader.utils import parse_utc

    due = load_course(class_course).assignments[NAME].due
    assert due is not None
    late = set()
    for student in demo.STUDENTS:
        text = (class_course / "submitted" / student.name / NAME / "timestamp.txt").read_text()
        if parse_utc(text).replace(tzinfo=UTC) > due:
            late.add(student.name)
    assert late == {"late-submission"}


def test_the_same_course_gives_the_same_class(class_course: Path) -> None:
    def content() -> dict[Path, bytes]:
        return {p: p.read_bytes() for p in (class_course / "submitted").rglob("*") if p.is_file()}

    before = content()
    demo.make_class(class_course, NAME)
    assert content() == before


def test_unchanged_is_the_release(class_course: Path) -> None:
    released = nbformat.read(class_course / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    assert submission(class_course, "unchanged") == released


def test_answers_stand_in_their_cells(class_course: Path) -> None:
    for student in demo.STUDENTS:
        if student.edit or student.damage:
            continue
        cells = {
            c.metadata["nbgrader"]["grade_id"]: c.source
            for c in submission(class_course, student.name).cells
            if "nbgrader" in c.metadata
        }
        for grade_id, source in student.answers.items():
            ast.parse(source)
            assert cells[grade_id] == source.rstrip("\n")


def test_the_written_answer_stands_in_its_cell(class_course: Path) -> None:
    texts = {c.get("id"): c.source for c in submission(class_course, "full-marks").cells}
    assert texts["your-explanation"].startswith("I tried")


def test_cells_are_deleted_and_duplicated_as_announced(class_course: Path) -> None:
    whole = grade_ids(submission(class_course, "full-marks"))
    assert grade_ids(submission(class_course, "cells-deleted")) == ["count-parameters", "build-model"]
    twice = grade_ids(submission(class_course, "cells-duplicated"))
    answers_and_tests = {name for name in whole if name.startswith("test-")} | {
        "count-parameters",
        "build-model",
    }
    assert {name for name in twice if twice.count(name) == 2} == answers_and_tests
    assert set(twice) == set(whole)


def test_edited_tests_claim_a_hundred_points_each(class_course: Path) -> None:
    cells = [c.metadata.get("nbgrader", {}) for c in submission(class_course, "edits-the-tests").cells]
    assert {cell["points"] for cell in cells if cell.get("grade")} == {100}


def test_not_a_notebook_is_not_json(class_course: Path) -> None:
    with pytest.raises(nbformat.reader.NotJSONError):
        submission(class_course, "not-a-notebook")


def test_a_course_without_its_release_says_what_to_run(tmp_path: Path) -> None:
    demo.make_course(tmp_path / "demo")
    with pytest.raises(UsageError, match=f"run `autograder release {NAME}` first"):
        demo.make_class(tmp_path / "demo", NAME)


def test_an_assignment_that_is_not_there_is_an_error(class_course: Path) -> None:
    with pytest.raises(UsageError, match="no assignment 'keras-fuly-connected'"):
        demo.make_class(class_course, "keras-fuly-connected")


def test_a_lesson_that_lost_a_cell_is_an_error_that_names_it(class_course: Path, tmp_path: Path) -> None:
    root = demo.make_course(tmp_path / "demo")
    notebook = nbformat.read(class_course / "release" / NAME / f"{NAME}.ipynb", as_version=4)
    notebook.cells = [c for c in notebook.cells if c.get("id") != "build-model"]
    (root / "release" / NAME).mkdir(parents=True)
    nbformat.write(notebook, root / "release" / NAME / f"{NAME}.ipynb")
    with pytest.raises(CourseError, match="no cell 'build-model'"):
        demo.make_class(root, NAME)


@pytest.mark.parametrize("lesson", ["keras-fully-connected", "backpropagation", *IN_PYTORCH])
def test_the_demo_ends_with_what_to_open_and_what_to_ask(lesson: str) -> None:
    """The one who is asked for lost points, so that there is something to tell."""
    report, page, ask = demo.next_steps(Path("demo"), lesson)
    assert report[1] == f"demo/reports/{lesson}.html"
    student = ask[1].split()[2]
    assert page[1] == f"demo/feedback/{student}/{lesson}/{lesson}.html"
    assert demo.expected(student, lesson)[1] < 16


# --- the other lessons -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", ["backpropagation", *IN_PYTORCH])
def test_another_lesson_has_a_class_that_hands_in_its_named_answers(lesson: str, tmp_path: Path) -> None:
    root = demo.make_course(tmp_path / "demo")
    shutil.copytree(ROOT / "release" / lesson, root / "release" / lesson)
    assert demo.make_class(root, lesson) == tuple(student.name for student in demo.class_of(lesson))
    released = nbformat.read(ROOT / "release" / lesson / f"{lesson}.ipynb", as_version=4)
    for student in demo.class_of(lesson):
        notebook = nbformat.read(root / "submitted" / student.name / lesson / f"{lesson}.ipynb", as_version=4)
        assert grade_ids(notebook) == grade_ids(released)
        assert (notebook == released) is (student.name == "unchanged")
        assert 0 <= student.low <= student.high <= 16


def test_a_class_hands_in_modules_beside_its_notebooks(tmp_path: Path) -> None:
    root = demo.make_course(tmp_path / "demo")
    shutil.copytree(ROOT / "release/backpropagation", root / "release/backpropagation")
    demo.make_class(root, "backpropagation")
    with_module = {path.parts[-3]: path for path in (root / "submitted").glob("*/backpropagation/layers.py")}
    assert set(with_module) == {"full-marks", "open-gate", "no-mean"}
    for path in with_module.values():
        assert "SOLUTION" not in path.read_text(encoding="utf-8")


def test_a_lesson_without_a_class_is_refused_by_name(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["demo", "overfitting", "--course", str(tmp_path / "demo")])
    assert done.exit_code == 2
    assert (
        "has classes for keras-fully-connected, backpropagation, pytorch-fully-connected, small-gpt, and none for overfitting"
        in done.stderr
    )
    assert not (tmp_path / "demo").exists()


def test_a_lesson_whose_library_is_missing_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classroom, "find_spec", lambda name: None)
    done = CliRunner().invoke(main, ["demo", "small-gpt", "--course", str(tmp_path / "demo")])
    assert done.exit_code == 3
    assert "the lesson small-gpt needs torch, which is not installed: `pip install '.[pytorch]'`" in done.stderr


# --- what their grades must be ---------------------------------------------------------------------------


def test_expected_scores_are_ranges_within_what_a_machine_can_give() -> None:
    for student in demo.STUDENTS:
        low, high = demo.expected(student.name)
        assert 0 <= low <= high <= 16
    assert demo.expected("full-marks") == (16, 16)
    with pytest.raises(UsageError, match="no student 'nobody'"):
        demo.expected("nobody")


def test_a_cheat_may_earn_no_more_than_the_honest_part_of_it() -> None:
    assert demo.expected("patches-evaluate") == demo.expected("linear")
    for name in ("equal-to-everything", "edits-the-tests"):
        assert demo.expected(name) == demo.expected("unchanged") == (0, 0)
