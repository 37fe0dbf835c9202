"""Large files that students hand in: from `autograder submit` to the grade, in the real sandbox."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helpers.tiny import cell, notebook

from autograder.cli import main

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]

YAML = "course: large\nassignments:\n  hw: {limits: {file_mib: 60}}\n"
RIGHT = "import os\nsize = os.path.getsize('predictions.bin') if os.path.exists('predictions.bin') else 0"
TEST = "assert size == 55 << 20"


def cells(answer: str) -> list[dict[str, Any]]:
    return [cell(answer, "size", solution=True), cell(TEST, "test-size", grade=True, locked=True, points=2)]


def test_one_limit_lets_a_file_through_from_submit_to_the_grade(tmp_path: Path) -> None:
    """Bo's file is as large as the limit of others allows, and Cy's is larger than this one: he reads it himself."""
    root, runner = tmp_path / "course", CliRunner()
    (root / "source/hw").mkdir(parents=True)
    (root / "course.yaml").write_text(YAML)
    (root / "source/hw/nb.ipynb").write_text(notebook(*cells("### BEGIN SOLUTION\nsize = 55 << 20\n### END SOLUTION")))
    done = runner.invoke(main, ["release", "hw", "--course", str(root)])
    assert done.exit_code == 0, done.output
    for student, mib in {"ada": 55, "bo": 50, "cy": 61}.items():
        folder = tmp_path / "desk" / student
        folder.mkdir(parents=True)
        book = json.loads((root / "release/hw/nb.ipynb").read_text())
        book["cells"][0]["source"] = RIGHT
        (folder / "nb.ipynb").write_text(json.dumps(book))
        (folder / "predictions.bin").touch()
        os.truncate(folder / "predictions.bin", mib << 20)
        done = runner.invoke(
            main, ["submit", str(folder / "nb.ipynb"), "--student", student, "--out", str(tmp_path / "inbox")]
        )
        assert done.exit_code == 0, done.output
        assert ("61.0 MiB, and this assignment takes files of at most 60 MiB" in done.output) == (student == "cy")
    for command in (["collect", "hw", str(tmp_path / "inbox")], ["grade", "hw", "--json", str(root / "grades.json")]):
        done = runner.invoke(main, [*command, "--course", str(root)])
        assert done.exit_code == 0, done.output
    grades = json.loads((root / "grades.json").read_text())["grades"]
    assert {grade["student"]: grade["score"] for grade in grades} == {"ada": 2, "bo": 0, "cy": 0}
