"""What PrairieLearn and Artemis read of a grade, and what their script closes before anything of a student's runs."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from autograder.errors import CourseError, SubmissionError
from autograder.extensions.platforms import conclusion, junit_results, prairielearn_results, program, student_texts
from autograder.extensions.platforms.conclusion import Conclusion
from autograder.extensions.platforms.package import _run_script
from autograder.extensions.platforms.package_settings import PackageSettings
from autograder.extensions.platforms.platform_table import ARTEMIS, PLATFORMS, Platform
from autograder.records.checks import CheckResult, Outcome
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.waits import Waits

MIB = 1 << 20
SETTINGS = PackageSettings(written=("hw/essay",))
LABEL = "Examined in the weaker sandbox `user` (user, Landlock 7, reduced limits)."


def question(name: str, outcome: Outcome, score: float = 0.0, **more: Any) -> QuestionGrade:
    return QuestionGrade(name, score, more.pop("max_score", 2.0), outcome, more.pop("message", ""), **more)


def grade_of(*questions: QuestionGrade) -> Grade:
    book = NotebookGrade(
        "hw", status="completed", message="", sandbox="user, Landlock 7, reduced limits", questions=questions
    )
    return Grade("student", "hw", (book,))


def for_prairielearn(*questions: QuestionGrade, notes: tuple[str, ...] = ()) -> dict[str, Any]:
    text = prairielearn_results.graded(grade_of(*questions), SETTINGS, notes, 3.2, 2).results
    assert len(text.encode()) < MIB
    content: dict[str, Any] = json.loads(text)
    return content


def for_artemis(*questions: QuestionGrade, step: float = 0.5) -> Conclusion:
    settings = PackageSettings(written=("hw/essay",), step=step)
    return junit_results.graded(grade_of(*questions), settings, (), 3.2, 2)


def passed(final: Conclusion) -> dict[str, bool]:
    return {
        case.get("name", ""): case.find("failure") is None for case in ET.fromstring(final.results).iter("testcase")
    }


BROKEN = question("q2", Outcome.BROKEN, waits=Waits.BROKEN, message="The test could not be run.")
ESSAY = question("essay", Outcome.MANUAL, waits=Waits.WRITTEN)
EMPTY_ESSAY = question("essay", Outcome.SKIPPED)

# --- PrairieLearn ------------------------------------------------------------------------------------


def test_the_score_is_the_share_of_the_points_that_tests_decide() -> None:
    content = for_prairielearn(
        question("q1", Outcome.PASSED, 2.0), question("q2", Outcome.PARTIAL, 0.666, message="no")
    )
    assert (content["gradable"], content["score"]) == (True, 2.67 / 4)
    assert content["tests"][1] == {"name": "q2", "points": 0.67, "max_points": 2.0, "message": "no"}


@pytest.mark.parametrize("essay", [ESSAY, EMPTY_ESSAY])
def test_an_answer_for_a_person_takes_nothing_from_the_score(essay: QuestionGrade) -> None:
    content = for_prairielearn(question("q1", Outcome.PASSED, 2.0), essay)
    assert content["score"] == 1.0
    assert content["tests"][1]["max_points"] == 0.0  # every test needs points, or the platform shows none


def test_a_question_that_a_person_has_to_decide_is_named_and_the_certain_points_count() -> None:
    """Without a score the platform counts no attempt, and each student can make a question wait on purpose."""
    content = for_prairielearn(question("q1", Outcome.PASSED, 2.0), BROKEN)
    assert (content["gradable"], content["score"]) == (True, 0.5)
    assert content["message"].splitlines()[0] == f"q2: {student_texts.UNDECIDED}"
    assert content["tests"][1]["max_points"] == 0.0


def test_the_points_that_are_certain_of_a_question_that_waits_count_too() -> None:
    half = question("q2", Outcome.PARTIAL, 1.0, waits=Waits.UNDECIDED)
    content = for_prairielearn(question("q1", Outcome.PASSED, 2.0), half)
    assert content["score"] == 0.75
    assert (content["tests"][1]["points"], content["tests"][1]["max_points"]) == (1.0, 1.0)


@pytest.mark.parametrize(("score", "share"), [(3.0, 1.0), (-1.0, 0.0), (math.nan, 0.0), (math.inf, 0.0)])
def test_a_score_that_the_platform_would_refuse_is_brought_into_its_range(score: float, share: float) -> None:
    assert for_prairielearn(question("q1", Outcome.PARTIAL, score))["score"] == share


def test_the_results_stay_below_a_megabyte_and_are_plain_text() -> None:
    content = for_prairielearn(
        *(question(f"q{n}", Outcome.FAILED, message="\x1b[31m\u202e<b>" + "\U0001f600" * 90_000) for n in range(400))
    )
    assert "\x1b" not in content["tests"][0]["message"]
    assert "\u202e" not in content["tests"][0]["message"]


def test_the_message_has_the_sandbox_and_the_notes() -> None:
    content = for_prairielearn(question("q1", Outcome.PASSED, 2.0), notes=("x.ipynb was not taken: a link",))
    assert content["message"].splitlines() == ["Note: x.ipynb was not taken: a link.", LABEL]


# --- Artemis -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "number"), [(0.0, 0), (0.01, 1), (0.5, 1), (0.1 + 0.2 + 0.2, 1), (1.2, 3), (2.0, 4), (math.nan, 0)]
)
def test_a_score_between_two_steps_counts_as_the_upper_one(score: float, number: int) -> None:
    """Nobody loses points to the platform's pass or fail."""
    cases = passed(for_artemis(question("q1", Outcome.PARTIAL, score)))
    assert list(cases.values()) == [True] * number + [False] * (4 - number)


