"""What being late costs: by course.yaml's policies, by a class of the course in nbgrader's form, by nbgrader's settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from autograder.course.configuration import load_course
from autograder.course.late_policy import check_plugin, late_penalty, plugin_key
from autograder.errors import CourseError, HostError
from autograder.extensions.gradebook.database import opened
from autograder.records.course import Assignment, Course
from autograder.records.policies import LatePolicy

DUE = datetime(2027, 1, 31, tzinfo=UTC)
HOUR = timedelta(hours=1)
PER_DAY = LatePolicy("per_day", 0.25, grace_hours=1)


def lost(
    policy: LatePolicy, late: timedelta, *scores: float, course: Path = Path(), due: datetime | None = DUE
) -> float:
    return late_penalty(course, Assignment("hw", "hw", due=due, late=policy), DUE + late)("ada", scores or [8.0])


@pytest.mark.parametrize(
    ("policy", "late", "points"),
    [
        (LatePolicy("none"), timedelta(days=9), 0.0),
        (LatePolicy("zero"), timedelta(0), 0.0),
        (LatePolicy("zero"), timedelta(seconds=1), 8.0),
        (LatePolicy("zero", grace_hours=2), timedelta(hours=2), 0.0),
        (PER_DAY, timedelta(days=-1), 0.0),
        (PER_DAY, timedelta(hours=1), 0.0),
        (PER_DAY, timedelta(hours=1, seconds=1), 2.0),
        (PER_DAY, timedelta(hours=25), 2.0),
        (PER_DAY, timedelta(hours=25, seconds=1), 4.0),
        (PER_DAY, timedelta(days=365), 8.0),
    ],
)
def test_the_late_penalty_is_counted_in_days_begun_after_the_grace(policy, late, points) -> None:
    assert lost(policy, late) == points


@pytest.mark.parametrize(("clock", "days"), [("17:59", 1), ("18:30", 2)])
def test_a_day_ends_at_the_same_time_of_the_clock_when_clocks_change(clock: str, days: int) -> None:
    """The night of 31 October 2027 has an hour more."""
    berlin = ZoneInfo("Europe/Berlin")
    due = datetime(2027, 10, 30, 18, tzinfo=berlin)
    when = datetime.fromisoformat(f"2027-10-31 {clock}").replace(tzinfo=berlin).astimezone(UTC)
    assignment = Assignment("hw", "hw", due=due, late=LatePolicy(kind="per_day", per_day=0.1))
    assert late_penalty(Path(), assignment, when)("ada", [10]) == pytest.approx(days)


def test_all_notebooks_of_a_submission_count_together() -> None:
    assert lost(PER_DAY, 2 * HOUR, 6.0, 2.0) == 2.0


def test_nothing_is_late_without_a_due_date_or_a_time_of_submission() -> None:
    assert lost(LatePolicy("zero"), HOUR, due=None) == 0.0
    assert late_penalty(Path(), Assignment("hw", "hw", due=DUE, late=LatePolicy("zero")), None)("ada", [8.0]) == 0.0


def test_times_without_a_zone_are_utc() -> None:
    assert lost(LatePolicy("zero"), timedelta(seconds=1), due=DUE.replace(tzinfo=None)) == 8.0


# --- a class of the course's own, in nbgrader's form -----------------------------------------------------

NBGRADERS_EXAMPLE = """\
from __future__ import division
from nbgrader.plugins import BasePlugin

