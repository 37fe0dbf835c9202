"""What an exam's tests let an answer do is told in sentences, each with its line."""

from __future__ import annotations

import dataclasses

import pytest
from helpers.examination import observed
from helpers.exams import exam_of

from autograder.records.exam import Exam, Role
from autograder.records.observations import Act, Fact, Observations
from autograder.release.explanation import NOTHING, UNSEEN, explained

SOLUTION = (
    "def sort(values): values.sort()\ndef area(r): return PI * r\nx = np.uint8(3)\ndef noise(): return np.random.rand()"
)
TESTS = (
    "a = [2, 1]\nsort(a)\nassert a == [1, 2]",
    "PI = 3\nassert area(2) == 6",
    "assert x == 3",
    "np.random.seed(1)\nassert 0 <= noise() < 1",
    "assert True",
)


def told(*tests: str) -> list[str]:
    exam = exam_of((Role.READ_ONLY, "import numpy as np"), (Role.ANSWER, SOLUTION), *((Role.TEST, t) for t in tests))
    return list(explained(dataclasses.replace(exam, observations=observed(exam))))


@pytest.mark.parametrize(
    ("test", "lines"),
    [
        (0, ["line 2 (sort(a)): `sort` may change its argument 1"]),
        (1, ["line 2 (assert area(2) == 6): `area` gets the test's `PI`, which it reads as a global"]),
        (2, ["the answer `x` may be of kind uint8"]),
        (
            3,
            ["line 1 (np.random.seed(1)): the seed is the notebook's, too, as your solution loses points with another"],
        ),
        (4, [NOTHING]),
    ],
)
def test_each_fact_is_a_sentence(test: int, lines: list[str]) -> None:
    first, *others = told(TESTS[test])
    assert first == "cell2:"
    assert set(lines) <= {line.strip() for line in others}


@pytest.mark.parametrize(
    ("fact", "line"),
    [
        (Fact(Act.WRITES, "cell1", "out.csv"), "  calls may write over the test's out.csv, or remove it"),
        (
            Fact(Act.MISSES, "cell1", "failed"),
            "  your solution loses points here: where an answer does, a person decides",
        ),
        (Fact(Act.WRITES, "cell1", "*.csv"), "  calls may write over the test's *.csv, or remove it"),
        (
            Fact(Act.TEXTS, "cell1", "condition: Compare, Constant, Name"),
            "  the answer's text is compiled as a condition on columns (your solution's has Compare, Constant, Name)",
        ),
        (
            Fact(Act.GETS, "cell1:1:2", "torch.utils.data.dataset.Subset"),
            "  line 1 (assert x): the answer gets objects of torch.utils.data.dataset.Subset, with all that they refer to",
        ),
        (Fact(Act.ARRIVES, "cell1 x", "object"), "  the answer `x` may be an object, whose own methods answer"),
        (
            Fact(Act.ARRIVES, "cell1:1:2 f", "object"),
            "  line 1 (assert x): what f gives may be an object, whose own methods answer",
        ),
        (
            Fact(Act.ARRIVES, "cell1:1:2 passes", "object"),
            "  line 1 (assert x): what the call passes may be an object, whose own methods answer",
        ),
        (Fact(Act.ARRIVES, "cell1:1:2 f", "copy"), f"  {NOTHING}"),
        (Fact(Act.ANSWERS, "cell1 x", "int"), f"  {NOTHING}"),
        (Fact(Act.QUERIES, "cell1", "INSERT pets"), "  SQL of the answer may INSERT pets"),
        (Fact(Act.SHARES, "cell1", "log"), "  `log` has one state in the notebook and in the test"),
        (Fact(Act.RETURNS, "cell1:1:2", "int"), f"  {NOTHING}"),
    ],
)
def test_each_fact_of_a_whole_test_is_a_sentence(fact: Fact, line: str) -> None:
    exam = exam_of((Role.ANSWER, "x = 1"), (Role.TEST, "assert x"))
    assert list(explained(dataclasses.replace(exam, observations=Observations((fact,))))) == ["cell1:", line]


def test_a_test_of_a_file_has_colons_in_its_id() -> None:
    exam = exam_of((Role.ANSWER, "x = 1"), (Role.TEST, "f(a)"), (Role.TEST, "f(b)"))
    cells = [dataclasses.replace(cell, grade_id=f"tests/test_f.py::t{n}") for n, cell in enumerate(exam.cells)]
    facts = Observations((Fact(Act.CHANGES, "tests/test_f.py::t1:1:3 f", "0"),))
    told = list(explained(dataclasses.replace(exam, cells=tuple(cells), observations=facts)))
    assert told[:2] == ["tests/test_f.py::t1:", "  line 1 (f(a)): `f` may change its argument 1"]
    assert told[2:] == ["tests/test_f.py::t2:", f"  {NOTHING}"]


def test_a_solution_that_was_not_run_allows_nothing() -> None:
    assert list(explained(Exam("hw", "nb", ()))) == [UNSEEN]


def test_the_functions_of_answer_files_that_a_test_asks_are_named() -> None:
    exam = exam_of(
        (Role.ANSWER, "def relu(x): return x\ndef unused(): pass\nclass Net: pass"),
        (Role.TEST, "import layers\nassert layers.relu(1) == 1\nNet()"),
    )
    answer, test = exam.cells
    exam = dataclasses.replace(exam, cells=(dataclasses.replace(answer, file="net/layers.py"), test))
    assert "  asks relu, Net of net/layers.py" in explained(dataclasses.replace(exam, observations=Observations()))
