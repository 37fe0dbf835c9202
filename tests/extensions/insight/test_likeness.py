"""Pairs that are more alike than the class, in classes with and without copies."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.disguises import KINDS
from helpers.samples import cell
from helpers.similar_class import TEXT, Answers, copied_class, honest_class

from autograder.extensions.insight.likeness import ComparedClass, compared_class
from autograder.extensions.insight.student_work import StudentWork, WrittenCell
from autograder.records.exam import Exam, Role

PAGE = Path(__file__).parents[3] / "docs/explanation/similarity.md"
EMPTY = [Exam("hw", "nb", ())]


def work(student: str, answers: Answers) -> StudentWork:
    cells = [
        WrittenCell(question, "markdown" if question == TEXT else "code", source)
        for question, sources in answers.items()
        for source in sources
    ]
    return StudentWork((student,), tuple(cells))


def works(answers: dict[str, Answers]) -> list[StudentWork]:
    return [work(student, each) for student, each in answers.items()]


def named(compared: ComparedClass) -> list[frozenset[str]]:
    return [
        frozenset(compared.works[number].students[0] for number in (pair.first, pair.second)) for pair in compared.pairs
    ]


def test_the_copies_in_a_small_class_are_at_the_top() -> None:
    made = copied_class(60, 7)
    listed = named(compared_class(EMPTY, works(made.answers), 20))
    missed = Counter(kind for pair, kind in made.planted.items() if pair not in listed)
    assert sum(missed.values()) <= 2, missed


@pytest.mark.slow
def test_nine_in_ten_copies_are_among_the_first_twenty_of_a_class_of_two_hundred() -> None:
    """Of each kind of disguise, too, at least seven in ten."""
    missed: Counter[str] = Counter()
    planted: Counter[str] = Counter()
    page = PAGE.read_text(encoding="utf-8")
    for seed in range(500, 520):
        made = copied_class(200, seed)
        listed = named(compared_class(EMPTY, works(made.answers), 20))
        planted += Counter(made.planted.values())
        missed += Counter(kind for pair, kind in made.planted.items() if pair not in listed)
    assert set(planted) == set(KINDS)
    assert missed.total() <= 0.1 * planted.total(), missed
    assert all(missed[kind] <= 0.3 * count for kind, count in planted.items()), missed
    rows = [f"| {kind} | {count - missed[kind]} of {count} |" for kind, count in planted.items()]
    assert [row for row in rows if row not in page] == []


def test_what_the_release_and_the_solution_have_is_subtracted() -> None:
    """Two who alone took over the solution word by word share nothing."""
    answers = honest_class(20, 3)
    names = sorted(answers)
    solution = answers[names[0]]["model"][0]
    answers[names[1]] = {**answers[names[1]], "model": [solution]}
    exam = Exam("hw", "nb", (replace(cell(Role.ANSWER, "model", solution), released=""),))
    (pair, *_) = compared_class(EMPTY, works(answers), 1).pairs
    assert {pair.first, pair.second} == {0, 1}
    compared = compared_class([exam], works(answers), 3)
    assert frozenset(names[:2]) not in named(compared)


def test_what_most_of_the_class_wrote_counts_nothing() -> None:
    answers = honest_class(20, 3)
    common = "shared = [number * number for number in range(100) if number % 7 == 3]"
    for student in sorted(answers)[:12]:
        answers[student] = {**answers[student], "extra": [common]}
    before, after = (compared_class(EMPTY, works(each), 5) for each in (honest_class(20, 3), answers))
    assert named(before)[:2] == named(after)[:2]


def test_old_works_are_compared_with_those_of_this_term_and_not_with_one_another() -> None:
    answers = honest_class(20, 3)
    old = [replace(each, old=True, students=(f"2025/{each.label}",)) for each in works(honest_class(20, 4))]
    twin = replace(old[0], students=("2025/twin",))
    copy = replace(old[5], old=False, students=("copier",))
    compared = compared_class(EMPTY, [*works(answers), copy, *old, twin], 10)
    assert named(compared)[0] == {"copier", "2025/s005"}
    assert frozenset({"2025/s000", "2025/twin"}) not in named(compared)
    assert compared.compared == 21 * 20 // 2 + 21 * 21


def test_the_lines_that_two_share_are_known_in_both() -> None:
    made = copied_class(40, 9, ("split cells",))
    compared = compared_class(EMPTY, works(made.answers), 1)
    (pair,) = compared.pairs
    lines = [compared.same_lines(pair, number) for number in (pair.first, pair.second)]
    sources = [
        {compared.works[number].cells[place[0]].source.split("\n")[place[1]].strip() for place in places}
        for number, places in zip((pair.first, pair.second), lines, strict=True)
    ]
    assert len(sources[0] & sources[1]) > 3


def test_the_same_works_give_the_same_list() -> None:
    made = works(honest_class(20, 3))
    assert compared_class(EMPTY, made, 20).pairs == compared_class(EMPTY, made, 20).pairs


@pytest.mark.parametrize("answers", [{}, {"model": ["("]}, {"model": [""]}, {TEXT: ["\ud800 \x00"]}], ids=range(4))
def test_empty_and_broken_works_are_alike_in_nothing(answers: Answers) -> None:
    compared = compared_class(EMPTY, [work(f"s{number}", answers) for number in range(10)], 20)
    assert compared.pairs == ()
    assert compared.compared == 45
