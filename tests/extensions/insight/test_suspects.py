"""Questions to look at in the class report: exceptions in tests, and what the strongest students lose."""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpers.pages import inert
from helpers.samples import assignment, course, grade, question

from autograder.extensions.insight.suspect_questions import exceptions, upsets
from autograder.records.checks import Outcome
from autograder.records.failures import Failure
from autograder.records.grade import Grade
from autograder.records.waits import Waits
from autograder.results.report import render_class_report


def raised(kind: str, text: str) -> Failure:
    return Failure(3, "assert f(2).max() == 2", (f"{kind}: {text}",), type=kind)


def of_scores(student: str, *scores: float, error: Failure | None = None) -> Grade:
    """A grade with questions of 2 points each: a, b, c, …; the error is that of a lost question."""
    questions = tuple(
        replace(question(name, score, 2.0), failures=(error,) if error and score < 2 else ())
        for name, score in zip("abcde", scores, strict=False)
    )
    sample = grade(student)
    return replace(sample, notebooks=(replace(sample.notebooks[0], questions=questions),))


def test_points_lost_to_an_exception_are_summed_with_the_exception_and_its_line() -> None:
    error = raised("AttributeError", "'Tensor' object has no attribute 'max'")
    grades = [
        of_scores("ada", 0, 2, 2, error=error),
        of_scores("bob", 1, 2, 2, error=error),
        of_scores("cy", 0, 2, 2, error=raised("AssertionError", "f(2).max() is 3")),
        of_scores("di", 2, 2, 2),
    ]
    (lost,) = exceptions(grades)
    assert (lost.key, lost.points) == (("network", "a"), 3)
    assert [grade.student for grade in lost.grades] == ["ada", "bob"]
    assert lost.errors == (("AttributeError, at `assert f(2).max() == 2`", 2),)


@pytest.mark.parametrize("error", ["NameError", "NotImplementedError", "AssertionError"])
def test_a_wrong_answer_or_none_is_no_exception_of_the_test(error: str) -> None:
    assert exceptions([of_scores("ada", 0, 2, 2, error=raised(error, "x"))]) == []


def test_a_question_that_waits_for_a_person_is_not_counted() -> None:
    one = of_scores("ada", 0, 2, 2, error=raised("TypeError", "x"))
    waiting = replace(one.notebooks[0].questions[0], outcome=Outcome.MANUAL, waits=Waits.WRITTEN)
    book = replace(one.notebooks[0], questions=(waiting, *one.notebooks[0].questions[1:]))
    assert exceptions([replace(one, notebooks=(book,))]) == []


def a_class_with_a_wrong_test(size: int) -> list[Grade]:
    """Of twelve: the three who have all else right lose question c, and so do three of the nine others."""
    strong = [of_scores(f"s{n}", 2, 2, 0, 2, 2) for n in range(size // 4)]
    others = [of_scores(f"w{n}", n % 2 * 2, 0, 0 if n % 3 == 0 else 2, 0, 0) for n in range(size - len(strong))]
    return [*strong, *others]


def test_a_question_that_the_strongest_lose_is_named_with_an_interval() -> None:
    (upset,) = upsets(a_class_with_a_wrong_test(12))
    assert upset.key == ("network", "c")
    assert [grade.student for grade in upset.losing] == ["s0", "s1", "s2"]
    assert (upset.strongest, upset.others_losing, upset.others) == (3, 3, 9)
    assert 40 < upset.low < 50
    assert upset.high == 100


def test_a_small_class_and_one_strong_student_say_nothing() -> None:
    assert upsets(a_class_with_a_wrong_test(7)) == []
    one = [of_scores("s", 2, 2, 0), *(of_scores(f"t{n}", 2, 2, 2) for n in range(3))]
    assert upsets([*one, *(of_scores(f"w{n}", 0, 0, 2) for n in range(8))]) == []


def test_a_question_that_everybody_loses_alike_is_named_and_one_that_the_weak_lose_is_not() -> None:
    everybody = [of_scores(f"s{n}", 2, 2, 0) for n in range(3)] + [of_scores(f"w{n}", 0, 0, 0) for n in range(9)]
    assert [upset.key[1] for upset in upsets(everybody)] == ["c"]
    weak = [of_scores(f"s{n}", 2, 2, 2) for n in range(3)] + [of_scores(f"w{n}", 0, 0, 0) for n in range(9)]
    assert upsets(weak) == []


def test_where_most_have_the_same_points_nobody_is_the_strongest() -> None:
    assert upsets([of_scores(f"s{n}", 2, 2, 0) for n in range(12)]) == []


def test_the_class_report_names_them_with_students_and_what_to_do(tmp_path) -> None:
    error = raised("TypeError", "cannot add")
    grades = [
        *a_class_with_a_wrong_test(12),
        replace(of_scores("zoe", 2, 0, 2, 0, 0, error=error), name="Zoe <i>Zed</i>"),
    ]
    text = "".join(render_class_report(course(tmp_path), assignment(), grades))
    shown = inert(text).text
    assert "Points lost to an exception in the test" in shown
    assert "b : 2 points of 1 student" in shown
    assert "TypeError, at `assert f(2).max() == 2`" in shown
    assert "zoe Zoe <i>Zed</i>" in shown
    assert "Questions that the strongest students lose" in shown
    assert "c : 3 of the 3 strongest lose points (95 % interval 44 to 100 %), 3 of the 10 others" in shown
    assert (
        "Questions to look at"
        not in inert("".join(render_class_report(course(tmp_path), assignment(), grades[:2]))).text
    )
