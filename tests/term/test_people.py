"""The roster: people.csv and people.yaml, imports, what a download tells, and who is missing."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.errors import CourseError, HostError, UsageError
from autograder.extensions.people.people_import import mark_left, merge, read_people
from autograder.records.course import Assignment, Course
from autograder.submission import collect
from autograder.submissions.export_names import ExportLayout
from autograder.term.people import Person, Roster, load_roster, save_roster
from autograder.term.presence import presence

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Problem set 1 (42)
,,,,,Manual Posting
"    Points Possible",,,,,20
"Lovelace, Ada",1234,00017,ada,DL 101,18
"Li, Wei",1235,00018,wei,DL 102,
"Student, Test",9999,,abc,DL 101,
"""
MOODLE = "First name,Last name,ID number,Email address,Groups\nAda,Lovelace,17,ada@example.org,A\n"
WORKSHEET = 'Identifier,"Full name","Email address",Status,Grade\nParticipant 77,Ada Lovelace,ada@example.org,,\n'


@pytest.fixture
def course(tmp_path: Path) -> Course:
    root = tmp_path / "course"
    (root / "release/ps1").mkdir(parents=True)
    (root / "release/ps1/ps1.ipynb").write_text("{}")
    return Course(root, "c", "C", {"ps1": Assignment("ps1", "ps1")})


def write(course: Course, text: str, name: str = "people.csv") -> Path:
    path = course.root / name
    path.write_text(text)
    return path


def imported(course: Course, text: str, **how: object) -> list[Person]:
    path = course.root / "list.csv"
    path.write_text(text)
    roster = load_roster(course)
    whole = bool(how.pop("whole", True))
    id_column = str(how.pop("id_column", ""))
    found, _ = read_people(path, **how)  # type: ignore[arg-type]
    result = merge(roster, found, path.name, id_column, whole=whole)
    save_roster(course, result.people, roster)
    return list(load_roster(course).people)


# --- the files ----------------------------------------------------------------------------------------


def test_a_roster_keeps_every_column(course: Course) -> None:
    write(
        course,
        "id,name,email,section,status,extra_days,accommodations,canvas_id,shoe size\n"
        "ada,Ada Lovelace,ada@example.org,A,,2,separate room,1234,38\nbob,,,,left,,,,\n",
    )
    ada, bob = load_roster(course).people
    assert (ada.name, ada.email, ada.section, ada.status) == ("Ada Lovelace", "ada@example.org", "A", "active")
    assert (ada.extra_days, ada.accommodations) == (2.0, "separate room")
    assert ada.ids == {"canvas_id": "1234", "shoe size": "38"}
    assert (bob.shown, bob.status, bob.line) == ("bob", "left", 3)


def test_people_in_yaml_are_the_same(course: Course) -> None:
    write(course, "- {id: ada, name: Ada Lovelace, canvas_id: 007}\n- id: bob\n  status: left\n", "people.yaml")
    ada, bob = load_roster(course).people
    assert (ada.id, ada.ids, bob.status, bob.line) == ("ada", {"canvas_id": "007"}, "left", 2)


def test_no_roster_is_an_empty_one(course: Course) -> None:
    assert load_roster(course) == Roster()


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("name\nAda\n", ["people.csv:1: there is no column “id”"]),
        ("id\nada\n\nada\n", ["people.csv:4: id “ada” is that of line 2, too"]),
        ("id\nAda\nada\n", ["people.csv:3: id “ada” is that of line 2, too"]),
        ("id,canvas_id\nada,1\nbob,1\n", ["people.csv:3: canvas_id “1” is that of line 2, too"]),
        ("id,name\n,Ada\n", ["people.csv:2: there is no id"]),
        ("id\n../ada\n", ["people.csv:2: id: “../ada” cannot be a student's name"]),
        ("id,sis_id\nada,1.23457E+11\n", ["people.csv:2: sis_id “1.23457E+11” was rounded by a spreadsheet"]),
        ("id,status,extra_days\nada,gone,x\nbob,,-1\n", ["people.csv:2: status “gone”", "people.csv:2: extra_days", "people.csv:3: extra_days"]),
    ],
)  # fmt: skip
def test_faults_of_a_roster_are_named_with_their_lines(text: str, messages: list[str], course: Course) -> None:
    write(course, text)
    with pytest.raises(CourseError) as found:
        load_roster(course)
    lines = str(found.value).splitlines()
    assert len(lines) == len(messages)
    for line, message in zip(lines, messages, strict=True):
        assert line.startswith(message)


def test_two_rosters_are_an_error(course: Course) -> None:
    write(course, "id\nada\n")
    write(course, "- id: ada\n", "people.yaml")
    with pytest.raises(CourseError, match="keep one of them"):
        load_roster(course)


