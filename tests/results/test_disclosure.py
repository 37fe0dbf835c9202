"""What pages tell of hidden data in bits: generous to who works on a question, bounded for who varies answers."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers.tiny import YAML, tiny_course

from autograder.records.checks import MAX_BITS, Outcome
from autograder.records.course import Course
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.mistakes import ModelMistakes
from autograder.results.disclosure import Disclosure, disclosures, length
from autograder.results.student_view import for_students

NOW = datetime(2099, 1, 1, tzinfo=UTC)
COUNT_BITS = 9
"""Of "12 of 400 values are not right": one of 401 numbers."""


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return tiny_course(tmp_path / "course", yaml=YAML + "    due: 2099-01-31T18:00:00Z\n")


def wrong(question: int, count: int) -> QuestionGrade:
    """A question whose `check.close` says how many values are wrong."""
    message = f"values: {count} of 400 values are not right"
    return QuestionGrade(f"q{question}", 0, 10, Outcome.FAILED, message, hidden_bits=COUNT_BITS)


def right(question: int) -> QuestionGrade:
    return QuestionGrade(f"q{question}", 10, 10, Outcome.PASSED, "", hidden_bits=COUNT_BITS)


def hand_in(number: int, *questions: QuestionGrade) -> Grade:
    at = NOW + timedelta(minutes=number)
    book = NotebookGrade("nb", "completed", "", questions)
    return Grade("ada", "hw", (book,), content_keys={"submission": str(number)}, graded_at=at)


def told(course: Course, grades: list[Grade]) -> int:
    """Return how many pages are whole."""
    return sum(
        page == grade
        for page, grade in zip(for_students(course, course.assignments["hw"], grades, NOW), grades, strict=True)
    )


def test_who_hands_in_forty_times_and_works_on_one_question_at_a_time_reads_all_results(course: Course) -> None:
    """Four questions that each take ten tries, wrong in another number of values each time."""
    pages = []
    for number in range(40):
        solved, tries = divmod(number, 10)
        others = [wrong(each, 400) for each in range(solved + 1, 4)]
        pages.append(hand_in(number, *map(right, range(solved)), wrong(solved, 399 - tries), *others))
    assert told(course, pages) == 40


def test_who_varies_all_answers_is_told_a_bounded_number_of_results(course: Course) -> None:
    drawn = random.Random(0)
    pages = [hand_in(n, *(wrong(each, drawn.randrange(100, 400)) for each in range(4))) for n in range(100)]
    assert told(course, pages) == 1 + math.ceil((MAX_BITS - 4 * COUNT_BITS) / (4 * (COUNT_BITS + 3)))


def test_different_answers_with_the_same_result_are_not_free(course: Course) -> None:
    """That another answer is as wrong as the last one is news, too: a fifth of a bit."""
    assert told(course, [hand_in(n, *(wrong(each, 400) for each in range(4))) for n in range(2000)]) < 1500


def test_the_same_bytes_with_another_result_are_another_page(course: Course) -> None:
    """A notebook that draws its answers by chance is handed in again and again."""
    pages = [replace(hand_in(n, wrong(1, 100 + n)), content_keys={"submission": "same"}) for n in range(100)]
    assert told(course, pages) == 84


def test_a_page_that_is_written_again_costs_nothing(course: Course) -> None:
    page = hand_in(0, *(wrong(each, 400) for each in range(4)))
    assert told(course, [page] * 5000) == 5000


@pytest.mark.parametrize(("results", "bits"), [(2, 1), (4, 2), (8, 3)])
def test_no_more_stories_can_be_told_than_their_bits_allow(results: int, bits: int) -> None:
    """Kraft's inequality, over all sequences of four results of one question."""
    total = 0.0
    for story in itertools.product(range(results), repeat=4):
        last: dict[str, str] = {}
        spent = 0.0
        for result in map(str, story):
            spent += length([Disclosure("q", bits, result)], last)
            last["q"] = result
        total += 2**-spent
    assert total <= 1


def test_a_table_of_mistakes_belongs_to_the_result() -> None:
    def of(matrix: tuple[tuple[int, ...], ...]) -> str:
        model = ModelMistakes("q1", "accuracy", 50, confusion=matrix)
        grade = hand_in(0, wrong(1, 12))
        (result,) = disclosures(replace(grade, notebooks=(replace(grade.notebooks[0], mistakes=(model,)),)))
        return result.digest

    assert of(((25, 0), (0, 25))) != of(((20, 5), (0, 25)))