def test_a_question_of_one_step_keeps_its_name_and_details_stay_here() -> None:
    secret = CheckResult("loss", Outcome.FAILED, 0.0, "too large", detail="canary", evidence={"canary": 1})
    final = for_artemis(
        question("q1", Outcome.FAILED, message="loss: too large", detail="canary", checks=(secret,)), step=2
    )
    assert passed(final) == {"q1": False}
    assert "canary" not in final.results + final.log
    (failure,) = ET.fromstring(final.results).iter("failure")
    assert (failure.get("message") or "").splitlines() == ["loss: too large", LABEL]
    assert 'name="sandbox"' in final.results


@pytest.mark.parametrize("essay", [ESSAY, EMPTY_ESSAY])
def test_an_answer_for_a_person_is_no_test(essay: QuestionGrade) -> None:
    assert list(passed(for_artemis(question("q1", Outcome.PASSED, 2.0), essay, step=2))) == ["q1"]


def test_a_question_that_waits_for_a_person_holds_back_no_other() -> None:
    final = for_artemis(question("q1", Outcome.PASSED, 2.0), BROKEN, step=2)
    assert passed(final) == {"q1": True, "q2": False}
    assert final.log.splitlines()[0] == f"q2: {student_texts.UNDECIDED}"
    (failure,) = ET.fromstring(final.results).iter("failure")
    assert (failure.get("message") or "").startswith(student_texts.UNDECIDED)


def test_whatever_a_student_wrote_the_results_are_xml() -> None:
    final = for_artemis(question("q1", Outcome.FAILED, message="]]>&<\x00\x0b\ufffe\ud800\"'\n\tx"))
    assert "x" in (next(ET.fromstring(final.results.encode()).iter("failure")).get("message") or "")


@pytest.mark.parametrize(
    ("scores", "step", "words"),
    [([2, 1], 0.5, ""), ([0.3, 0.2], 0.1, ""), ([2, 0.75], 0.5, "--step 0.25"), ([300], 0.5, "600 tests")],
)
def test_steps_add_up_to_the_points_of_each_question(scores: list[float], step: float, words: str) -> None:
    if not words:
        junit_results.check_steps(scores, step)
        return
    with pytest.raises(CourseError, match=words):
        junit_results.check_steps(scores, step)


# --- all ---------------------------------------------------------------------------------------------


def test_files_that_are_no_notebook_cost_no_attempt() -> None:
    """They are refused as a submission without a notebook is; with one notebook that can be read, there is a grade."""
    unread = NotebookGrade("hw", "invalid", "It is not JSON.", questions=(question("q1", Outcome.SKIPPED),))
    readable = grade_of(question("q1", Outcome.PASSED, 2.0)).notebooks[0]
    program.require_notebook(Grade("student", "hw", (unread, readable)))
    with pytest.raises(SubmissionError, match=r"It is not JSON\."):
        program.require_notebook(Grade("student", "hw", (unread, unread)))


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_what_could_not_be_graded_has_no_points_on_any_platform(platform: Platform) -> None:
    for final in map(platform.format.not_graded, (conclusion.NOT_GRADED, "No notebook.")):
        content = json.loads(final.results) if final.results else {}
        assert content.get("tests", []) == []
        assert content.get("score", 0.0) == 0.0
        assert final.results or final.log


@pytest.fixture
def parent() -> Iterator[Path]:
    """A folder that every user may enter."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


READ = """#!{python} -I
import subprocess, sys
look = "import sys\\nfor p in sys.argv[1:]:\\n try:\\n  print(open(p).read())\\n except OSError:\\n  pass"
subprocess.run(["/usr/bin/env", "python3", "-c", look, *{paths}], user=65534, cwd="/", check=True)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="the platforms run autograders as root")
@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS)
def test_the_script_closes_what_students_may_not_read_before_anything_runs(platform: Platform, parent: Path) -> None:
    """Artemis leaves a copy of the test repository beside its working folder."""
    root, copy = parent / "root", parent / "copy-of-tests"
    folders = [root / platform.source, root / platform.submission, *([copy] if platform is ARTEMIS else [])]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "exam").write_text("secret")
    (root / platform.source / "provisional").write_text(platform.format.not_graded(conclusion.STOPPED).results)
    program = parent / "program"
    program.write_text(READ.format(python=sys.executable, paths=[str(folder / "exam") for folder in folders]))
    program.chmod(0o755)
    before = subprocess.run([program], capture_output=True, text=True, check=True)
    assert before.stdout.split() == ["secret"] * len(folders)  # the control
    script = root / "run_autograder"
    script.write_bytes(_run_script(platform, SETTINGS))
    environment = {"PATH": os.environ["PATH"], "AUTOGRADER_ROOT": str(root), "AUTOGRADER_PYTHON": str(program)}
    done = subprocess.run(["bash", str(script)], env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("", "")
    assert done.returncode == (1 if platform is ARTEMIS else 0)  # no results there, and a failed build