def test_a_roster_is_written_in_the_manner_in_which_it_was_saved_and_the_old_one_is_kept(course: Course) -> None:
    path = course.root / "people.csv"
    path.write_bytes("shoe size;id;name\n38;zoë;Zoë\n".encode("utf-8-sig"))
    roster = load_roster(course)
    save_roster(course, [*roster.people, Person("bob")], roster)
    assert path.read_bytes() == "shoe size;id;name\n38;zoë;Zoë\n;bob;\n".encode("utf-8-sig")
    (kept,) = (course.state / "people").iterdir()
    assert kept.read_bytes() == "shoe size;id;name\n38;zoë;Zoë\n".encode("utf-8-sig")


def test_a_roster_keeps_its_mode_and_a_new_one_is_the_instructors_alone(course: Course) -> None:
    path = save_roster(course, [Person("ada")], Roster())
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    save_roster(course, [Person("bob")], load_roster(course))
    assert path.stat().st_mode & 0o777 == 0o644


# --- imports ------------------------------------------------------------------------------------------


def test_canvas_gradebook(course: Course) -> None:
    """Its lines about assignments and its test student are no people; ids keep their zeros."""
    ada, wei = imported(course, CANVAS)
    assert (ada.id, ada.name, ada.section) == ("ada", "Ada Lovelace", "DL 101")
    assert ada.ids == {"canvas_id": "1234", "sis_id": "00017", "sis_login": "ada"}
    assert wei.name == "Wei Li"
    _, left_out = read_people(course.root / "list.csv")
    assert [line.partition(": ")[2] for line in left_out] == [
        "Canvas's line about the assignments", "Canvas's line about the assignments", "Canvas's test student",
    ]  # fmt: skip


def test_moodle_participants_and_worksheet_meet_by_the_address(course: Course) -> None:
    """A worksheet of one assignment has part of the course, and numbers of its own."""
    imported(course, MOODLE)
    (ada,) = imported(course, WORKSHEET, assignment="ps1", whole=False)
    assert (ada.id, ada.name, ada.section) == ("17", "Ada Lovelace", "A")
    assert ada.ids == {"moodle_id": "17", "moodle_participant/ps1": "77"}


def test_moodle_in_german(course: Course) -> None:
    german = "Vorname;Nachname;E-Mail-Adresse;Gruppen\nAda;Lovelace;ada@example.org;A\n"
    (ada,) = imported(course, german)
    assert (ada.id, ada.name) == ("ada@example.org", "Ada Lovelace")


def test_nbgraders_gradebook(course: Course) -> None:
    path = course.root / "gradebook.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE student (id, first_name, last_name, email, lms_user_id)")
        database.execute("INSERT INTO student VALUES ('ada', 'Ada', 'Lovelace', NULL, '12')")
    expected = Person("ada", "Ada Lovelace", ids={"lms_user_id": "12"})
    assert read_people(path)[0] == read_people(f"sqlite:///{path}")[0] == (expected,)


@pytest.mark.parametrize(
    ("place", "error", "message"),
    [
        ("sqlite:////nowhere/gradebook.db", UsageError, "there is no gradebook /nowhere/gradebook.db"),
        (
            "mysql://grader:secret@host/course",
            UsageError,
            r"mysql://grader:\*\*\*@host/course is of no kind that is read",
        ),
        ("://", UsageError, "write it like postgresql://grader@db.example/course"),
        ("postgresql://grader:secret@127.0.0.1:1/course", HostError, "check the server and its user"),
        ("postgresql+nosuch://grader:secret@127.0.0.1/course", HostError, "needs a driver"),
    ],
)
def test_a_gradebook_that_cannot_be_read_is_named_without_a_password(
    place: str, error: type[Exception], message: str
) -> None:
    if place.startswith("postgresql"):
        pytest.importorskip("psycopg", reason="no driver for PostgreSQL is installed")
    with pytest.raises(error, match=message) as caught:
        read_people(place)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_gradebook_is_named(course: Course) -> None:
    with pytest.raises(CourseError, match=r"gradebook\.db: is no gradebook of nbgrader's"):
        read_people(write(course, "no database", "gradebook.db"))


def test_blackboards_grade_file(course: Course) -> None:
    """A text in UTF-16 with tabs, named .xls; the instructor's preview user is no student."""
    rows = (
        ("Last Name", "First Name", "Username", "Student ID", "Last Access", "Availability", "Problem set 1 |42"),
        ("Lovelace", "Ada", "ada", "00017", "2027-01-01 10:00:00", "Yes", ""),
        ("Teacher_PreviewUser", "T", "teacher_previewuser", "", "", "Yes", ""),
    )
    path = course.root / "gc_dl101_fullgc.xls"
    path.write_bytes("\n".join("\t".join(f'"{cell}"' for cell in row) for row in rows).encode("utf-16"))
    found, left_out = read_people(path)
    (ada,) = merge(Roster(), found, path.name).people
    assert ada == Person("ada", "Ada Lovelace", ids={"blackboard_id": "ada", "sis_id": "00017"})
    assert left_out == ("gc_dl101_fullgc.xls:3: Blackboard's preview user",)


