"""Statistics of questions: formulas by hand and by scipy, intervals that cover, and classes with little to say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers.pages import inert
from helpers.samples import assignment, checked, course, grade, question
from scipy import stats

from autograder.extensions.insight.question_statistics import (
    class_statistics,
    cronbach_alpha,
    feldt_interval,
    item_rest,
)
from autograder.extensions.insight.score_table import score_table
from autograder.extensions.insight.shared_failures import failure_groups
from autograder.extensions.insight.term_trend import term_trend
from autograder.records.checks import Outcome
from autograder.records.failures import Failure
from autograder.records.grade import Grade
from autograder.records.waits import Waits
from autograder.results.report import render_class_report

ONCE = np.ones((1, 5))


def of_scores(student: str, *scores: float | None, points: float = 4.0) -> Grade:
    """A grade with questions a, b, c …; None waits for a person."""
    questions = tuple(
        replace(question(name, score or 0.0, points), detail="")
        if score is not None
        else replace(question(name, 0.0, points), outcome=Outcome.MANUAL, waits=Waits.WRITTEN)
        for name, score in zip("abcdef", scores, strict=False)
    )
    sample = grade(student)
    return replace(sample, notebooks=(replace(sample.notebooks[0], questions=questions),))


def one_factor(size: int, seed: int, loadings: tuple[float, ...] = (1, 1, 1, 0)) -> list[Grade]:
    """A class in which one ability decides some questions, and chance the others."""
    rng = np.random.default_rng(seed)
    ability = rng.normal(size=size)
    scores = np.column_stack([loading * ability + rng.normal(size=size) for loading in loadings])
    return [of_scores(f"s{n}", *np.clip(np.round(row + 2), 0, 4)) for n, row in enumerate(scores)]


# --- formulas ----------------------------------------------------------------------------------------


def test_the_item_rest_correlation_is_pearsons_with_the_sum_of_the_others() -> None:
    scores = np.array([[4, 3, 1], [2, 2, 4], [0, 1, 2], [3, 4, 4], [1, 0, 3]], dtype=float)
    expected = [stats.pearsonr(scores[:, j], np.delete(scores, j, axis=1).sum(axis=1)).statistic for j in range(3)]
    assert item_rest(scores, ONCE)[0] == pytest.approx(expected)


def test_alpha_is_cronbachs() -> None:
    """Computed by hand: variances 2, 2 and 1.36, of the sum 8.56, so 3/2 · (1 - 5.36/8.56)."""
    scores = np.array([[4, 3, 1], [2, 2, 4], [0, 1, 2], [3, 4, 4], [1, 0, 3]], dtype=float)
    assert cronbach_alpha(scores, ONCE)[0] == pytest.approx([1.5 * (1 - 5.36 / 8.56)])


def test_equal_questions_have_an_alpha_of_one_and_correlate_fully() -> None:
    scores = np.repeat(np.arange(5.0)[:, None], 3, axis=1)
    assert cronbach_alpha(scores, ONCE)[0] == pytest.approx([1])
    assert item_rest(scores, ONCE)[0] == pytest.approx([1, 1, 1])


def test_a_weight_of_two_is_a_submission_that_stands_twice() -> None:
    scores = np.array([[4, 3, 1], [2, 2, 4], [0, 1, 2], [3, 4, 4], [1, 0, 3]], dtype=float)
    twice, weights = np.vstack([scores, scores[:2]]), np.array([[2.0, 2, 1, 1, 1]])
    assert item_rest(scores, weights) == pytest.approx(item_rest(twice, np.ones((1, 7))))
    assert cronbach_alpha(scores, weights) == pytest.approx(cronbach_alpha(twice, np.ones((1, 7))))


@pytest.mark.parametrize(
    ("alpha", "submissions", "questions", "low", "high"),
    [(0.7327, 12, 11, 0.435, 0.909), (0.8017, 12, 11, 0.581, 0.933), (0.5917, 15, 10, 0.195, 0.840)],
)
def test_alphas_interval_of_a_small_class_is_feldts(
    alpha: float, submissions: int, questions: int, low: float, high: float
) -> None:
    """Numbers as published in the documentation of pingouin 0.5, which has them of Feldt, too."""
    estimate = feldt_interval(alpha, submissions, questions)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=5e-4)


def test_classes_of_less_than_thirty_have_feldts_interval() -> None:
    for size in (8, 29, 30):
        alpha = class_statistics(one_factor(size, 3)).alpha
        assert alpha is not None
        assert (alpha == feldt_interval(alpha.value, size, 4)) is (size < 30)


@pytest.mark.slow
def test_intervals_hold_in_about_95_of_100_classes() -> None:
    """Of 300 classes of sixty, the interval holds the value of a class of 20,000 in 90 % or more."""
    loadings = (1.0, 1.0, 1.0, 1.0)
    truth = class_statistics(one_factor(20_000, 1, loadings)).questions[0].item_rest
    assert truth is not None
    intervals = [class_statistics(one_factor(60, seed, loadings)).questions[0].item_rest for seed in range(2, 302)]
    assert sum(each.low <= truth.value <= each.high for each in intervals) >= 270


# --- what is told of a class -------------------------------------------------------------------------


def test_a_question_that_chance_decides_does_not_discriminate_and_the_others_do() -> None:
    statistics = class_statistics(one_factor(80, 8))
    assert [each.remark for each in statistics.questions] == ["", "", "", "does not discriminate"]
    assert statistics.compared == 80
    assert statistics.alpha is not None
    assert 0.4 < statistics.alpha.low < statistics.alpha.value < statistics.alpha.high < 0.9


def test_a_question_that_runs_against_the_others_is_named() -> None:
    statistics = class_statistics(one_factor(80, 5, (1, 1, 1, -1)))
    assert statistics.questions[3].remark == "runs against the other questions"


def test_in_a_small_class_a_question_is_named_only_if_its_interval_excludes_a_good_one() -> None:
    (question,) = [each for each in class_statistics(one_factor(12, 7)).questions if each.key[1] == "d"]
    assert question.item_rest is not None
    assert (question.item_rest.value < 0.2, question.item_rest.high > 0.4, question.remark) == (True, True, "")


def test_the_same_grades_give_the_same_intervals() -> None:
    assert class_statistics(one_factor(30, 5)) == class_statistics(one_factor(30, 5))


def test_shares_of_full_and_no_credit_count_bonus_as_full() -> None:
    (a, b) = class_statistics([of_scores("s", 5, 0), of_scores("t", 4, 2), of_scores("u", 3.9, 0)]).questions
    assert (a.full, a.zero, b.full, b.zero) == (2, 0, 0, 2)
    assert b.mean == pytest.approx(2 / 12)


@pytest.mark.parametrize(
    "grades",
    [
        [],
        [of_scores("ada", 4, 2)],
        [of_scores(f"s{n}", 4, 2) for n in range(12)],
        [of_scores(f"s{n}", n % 3) for n in range(12)],
        [of_scores(f"s{n}", None, None) for n in range(12)],
        [of_scores(f"s{n}", 1, 2, points=0) for n in range(12)],
    ],
    ids=["nobody", "one student", "all equal", "one question", "all wait for a person", "no points"],
)
def test_a_class_with_nothing_to_compare_has_no_correlation_no_alpha_and_a_page(grades: list[Grade], tmp_path) -> None:
    statistics = class_statistics(grades)
    assert statistics.alpha is None
    assert not [each for each in statistics.questions if each.item_rest or each.remark]
    inert("".join(render_class_report(course(tmp_path), assignment(), grades)))


def test_one_loser_of_many_gives_a_value_and_no_interval() -> None:
    """In a third of the classes that are drawn, the loser is not there."""
    grades = [of_scores(f"s{n}", 4 if n else 0, n % 4, n % 3) for n in range(40)]
    estimate = class_statistics(grades).questions[0].item_rest
    assert estimate is not None
    assert (estimate.low, estimate.high) == (None, None)


def test_a_question_that_waits_for_most_is_left_out_and_so_is_a_student_who_waits_elsewhere() -> None:
    grades = one_factor(40, 5)
    rows = [[q.score for q in each.notebooks[0].questions] for each in grades]
    waiting = [of_scores(f"s{n}", *row[:3], None if n > 4 else row[3]) for n, row in enumerate(rows)]
    statistics = class_statistics([*waiting[:-1], of_scores("last", None, 1, 2, None)])
    assert statistics.left_out == (("network", "d"),)
    assert statistics.compared == 39
    assert [each.waiting for each in statistics.questions] == [1, 0, 0, 35]
    assert statistics.questions[3].item_rest is None


def test_a_question_that_a_grade_lacks_is_no_zero() -> None:
    table = score_table([of_scores("s", 4, 2), of_scores("t", 4)])
    assert np.isnan(table.scores[1, 1])
    assert class_statistics([of_scores("s", 4, 2), of_scores("t", 4)]).questions[1].zero == 0


# --- groups ------------------------------------------------------------------------------------------


def test_students_with_the_same_wrong_value_are_a_group() -> None:
    def failing(student: str, parameters: str) -> Grade:
        check = checked("parameters", 0.0, f"{parameters} parameters, at most 50,000 asked")
        sample = of_scores(student, 0.0)
        lost = replace(sample.notebooks[0].questions[0], checks=(check,))
        return replace(sample, notebooks=(replace(sample.notebooks[0], questions=(lost,)),))

    grades = [failing("ada", "92,170"), failing("bob", "92,170"), failing("cy", "61,000"), of_scores("di", 4)]
    (group,) = failure_groups(grades)
    assert (group.check, [each.student for each in group.grades]) == ("parameters", ["ada", "bob", "cy"])
    assert group.values == (("92,170 parameters, at most 50,000 asked", 2),)


def test_assertions_are_grouped_by_their_code_and_the_value_that_was_there() -> None:
    texts = [("AssertionError", "f(2) is 3"), ("AssertionError", "f(2) is 3"), ("TypeError: no",)]
    grades = []
    for number, text in enumerate(texts):
        sample = of_scores(f"s{number}", 0.0)
        lost = replace(sample.notebooks[0].questions[0], failures=(Failure(3, "assert f(2) == 4", text),))
        grades.append(replace(sample, notebooks=(replace(sample.notebooks[0], questions=(lost,)),)))
    (group,) = failure_groups(grades)
    assert (group.check, group.values) == ("assert f(2) == 4", (("f(2) is 3", 2),))


# --- the term ----------------------------------------------------------------------------------------


def test_the_term_is_in_the_order_of_the_course_and_counts_what_is_decided(tmp_path) -> None:
    made = course(tmp_path, "hw1", "hw2")
    term = [replace(of_scores(f"s{n}", n, None), assignment=name) for name in ("hw2", "hw1") for n in range(5)]
    steps = term_trend(made, [*term, replace(of_scores("s", 1), assignment="gone")])
    assert [step.assignment for step in steps] == ["hw1", "hw2"]
    assert (steps[0].quartiles, steps[0].waiting) == ((25, 50, 75), 5)


def test_an_older_exam_is_not_mixed_into_the_term(tmp_path) -> None:
    older = [replace(of_scores(f"s{n}", 0), assignment="hw1", content_keys={"exam": "old"}) for n in range(5)]
    newest = max(each.graded_at for each in older)
    newer = [
        replace(
            of_scores(f"t{n}", 4), assignment="hw1", content_keys={"exam": "new"}, graded_at=newest.replace(year=2031)
        )
        for n in range(3)
    ]
    (step,) = term_trend(course(tmp_path, "hw1"), [*older, *newer])
    assert (step.submissions, step.quartiles) == (3, (100, 100, 100))


# --- the page ----------------------------------------------------------------------------------------


def test_the_class_report_shows_numbers_intervals_groups_and_the_term(tmp_path) -> None:
    grades = one_factor(40, 5)
    made = course(tmp_path, "keras-fully-connected", "hw2")
    term = [*grades, *(replace(each, assignment="hw2") for each in grades)]
    text = inert("".join(render_class_report(made, assignment(), grades, term=term))).text
    for words in ("How the questions measure", "does not discriminate", "Cronbach's alpha", "The term so far"):
        assert words in text
    assert "40 submissions with all scores are compared" in text
    assert "processor time (median)" in text


def test_what_a_student_wrote_into_a_message_is_text_on_the_page(tmp_path) -> None:
    evil = "<script>alert(1)</script>\u202e"
    check = checked(evil, 0.0, evil)
    grades = []
    for student in ("ada", "bob"):
        sample = of_scores(student, 0.0)
        lost = replace(sample.notebooks[0].questions[0], checks=(check,))
        grades.append(replace(sample, notebooks=(replace(sample.notebooks[0], questions=(lost,)),)))
    page = "".join(render_class_report(course(tmp_path), assignment(), grades))
    assert "alert(1)" in inert(page).text
