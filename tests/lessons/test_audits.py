"""Audits of the lessons: their tests catch wrong answers as often as course.yaml wants, and spare honest ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.lessons import ROOT, lesson_names, lessons_to_run, prepared_course

from autograder.cli import main
from autograder.extensions.trust.course_keys import audit_floor

FILES = ("course.yaml", "kaggle_data.py", "prepare_data.py")
MINUTES = "30"
"""Enough for all answers of a lesson, and for repeated trainings."""


def test_every_lesson_has_a_floor() -> None:
    course = prepared_course(lesson_names()[0])
    assert all((audit_floor(one).caught or 0) >= 0.95 for one in course.assignments.values())


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.parametrize("lesson", lessons_to_run())
def test_an_audit_reaches_the_floor(lesson: str, tmp_path: Path) -> None:
    root = tmp_path / "course"
    shutil.copytree(ROOT / "source", root / "source")
    for name in FILES:
        shutil.copy(ROOT / name, root / name)
    prepared_course(lesson, root)
    told = tmp_path / "audit.json"
    options = ["--course", str(root), "--minutes", MINUTES, "--quiet", "--json", str(told)]
    done = CliRunner().invoke(main, ["audit", lesson, *options])
    found = json.loads(told.read_text())
    kept = [f"{one['verdict']}: {one['cell']}: {one['operator']}" for one in found["results"] if one["verdict"] in _BAD]
    assert done.exit_code == 0, "\n".join([f"{found['caught']} of {found['wrong']}", *kept])
    assert found["run"] == found["mutants"]


_BAD = ("survived", "lost", "not graded")
