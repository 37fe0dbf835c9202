"""``autograder audit`` as an instructor runs it, in real sandboxes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from click.testing import Result as Ended
from helpers.pipeline import make_course
from helpers.tiny import tiny_course, tiny_release

from autograder import cli
from autograder.extensions.trust.audit_records import Audit, MutantVerdict, QuestionTally, Result
from autograder.extensions.trust.mutants import mutants

pytestmark = pytest.mark.sandbox


def autograder(*arguments: object) -> Ended:
    return CliRunner().invoke(cli.main, [str(a) for a in arguments], prog_name="autograder")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_course(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_an_audit_prints_its_questions_and_writes_page_and_json(root: Path) -> None:
    options = ["--course", root, "--minutes", 5, "--question", "test-mean", "--json", root / "audit.json"]
    done = autograder("audit", "numbers", *options)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("test-mean ")
    assert lines[0].split()[1] == lines[0].split()[3]
    assert lines[-1] == str(root / "reports/numbers-audit.html")
    assert "Audit of the tests" in Path(lines[-1]).read_text()
    said = json.loads((root / "audit.json").read_text())
    assert {result["cell"] for result in said["results"]} == {"mean"}
    assert said["families"]["honest"][0] == said["families"]["honest"][1] > 3
    assert not any((root / name).exists() for name in ("submitted", "autograded", "gradebook.db", "grades.csv"))


@pytest.mark.slow
def test_a_missed_floor_is_exit_code_1_and_quiet_says_only_that(root: Path) -> None:
    yaml = root / "course.yaml"
    yaml.write_text(yaml.read_text().replace("points: 10,", "points: 10, audit: {caught: 1},"))
    source = root / "source/numbers/numbers.ipynb"
    source.write_text(source.read_text().replace("assert squares == [0, 1, 4, 9, 16]", "assert squares"))
    options = ["--course", root, "--minutes", 5, "--question", "test-squares", "--family", "cheat", "--quiet"]
    done = autograder("audit", "numbers", *options)
    assert done.exit_code == 1, done.output
    assert done.stdout == "below the floor in course.yaml: 100% must be caught, and no right answer lose points\n"


def test_a_family_that_does_not_exist_is_refused(root: Path) -> None:
    done = autograder("audit", "numbers", "--course", root, "--family", "netwrok")
    assert done.exit_code == 2
    assert "'netwrok' is not one of 'honest', 'code', 'network', 'data', 'cheat'" in done.stderr


def test_an_audit_that_tried_nothing_is_exit_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Audit("hw", 0, 0.01, 1.0, made=9, results=(), questions=(), notes=("0.01 minutes are too few",))
    done = said(tmp_path, monkeypatch, nothing)
    assert done.exit_code == 1, done.output
    assert "Nothing was tried: nothing is known of these tests." in done.stdout
    assert "0.01 minutes are too few" in done.stderr


WEAK = QuestionTally(
    "test-double", "nb", "", 2, caught=1, by_others=0, survived=4, honest=0, lost=0, remarks=("Weak.",)
)
CODES = [((WEAK,), None, 0, 5), ((replace(WEAK, remarks=()),), None, 0, 0), ((WEAK,), 0.0, 0, 0), ((WEAK,), 0.9, 1, 1)]


@pytest.mark.parametrize(("questions", "floor", "code", "checked"), CODES)
def test_a_weak_test_is_exit_code_5_with_check_unless_the_course_sets_a_floor(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    questions: tuple[QuestionTally],
    floor: float | None,
    code: int,
    checked: int,
) -> None:
    """What a floor allows is the course's own decision."""
    (mutant, *_) = mutants(tiny_release(tiny_course(tmp_path)).exams, ("code",), (), 0)
    results = (Result(mutant, MutantVerdict.SURVIVED),)
    audit = Audit("hw", 0, 1, 1, made=9, results=results, questions=questions, floor=floor)
    assert said(tmp_path, monkeypatch, audit).exit_code == code
    assert said(tmp_path, monkeypatch, audit, "--check").exit_code == checked


def said(folder: Path, monkeypatch: pytest.MonkeyPatch, audit: Audit, *options: str) -> Ended:
    """What the command says of an audit."""
    course = tiny_course(folder)
    monkeypatch.setattr("autograder.coordinator.grading_sandboxes.require_walls", lambda _: False)
    monkeypatch.setattr("autograder.coordinator.assignment.observed_release", lambda *_: (tiny_release(course), ()))
    monkeypatch.setattr("autograder.extensions.trust.audit.audit", lambda *_: audit)
    return autograder("audit", "hw", "--course", folder, *options)
