"""Own time of questions: median and 95th percentile over a class, and questions that take much longer than others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from extensions.insight.test_question_statistics import of_scores
from helpers.pages import inert
from helpers.samples import assignment, course

from autograder.extensions.insight.question_times import ClassTime, question_times
from autograder.records.grade import Grade
from autograder.results.report import render_class_report

Seconds = tuple[float | None, float | None]


def took(student: str, **seconds: Seconds) -> Grade:
    """A grade whose questions a, b, c … took so long: answer and test."""
    sample = of_scores(student, *(4.0 for _ in seconds))
    (book,) = sample.notebooks
    questions = (
        replace(question, answer_seconds=answer, test_seconds=test)
        for question, (answer, test) in zip(book.questions, seconds.values(), strict=True)
    )
    return replace(sample, notebooks=(replace(book, questions=tuple(questions)),))


def class_of(size: int, **seconds: Seconds) -> list[Grade]:
    return [took(f"s{number}", **seconds) for number in range(size)]


def times(grades: list[Grade]) -> Mapping[str, object]:
    return {name: (each.answer, each.test) for (_, name), each in question_times(grades).items()}


def test_median_and_95th_percentile_are_of_the_submissions_in_which_the_time_is_known() -> None:
    grades = [took(f"s{n}", a=(float(n), 0.5 if n % 2 else None)) for n in range(101)]
    assert times(grades) == {"a": (ClassTime(50.0, 95.0, 101), ClassTime(0.5, 0.5, 50))}


def test_a_question_without_any_time_is_not_listed() -> None:
    assert list(times(class_of(3, a=(1.0, None), b=(None, None), c=(None, 0.0)))) == ["a", "c"]
    assert question_times([]) == {}


@pytest.mark.parametrize(
    ("seconds", "named"),
    [
        ({"a": (1.0, 0.2), "b": (1.0, 0.2), "c": (30.0, 0.2)}, ["c"]),
        ({"a": (1.0, 0.2), "b": (1.0, 0.2), "c": (0.2, 30.0)}, ["c"]),
        ({"a": (10.0, 0.2), "b": (10.0, 0.2), "c": (30.0, 0.2)}, []),
        ({"a": (0.01, 0.0), "b": (0.01, 0.0), "c": (1.0, 0.0)}, []),
        ({"a": (0.0, 0.0), "b": (6.0, None)}, ["b"]),
        ({"a": (300.0, 1.0)}, []),
    ],
    ids=["a long answer", "a long test", "all are long", "a second is not long", "of two", "the only one"],
)
def test_a_question_is_named_if_it_takes_much_longer_than_the_others(
    seconds: Mapping[str, Seconds], named: list[str]
) -> None:
    marked = question_times(class_of(9, **seconds))
    assert [name for (_, name), each in marked.items() if each.takes_long] == named


def test_one_submission_that_takes_long_does_not_name_a_question() -> None:
    usual = class_of(9, a=(1.0, 0.1), b=(1.0, 0.1))
    assert not any(each.takes_long for each in question_times([*usual, took("t", a=(1e9, 1e9), b=(1.0, 0.1))]).values())


def test_the_class_report_shows_the_times_and_the_named_question(tmp_path: Path) -> None:
    grades = class_of(9, a=(1.26, 0.2), b=(None, 0.2), c=(None, 30.0))
    text = inert("".join(render_class_report(course(tmp_path), assignment(), grades))).text
    for words in ("How long the questions take", "1.3 s", "30.0 s", "takes much longer than the others"):
        assert words in text


def test_a_class_that_was_graded_before_times_were_measured_has_no_table_of_them(tmp_path: Path) -> None:
    text = inert("".join(render_class_report(course(tmp_path), assignment(), class_of(9, a=(None, None))))).text
    assert "Test, median" not in text
    assert "processor time (median)" in text
