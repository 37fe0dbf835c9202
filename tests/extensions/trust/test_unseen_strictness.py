"""Whether an audit calls strict what is strict, on tests that were written before it was run on them.

``unseen/`` has assignments in the format of :mod:`helpers.ground_truth`. Only the honest rewrites are run. When they
were written, 12 of 38 strict tests were called so: 2 of 13, 3 of 12, 4 of 10 and 3 of 3, with the forms that came in between.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.audit_judgements import Judgement, judgement
from helpers.ground_truth import PlantedAssignment, PlantedTest, assignments
from helpers.tiny import Here

UNSEEN = assignments(Path(__file__).parent / "unseen")
TESTS = [(planted, test) for planted in UNSEEN for test in planted.tests]
MISSED = {
    "correlations": "an array for a table, where the task has the word table",
    "distances": "a number that is nearly 0 for one that is 0",
    "holdout": "a count that is rounded otherwise",
    "tidy": "other blanks in a text",
    "crossing": "a result that is as near as the task asks, and no nearer",
    "walk": "random numbers that are drawn otherwise, of which `autograder release` warns",
}
"""Assignments with a strict test that is not called so → the form that no operator gives."""
WIDENED = frozenset({"stock", "tally"})
"""Assignments with a test of an integer's width: strict by plain Python, and no student loses points, since whole
numbers of each width are read as int64."""


@pytest.mark.parametrize("planted", UNSEEN, ids=lambda planted: planted.name)
def test_answers_and_tests_are_what_they_are_called(planted: PlantedAssignment) -> None:
    """By plain Python, without the kit."""
    assert planted.is_right(planted.solution)
    assert [answer for answer in planted.wrong if planted.is_right(answer)] == []
    assert [answer for answer in planted.right if not planted.is_right(answer)] == []
    for test in planted.tests:
        losing = [answer for answer in planted.right if not planted.passes(answer, test)]
        assert planted.passes(planted.solution, test), test
        assert [answer for answer in planted.wrong if planted.passes(answer, test)] == [], test
        assert bool(losing) == (test.kind == "strict"), (test, losing)


@pytest.mark.slow
@pytest.mark.parametrize(("planted", "test"), TESTS, ids=[f"{planted.name}-{test.kind}" for planted, test in TESTS])
def test_a_strict_test_is_called_strict_and_no_other(
    planted: PlantedAssignment, test: PlantedTest, tmp_path: Path
) -> None:
    found: Judgement = judgement(tmp_path, planted, test, Here(), ["honest"])
    is_called = found.is_called_strict or found.is_asked
    assert is_called == (test.kind == "strict" and planted.name not in MISSED.keys() | WIDENED), found.words
    assert not is_called or found.is_named, found.words
