"""Every lesson has the parts that a lesson has, and its release keeps what is not for students."""

from __future__ import annotations

import json
import re

import nbformat
import pytest
from helpers.lessons import (
    ROOT,
    built_lesson,
    grade_id,
    lesson_exam,
    lesson_names,
    lessons_to_run,
    source_notebook,
    source_path,
)
from nbformat import NotebookNode

from autograder.course.configuration import load_course
from autograder.records.exam import Role
from autograder.release import build as releasing
from autograder.release.exam_construction import role_of

LESSONS = lesson_names()
MODULES = {"backpropagation": ("layers.py",)}
"""Lesson → its modules that students write in."""
BLOCKS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
each_lesson = pytest.mark.parametrize("name", LESSONS)


def prose(notebook: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def block(source: str, kind: str) -> list[str]:
    """The lines between the markers of a kind, in all blocks of a cell."""
    found = re.findall(rf"### BEGIN {kind}\n(.*?)\n\s*### END {kind}", source, re.S)
    return [line.strip() for part in found for line in part.splitlines()]


def visible(source: str) -> str:
    for kind in BLOCKS:
        source = re.sub(rf"### BEGIN {kind}\n.*?### END {kind}", "", source, flags=re.S)
    return source


def turns(notebook: NotebookNode) -> list[str]:
    """What stands below each "Your Turn" heading, up to the next heading of its level or above."""
    text = visible(prose(notebook))
    found = []
    for match in re.finditer(r"^(##+) .*Your Turn.*\n", text, re.M):
        rest = text[match.end() :]
        ends = re.search(rf"^#{{1,{len(match[1])}}} ", rest, re.M)
        found.append(rest[: ends.start()] if ends else rest)
    return found


def test_the_lessons_stand_in_the_order_of_teaching() -> None:
    assert LESSONS == (
        "logistic-regression-theano",
        "logistic-regression-tensorflow",
        "logistic-regression-keras",
        "overfitting",
        "keras-fully-connected",
        "keras-backend",
        "backpropagation",
        "pytorch-fully-connected",
        "small-gpt",
    )
    due = [assignment.due for assignment in load_course(ROOT).assignments.values()]
    assert due == sorted(due)


@each_lesson
def test_the_source_is_a_valid_notebook_that_was_never_run(name: str) -> None:
    notebook = source_notebook(name)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert all(not c.outputs and c.execution_count is None for c in notebook.cells if c.cell_type == "code")


@each_lesson
def test_every_cell_has_an_id_of_its_own_that_says_something(name: str) -> None:
    ids = [cell["id"] for cell in json.loads(source_path(name).read_text(encoding="utf-8"))["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]{2,39}", found) for found in ids)


@each_lesson
def test_a_lesson_says_what_it_teaches_how_long_it_takes_and_what_earns(name: str) -> None:
    first = source_notebook(name).cells[0].source
    title, goals = re.match(r"# (.+)\n", first), re.findall(r"^\d\. ", first, re.M)
    assert title
    assert title[1] == load_course(ROOT).assignments[name].title
    assert "After this lesson you can" in first
    assert len(goals) >= 3
    assert re.search(r"^\*\*Time\.\*\* ", first, re.M)
    assert re.search(r"^\*\*Points\.\*\* \d+: ", first, re.M)


@pytest.mark.integration
@each_lesson
def test_the_points_are_those_that_course_and_prose_promise(name: str) -> None:
    exam, first = lesson_exam(name), source_notebook(name).cells[0].source
    assert exam.max_score == load_course(ROOT).assignments[name].points
    promised = re.search(r"^\*\*Points\.\*\* (\d+): (.*?)\. ", first, re.M | re.S)
    assert promised
    parts = [int(points) for points in re.findall(r"\((\d+)\)", promised[2])]
    assert exam.max_score == int(promised[1]) == sum(parts)


@pytest.mark.integration
@pytest.mark.parametrize("name", lessons_to_run())
def test_the_linter_raises_no_alarm(name: str) -> None:
    assert releasing.check(built_lesson(name)) == []


@each_lesson
def test_there_is_something_to_do_with_a_hint(name: str) -> None:
    found = turns(source_notebook(name))
    assert found
    assert any(re.search(r"\bhints?\b", text, re.I) for text in found)


@each_lesson
def test_there_are_pictures(name: str) -> None:
    code = [cell.source for cell in source_notebook(name).cells if cell.cell_type == "code"]
    plots = [source for source in code if "plt.show()" in source]
    assert len(plots) >= 2
    for source in plots:
        assert re.search(r"xlabel|axis\(\"off\"\)|xticks=\[\]", source), source
        assert "title" in source, source


@each_lesson
def test_answers_have_solutions_and_hidden_tests(name: str) -> None:
    cells = source_notebook(name).cells
    answers = [cell.source for cell in cells if role_of(cell) is Role.ANSWER]
    tests = [cell.source for cell in cells if role_of(cell) is Role.TEST]
    assert answers
    assert all(block(source, "SOLUTION") for source in answers)
    assert sum(bool(block(source, "HIDDEN TESTS")) for source in tests) >= len(tests) - 1
    assert all(visible(source).strip() for source in tests), "a test cell shows nothing of what it wants"


@each_lesson
def test_one_question_is_for_a_person_who_has_a_mark_scheme(name: str) -> None:
    cells = source_notebook(name).cells
    (place,) = [index for index, cell in enumerate(cells) if role_of(cell) is Role.TASK]
    scheme = " ".join(block(cells[place].source, "MARK SCHEME"))
    assert "**" in scheme
    assert "point" in scheme
    assert cells[place + 1].cell_type == "markdown"
    assert role_of(cells[place + 1]) is Role.FREE


@each_lesson
def test_only_answers_can_be_changed(name: str) -> None:
    """Prose and code that come with the lesson are restored before grading."""
    for cell in source_notebook(name).cells:
        if role_of(cell) is not Role.FREE:
            assert cell.metadata.nbgrader.locked is (role_of(cell) is not Role.ANSWER), grade_id(cell)


@each_lesson
def test_no_line_of_the_hidden_parts_is_released(name: str) -> None:
    cells = source_notebook(name).cells
    shown = "\n".join(visible(cell.source) for cell in cells)
    secret = {line for cell in cells for kind in BLOCKS for line in block(cell.source, kind) if len(line) > 12}
    secret -= {line.strip() for line in shown.splitlines()}
    assert len(secret) > 20
    for path in (ROOT / "release" / name).rglob("*.ipynb"):
        released = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)
        assert not secret & {line.strip() for line in released.splitlines()}
        assert not re.search(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)", released)


def test_no_line_of_a_modules_solution_is_released() -> None:
    for name, files in MODULES.items():
        for file in files:
            source = (ROOT / "source" / name / file).read_text(encoding="utf-8")
            released = (ROOT / "release" / name / file).read_text(encoding="utf-8")
            secret = set(block(source, "SOLUTION")) - {line.strip() for line in visible(source).splitlines()}
            assert len(secret) > 10
            assert not secret & {line.strip() for line in released.splitlines()}
            assert "SOLUTION" not in released


@each_lesson
def test_the_files_that_students_get_are_released(name: str) -> None:
    assignment = load_course(ROOT).assignments[name]
    released = ROOT / "release" / name
    assert assignment.files == (() if name == "small-gpt" else ("kaggle_data.py",))
    assert {p.name for p in released.iterdir()} == {*assignment.files, *MODULES.get(name, ()), f"{name}.ipynb"}


@each_lesson
def test_a_lesson_has_a_holdout_that_each_release_makes_anew(name: str) -> None:
    assignment = load_course(ROOT).assignments[name]
    assert "holdout.npz" in assignment.hidden
    assert assignment.prepare is not None
    assert "/source/*/hidden/holdout.npz" in (ROOT / ".gitignore").read_text().splitlines()
