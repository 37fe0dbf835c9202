"""The audit of an assignment: which wrong answers its tests catch, and which right ones they spare."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from helpers.tiny import SOLUTION, TEST, Here, tiny_course, tiny_release

from autograder.errors import CourseError, UsageError
from autograder.trust.audit import Options, audit
from autograder.trust.audit_records import Audit, Result, Verdict, to_json


class Silent:
    """A display that shows nothing, and remembers what it was told."""

    def __init__(self) -> None:
        self.done: list[str] = []

    @contextlib.contextmanager
    def running(self, names: Sequence[str], workers: int, seconds: float) -> Iterator[Callable[[str, Result], None]]:
        yield lambda name, result: self.done.append(name)

    def says(self, text: str) -> None:
        pass


def audited(folder: Path, test: str = TEST, solution: str = SOLUTION, **options: object) -> Audit:
    course = tiny_course(folder, solution=solution, test=test)
    given = Options(execute=Here(), workers=1, **{"families": ("code",), **options})  # type: ignore[arg-type]
    return audit(course, tiny_release(course), given, Silent())


def test_a_strong_test_catches_every_slip(tmp_path: Path) -> None:
    found = audited(tmp_path)
    assert found.wrong == found.caught > 3
    (question,) = found.questions
    assert (question.id, question.survived) == ("test-double", 0)


def test_a_test_of_the_type_alone_catches_few(tmp_path: Path) -> None:
    found = audited(tmp_path, test="assert isinstance(double(1), int)")
    survivors = found.of(Verdict.SURVIVED)
    assert {one.mutant.operator for one in survivors} >= {"+ for *", "a number one too large"}
    assert found.share is not None
    assert found.share < 0.5


def test_an_assignment_without_tests_is_refused(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    source = course.source("hw") / "nb.ipynb"
    source.write_text(source.read_text().replace('"points": 2', '"points": 0'))
    with pytest.raises(CourseError, match="hw: no test cell has points, so there is nothing to audit"):
        audit(course, tiny_release(course), Options(execute=Here()), Silent())


def test_a_solution_that_loses_points_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"the solution of hw loses points:\n  - nb, test-double: 0 of 2 points"):
        audited(tmp_path, solution=SOLUTION.replace("2 * x", "3 * x"))


def test_a_question_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="hw has no question 'test-duoble' with tests; did you mean 'test-double'"):
        audited(tmp_path, questions=("test-duoble",))


def test_a_budget_that_is_too_small_is_said(tmp_path: Path) -> None:
    found = audited(tmp_path, minutes=1e-6)
    assert found.results == ()
    assert "minutes are too few: the solution alone takes" in found.notes[0]


def test_an_audit_goes_on_where_it_was(tmp_path: Path) -> None:
    first = audited(tmp_path)
    here = Here()
    course = tiny_course(tmp_path)
    again = audit(course, tiny_release(course), Options(families=("code",), workers=1, execute=here), Silent())
    assert here.started == []
    assert to_json(again)["results"] == to_json(first)["results"]
