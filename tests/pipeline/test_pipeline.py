"""From source to feedback in the real sandbox: one class, graded as one batch, and what must hold of it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from helpers.cheats import (
    EQUAL,
    NOTHING,
    PROBE,
    SNOOP,
    WRONG,
    duplicate_all,
    retype,
)
from helpers.pipeline import (
    ASSIGNMENT,
    HIDDEN_INPUT,
    POINTS,
    SOLUTIONS,
    Graded,
    Student,
    grade,
    hand_in,
    make_course,
    release,
    seen_by_student,
)
from helpers.tiny import observe_here

from autograder.course.configuration import load_course
from autograder.records.checks import Outcome
from autograder.records.course import Course
from autograder.records.grade import Grade

pytestmark = pytest.mark.sandbox


def cheat(*lines: str) -> Student:
    """Wrong answers behind a trick in the first cell: worth what the wrong answers are worth."""
    return Student({**WRONG, "mean": "\n".join([*lines, WRONG["mean"]])}, NOTHING)


PATCHES = """
import builtins, sys, numpy.testing, types
np.testing.assert_allclose = lambda *a, **k: None
np.allclose = np.array_equal = lambda *a, **k: True
builtins.len = lambda x: 5
builtins.AssertionError = type('Never', (Exception,), {})
sys.settrace(lambda *a: None); sys.setprofile(lambda *a: None)
try:
    import autograder.check as c
    for n in dir(c): setattr(c, n, lambda *a, **k: 1)
except Exception: pass
sys.modules['numpy.testing'] = types.SimpleNamespace(assert_allclose=print)
"""
TELLS = """
log = []
def mean(values):
    log.append(values); print('called with', values)
    open('log.txt', 'a').write(str(values))
    display(values)
    raise ValueError(f'called with {values}')
