"""A person's word on which attempt counts: every way to a grade follows it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers import tiny
from helpers.kernels import InProcessKernel
from helpers.tiny import YAML, Here, cell, grade_in_this_process, notebook, tiny_course

from autograder import cli
from autograder.course.configuration import load_course
from autograder.errors import CourseError, HostError, UsageError
from autograder.extensions.serve.attempt_table import choose, listed
from autograder.extensions.watch.arrivals import Arrivals
from autograder.records.course import Course
from autograder.results import publication
from autograder.submission import collect
from autograder.submissions.choices import choices
from autograder.submissions.hand_ins import HandIns

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
RIGHT, WRONG = "def double(x):\n    return 2 * x", "def double(x):\n    return 3"


def the_course(root: Path, attempts: str = "{use: student}", more: str = "") -> Course:
    due = f"    due: {NOW - 2.5 * HOUR:%Y-%m-%dT%H:%M:%SZ}\n    attempts: {attempts}\n{more}"
    course = tiny_course(root, yaml=YAML + due)
    course.release("hw").mkdir(parents=True)
    stub = "def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    (course.release("hw") / "nb.ipynb").write_text(notebook(cell(stub, "double", solution=True)))
    return course


def hand_in(course: Course, hours: float, answer: str, student: str = "ada") -> None:
    source = course.root.parent / f"in{hours:g}{student}" / f"{student}.ipynb"
    source.parent.mkdir(parents=True)
    source.write_text(notebook(cell(answer, "double", solution=True)))
    when = (NOW + hours * HOUR).timestamp()
    os.utime(source, (when, when))
    collect(course, "hw", source, received=NOW + hours * HOUR)


def names(course: Course, student: str = "ada") -> list[str]:
    return [each.name for each in listed(HandIns(course), student, "hw")]


def counted(course: Course, student: str = "ada") -> int:
    """The position of the attempt that counts."""
    return [each.counts for each in listed(HandIns(course), student, "hw")].index(True)


@pytest.mark.parametrize("rule", ["last", "last_before_due", "best"])
def test_a_chosen_attempt_counts_whatever_the_rule(tmp_path: Path, rule: str) -> None:
    course = the_course(tmp_path / "course", f"{{counts: {rule}}}")
    for hour in (-4, -3, -2, -1):
        hand_in(course, hour, f"x = {hour}")
    for position in (0, 3, 1):
        choose(course, "ada", "hw", names(course)[position], by="staff meier", reason="it is whole")
        assert counted(course) == position
    whys = [each.why for each in listed(HandIns(course), "ada", "hw")]
    assert whys[1].startswith("staff meier chose it on ")
    assert whys[1].endswith(": it is whole")
    assert whys[3] == "set aside by that choice"
    assert [choice.by for choice in choices(course, "hw", ["ada"])] == ["staff meier"] * 3, "all of them are kept"


def test_what_is_handed_in_after_a_choice_counts_by_the_rule(tmp_path: Path) -> None:
    """A student who hands in again means the new one."""
    course = the_course(tmp_path / "course")
    hand_in(course, -4, RIGHT)
    hand_in(course, -3, WRONG)
    choose(course, "ada", "hw", names(course)[0], by="ada", reason="", when=NOW - 2 * HOUR)
    hand_in(course, -1, RIGHT + "  # better")
    assert counted(course) == 2


def test_a_late_hand_in_after_a_choice_does_not_bring_back_what_was_set_aside(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course", "{counts: last_before_due, use: student}")
    hand_in(course, -4, RIGHT)
    hand_in(course, -3, WRONG)
    choose(course, "ada", "hw", names(course)[0], by="ada", reason="", when=NOW - 2.9 * HOUR)
    hand_in(course, -1, WRONG + "  # late")
    assert counted(course) == 0


def test_a_choice_holds_when_the_attempt_is_superseded(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course", "{counts: last_before_due, use: student}")
    hand_in(course, -4, WRONG)
    hand_in(course, -3, RIGHT)
    choose(course, "ada", "hw", names(course)[1], by="ada", reason="", when=NOW - 2.8 * HOUR)
    hand_in(course, -1, WRONG + "  # late")
    assert counted(course) == 1
    assert HandIns(course).folder("ada", "hw") != course.submitted("ada", "hw")


def test_a_choice_of_an_attempt_that_is_gone_leaves_the_rule(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course")
    hand_in(course, -4, RIGHT)
    hand_in(course, -3, WRONG)
    choose(course, "ada", "hw", names(course)[0], by="ada", reason="")
    for folder in (course.state / "superseded/hw/ada").iterdir():
        folder.rename(tmp_path / "gone")
    assert counted(course) == 0
    assert HandIns(course).folder("ada", "hw") == course.submitted("ada", "hw")


def test_a_choice_of_one_counts_for_the_team(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course", more="    team_size: 2\n")
    (course.root / "people.csv").write_text("id,team\nada,t\nbob,t\neve,\n")
    hand_in(course, -4, RIGHT)
    hand_in(course, -3, WRONG, "bob")
    choose(course, "bob", "hw", names(course, "bob")[0], by="bob", reason="")
    assert counted(course) == counted(course, "bob") == 0
    hand_in(course, -2, WRONG, "eve")
    assert counted(course, "eve") == 0


# --- who may choose


def test_a_student_chooses_only_where_the_course_allows_it(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course", "last")
    hand_in(course, -4, RIGHT)
    hand_in(course, -3, WRONG)
    with pytest.raises(UsageError, match="your teachers' decision"):
        choose(course, "ada", "hw", names(course)[0], by="ada", reason="")
    choose(course, "ada", "hw", names(course)[0], by="staff meier", reason="")
    assert counted(course) == 0


def test_after_the_close_and_after_staffs_word_a_student_chooses_no_more(tmp_path: Path) -> None:
    close = f"    close: {NOW - 2 * HOUR:%Y-%m-%dT%H:%M:%SZ}\n"
    course = the_course(tmp_path / "course", more=close)
    hand_in(course, -4, RIGHT)
    hand_in(course, -3, WRONG)
    first = names(course)[0]
    with pytest.raises(UsageError, match="your teachers' decision"):
        choose(course, "ada", "hw", first, by="ada", reason="", when=NOW)
    choose(course, "ada", "hw", first, by="staff meier", reason="", when=NOW - 2.6 * HOUR)
    with pytest.raises(UsageError, match="your teachers' decision"):
        choose(course, "ada", "hw", first, by="ada", reason="", when=NOW - 2.5 * HOUR)


def test_no_choice_gets_a_student_around_the_limit_and_staff_may_make_an_exception(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course", "{total: 1, use: student}")
    hand_in(course, -4, WRONG)
    hand_in(course, -3, RIGHT)
    with pytest.raises(UsageError, match="beyond the number of attempts"):
        choose(course, "ada", "hw", names(course)[1], by="ada", reason="")
    choose(course, "ada", "hw", names(course)[1], by="staff meier", reason="")
    assert counted(course) == 1


@pytest.mark.parametrize("wanted", ["", "0", "../../../people", "f" * 32])
def test_a_name_of_no_attempt_is_refused(tmp_path: Path, wanted: str) -> None:
    course = the_course(tmp_path / "course")
    hand_in(course, -4, RIGHT)
    with pytest.raises(UsageError, match="has no attempt"):
        choose(course, "ada", "hw", wanted, by="ada", reason="")


def test_another_students_attempt_is_none_of_ones_own(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course")
    hand_in(course, -4, WRONG)
    hand_in(course, -3, RIGHT, "bob")
    with pytest.raises(UsageError, match="ada has no attempt"):
        choose(course, "ada", "hw", names(course, "bob")[0], by="ada", reason="")


def test_a_damaged_file_of_choices_is_told_and_not_passed_over(tmp_path: Path) -> None:
    course = the_course(tmp_path / "course")
    hand_in(course, -4, RIGHT)
    path = course.state / "choices/hw/ada.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    with pytest.raises(HostError, match=r"ada\.json cannot be read"):
        HandIns(course).chosen("ada", "hw")


def test_who_may_choose_is_staff_or_student(tmp_path: Path) -> None:
    with pytest.raises(
        CourseError, match="unknown 'use' of 'attempts' in assignment 'hw'; it is one of staff, student"
    ):
        the_course(tmp_path, "{use: nobody}")
    (tmp_path / "course.yaml").write_text(YAML + "    attempts: {use: student}\n")
    assert load_course(tmp_path).assignments["hw"].attempts.is_plain


# --- every way to a grade


def test_grade_watch_and_the_command_follow_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = the_course(tmp_path / "course")
    hand_in(course, -4, RIGHT)
    hand_in(course, -3, WRONG)
    arrivals = Arrivals(course, course.assignments["hw"])
    assert [arrivals.look(), arrivals.look(), arrivals.look()] == [[], ["ada"], []]
    assert score(course, monkeypatch) == 0
    first = names(course)[0]
    said = CliRunner().invoke(
        cli.main, ["attempts", "ada", "hw", "--use", first[:8], "--why", "slip", "--course", str(course.root)]
    )
    assert said.exit_code == 0, said.output
    assert f"{first[:8]}, handed in " in said.output
    assert [arrivals.look(), arrivals.look(), arrivals.look()] == [[], ["ada"], []]
    assert score(course, monkeypatch) == 2
    table = CliRunner().invoke(cli.main, ["attempts", "ada", "hw", "--course", str(course.root)]).output.splitlines()
    assert [line.split()[:2] for line in table] == [
        ["counts", first[:8]],
        [names(course)[1][:8], f"{NOW - 3 * HOUR:%Y-%m-%d}"],
    ]
    assert "1 of 1 answered" in table[0]
    assert table[0].endswith(": slip")


def score(course: Course, monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())
    grade_in_this_process(monkeypatch, Here())
    CliRunner().invoke(cli.main, ["grade", "hw", "--quiet", "--course", str(course.root)])
    (grade,) = publication.on_disk(course, "hw").current
    return grade.score
