"""A release warns of modules that have what students are to write."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.exams import exam_of

from autograder.records.exam import Role
from autograder.release.offered_answers import offered_answers

TEST = "assert mean([1, 3]) == 2"
ANSWER = "def mean(values):\n    return sum(values) / len(values)"


def warned(tmp_path: Path, module: str, answer: str = ANSWER, test: str = TEST, name: str = "utils.py") -> list[str]:
    (tmp_path / name).write_text(module)
    return offered_answers([exam_of((Role.ANSWER, answer), (Role.TEST, test))], {name: tmp_path / name})


def test_a_released_module_with_the_asked_function_is_named(tmp_path: Path) -> None:
    (warning,) = warned(tmp_path, "def load(): pass\ndef mean(values): return 2")
    assert "utils.py is released and has `mean`, which" in warning


@pytest.mark.parametrize(
    ("module", "answer", "test", "name"),
    [
        ("def average(values): return 2", ANSWER, TEST, "utils.py"),
        ("def helper(values): return 2", "def helper(values): return 1\nmean = helper", TEST, "utils.py"),
        ("def mean(values): return 2", "from utils import mean\nrows = 1", TEST, "utils.py"),
        ("def mean(values): return 2", ANSWER, TEST, "notes.txt"),
        ("def mean(values: return 2", ANSWER, TEST, "utils.py"),
    ],
    ids=["another name", "one that no test asks for", "one that the solution imports", "no module", "no Python"],
)
def test_anything_else_is_not(tmp_path: Path, module: str, answer: str, test: str, name: str) -> None:
    assert warned(tmp_path, module, answer, test, name) == []
