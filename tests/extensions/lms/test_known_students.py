"""Names of students for a learning system: the roster's, and what a folder's name tells."""

from __future__ import annotations

from autograder.extensions.lms.matching import PersonNames, match
from autograder.extensions.lms.student_identities import known_students
from autograder.term.people import Person, Roster

JANE = Person(
    "jdoe", "Jane Doe", "jane@example.org", ids={"canvas_id": "7", "sis_id": "s7", "moodle_participant/hw": "9"}
)


def test_a_roster_gives_all_names_of_a_person():
    known = known_students(Roster((JANE,)), "hw", ["jdoe"])["jdoe"]
    assert known.ids == ("canvas:7", "participant:9", "registry:jdoe", "registry:s7")
    assert known.logins == ("jdoe", "jane@example.org")
    assert known.names == ("Jane Doe",)


def test_a_participant_is_one_for_one_assignment():
    assert "participant:9" not in known_students(Roster((JANE,)), "other", ["jdoe"])["jdoe"].ids


def test_the_same_digits_of_two_kinds_are_two_people():
    people = [PersonNames(ids=("participant:7",)), PersonNames(ids=("canvas:7",))]
    assert match(known_students(Roster((JANE,)), "hw", ["jdoe"]), people).pairs == {"jdoe": 1}


def test_without_a_roster_the_folder_tells():
    known = known_students(Roster(), "hw", ["Jane Doe (9)", "ada"])
    assert "participant:9" in known["Jane Doe (9)"].ids
    assert known["Jane Doe (9)"].names == ("Jane Doe",)
    assert known["ada"].logins == ("ada",)


def test_blackboards_user_name_is_a_login():
    ada = Person("a17", "Ada Lovelace", ids={"blackboard_id": "ada", "sis_id": "17"})
    known = known_students(Roster((ada,)), "hw", ["a17"])["a17"]
    assert (known.ids, known.logins) == (("registry:a17", "registry:17"), ("a17", "ada"))
