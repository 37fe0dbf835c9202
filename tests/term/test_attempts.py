"""Attempts: all are kept, and the rule of the assignment says which counts."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.tiny import YAML, Here, cell, grade_in_this_process, notebook, tiny_course

from autograder import cli
from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.records.course import Course
from autograder.records.policies import Attempts
from autograder.results import publication
from autograder.submission import CollectStatus, collect
from autograder.submissions.hand_ins import HandIns
from autograder.term.attempts import Attempt, counting, in_order, within_limits

DUE = datetime(2027, 1, 31, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def at(*hours: float) -> list[Attempt]:
    """Attempts so many hours after the due date."""
    return [Attempt("ada", Path(f"{hour:g}"), DUE + hour * HOUR) for hour in hours]


def chosen(rule: Attempts, attempts: list[Attempt], **scores: float) -> str:
    allowed, _ = within_limits(attempts, rule)
    found = counting(allowed, rule, DUE, {Path(name.removeprefix("h")): score for name, score in scores.items()})
    return str(found.folder) if found else ""


# --- the rule -------------------------------------------------------------------------------------------


def test_the_last_the_last_in_time_or_the_best_counts() -> None:
    attempts = at(2, -2, -1)
    assert chosen(Attempts(), attempts) == "2"
    assert chosen(Attempts("last_before_due"), attempts) == "-1"
    assert chosen(Attempts("last_before_due"), at(3, 2)) == "2", "none is in time: the first late one"
    attempts = in_order(attempts)
    found = counting(attempts, Attempts("best"), DUE, {Path("2"): 1.0, Path("-2"): 3.0, Path("-1"): 3.0})
    assert found == attempts[0], "the earliest of equal ones"
    assert counting(attempts, Attempts("best"), DUE, {Path("2"): 1.0}) == attempts[-1], "until all are graded: the last"
    assert counting([], Attempts(), DUE, {}) is None


def test_an_attempt_whose_time_nobody_knows_is_the_last() -> None:
    unknown = Attempt("ada", Path("?"))
    assert counting(in_order([unknown, *at(-1)]), Attempts(), DUE, {}) == unknown


def test_limits_of_a_day_and_in_all() -> None:
    """What is beyond the limit of a day does not use up the limit in all."""
    attempts = at(-30, -29, -28, -5, -4, -3)
    allowed, beyond = within_limits(attempts, Attempts(daily=2))
    assert [str(one.folder) for one in allowed] == ["-30", "-29", "-5", "-4"]
    assert [str(one.folder) for one in beyond] == ["-28", "-3"]
    assert chosen(Attempts(daily=2, total=3), attempts) == "-5"


def test_a_day_is_one_of_the_due_dates_zone() -> None:
    midnight = [Attempt("ada", Path("a"), DUE + 5.5 * HOUR), Attempt("ada", Path("b"), DUE + 6.5 * HOUR)]
    assert len(within_limits(midnight, Attempts(daily=1))[0]) == 2
    assert len(within_limits(midnight, Attempts(daily=1), timezone(timedelta(hours=-1)))[0]) == 1


# --- collecting and grading -----------------------------------------------------------------------------


def the_course(root: Path, attempts: str) -> Course:
    due = f"    due: 2027-01-31T18:00:00Z\n    late: zero\n    attempts: {attempts}\n"
    return tiny_course(root, yaml=YAML + due)


def hand_in(course: Course, source: Path, when: datetime, answer: str) -> CollectStatus:
    """Collect one hand-in of Ada's, as a learning system's download of that time has it."""
    path = source / f"{when:%d%H}" / "ada.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(notebook(cell(answer, "double", solution=True)))
    os.utime(path, (when.timestamp(), when.timestamp()))
    (found,) = collect(course, "hw", path, received=when if when > datetime.now(UTC) else None)
    return found.status


RIGHT, WRONG = "def double(x):\n    return 2 * x", "def double(x):\n    return 3"


def graded(course: Course, monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())
    grade_in_this_process(monkeypatch, Here())
    said = CliRunner().invoke(cli.main, ["grade", "hw", "--quiet", "--course", str(course.root)])
    assert said.exit_code == 0, said.output
    (grade,) = publication.on_disk(course, "hw").current
    return grade.score


@pytest.mark.parametrize(
    ("rule", "answers", "score"),
    [
        ("last", {-2: RIGHT, -1: WRONG}, 0),
        ("best", {-2: RIGHT, -1: WRONG}, 2),
        ("best", {-2: WRONG, -1: RIGHT}, 2),
        ("best", {-2: WRONG, 3: RIGHT}, 0),
        ("last_before_due", {-2: RIGHT, 3: WRONG}, 2),
        ("{counts: best, total: 1}", {-2: WRONG, -1: RIGHT}, 0),
        ("{counts: last, daily: 1}", {-3: RIGHT, -2: WRONG}, 2),
    ],
)
def test_the_rule_decides_the_grade(
    rule: str, answers: dict[int, str], score: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours before and after the due date; late work is worth nothing here."""
    course = the_course(tmp_path / "course", rule)
    for hour, answer in answers.items():
        hand_in(course, tmp_path / "in", DUE + hour * HOUR, answer)
    assert graded(course, monkeypatch) == score


