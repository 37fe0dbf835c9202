"""`autograder lint`: what a release would refuse, in seconds and without a sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from helpers.tiny import SOLUTION, cell, notebook

from autograder.cli import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course of two assignments: `good` can be released, `bad` has two faults."""
    (tmp_path / "course.yaml").write_text("course: c\nassignments:\n  good:\n  bad:\n")
    test = "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(3) == 6\n### END HIDDEN TESTS"
    slips = (
        "eval('double(1)')\nassert double(1) == 2\n### BEGIN HIDEN TESTS\nassert double(3) == 6\n### END HIDDEN TESTS"
    )
    for name, text in (("good", test), ("bad", slips)):
        cells = [cell(SOLUTION, "a", solution=True), cell(text, "t", grade=True, locked=True, points=2)]
        (tmp_path / "source" / name).mkdir(parents=True)
        (tmp_path / "source" / name / "hw.ipynb").write_text(notebook(*cells))
    return tmp_path


def lint(course: Path, *words: object) -> Result:
    return CliRunner().invoke(main, ["lint", "--course", str(course), *map(str, words)])


@pytest.mark.integration
def test_a_good_source_needs_no_sandbox_to_be_found_good(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    done = lint(course, "good")
    assert (done.exit_code, done.output) == (0, "good: nothing to mend\n")


@pytest.mark.integration
def test_faults_have_their_cell_and_exit_code_1(course: Path) -> None:
    done = lint(course)
    assert done.exit_code == 1
    assert "good: nothing to mend" in done.output
    assert "hw.ipynb: cell 2 ('t')" in done.output


@pytest.mark.integration
def test_a_program_reads_the_findings_of_each_assignment(course: Path) -> None:
    found = json.loads(lint(course, "--json", "-").stdout)["assignments"]
    assert found["good"] == {"errors": [], "warnings": []}
    assert found["bad"]["errors"]
    lint(course, "good", "--json", course / "found.json")
    assert json.loads((course / "found.json").read_text()) == {"assignments": {"good": found["good"]}}


@pytest.mark.integration
def test_a_file_that_the_release_is_to_make_is_no_fault(course: Path) -> None:
    text = "course: c\nassignments:\n  good: {hidden: [rows.npz], prepare: make.py}\n"
    (course / "course.yaml").write_text(text)
    (course / "make.py").write_text("")
    assert lint(course).output == "good: nothing to mend\n"


def test_an_unknown_assignment_is_a_wrong_usage(course: Path) -> None:
    assert lint(course, "goood").exit_code == 2


def test_the_hook_and_the_workflow_call_commands_that_are_there() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    workflow = yaml.safe_load((ROOT / "deploy/github/release.yml").read_text())
    steps = [step["run"] for step in workflow["jobs"]["prove"]["steps"] if "run" in step]
    called = [hook["entry"], *(line.strip() for step in steps for line in step.splitlines() if "autograder " in line)]
    words = [line.split("autograder ")[1].split()[0] for line in called]
    assert words == ["lint", "doctor", "lint", "release"]
    assert {*words} <= {*main.list_commands(None)}  # type: ignore[arg-type]
