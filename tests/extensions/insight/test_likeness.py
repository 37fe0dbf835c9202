"""Pairs that are more alike than the class, in classes with and without copies."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.disguises import KINDS
from helpers.samples import cell
from helpers.similar_class import TEXT, Answers, copied_class, honest_class
from helpers.similar_forms import ASSIGNMENTS, class_of_forms

from autograder.extensions.insight.likeness import ORDERS, ComparedClass, compared_class
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
    for seed in range(500, 510):
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


@pytest.mark.parametrize("size", [10, 40, 120, pytest.param(500, marks=pytest.mark.slow)])
def test_a_copy_as_it_stands_is_first_and_said_to_be_identical(size: int) -> None:
    made = copied_class(size, 11, ("as it stands",))
    compared = compared_class(EMPTY, works(made.answers), 5)
    assert named(compared)[0] in made.planted
    evidence = compared.pairs[0].evidence
    assert evidence.identical
    assert evidence.equal == evidence.lines >= evidence.unique > 5
    assert evidence.words.startswith(f"Identical: all {evidence.lines} lines are equal; {evidence.unique} of these")
    assert compared.pairs[0].height > 2


def test_copies_do_not_move_what_a_class_shows_by_chance() -> None:
    """The copy as it stands is as high among ten other copies as it is alone."""
    heights = []
    for kinds in (("as it stands",), KINDS):
        made = copied_class(60, 12, kinds)
        compared = compared_class(EMPTY, works(made.answers), 1)
        assert made.planted[named(compared)[0]] == "as it stands"
        heights.append(compared.pairs[0].height)
    assert heights[1] > 0.6 * heights[0]


@pytest.mark.parametrize("size", [10, 20, 40, 120])
def test_a_class_in_which_nobody_copied_begins_near_one(size: int) -> None:
    pairs = compared_class(EMPTY, works(honest_class(size, 901)), 20).pairs
    assert (
        0.4
        < max(height for pair in pairs for order, height in zip(ORDERS, pair.heights, strict=True) if order != "text")
        < 2
    )


def test_short_answers_with_one_form_are_equal_and_not_first() -> None:
    """Ten wrote the same two lines; two others share seven lines of their own, with one of them changed."""
    answers = honest_class(30, 3)
    same: Answers = {"model": ["def double(x):\n    return 2 * x"]}
    answers |= dict.fromkeys(sorted(answers)[:10], same)
    copy = {**answers["s020"], "model": [answers["s020"]["model"][0] + "\nprint(1)"]}
    compared = compared_class(EMPTY, works({**answers, "copier": copy}), 20)
    assert named(compared)[0] == {"s020", "copier"}
    assert not any(pair.evidence.identical for pair in compared.pairs)


def test_one_cell_with_new_names_is_found_where_few_write_it_so() -> None:
    """A cell of a form of its own, whose names alone were changed, in a class of forty."""
    answers = honest_class(40, 21)
    odd = (
        "def moving_average(values, width):\n    padded = list(values) + [0] * width\n    left, right = 0, width\n"
        "    out = []\n    while right <= len(values):\n        piece = padded[left:right]\n"
        "        out += [sum(piece) / max(1, len(piece))]\n        left, right = left + 1, right + 1\n    return out"
    )
    changed = odd
    for old, new in (("padded", "longer"), ("left", "a"), ("right", "b"), ("piece", "window"), ("out", "means")):
        changed = changed.replace(old, new)
    answers["s000"] = {**answers["s000"], "moving-average": [odd]}
    answers["s001"] = {**answers["s001"], "moving-average": [changed]}
    compared = compared_class(EMPTY, works(answers), 20)
    (pair,) = (one for one, names in zip(compared.pairs, named(compared), strict=True) if names == {"s000", "s001"})
    assert ORDERS[pair.heights.index(pair.height)] == "one answer with other names"


@pytest.mark.parametrize("assignment", sorted(ASSIGNMENTS))
def test_copies_among_natural_forms_are_found_in_classes_of_forty(assignment: str) -> None:
    """All but a single copied cell, which may be as others wrote it: 9 of 10 are among the first twenty."""
    missed: Counter[str] = Counter()
    for seed in range(1, 4):
        made = class_of_forms(ASSIGNMENTS[assignment], seed)
        compared = compared_class(EMPTY, works(made.answers), 20)
        listed = named(compared)
        assert made.planted[listed[0]] == "as it stands"
        missed += Counter(kind for pair, kind in made.planted.items() if pair not in listed)
    assert sum(count for kind, count in missed.items() if not kind.startswith("one cell")) <= 3, missed


def test_the_same_works_give_the_same_list() -> None:
    made = works(honest_class(20, 3))
    assert compared_class(EMPTY, made, 20).pairs == compared_class(EMPTY, made, 20).pairs


@pytest.mark.parametrize("answers", [{}, {"model": ["("]}, {"model": [""]}, {TEXT: ["\ud800 \x00"]}], ids=range(4))
def test_empty_and_broken_works_are_alike_in_nothing(answers: Answers) -> None:
    compared = compared_class(EMPTY, [work(f"s{number}", answers) for number in range(10)], 20)
    assert compared.pairs == ()
    assert compared.compared == 45
