"""A hundred honest variants of the lessons' solutions earn everything. Wrong ones are the audits' (test_audits.py).

``make test-variants`` grades them all; the default suite grades two. What is shrunk, so that this takes minutes
and not an hour, is in variants/course.py.
"""

from __future__ import annotations

import os

import pytest
from variants.course import grade, shrunk
from variants.honest import RULES, variants
from variants.rewriting import normalised, rewrites
from variants.running import ENVIRONMENT, HONEST, Outcomes, run, run_all

LESSONS = tuple(HONEST)
each_lesson = pytest.mark.parametrize("lesson", LESSONS)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


# --- the generators -------------------------------------------------------------------------------------

REWRITES = [
    ("x = a * b + c * d", "_A * _B", "_B * _A", ["x = b * a + c * d", "x = a * b + d * c"]),
    ("f(a - a)", "_A - _A", "0", ["f(0)"]),
    ("f(a - b)", "_A - _A", "0", []),
    ("s = [f(1), g(2)]", "f(_N)", "f(_N), h(_N)", ["s = [f(1), h(1), g(2)]"]),
    ("while x:\n    y()\n    z()", "while _A:\n    _BODY", "if _A:\n    _BODY", ["if x:\n    y()\n    z()"]),
    ("return 1", "return _A", "result = _A; return result", ["result = 1\nreturn result"]),
    ("x = 1", "x", "y", []),
]


@pytest.mark.parametrize(("source", "old", "new", "made"), REWRITES)
def test_a_pattern_is_replaced_in_one_place_at_a_time(source: str, old: str, new: str, made: list[str]) -> None:
    assert rewrites(source, old, new) == made


def test_names_hints_and_docstrings_make_no_new_answer() -> None:
    assert normalised("def f(a: int) -> int:\n    'Twice.'\n    b = 2 * a\n    return b") == normalised(
        "def f(x):\n    y = 2 * x  # twice\n    return y"
    )
    assert normalised("y = 2 * x") != normalised("y = x * 2")


@pytest.fixture(scope="module")
def exams() -> dict[str, object]:
    return {lesson: shrunk(lesson) for lesson in LESSONS}


@pytest.mark.integration
def test_no_variant_of_a_lesson_is_another_or_the_solution() -> None:
    """By their normalised trees."""
    exam = shrunk("logistic-regression-theano")
    solutions = {cell.grade_id: normalised(cell.source) for cell in exam.cells}
    made = [
        {name: normalised(source) for name, source in variant.answers.items()}
        for variant in variants(exam, HONEST[exam.assignment])
    ]
    assert len({tuple(forms.values()) for forms in made}) == HONEST[exam.assignment]
    assert not any(forms[name] == solutions[name] for forms in made for name in forms)


@pytest.mark.slow
def test_there_are_a_hundred_different_notebooks(exams) -> None:
    """Different also by their normalised trees, and none of them the solution."""
    made, used = set(), set()
    for lesson, exam in exams.items():
        solutions = {cell.grade_id: normalised(cell.source) for cell in exam.cells}
        for variant in variants(exam, HONEST[lesson]):
            forms = {name: normalised(source) for name, source in variant.answers.items()}
            assert all(forms[name] != solutions[name] for name in forms)
            made.add((lesson, *forms.values()))
            used.update(rule for rules in variant.rules.values() for rule in rules)
    assert len(made) >= 100
    unused = {rule.name for rule in RULES} - used
    assert len(unused) < len(RULES) / 10, unused


@pytest.mark.slow
@pytest.mark.keras
@each_lesson
def test_a_shrunk_lesson_proves_itself(lesson: str, exams) -> None:
    """Full marks for the solution, none for the unchanged notebook."""
    exam = exams[lesson]
    solution = grade(exam, {})
    assert solution.status == "completed", solution.message
    assert solution.score == solution.max_score == exam.max_score
    unchanged = grade(exam, {cell.grade_id: cell.released for cell in exam.cells if cell.grade_id})
    assert unchanged.score == 0


# --- a few of them --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.integration
def test_a_variant_without_keras() -> None:
    found = run("logistic-regression-theano", 0, 1)
    assert not found.faults, "\n\n".join(found.faults)


@pytest.mark.slow
@pytest.mark.keras
def test_a_variant_with_keras() -> None:
    found = run("keras-fully-connected", 0, 1)
    assert not found.faults, "\n\n".join(found.faults)


# --- all of them ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcomes]:
    workers = int(os.environ.get("VARIANTS_WORKERS", "2"))
    return {found.lesson: found for found in run_all(workers)}


@pytest.mark.slow
@pytest.mark.keras
@each_lesson
def test_honest_variants_earn_everything(lesson: str, outcomes: dict[str, Outcomes]) -> None:
    found = outcomes[lesson]
    assert found.graded == HONEST[lesson]
    assert not found.faults, "\n\n".join(found.faults)
