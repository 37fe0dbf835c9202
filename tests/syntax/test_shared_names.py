"""One namespace in the order of the cells: what tests bind and answers change, and the reverse."""

from __future__ import annotations

import pytest
from helpers.examination import graded
from helpers.exams import exam_of

from autograder.records.exam import Role
from autograder.syntax.names import vocabulary
from autograder.syntax.shared_names import changed_in_place

A, T, L = Role.ANSWER, Role.TEST, Role.READ_ONLY


def hidden(exam, **released):
    """The exam, where students have another text of some tests."""
    import dataclasses

    cells = [dataclasses.replace(c, released=released.get(str(c.grade_id), c.released)) for c in exam.cells]
    return dataclasses.replace(exam, cells=tuple(cells))


@pytest.mark.parametrize(
    ("binds", "answer", "blank", "test"),
    [
        ("numbers = [3, 1, 2]", "numbers.sort()", "pass", "assert numbers == [1, 2, 3]"),
        ("numbers = [3, 1, 2]", "numbers[0] = 7", "pass", "assert numbers == [7, 1, 2]"),
        ("ages = {'Ann': 3}", "ages['Bob'] = 4", "pass", "assert ages == {'Ann': 3, 'Bob': 4}"),
        ("ages = {'Ann': 3}", "del ages['Ann']", "pass", "assert ages == {}"),
        ("numbers = [3]", "numbers += [4]", "pass", "assert numbers == [3, 4]"),
        ("total = 3", "total = total + 4", "pass", "assert total == 7"),
        ("numbers = [3]", "def fill(to): to.append(4)\nfill(numbers)", "pass", "assert numbers == [3, 4]"),
        ("grid = [[0, 0]]", "grid[0][1] = 5", "pass", "assert grid == [[0, 5]]"),
    ],
)
def test_an_answer_changes_what_a_test_before_it_bound(binds: str, answer: str, blank: str, test: str) -> None:
    exam = exam_of((A, "x = 1"), (T, binds + "\nassert x == 1"), (A, answer), (T, test), (T, test))
    assert [r.fraction for r in graded(exam)] == [1, 1, 1]
    assert [r.fraction for r in graded(exam, cell2=blank)] == [1, 0, 0]


@pytest.mark.parametrize("shown", ["", "assert limit == 3"])
def test_a_test_that_binds_an_answers_name_in_its_hidden_part_has_bound_it_for_the_next(shown: str) -> None:
    exam = exam_of(
        (A, "limit = 3\ndef over(x): return x > limit"),
        (T, "assert limit == 3\nlimit = 10\nassert over(11) and not over(5)"),
        (T, "assert limit == 10\nassert over(11) and not over(5)"),
        (A, "limit = 20"),
        (T, "assert limit == 20\nassert over(21) and not over(11)"),
        (T, "assert limit == 20"),
    )
    exam = hidden(exam, cell1=shown)
    assert [r.fraction for r in graded(exam)] == [1, 1, 1, 1]
    assert [r.fraction for r in graded(exam, cell3="pass")] == [1, 1, 0, 0]


def test_what_a_test_bound_before_an_answer_binds_it_is_the_answers() -> None:
    exam = exam_of((A, "a = 1"), (T, "for i in range(3): assert a == 1"), (A, "i = 'mine'"), (T, "assert i == 'mine'"))
    assert [r.fraction for r in graded(exam)] == [1, 1]
    assert [r.fraction for r in graded(exam, cell2="i = 3")] == [1, 0]


def test_an_answer_that_only_reads_what_a_test_bound_takes_it_over_from_nobody() -> None:
    exam = exam_of(
        (A, "x = 1"), (T, "numbers = [3, 1, 2]\nassert x"), (A, "print(numbers)\ndone = sorted(numbers)"),
        (T, "assert done == sorted(numbers) == [1, 2, 3]"),
    )  # fmt: skip
    assert "numbers" in vocabulary(exam).own
    assert [r.fraction for r in graded(exam)] == [1, 1]
    assert [r.fraction for r in graded(exam, cell2="numbers = []\ndone = []")] == [1, 0]


def test_what_only_a_hidden_part_binds_is_the_tests_own() -> None:
    exam = exam_of(
        (A, "x = []"), (T, "expected = [1]\nassert x == []"), (A, "x.append(1)"), (T, "assert x == expected"),
    )  # fmt: skip
    exam = hidden(exam, cell1="assert x == []")
    assert [r.fraction for r in graded(exam)] == [1, 1]
    cheat = "x = [5]\nexpected = [5]\nexpected.append(1)"
    assert [r.fraction for r in graded(exam, cell2=cheat)] == [1, 0]


def test_what_changes_an_object_is_read_from_the_instructors_syntax() -> None:
    source = "a.sort()\nb['x'] = 1\nc.y = 2\ndel d[0]\nrandom.shuffle(e)\nf(g)\ndf.drop(columns='z', inplace=True)\nh(i)\nj.head()\nprint(k)"
    assert changed_in_place(source, frozenset({"f"})) == {"a", "b", "c", "d", "random", "e", "g", "df"}
    assert changed_in_place("%magic\nx.sort()", frozenset()) == frozenset()


def test_a_function_that_only_looks_at_a_tests_data_does_not_give_it_away() -> None:
    exam = exam_of(
        (Role.READ_ONLY, "def show(xs):\n    n = 0\n    for x in xs:\n        n += 1\n        print(n, x)"),
        (Role.TEST, "cases = [(1, 1)]\nassert cases"),
        (Role.FREE, "show(cases)"),
        (Role.ANSWER, "def g(x): return x"),
        (Role.TEST, "assert all(g(x) == y for x, y in cases)"),
    )
    assert [r.fraction for r in graded(exam)] == [1, 1]
    assert [r.fraction for r in graded(exam, cell3="cases = []\ndef g(x): return 0")] == [1, 0]


@pytest.mark.parametrize("change", ["xs.append(2)", "xs += [2]", "xs[1:] = [2]"])
def test_a_function_that_changes_a_tests_data_does(change: str) -> None:
    exam = exam_of(
        (Role.READ_ONLY, f"def fill(xs): add(xs)\ndef add(xs):\n    {change}"),
        (Role.TEST, "numbers = [1]\nassert numbers"),
        (Role.ANSWER, "fill(numbers)"),
        (Role.TEST, "assert numbers == [1, 2]"),
    )
    assert [r.fraction for r in graded(exam)] == [1, 1]
    assert [r.fraction for r in graded(exam, cell2="pass")] == [1, 0]