"""


def without(*ids: str) -> dict[str, float]:
    return dict.fromkeys(ids, 0.0)


STUDENTS: dict[str, Student] = {
    "full": Student({}, {}),
    "partial": Student(
        {
            "squares": WRONG["squares"],
            "rescale": "def rescale(values):\n    return np.array(values) / 2",  # right for the heights too: max is 2
            "essay": "A lot.",
        },
        without("test-squares"),
    ),
    "half": Student({"rescale": "def rescale(v):\n    return np.array([0.5, 1.0])"}, {"test-rescale": 1.0}),
    "wrong": Student(WRONG, NOTHING),
    "unchanged": Student(dict.fromkeys(SOLUTIONS), NOTHING),
    "crash": Student({"line": "line = 1 / 0"}, without("test-line")),
    "endless": Student({"line": "while True: pass"}, without("test-line")),
    "dead": Student({"line": "import os; os._exit(0)"}, without("test-line", "test-rescale")),
    "hog": Student({"line": "hog = [bytearray(1 << 20) for _ in range(5000)]"}, without("test-line", "test-rescale")),
    "cheat-equal": Student(
        {
            "mean": f"{EQUAL}\nmean = Equal()",
            "squares": "squares = EqualList()",
            "line": "line = np.zeros(2).view(EqualArray)",
            "rescale": "rescale = lambda v: EqualFloat()",
        },
        NOTHING,
    ),
    "cheat-patches": cheat(PATCHES),
    "cheat-probe": cheat(PROBE),
    "cheat-answers": Student({**WRONG, "mean": f"{EQUAL}\ndef mean(values): return Equal()"}, NOTHING),
    "retyped": Student({}, {}, retype),
    "duplicated": Student({}, {}, duplicate_all),
    "snoop": Student({"line": f"{SNOOP}\n{SOLUTIONS['line']}"}, {}),
    "tells": Student({"mean": TELLS}, without("test-mean")),
    "files": Student(
        {"squares": f"import helper\n{SOLUTIONS['squares']}"},
        {},
        files={"helper.py": "", "numpy.py": "raise SystemExit", "sitecustomize.py": "raise SystemExit"},
    ),
}
DAMAGED = {"not-json": "invalid", "absent": "missing"}
CHEATERS = [name for name in STUDENTS if name.startswith("cheat-")]


@dataclass(frozen=True)
class Class:
    """The graded class."""

    course: Course
    canaries: dict[str, str]
    done: Graded


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """The course released with proof, the class handed in and graded by two workers."""
    root = tmp_path_factory.mktemp("canary-free") / "course"
    root.mkdir()
    places = ("test", "solution", "data", "gradebook", "neighbour", "environment", "public")
    canaries = {place: f"canary-{place}-{secrets.token_hex(8)}" for place in places}
    os.environ["COURSE_SECRET"] = canaries["environment"]
    try:
        course = make_course(root, **{k: canaries[k] for k in ("test", "solution", "data", "public")})
        release(course)
        _gradebook_with(course, canaries["gradebook"])
        for name, student in STUDENTS.items():
            hand_in(course, name, student)
        neighbour = course.submitted("wrong", ASSIGNMENT) / "notes.txt"
        neighbour.write_text(canaries["neighbour"])
        for name in DAMAGED:
            course.submitted(name, ASSIGNMENT).mkdir(parents=True)
        (course.submitted("not-json", ASSIGNMENT) / "numbers.ipynb").write_text('{"cells": [')
        yield Class(course, canaries, grade(course, "--workers", "2"))
    finally:
        del os.environ["COURSE_SECRET"]


def _gradebook_with(course: Course, word: str) -> None:
    from autograder.extensions.gradebook.database import opened

    with opened(course) as book:
        book.add_student("full", first_name=word)


@pytest.mark.parametrize("name", STUDENTS)
def test_every_student_gets_what_is_right(graded: Class, name: str) -> None:
    """Question by question: a failure costs its own question, and those after it only where the kernel died."""
    right = {**POINTS, "essay": 0.0, **STUDENTS[name].points}
    assert graded.done.points(name) == pytest.approx(right)


@pytest.mark.parametrize("name", DAMAGED)
def test_a_notebook_that_is_none_is_graded_as_such(graded: Class, name: str) -> None:
    given = graded.done.grades[name]
    assert (given.status, given.score, given.max_score) == (DAMAGED[name], 0, 10)


def test_the_whole_class_is_graded_and_the_maximum_is_always_the_exams(graded: Class) -> None:
    assert graded.done.exit_code == 0
    assert graded.done.not_graded == []
    assert set(graded.done.graded) == {*STUDENTS, *DAMAGED}
    assert {g.max_score for g in graded.done.grades.values()} == {10}


@pytest.mark.parametrize("name", CHEATERS)
def test_a_cheater_scores_exactly_like_the_honest_wrong_answer(graded: Class, name: str) -> None:
    assert graded.done.points(name) == graded.done.points("wrong")


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("crash", "cell_error", "ZeroDivisionError"),
        ("endless", "timed_out", "longer than 4 s"),
        ("dead", "killed", "That was in cell "),
        ("hog", "out_of_memory", "more than 768 MiB"),
    ],
)
def test_the_student_reads_what_stopped_the_notebook(graded: Class, name: str, status: str, message: str) -> None:
    (notebook,) = graded.done.grades[name].notebooks
    assert notebook.status == status
    assert message in notebook.message
    assert message in seen_by_student(graded.course, name)


def test_questions_that_were_never_reached_are_skipped_and_not_failed(graded: Class) -> None:
    (notebook,) = graded.done.grades["dead"].notebooks
    outcomes = {q.id: q.outcome for q in notebook.questions}
    assert outcomes["test-mean"] is Outcome.PASSED
    assert outcomes["test-rescale"] is Outcome.SKIPPED


def test_a_written_answer_waits_for_a_person_only_where_there_is_one(graded: Class) -> None:
    assert graded.done.grades["partial"].needs_manual_grade
    assert not graded.done.grades["full"].needs_manual_grade


@pytest.mark.parametrize("name", [*STUDENTS, *DAMAGED])
def test_no_student_gets_to_see_anything_hidden(graded: Class, name: str) -> None:
    """Neither a hidden test's text, nor its inputs, nor a word planted in tests, solution, data, gradebook,
    another's submission or the environment. What may quote a test, the examiner's details, lies elsewhere.
    """
    shown = seen_by_student(graded.course, name)
    assert [word for place, word in graded.canaries.items() if word in shown and place != "public"] == []
    assert "HIDDEN TESTS" not in shown
    assert str(HIDDEN_INPUT) not in shown


def test_a_notebook_that_looks_everywhere_finds_nothing(graded: Class) -> None:
    """Files, names, processes, their environments, this one's memory, frames, history, all objects: nothing but what
    was released to everyone.
    """
    shown = seen_by_student(graded.course, "snoop")
    assert "looked at True found" in shown
    assert set(re.findall(r"canary-[a-z]+-[0-9a-f]{16}", shown)) == {graded.canaries["public"]}
    assert "reach hidden" not in shown
    assert "gradebook" not in shown.split("looked at True")[1].split("]")[1]


def test_a_release_holds_nothing_hidden(graded: Class) -> None:
    texts = [p.read_bytes().decode(errors="replace") for p in graded.course.root.glob("release/**/*") if p.is_file()]
    assert len(texts) == 2
    secret = [word for place, word in graded.canaries.items() if place != "public"]
    assert not any(word in text for word in [*secret, str(HIDDEN_INPUT)] for text in texts)


def test_everything_for_people_is_there(graded: Class) -> None:
    root = graded.course.root
    assert all((root / name).is_file() for name in ("gradebook.db", "grades.csv", f"reports/{ASSIGNMENT}.html"))
    pages = {p.parent.parent.name for p in root.glob(f"feedback/*/{ASSIGNMENT}/*.html")}
    assert pages == {*STUDENTS, *DAMAGED}
    for name in STUDENTS:
        nbformat.validate(nbformat.read(graded.course.autograded(name, ASSIGNMENT) / "numbers.ipynb", as_version=4))


def test_nothing_half_made_is_left(graded: Class) -> None:
    assert list((graded.course.state / "work").glob("*")) == []
    assert [p.name for p in graded.course.root.rglob("*.tmp*")] == []


def test_the_same_command_again_grades_nothing(graded: Class) -> None:
    before = {p: p.read_bytes() for p in graded.course.root.glob("autograded/**/result.json")}
    again = grade(graded.course, "--workers", "2")
    assert again.graded == []
    assert {n: g.score for n, g in again.grades.items()} == {n: g.score for n, g in graded.done.grades.items()}
    assert before == {p: p.read_bytes() for p in graded.course.root.glob("autograded/**/result.json")}


@pytest.mark.slow
def test_one_worker_and_a_replay_give_the_same_grades(graded: Class) -> None:
    """``--force`` grades anew, here some of the class, one at a time."""
    some = ("full", "half", "dead", "cheat-equal", "tells", "not-json")
    options = [option for name in some for option in ("--student", name)]
    again = grade(graded.course, "--workers", "1", "--force", *options)
    assert sorted(again.graded) == sorted(some)
    for name in some:
        assert again.points(name) == graded.done.points(name)
        now, then = again.grades[name], graded.done.grades[name]
        assert now.status == then.status
        assert [q.message for n in now.notebooks for q in n.questions] == [
            q.message for n in then.notebooks for q in n.questions
        ]


def _verdicts(found: Grade) -> Any:
    questions = [question for book in found.notebooks for question in book.questions]
    return found.status, [(q.id, q.score, q.outcome, q.message, q.checks) for q in questions]


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_from_kept_runs_everyone_gets_the_same_grade_again(graded: Class, tmp_path: Path, workers: int) -> None:
    """Liars, cheaters and crashes included, in another place, and with no kernel."""
    course = load_course(Path(shutil.copytree(graded.course.root, tmp_path / "elsewhere")))
    shutil.rmtree(course.root / "autograded")
    again = grade(course, "--workers", str(workers))
    assert sorted(again.graded) == sorted(graded.done.grades)
    for name, found in again.grades.items():
        assert _verdicts(found) == _verdicts(graded.done.grades[name])
    executed = {name for name, g in again.grades.items() if not all(n.replayed for n in g.notebooks)} - set(DAMAGED)
    assert executed == set()


def test_a_tightened_tolerance_executes_nothing_and_takes_points_from_whom_it_should(
    graded: Class, tmp_path: Path
) -> None:
    course = load_course(Path(shutil.copytree(graded.course.root, tmp_path / "elsewhere")))
    source = course.source(ASSIGNMENT) / "numbers.ipynb"
    source.write_text(source.read_text().replace("wanted = [3, 1]", "wanted = [3, 2]"))
    observe_here(course, ASSIGNMENT)
    some = ("full", "half", "wrong", "crash", "dead", "cheat-equal", "not-json")
    again = grade(course, "--workers", "2", *(option for name in some for option in ("--student", name)))
    assert sorted(again.graded) == sorted(some)
    assert all(n.replayed for name, g in again.grades.items() if name not in DAMAGED for n in g.notebooks)
    for name in again.grades:
        before = graded.done.points(name)
        assert again.points(name) == before | ({"test-line": 0.0} if before.get("test-line") == 3 else {})


def test_a_changed_submission_is_graded_and_no_other(graded: Class) -> None:
    path: Path = graded.course.submitted("unchanged", ASSIGNMENT) / "numbers.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].source = SOLUTIONS["mean"]
    nbformat.write(notebook, path)
    again = grade(graded.course)
    assert again.graded == ["unchanged"]
    assert again.points("unchanged")["test-mean"] == 2