def test_with_a_better_attempt_the_best_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = the_course(tmp_path / "course", "best")
    hand_in(course, tmp_path / "in", DUE - 5 * HOUR, WRONG)
    assert graded(course, monkeypatch) == 0
    hand_in(course, tmp_path / "in", DUE - 4 * HOUR, RIGHT)
    assert graded(course, monkeypatch) == 2
    hand_in(course, tmp_path / "in", DUE - 3 * HOUR, WRONG + "  # again")
    assert graded(course, monkeypatch) == 2


def test_of_attempts_with_the_instructors_time_the_newest_is_the_last(tmp_path: Path) -> None:
    """`collect --received` gives them one time."""
    course = the_course(tmp_path / "course", "last_before_due")
    for name, answer in (("one", WRONG), ("two", RIGHT)):
        path = tmp_path / name / "ada.ipynb"
        path.parent.mkdir()
        path.write_text(notebook(cell(answer, "double", solution=True)))
        collect(course, "hw", path, received=DUE - HOUR)
    assert HandIns(course).folder("ada", "hw") == course.submitted("ada", "hw")


def test_two_attempts_of_one_second_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Students choose the time in a package: one attempt must not stand in for another."""
    course = the_course(tmp_path / "course", "best")
    for name, answer in (("one", WRONG), ("two", RIGHT), ("three", WRONG + "  # again")):
        hand_in(course, tmp_path / name, DUE - HOUR, answer)
    assert graded(course, monkeypatch) == 2
    attempts = HandIns(course).attempts("ada", "hw")
    assert len({HandIns(course).trial("ada", "hw", one) for one in attempts}) == 3


def test_every_attempt_is_kept_also_one_that_is_collected_late(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course", "last")
    first, second, third = (datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3))
    assert hand_in(course, tmp_path / "in", third, "3") is CollectStatus.COLLECTED
    assert hand_in(course, tmp_path / "in", first, "1") is CollectStatus.OLDER
    assert hand_in(course, tmp_path / "in2", first, "1") is CollectStatus.OLDER
    assert hand_in(course, tmp_path / "in", second, "2") is CollectStatus.OLDER
    assert [one.time for one in HandIns(course).attempts("ada", "hw")] == [first, second, third]


def test_attempts_beyond_the_limit_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = the_course(tmp_path / "course", "{total: 1}")
    for hour in (-3, -2, -1):
        hand_in(course, tmp_path / "in", DUE + hour * HOUR, f"x = {hour}")
    graded(course, monkeypatch)
    assert "ada: 2 attempts beyond the limit do not count" in (course.reports / "hw.html").read_text()
    assert "hw, ada: 2 attempts beyond the limit do not count" in publication.doubts(course)


@pytest.mark.parametrize(
    ("attempts", "message"),
    [
        ("first", "unknown attempts 'first' in assignment 'hw'; it is one of last, last_before_due, best"),
        ("{total: 0}", "'total' is 0; it must be between 1"),
        ("{daily: 0}", "'daily' is 0; it must be between 1"),
    ],
)
def test_a_rule_that_is_none_is_an_error_with_its_line(attempts: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=message):
        the_course(tmp_path, attempts)
    yaml = YAML + "    attempts: last_before_due\n"
    (tmp_path / "course.yaml").write_text(yaml)
    with pytest.raises(CourseError, match="assignment 'hw' has no due date"):
        load_course(tmp_path)