class Blarg(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        # loss 1 mark per hour late
        hours_late = total_seconds_late / 3600
        return int(hours_late)
"""
"""The plugin of nbgrader's own test, as it is."""
WITH_OPTIONS = """\
from nbgrader.plugins import BasePlugin
from traitlets import Float

class Steps(BasePlugin):
    each = Float(1.0).tag(config=True)

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        self.log.info("asked")
        return self.each
"""


def policy(tmp_path: Path, text: str, name: str = "P") -> LatePolicy:
    (tmp_path / "late_plugin.py").write_text(text)
    return LatePolicy("plugin", plugin=f"late_plugin.py:{name}")


def saying(tmp_path: Path, answer: str) -> LatePolicy:
    """A policy class whose method returns the expression."""
    method = f"def late_submission_penalty(self, student_id, score, total_seconds_late):\n        return {answer}"
    return policy(tmp_path, f"class P:\n    {method}\n")


@pytest.mark.parametrize(("score", "hours", "points"), [(1, 4, 1), (2, 1, 1), (2, 0, 0), (8, 3.5, 3)])
def test_nbgraders_example_plugin_gives_nbgraders_penalties(tmp_path: Path, score, hours, points) -> None:
    assert lost(policy(tmp_path, NBGRADERS_EXAMPLE, "Blarg"), hours * HOUR, score, course=tmp_path) == points


def test_a_plugin_is_asked_once_for_each_notebook_and_takes_no_more_than_its_score(tmp_path: Path) -> None:
    assert lost(saying(tmp_path, "4"), HOUR, 1.0, 9.0, course=tmp_path) == 1.0 + 4.0


def test_a_plugin_is_told_student_score_and_seconds_after_the_grace(tmp_path: Path) -> None:
    told = saying(tmp_path, "float((student_id, score, total_seconds_late) == ('ada', 8.0, 1800.0))")
    assert lost(replace(told, grace_hours=1.5), 2 * HOUR, course=tmp_path) == 1.0


def test_none_is_no_penalty(tmp_path: Path) -> None:
    assert lost(saying(tmp_path, "None"), HOUR, course=tmp_path) == 0.0


def test_options_of_a_plugin_come_from_nbgrader_config(tmp_path: Path) -> None:
    (tmp_path / "nbgrader_config.py").write_text("c.Steps.each = 2.5\n")
    assert lost(policy(tmp_path, WITH_OPTIONS, "Steps"), HOUR, course=tmp_path) == 2.5


def test_a_plugins_file_takes_no_modules_place(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n@dataclass\nclass P:\n    each: int = 3\n"
        "    def late_submission_penalty(self, student_id, score, total_seconds_late):\n        return self.each\n"
    )
    assert lost(LatePolicy("plugin", plugin="json.py:P"), HOUR, course=tmp_path) == 3
    assert sys.modules["json"] is json


def test_a_plugin_that_nobody_needs_is_not_loaded(tmp_path: Path) -> None:
    broken = policy(tmp_path, "raise ValueError('loaded')")
    assert lost(broken, timedelta(0), course=tmp_path) == 0.0
    with pytest.raises(CourseError, match="loaded"):
        late_penalty(tmp_path, Assignment("hw", "hw", due=DUE, late=broken), DUE + HOUR)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import nowhere_to_be_found",
            r"late_plugin.py:1: the late policy P cannot be loaded \(ModuleNotFoundError: ",
        ),
        ("x = 1\nraise SystemExit(3)", r"late_plugin.py:2: the late policy P cannot be loaded \(SystemExit: 3\)"),
        (
            "class P:\n    def __init__(self, x): ...",
            r"late_plugin.py: the late policy P cannot be loaded \(TypeError",
        ),
        ("x = 1", "late_plugin.py: there is no class 'P' with a method late_submission_penalty"),
        ("P = 7", "late_plugin.py: there is no class 'P'"),
        ("class P: ...", "late_plugin.py: there is no class 'P' with a method late_submission_penalty"),
    ],
)
def test_a_plugin_that_can_not_be_loaded_is_the_course_authors_fault(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CourseError, match=f"^{message}"):
        lost(policy(tmp_path, text), HOUR, course=tmp_path)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            "score / 0",
            r"late_plugin.py:3: P.late_submission_penalty\(score=8, total_seconds_late=3600\) failed \(ZeroDiv",
        ),
        ("exit(1)", "late_plugin.py:3: .* failed"),
        ("-1", "late_plugin.py: .* gave -1; it must be a finite number of points, at least 0, or None"),
        ("float('nan')", "gave nan; it must be"),
        ("float('inf')", "gave inf; it must be"),
        ("'3'", "gave '3'; it must be"),
        ("[]", "failed"),
    ],
)
def test_a_plugin_that_gives_no_points_is_the_course_authors_fault(tmp_path: Path, answer: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        lost(saying(tmp_path, answer), HOUR, course=tmp_path)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("late_plugin.Blarg", "must name a class of a Python file of the course"),
        ("late_plugin.py", "must name a class"),
        ("missing.py:Blarg", "there is no Python file 'missing.py' in the course"),
        ("../late_plugin.py:Blarg", "must not contain '..'"),
        ("/late_plugin.py:Blarg", "must be a relative path"),
        ("late_plugin.py:Blurg", "late_plugin.py has no class 'Blurg'; did you mean 'Blarg'"),
        ("bad.py:Blarg", "bad.py:2: not valid Python"),
        ("empty.py:Blarg", "Blarg in empty.py has no method late_submission_penalty"),
    ],
)
def test_a_look_at_the_file_tells_most_mistakes_before_anything_runs(tmp_path: Path, reference: str, message) -> None:
    (tmp_path / "late_plugin.py").write_text(NBGRADERS_EXAMPLE)
    (tmp_path / "bad.py").write_text("x = 1\nclass")
    (tmp_path / "empty.py").write_text("class Blarg: ...")
    check_plugin(tmp_path, "late_plugin.py:Blarg")
    with pytest.raises(ValueError, match=message):
        check_plugin(tmp_path, reference)


