"""Weak answers show hidden parts that give nothing away, because anything passes them."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.tiny import Here, cell, notebook, tiny_course, tiny_release

from autograder.coordinator.proof import prove

SOLUTION = "### BEGIN SOLUTION\ndef double(x):\n    return 2 * x\n### END SOLUTION"
SHOWN = "from autograder import check\ncheck.close(double(1.5), 3, name='shown')\n"
HIDDEN = "### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"


def said(folder: Path, test: str) -> list[str]:
    course = tiny_course(folder)
    graded = cell(test, "test-double", grade=True, locked=True, points=2)
    (course.source("hw") / "nb.ipynb").write_text(notebook(cell(SOLUTION, "double", solution=True), graded))
    warnings = prove(course, tiny_release(course), execute=Here()).warnings
    return [text for text in warnings if "what students see" in text]


@pytest.mark.parametrize(
    "hidden",
    [
        "assert abs(double(2.5)) >= 0",
        "check.close(double(2.5), double(2.5), name='own answer')",
        "check.close(double(2.5), 5, atol=100, name='wide')",
        "check.close(double(0.0), 0, name='nothing')",
        "check.close(double(2.5), 5, name='of no weight', weight=0)",
    ],
)
def test_a_hidden_part_that_a_weak_answer_passes_is_named(hidden: str, tmp_path: Path) -> None:
    (text,) = said(tmp_path, SHOWN + HIDDEN.format(hidden))
    assert text.startswith("nb, test-double: the hidden part notices nothing of an answer whose double() only returns ")
    assert "zeros of the right shape" in text
    assert text.endswith(": only what students see fails it; let the hidden part compare with a result of your own")


@pytest.mark.parametrize(
    "test",
    [
        SHOWN + HIDDEN.format("check.close(double(2.5), 5, name='other')"),
        SHOWN + HIDDEN.format("assert double(2.5) == 5"),
        SHOWN + HIDDEN.format("check.close(double(2.5), 5, name='shown')"),
        "from autograder import check\ncheck.close(double(1.5), 3)\n" + HIDDEN.format("check.close(double(2.5), 5)"),
        "assert double(1.5) == 3\n" + HIDDEN.format("assert double(2.5) == 5"),
        SHOWN,
    ],
)
def test_a_hidden_part_that_notices_or_is_never_reached_is_not(test: str, tmp_path: Path) -> None:
    assert said(tmp_path, test) == []


def test_another_test_that_notices_is_enough(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    tests = [
        cell(source, name, grade=True, locked=True, points=1)
        for source, name in (
            (SHOWN + HIDDEN.format("check.close(double(0.0), 0, name='zero')"), "kind"),
            (HIDDEN.format("check.close(double(2.5), 5, name='value')"), "value"),
        )
    ]
    (course.source("hw") / "nb.ipynb").write_text(notebook(cell(SOLUTION, "double", solution=True), *tests))
    assert prove(course, tiny_release(course), execute=Here()).warnings == ()
