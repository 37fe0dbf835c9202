"""`autograder init` and `autograder new`: what they write can be released, and reads as a person's."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from autograder._util.notebook import read_source_notebook
from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.extensions.authoring.source_templates import KINDS
from autograder.release.build import build, linted


def run(*words: object, answers: str = "") -> Result:
    return CliRunner().invoke(main, [*map(str, words)], input=answers)


@pytest.mark.integration
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_passes_the_linter_without_a_warning(kind: str, tmp_path: Path) -> None:
    assert run("init", tmp_path, f"--{kind}").exit_code == 0
    course = load_course(tmp_path)
    made = build(course, course.assignments["hw1"])
    assert linted(made) == ([], [])
    assert sum(notebook.exam.max_score for notebook in made.notebooks) in (3, 6)


@pytest.mark.sandbox
@pytest.mark.integration
@pytest.mark.parametrize("kind", ["numpy", "nbgrader", "otter"])
def test_the_first_assignment_is_proved_as_it_stands(kind: str, tmp_path: Path) -> None:
    run("init", tmp_path, f"--{kind}")
    done = run("release", "hw1", "--course", tmp_path)
    assert "proved: the solution gets full marks, the unchanged notebook none" in done.output


@pytest.mark.sandbox
@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["keras", "pytorch"])
def test_a_first_network_is_proved_as_it_stands(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("torch" if kind == "pytorch" else "keras")
    run("init", tmp_path, f"--{kind}")
    assert "the unchanged notebook none" in run("release", "hw1", "--course", tmp_path).output


def test_four_questions_decide_title_kind_name_and_date(tmp_path: Path) -> None:
    answers = "Statistics: a start\nnbgrader\nweek-1\n2030-01-31\n"
    assert run("init", tmp_path / "stats", answers=answers).exit_code == 0
    course = load_course(tmp_path / "stats")
    due = course.assignments["week-1"].due
    assert (course.course_id, course.title) == ("stats", "Statistics: a start")
    assert due is not None
    assert due.isoformat() == "2030-01-31T23:59:59+00:00"
    assert (tmp_path / "stats/source/week-1/week-1.ipynb").is_file()


def test_a_wrong_date_leaves_nothing_behind(tmp_path: Path) -> None:
    done = run("init", tmp_path, answers="\n\n\nsoon\n")
    assert done.exit_code == 1
    assert "'due' must be a date" in done.output
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_course_is_not_written_over(tmp_path: Path) -> None:
    run("init", tmp_path, "--numpy")
    assert "adds an assignment" in run("init", tmp_path, "--keras").output


def test_the_source_has_readable_ids_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        run("init", tmp_path / name, "--numpy")
    texts = [(tmp_path / name / "source/hw1/hw1.ipynb").read_bytes() for name in ("a", "b")]
    assert texts[0] == texts[1]
    cells = read_source_notebook(tmp_path / "a/source/hw1/hw1.ipynb").cells
    assert [cell.id for cell in cells] == ["task", "imports", "standardize", "test-standardize", "question", "why"]


def test_the_first_line_of_the_course_names_its_schema(tmp_path: Path) -> None:
    run("init", tmp_path, "--numpy")
    first = (tmp_path / "course.yaml").read_text().splitlines()[0]
    schema = json.loads((tmp_path / first.partition("$schema=")[2]).read_text())
    jsonschema.Draft7Validator.check_schema(schema)


# --- further assignments -----------------------------------------------------------------------------

COURSES = {
    "in a block": "course: c\nassignments:\n    hw1:\n        title: One\n\n# the end\ntitle: T\n",
    "with a comment": "course: c\nassignments:\n  hw1: {}  # the first\n# a remark\n",
    "without a last line": "course: c\nassignments:\n  hw1:",
    "with a long text": "course: c\nassignments:\n  hw1:\n    title: |\n      One\ntitle: T\n",
    "without assignments": "course: c\ntitle: T",
    "with an empty list of them": "course: c\nassignments:\ntitle: T\n",
}


@pytest.mark.parametrize("text", COURSES.values(), ids=COURSES)
def test_another_assignment_leaves_the_rest_of_the_file_as_it_is(text: str, tmp_path: Path) -> None:
    (tmp_path / "course.yaml").write_text(text)
    (tmp_path / "source/hw1").mkdir(parents=True)
    before = list(load_course(tmp_path).assignments)
    assert run("new", "hw2", "--course", tmp_path, "--nbgrader").exit_code == 0
    after = load_course(tmp_path)
    assert list(after.assignments) == [*before, "hw2"]
    lines = (tmp_path / "course.yaml").read_text().splitlines()
    assert [line for line in text.splitlines() if line not in lines] == []


def test_assignments_in_one_line_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "course.yaml").write_text("course: c\nassignments: {hw1: {}}\n")
    (tmp_path / "source/hw1").mkdir(parents=True)
    done = run("new", "hw2", "--course", tmp_path)
    assert done.exit_code == 1
    assert "course.yaml:2: 'assignments' stands in one line" in done.output
    assert not (tmp_path / "source/hw2").exists()


@pytest.mark.parametrize(("name", "message"), [("hw1", "has files already"), ("../x", "cannot be the name")])
def test_a_name_that_cannot_be_is_refused(name: str, message: str, tmp_path: Path) -> None:
    run("init", tmp_path, "--numpy")
    done = run("new", name, "--course", tmp_path)
    assert done.exit_code == 2
    assert message in done.output


def test_an_nbgrader_course_needs_no_course_yaml(tmp_path: Path) -> None:
    run("init", tmp_path, "--nbgrader")
    (tmp_path / "course.yaml").unlink()
    assert run("new", "ps1", "--course", tmp_path, "--nbgrader").exit_code == 0
    assert list(load_course(tmp_path).assignments) == ["hw1", "ps1"]