def test_brightspaces_grade_file(course: Course) -> None:
    """Its mark before numbers and names is no part of them."""
    text = (
        "OrgDefinedId,Username,Last Name,First Name,Email,Problem set 1 Points Grade,End-of-Line Indicator\n"
        "#00017,#ada,Lovelace,Ada,ada@example.org,,#\n"
    )
    (ada,) = imported(course, text)
    assert (ada.id, ada.name, ada.email) == ("ada", "Ada Lovelace", "ada@example.org")
    assert ada.ids == {"sis_id": "00017", "username": "ada"}


def test_a_roster_with_a_column_of_brightspaces_is_a_roster(course: Course) -> None:
    (ada,) = imported(course, "id,name,OrgDefinedId\nada,Ada Lovelace,00017\n")
    assert (ada.id, ada.name, ada.ids) == ("ada", "Ada Lovelace", {"OrgDefinedId": "00017"})


def test_brightspaces_mark_is_left_out_of_named_columns_too(course: Course) -> None:
    text = "OrgDefinedId,Username,Last Name,First Name,End-of-Line Indicator\n#00017,#ada,Lovelace,Ada,#\n"
    columns = {"id": "OrgDefinedId", "first": "First Name", "last": "Last Name"}
    for system in ("brightspace", ""):
        (ada,), _ = read_people(write(course, text, "list.csv"), system, columns=columns)
        assert (ada.id, ada.name) == ("00017", "Ada Lovelace")
    (own,), _ = read_people(write(course, "Nr,Wer\n#7,Ada\n", "list.csv"), columns={"id": "Nr", "name": "Wer"})
    assert own.id == "#7", "a list of one's own has no mark"


def test_a_list_of_ones_own_names_its_columns(course: Course) -> None:
    (ada,) = imported(course, "Matrikel;Wer\n0017;Ada\n", columns={"id": "Matrikel", "name": "wer"})
    assert (ada.id, ada.name) == ("0017", "Ada")
    with pytest.raises(UsageError, match="has no column “Who”"):
        imported(course, "Matrikel;Wer\n", columns={"id": "Who"})
    with pytest.raises(UsageError, match="--column id=HEADING"):
        imported(course, "Matrikel;Wer\n0017;Ada\n")


def test_an_import_changes_what_the_list_says_and_nothing_else(course: Course) -> None:
    write(course, "id,name,section,extra_days,canvas_id,note\na1,A. Lovelace,DL 102,3,1234,ill\n")
    ada, _ = imported(course, CANVAS)
    assert (ada.id, ada.name, ada.section, ada.extra_days, ada.ids["note"]) == (
        "a1",
        "Ada Lovelace",
        "DL 101",
        3,
        "ill",
    )
    assert [p.id for p in imported(course, CANVAS)] == ["a1", "wei"], "importing again changes nothing"


def test_whoever_is_gone_from_the_list_is_named_and_marked_only_if_asked(course: Course) -> None:
    write(course, "id,name,canvas_id\nbob,Bob,77\nada,,1234\n")
    path = course.root / "list.csv"
    path.write_text(CANVAS)
    result = merge(load_roster(course), read_people(path)[0], path.name)
    assert [p.id for p in result.gone] == ["bob"]
    assert [p.status for p in result.people] == ["active", "active", "active"]
    assert [p.status for p in mark_left(result).people] == ["left", "active", "active"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CANVAS + '"Lovelace, Ada",1236,00019,ada,DL 103,\n', "list.csv:7: “ada” is on the list twice|another person's"),
        (CANVAS + '"Nobody, N",1236,,,DL 103,\n"B, A",1.23E+11,,ab,DL 101,\n', "list.csv:8: canvas_id “1.23E\\+11” was rounded"),
        (WORKSHEET.replace("Participant 77", "someone"), "list.csv:2: “someone” is no participant number"),
        ("id,status\nada,gone\n", "list.csv:2: status “gone” is none of active, left, unlisted"),
        ("id,extra_days\nada,-1\n", "list.csv:2: extra_days: -1 is not between 0 and 366"),
    ],
)  # fmt: skip
def test_a_list_with_a_fault_changes_nothing(text: str, message: str, course: Course) -> None:
    before = write(course, "id,name\nzed,Zed\n").read_bytes()
    with pytest.raises(CourseError, match=message):
        imported(course, text, assignment="ps1")
    assert (course.root / "people.csv").read_bytes() == before


