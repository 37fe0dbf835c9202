"""Mark schemes: which of their lines are items with points."""

from __future__ import annotations

import pytest

from autograder.extensions.review.rubric import RubricItem, items


@pytest.mark.parametrize(
    ("line", "item"),
    [
        ("- 2 points: names the reason", RubricItem(2, "names the reason")),
        ("* 1 point for an example", RubricItem(1, "for an example")),
        ("- names the reason (2 points)", RubricItem(2, "names the reason")),
        ("1. names the reason: 0.5 pts", RubricItem(0.5, "names the reason")),
        ("# 1,5 p. – a sketch", RubricItem(1.5, "a sketch")),
        ("- [−]".replace("[−]", "-1 point: no units"), RubricItem(-1, "no units")),
        ("(3 marks) both cases", RubricItem(3, "both cases")),
    ],
)
def test_a_line_with_points_is_an_item(line, item):
    assert items(line) == (item,)


@pytest.mark.parametrize(
    "line", ["", "The answer has 2 points in the plane.", "- be kind", "Give 3 points at most", "x = 2"]
)
def test_other_lines_are_words(line):
    assert items(line) == ()
