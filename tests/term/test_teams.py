"""Teams: one hands in for all, a grade for each, and what happens where the sources contradict one another."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from helpers.tiny import YAML, Here, cell, notebook, submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.course.configuration import load_course
from autograder.errors import CourseError
from autograder.records.course import Assignment, Course
from autograder.records.dates import TIMESTAMP
from autograder.records.grade import Grade
from autograder.results import publication
from autograder.submission import CollectStatus, collect, pack
from autograder.submissions.claims import read_claims
from autograder.submissions.hand_ins import HandIns
from autograder.submissions.manifest import format_timestamp
from autograder.term.facts import load_term
from autograder.term.people import Person, Roster
from autograder.term.teams import Membership, Teams, teams_of

PS1 = Assignment("ps1", "ps1", team_size=3)
DUE = datetime(2027, 1, 31, 18, tzinfo=UTC)
DAY = timedelta(days=1)


def teams(
    claims: dict[str, list[str]] | None = None,
    handed_in: str = "",
    memberships: tuple[Membership, ...] = (),
    roster: str = "",
    left: str = "",
    assignment: Assignment = PS1,
) -> Teams:
    people = tuple(Person(name, status="left" if name in left.split() else "active") for name in roster.split())
    return teams_of(assignment, Roster(people), memberships, claims or {}, handed_in.split() or list(claims or {}))


# --- who is a team --------------------------------------------------------------------------------------


def test_whom_a_package_names_is_in_the_team() -> None:
    found = teams({"ada": ["bob", "eve"]})
    assert (found.members("bob"), found.members("max"), found.conflicts) == (("ada", "bob", "eve"), ("max",), ())


def test_without_a_team_size_there_are_no_teams() -> None:
    assert teams({"ada": ["bob"]}, assignment=Assignment("ps1", "ps1")) == Teams()


def test_two_who_name_one_another_are_one_team_although_both_handed_in() -> None:
    found = teams({"ada": ["bob", "eve"], "bob": ["ada", "eve"]})
    assert (found.members("eve"), found.conflicts) == (("ada", "bob", "eve"), ())


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"claims": {"ada": ["bob"]}, "handed_in": "ada bob"}, "ada names bob, whose own hand-in counts instead"),
        ({"claims": {"ada": ["eve"], "bob": ["eve"]}}, "ada and bob all name eve; say in teams.csv whose team it is"),
        ({"claims": {"ada": ["bob", "eve", "max"]}}, "ada names bob and eve and max: more than 3 in a team"),
        ({"claims": {"ada": ["bob"]}, "roster": "ada eve"}, "ada names bob, who is not in the course"),
        ({"claims": {"ada": ["bob"]}, "roster": "ada bob", "left": "bob"}, "ada names bob, who is not in the course"),
        (
            {"claims": {"ada": ["bob"]}, "memberships": (Membership("1", "bob"), Membership("1", "eve"))},
            "ada names bob, who is in a team of the course's own",
        ),
        (
            {"claims": {"ada": ["bob"]}, "memberships": (Membership("1", "ada"), Membership("1", "eve"))},
            "ada names bob, and the course's own teams decide",
        ),
    ],
)
def test_a_claim_that_contradicts_something_gives_nobody_a_grade_and_takes_none(how: dict, said: str) -> None:
    found = teams(**how)
    assert found.conflicts == (said,)
    assert "bob" not in found.members("ada")


def test_a_line_for_an_assignment_outweighs_a_general_one_and_the_file_outweighs_the_roster() -> None:
    lines = (
        Membership("1", "ada"),
        Membership("1", "bob"),
        Membership("2", "ada", "ps1"),
        Membership("2", "eve", "ps1"),
    )
    found = teams(memberships=lines)
    assert (found.members("ada"), found.members("bob")) == (("ada", "eve"), ("bob",))
    roster = Roster((Person("ada", team="x"), Person("bob", team="x"), Person("eve", team="x", status="left")))
    assert teams_of(PS1, roster, (), {}, []).members("ada") == ("ada", "bob")
    assert teams_of(PS1, roster, (Membership("1", "ada"),), {}, []).members("bob") == ("bob",)


def test_a_team_that_handed_in_twice_is_said() -> None:
    found = teams(memberships=(Membership("1", "ada"), Membership("1", "bob")), handed_in="ada bob")
    assert found.conflicts == ("ada and bob are one team and both handed in; one hand-in counts for all of them",)


# --- files ----------------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path: Path) -> Course:
    late = "    due: 2027-01-31T18:00:00Z\n    late: {kind: per_day, per_day: 0.25}\n    team_size: 2\n  solo:\n"
    root = tmp_path / "course"
    (root / "source/solo").mkdir(parents=True)
    made = tiny_course(root, yaml=YAML + late)
    (root / "people.csv").write_text("id,name,extra_days\nada,Ada,\nbob,Bob,2\neve,Eve,\nmax,Max,\n")
    return made


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("team,student\n1,ada\n2,ada\n", ["teams.csv:3: “ada” is in two teams, “1” in line 2, too; delete one"]),
        ("team,student\n1,ada\n1,ada\n", ["teams.csv:3: “ada” is twice; delete one"]),
        ("team,student\n1,\n,ada\n", ["teams.csv:2: a line has a team and a student", "teams.csv:3: a line has"]),
        ("team,student\n1,adda\n", ["teams.csv:2: there is no student “adda” in the roster; did you mean 'ada'?"]),
        ("team,student,assignment\n1,ada,hx\n", ["teams.csv:2: there is no assignment “hx”"]),
        ("team,student,assignment\n1,ada,solo\n", ["teams.csv:2: solo is not for teams; set its team_size"]),
        ("team;student\n1;ada\n1;bob\n1;eve\n", ["teams.csv:4: team “1” has 3 members, and team_size of hw is 2"]),
        ("team,students\n1,ada\n", ["teams.csv:1: there is no column “students”; did you mean 'student'?", "teams.csv:2: a line"]),
    ],
)  # fmt: skip
def test_faults_of_teams_are_named_with_file_and_line(text: str, messages: list[str], course: Course) -> None:
    (course.root / "teams.csv").write_text(text)
    with pytest.raises(CourseError) as found:
        load_term(course)
    lines = str(found.value).splitlines()
    assert len(lines) == len(messages)
    for line, message in zip(lines, messages, strict=True):
        assert line.startswith(message)


# --- grades ---------------------------------------------------------------------------------------------


def hand_in(course: Course, student: str, when: datetime, answer: str = "def double(x):\n    return 2 * x") -> None:
    (submit(course, student, answer) / TIMESTAMP).write_text(format_timestamp(when))


def graded(course: Course) -> tuple[dict[str, Grade], list[str]]:
    course, here = load_course(course.root), Here()
    done = batch.run(batch.plan(course, tiny_release(course)), execute=here)
    return {grade.student: grade for grade in done.grades}, here.started


def test_one_hands_in_and_each_gets_a_grade_by_the_own_dates(course: Course) -> None:
    """Bob has two more days, so that the same hand-in is late for Ada alone."""
    (course.root / "teams.csv").write_text("team,student\n1,ada\n1,bob\n")
    hand_in(course, "ada", DUE + DAY)
    found, _ = graded(course)
    assert {s: g.score for s, g in found.items()} == {"ada": 1.5, "bob": 2}
    bob = found["bob"].dates
    assert bob is not None
    assert bob.notes[-1] == "handed in by ada"
    assert publication.departed(course, list(found.values())) == {}
    assert course.autograded("bob", "hw").is_dir()


def test_of_two_hand_ins_of_a_team_the_newest_counts_for_both(course: Course) -> None:
    (course.root / "teams.csv").write_text("team,student\n1,ada\n1,bob\n")
    hand_in(course, "ada", DUE - DAY)
    hand_in(course, "bob", DUE, "def double(x):\n    return 3")
    found, _ = graded(course)
    assert {s: g.score for s, g in found.items()} == {"ada": 0, "bob": 0}


def test_who_leaves_a_team_gets_the_own_grade_again(course: Course) -> None:
    (course.root / "teams.csv").write_text("team,student\n1,ada\n1,bob\n")
    hand_in(course, "ada", DUE)
    graded(course)
    (course.root / "teams.csv").unlink()
    found, _ = graded(course)
    assert set(found) == {"ada"}
    assert set(publication.departed(course, list(publication.on_disk(course, "hw").current))) == {"bob"}


# --- packages -------------------------------------------------------------------------------------------


def packed(folder: Path, student: str, *team: str, day: int = 30) -> Path:
    work = folder / f"{student}-{day}/nb.ipynb"
    work.parent.mkdir(parents=True)
    work.write_text(notebook(cell(f"x = {day}", "double", solution=True)))
    when = datetime(2026, 1, day, tzinfo=UTC)
    return pack(work, student=student, assignment="hw", out=folder / "in", now=when, team=team).path


def test_a_package_says_who_handed_in_together(course: Course, tmp_path: Path) -> None:
    """Names are those of the roster; a newer package without a team takes the claim back."""
    collect(course, "hw", packed(tmp_path, "ada", "Bob"))
    assert read_claims(course, "hw") == {"ada": ["bob"]}
    assert HandIns(load_course(course.root)).students("hw") == ("ada", "bob")
    collect(course, "hw", packed(tmp_path, "ada", day=31))
    assert HandIns(load_course(course.root)).students("hw") == ("ada",)


def test_the_receipt_names_the_team(course: Course, tmp_path: Path) -> None:
    path = packed(tmp_path, "ada", "bob")
    receipt = pack(tmp_path / "ada-30/nb.ipynb", student="ada", assignment="hw", out=path.parent, team=["bob"])
    assert "for       ada and bob, hw" in receipt.text()


@pytest.mark.parametrize("team", ["bob", 3, {"a": 1}, ["x"] * 101, [1], ["../bob"]])
def test_a_package_whose_team_is_no_list_of_names_is_refused(team: object, course: Course, tmp_path: Path) -> None:
    import zipfile

    path = packed(tmp_path, "ada")
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["submission.json"] = json.dumps({**json.loads(files["submission.json"]), "team": team}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    (found,) = collect(course, "hw", path)
    assert found.status is CollectStatus.REFUSED
    assert read_claims(course, "hw") == {}