def test_two_of_one_name_are_two_people(course: Course) -> None:
    text = MOODLE + "Ada,Lovelace,18,other@example.org,B\n"
    assert [p.id for p in imported(course, text)] == ["17", "18"]
    assert [p.id for p in imported(course, text)] == ["17", "18"]
    roster = load_roster(course)
    assert roster.called("Ada Lovelace") is None, "a name that two people have names nobody"
    assert roster.with_id("moodle_id", "18") == roster.people[1]


# --- collecting ---------------------------------------------------------------------------------------


def put(path: Path, content: str = "{}") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (1769774400, 1769774400))
    return path


def test_collect_finds_people_by_canvas_number_and_by_name(course: Course, tmp_path: Path) -> None:
    imported(course, CANVAS + '"van Dam, Eva",1236,00020,eva,DL 101,\n')
    write_ids = load_roster(course)
    save_roster(course, [Person(p.id, p.name) if p.id == "eva" else p for p in write_ids.people], write_ids)
    for name in ("adal_1234_99_ps1.ipynb", "vandameva_1236_98_ps1.ipynb", "newnorbert_1300_97_ps1.ipynb"):
        put(tmp_path / "down" / name, json.dumps({"name": name}))
    found = {c.student: c.reason for c in collect(course, "ps1", tmp_path / "down")}
    assert found == {"ada": "", "eva": "found by the name alone (canvas_id 1236)", "newnorbert": "not in the roster"}
    people = load_roster(course).by_id
    assert people["eva"].ids == {"canvas_id?": "1236"}, "what the download told is kept, and is not certain"
    assert (people["newnorbert"].status, people["newnorbert"].ids["canvas_id"]) == ("unlisted", "1300")


def test_a_number_outweighs_a_name_that_a_student_took(course: Course, tmp_path: Path) -> None:
    """Ada's upload under another one's name is still hers, and nobody else's upload becomes hers."""
    imported(course, CANVAS)
    for name in ("liwei_1234_1_ps1.ipynb", "lovelaceada_6666_2_ps1.ipynb"):
        put(tmp_path / "down" / name, name)
    assert {c.student for c in collect(course, "ps1", tmp_path / "down")} == {"ada", "lovelaceada"}


def test_collect_keeps_moodles_numbers_and_names(course: Course, tmp_path: Path) -> None:
    put(tmp_path / "down/Jane Doe_4711_assignsubmission_file_/ps1.ipynb")
    put(tmp_path / "down/Wei Li_4712_assignsubmission_file_/ps1.ipynb")
    collect(course, "ps1", tmp_path / "down")
    jane, wei = load_roster(course).people
    assert jane == Person("Jane Doe", "Jane Doe", status="unlisted", ids={"moodle_participant/ps1": "4711"}, line=2)
    assert wei.ids == {"moodle_participant/ps1": "4712"}
    before = (course.root / "people.csv").stat().st_mtime_ns
    collect(course, "ps1", tmp_path / "down")
    assert (course.root / "people.csv").stat().st_mtime_ns == before, "nothing new, nothing written"


def test_blind_participants_become_people_once_the_worksheet_is_known(course: Course, tmp_path: Path) -> None:
    imported(course, MOODLE)
    imported(course, WORKSHEET, assignment="ps1", whole=False)
    put(tmp_path / "down/Participant_77_assignsubmission_file_/ps1.ipynb")
    assert [c.student for c in collect(course, "ps1", tmp_path / "down")] == ["17"]


def test_a_plain_folder_of_submissions_makes_no_roster(course: Course, tmp_path: Path) -> None:
    put(tmp_path / "down/ada.ipynb")
    collect(course, "ps1", tmp_path / "down", received=datetime(2026, 1, 1, tzinfo=UTC), layout=ExportLayout())
    assert not (course.root / "people.csv").exists()


def test_a_roster_with_a_fault_stops_collecting_before_anything_is_written(course: Course, tmp_path: Path) -> None:
    write(course, "id\nada\nada\n")
    put(tmp_path / "down/ada.ipynb")
    with pytest.raises(CourseError, match=r"people.csv:3"):
        collect(course, "ps1", tmp_path / "down")
    assert not (course.root / "submitted").exists()


# --- presence -----------------------------------------------------------------------------------------


def test_missing_unknown_and_left(course: Course) -> None:
    roster = Roster((Person("ada"), Person("bob"), Person("eve", status="left"), Person("max", status="unlisted")))
    found = presence(roster, ["ada", "eve", "max", "zed"], "ps1")
    assert (found.unknown, [p.id for p in found.missing]) == (("max", "zed"), ["bob"])
    assert found.remarks == {
        "max": "handed in, and is not in the roster",
        "zed": "handed in, and is not in the roster",
        "eve": "handed in, and has left the course",
    }


def test_collected_people_alone_are_no_list_of_the_course() -> None:
    assert presence(Roster((Person("ada", status="unlisted"),)), ["ada", "bob"], "ps1").remarks == {}
