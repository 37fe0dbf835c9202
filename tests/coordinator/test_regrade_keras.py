"""A class of Keras networks whose hidden tests change: equal to grading it anew, without executing or rebuilding."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers.pipeline import grade

from autograder.course.configuration import load_course
from autograder.records.grade import Grade

pytestmark = [pytest.mark.sandbox, pytest.mark.keras, pytest.mark.slow]

BENCHMARK = Path(__file__).parents[2] / "benchmarks/regrade.py"


def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("benchmark_of_regrading", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its records look for it there
    spec.loader.exec_module(module)
    return module


def verdicts(grades: dict[str, Grade]) -> Any:
    questions = {name: [q for book in grade.notebooks for q in book.questions] for name, grade in grades.items()}
    return {name: [(q.id, q.score, q.message, q.checks) for q in found] for name, found in questions.items()}


def test_thresholds_that_change_are_graded_as_if_everything_were_executed(tmp_path: Path) -> None:
    regrade = benchmark()
    regrade.make_course(tmp_path, 3)
    course = load_course(tmp_path)
    first = grade(course, "--workers", "2", name="network")
    assert [book.replayed for g in first.grades.values() for book in g.notebooks] == [False] * 3
    losses = sorted(g.notebooks[0].questions[0].checks[0].evidence["loss"] for g in first.grades.values())
    regrade.write_source(tmp_path, below=sum(losses[:2]) / 2, rtol=1e-9)
    again = grade(course, "--workers", "2", name="network")
    assert all(book.replayed for g in again.grades.values() for book in g.notebooks)
    assert [g.notebooks[0].questions[0].score for g in again.grades.values()].count(4) >= 1
    anew = grade(course, "--workers", "2", "--force", name="network")
    assert verdicts(dict(again.grades)) == verdicts(dict(anew.grades))