def test_a_changed_plugin_or_option_makes_grades_due(tmp_path: Path) -> None:
    first = plugin_key(tmp_path, saying(tmp_path, "1"))
    second = plugin_key(tmp_path, saying(tmp_path, "2"))
    (tmp_path / "nbgrader_config.py").write_text("c.P.each = 1\n")
    assert len({str(key) for key in (first, second, plugin_key(tmp_path, saying(tmp_path, "2")))}) == 3


# --- in course.yaml --------------------------------------------------------------------------------------


def from_yaml(root: Path, late: str) -> LatePolicy:
    (root / "source/hw").mkdir(parents=True)
    (root / "late_plugin.py").write_text(NBGRADERS_EXAMPLE)
    (root / "course.yaml").write_text(f"course: x\nassignments:\n  hw:\n    due: 2027-01-31\n    late: {late}\n")
    return load_course(root).assignments["hw"].late


def test_course_yaml_names_the_class(tmp_path: Path) -> None:
    policy = from_yaml(tmp_path, "{plugin: late_plugin.py:Blarg, grace_hours: 1}")
    assert policy == LatePolicy("plugin", grace_hours=1.0, plugin="late_plugin.py:Blarg")


def test_a_wrong_class_in_course_yaml_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        CourseError, match=r"^course.yaml:5: the late policy of assignment 'hw': late_plugin.py has no cl"
    ):
        from_yaml(tmp_path, "{plugin: late_plugin.py:Blurg}")


# --- in an nbgrader course as it stands --------------------------------------------------------------------


def as_it_stands(root: Path, config: Sequence[str] = ()) -> Course:
    (root / "source/ps1").mkdir(parents=True, exist_ok=True)
    (root / "source/ps1/p1.ipynb").write_text("{}")
    (root / "late_plugin.py").write_text(NBGRADERS_EXAMPLE)
    (root / "nbgrader_config.py").write_text("\n".join(["c = get_config()", *config]))
    return load_course(root)


@pytest.mark.parametrize(
    ("line", "policy"),
    [
        ("", LatePolicy()),
        ("c.LateSubmissionPlugin.penalty_method = 'zero'", LatePolicy("zero")),
        ("c.AssignLatePenalties.plugin_class = 'nbgrader.plugins.LateSubmissionPlugin'", LatePolicy()),
        (
            "c.AssignLatePenalties.plugin_class = 'late_plugin.Blarg'",
            LatePolicy("plugin", plugin="late_plugin.py:Blarg"),
        ),
    ],
)
def test_the_late_policy_of_nbgrader_config_applies(tmp_path: Path, line: str, policy: LatePolicy) -> None:
    assert as_it_stands(tmp_path, [line]).assignments["ps1"].late == policy


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("c.LateSubmissionPlugin.penalty_method = 'half'", "penalty_method: 'half' is not none or zero"),
        (
            "c.AssignLatePenalties.plugin_class = Blarg",
            "nbgrader_config.py:2: .*plugin_class is computed: write its value",
        ),
        ("c.AssignLatePenalties.plugin_class = 'late.Blarg'", "plugin_class: there is no Python file 'late.py'"),
    ],
)
def test_a_late_policy_that_can_not_be_used_is_a_course_error(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        as_it_stands(tmp_path, [line])


def test_due_dates_are_those_of_nbgraders_gradebook(tmp_path: Path) -> None:
    course = as_it_stands(tmp_path)
    assert course.assignments["ps1"].due is None
    with opened(course) as book:
        book.update_or_create_assignment("ps1", duedate="2015-02-02 14:58:23.948203 America/Los_Angeles")
    assert load_course(tmp_path).assignments["ps1"].due == datetime(2015, 2, 2, 22, 58, 23, 948203, UTC)


def test_a_gradebook_without_tables_says_nothing_and_a_damaged_one_is_no_silence(tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_bytes(b"")
    assert as_it_stands(tmp_path).assignments["ps1"].due is None
    (tmp_path / "gradebook.db").write_bytes(b"no database" * 100)
    with pytest.raises(HostError, match=r"gradebook\.db cannot be read"):
        as_it_stands(tmp_path)
