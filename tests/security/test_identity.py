"""Whose submission it is: nobody hands in as somebody else, and nobody's work is lost over it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from helpers.tiny import cell, notebook, tiny_course

from autograder.cli.main import main
from autograder.extensions.lms.matching import CANVAS, PersonNames, match
from autograder.extensions.lms.student_identities import known_students
from autograder.extensions.watch.arrivals import Inbox
from autograder.records.course import Course
from autograder.submission import Collected, CollectStatus, collect, pack
from autograder.submissions.export_names import ExportLayout
from autograder.submissions.hand_ins import HandIns
from autograder.submissions.members import SUBMISSION
from autograder.submissions.senders import Senders
from autograder.term.people import load_roster

ANN, EVE = "# ann's", "# eve's"
ROSTER = "id,name,email\nann,Ann Lee,ann@x.example\neve,Eve Moss,eve@x.example\n"
ANNS, EVES = "canvas:777", "canvas:666"
ACCOUNTS = [
    PersonNames(ids=(EVES,), logins=("eve@x.example",), names=("Ann Lee",)),
    PersonNames(ids=(ANNS,), logins=("ann@x.example",), names=("Ann Lee",)),
]
"""Eve and Ann in Canvas, where Eve has taken Ann's name."""


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return tiny_course(tmp_path / "course")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def book(text: str) -> str:
    return notebook(cell(f"def double(x):\n    return 2 * x  {text}", "double", solution=True))


def put(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(book(text))
    return path


def archive(folder: Path, name: str, content: dict[str, str]) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for inner, text in content.items():
            packed.writestr(zipfile.ZipInfo(inner, (2100, 1, 1, 0, 0, 0)), text)  # a time that is to come is now
    (folder / name).write_bytes(buffer.getvalue())
    return folder / name


def arrived(course: Course, folder: Path) -> list[Collected]:
    """Look twice, as an upload counts once it is still."""
    looking = Inbox(course, course.assignments["hw"], folder)
    return [*looking.look(), *looking.look()]


def works(course: Course) -> dict[str, str]:
    """Student → whose work lies in submitted/."""
    found = {}
    for path in sorted(course.directory("submitted").glob("*/hw/nb.ipynb")):
        text = path.read_text()
        found[path.parents[1].name] = "ann's" if ANN in text else "eve's" if EVE in text else "?"
    return found


def everything(course: Course) -> list[str]:
    """All notebooks, those of earlier attempts too: whose they are."""
    paths = [*course.root.rglob("submitted/**/*.ipynb"), *course.root.rglob("superseded/**/*.ipynb")]
    return sorted("ann's" if ANN in path.read_text() else "eve's" for path in paths)


def roster(course: Course, text: str = ROSTER) -> None:
    (course.root / "people.csv").write_text(text)


def cells(course: Course, student: str) -> dict[str, str]:
    return dict(load_roster(course).by_id[student].ids)


def posted(course: Course, students: Sequence[str], accounts: Sequence[PersonNames] = ACCOUNTS) -> dict[str, str]:
    """Student → number of the account that gets the result, or the reason why nobody does."""
    known = known_students(load_roster(course), "hw", students, Senders(course, "hw"))
    found = match(known, accounts)
    return {**found.unclear, **{student: accounts[index].ids[0] for student, index in found.pairs.items()}}


def on(course: Course, *arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments, "--course", str(course.root)])
    assert done.exit_code == 0, done.output
    return done.output


# --- an inbox: each file is one student's


def test_identity_an_archive_in_an_inbox_hands_in_for_nobody_else(course: Course, inbox: Path) -> None:
    put(inbox, "leeann_777_1_hw.ipynb", ANN)
    archive(inbox, "mosseve_666_12_hw.zip", {"leeann_777_99_hw.ipynb": book(EVE)})
    assert {one.student for one in arrived(course, inbox)} == {"leeann", "mosseve"}
    assert works(course) == {"leeann": "ann's", "mosseve": "eve's"}


@pytest.mark.parametrize(
    "name", ["submitted/leeann/hw/nb.ipynb", "leeann/hw/nb.ipynb", "leeann/nb.ipynb", "leeann.ipynb"]
)
def test_identity_no_name_in_an_archive_of_an_inbox_is_a_student(course: Course, inbox: Path, name: str) -> None:
    put(inbox, "leeann_777_1_hw.ipynb", ANN)
    archive(inbox, "mosseve_666_12_hw.zip", {name: book(EVE), "nb.ipynb": book(EVE)})
    arrived(course, inbox)
    assert works(course) == {"leeann": "ann's", "mosseve": "eve's"}


def test_identity_an_archive_of_an_inbox_has_the_limits_of_one_submission(course: Course, inbox: Path) -> None:
    many = {f"{number}.txt": "" for number in range(SUBMISSION.members + 1)}
    archive(inbox, "mosseve_666_12_hw.zip", {"nb.ipynb": book(EVE), **many})
    (only,) = arrived(course, inbox)
    assert (only.student, only.status) == ("mosseve", CollectStatus.REFUSED)
    assert "more than 1000 members" in only.reason


def test_identity_a_class_in_an_inbox_is_refused_and_told_the_command(course: Course, inbox: Path) -> None:
    names = ("leeann_777_1_hw.ipynb", "mosseve_666_2_hw.ipynb")
    archive(inbox, "submissions.zip", {name: book(ANN) for name in names})
    (only,) = arrived(course, inbox)
    assert only.status is CollectStatus.REFUSED
    assert "autograder collect" in only.reason
    assert works(course) == {}


def test_identity_uploads_that_only_begin_alike_do_not_become_one_student(course: Course, inbox: Path) -> None:
    put(inbox, "lab5_ann.ipynb", ANN)
    put(inbox, "lab5_eve.ipynb", EVE)
    assert {one.status for one in arrived(course, inbox)} == {CollectStatus.REFUSED}


def test_identity_control_a_known_students_uploads_may_have_any_names(course: Course, inbox: Path) -> None:
    roster(course)
    put(inbox, "ann_first.ipynb", ANN)
    put(inbox, "ann_last.ipynb", ANN + " again")
    found = arrived(course, inbox)
    assert {(one.student, one.status.value) for one in found} == {("ann", "collected"), ("ann", "replaced")}
    assert everything(course) == ["ann's", "ann's"]


def test_identity_control_collect_takes_the_same_archive_for_a_class(course: Course, inbox: Path) -> None:
    put(inbox, "leeann_777_1_hw.ipynb", ANN)
    arrived(course, inbox)
    collect(course, "hw", archive(inbox, "mosseve_666_12_hw.zip", {"leeann_777_99_hw.ipynb": book(EVE)}))
    assert works(course) == {"leeann": "eve's"}, "which is why an inbox does not read it so"


def test_identity_control_an_honest_archive_in_an_inbox_is_taken(course: Course, inbox: Path) -> None:
    archive(inbox, "leeann_777_12_hw.zip", {"hw/nb.ipynb": book(ANN), "hw/data.csv": "1"})
    work = put(inbox.parent / "work", "nb.ipynb", EVE)
    packed = pack(work, student="eve", assignment="hw", out=inbox).path
    assert {one.status for one in arrived(course, inbox)} == {CollectStatus.COLLECTED}
    assert works(course) == {"leeann": "ann's", "eve": "eve's"}
    assert packed.is_file()


# --- a name is no identity


def test_identity_a_number_that_came_with_a_name_is_provisional(course: Course, inbox: Path) -> None:
    roster(course)
    put(inbox, "leeann_666_1_hw.ipynb", EVE)
    (only,) = collect(course, "hw", inbox)
    assert (only.student, only.reason) == ("ann", "found by the name alone (canvas_id 666)")
    assert cells(course, "ann") == {"canvas_id?": "666"}
    assert "found by the name of the upload alone" in on(course, "people")


@pytest.mark.parametrize("downloads", [1, 2])
@pytest.mark.parametrize("first", [EVE, ANN])
def test_identity_of_two_numbers_with_one_name_both_wait(
    course: Course, inbox: Path, downloads: int, first: str
) -> None:
    """Whoever hands in first, in one download or in two: nothing is overwritten, and nothing is posted."""
    roster(course)
    uploads = {"leeann_666_1_hw.ipynb": EVE, "leeann_777_2_hw.ipynb": ANN}
    for number, (name, text) in enumerate(sorted(uploads.items(), key=lambda pair: pair[1] != first)):
        put(inbox, name, text)
        if downloads == 2 or number == 1:
            collect(course, "hw", inbox)
    assert everything(course) == ["ann's", "eve's"]
    assert set(cells(course, "ann")["canvas_id?"].split("; ")) == {"666", "777"}
    for why in posted(course, list(works(course))).values():
        assert "both claim this name" in why
    assert "both claim this name" in on(course, "people")


def test_identity_a_liars_later_upload_replaces_nothing(course: Course, inbox: Path) -> None:
    """Also where the roster is made of collected people alone, and where the id is the name."""
    put(inbox, "leeann_777_1_hw.ipynb", ANN)
    collect(course, "hw", inbox)
    put(inbox.parent / "later", "leeann_666_9_hw.ipynb", EVE)
    collect(course, "hw", inbox.parent / "later")
    assert works(course) == {"leeann": "ann's", "leeann (666)": "eve's"}


def test_identity_a_name_that_is_anothers_id_is_a_name(course: Course, inbox: Path) -> None:
    """``ann`` as a display name, or a mail address without its signs."""
    roster(course)
    for name in ("ann_666_1_hw.ipynb", "annxexample_667_1_hw.ipynb"):
        put(inbox, name, EVE)
    collect(course, "hw", inbox)
    assert "canvas_id" not in cells(course, "ann")


def test_identity_one_number_under_two_names_waits(course: Course, inbox: Path) -> None:
    """Eve hands in as Ann, and then as herself."""
    roster(course)
    put(inbox, "leeann_666_1_hw.ipynb", EVE)
    collect(course, "hw", inbox)
    put(inbox.parent / "later", "mosseve_666_2_hw.ipynb", EVE + " again")
    collect(course, "hw", inbox.parent / "later")
    assert works(course) == {"ann": "eve's", "mosseve (666)": "eve's"}
    for why in posted(course, ["ann", "mosseve (666)"]).values():
        assert "two names" in why


def test_identity_a_person_confirms_and_each_gets_the_own_work(course: Course, inbox: Path) -> None:
    roster(course)
    put(inbox, "leeann_666_1_hw.ipynb", EVE)
    collect(course, "hw", inbox)
    put(inbox, "leeann_777_2_hw.ipynb", ANN)
    collect(course, "hw", inbox)
    assert works(course) == {"ann": "eve's", "leeann (777)": "ann's"}
    said = on(course, "people", "confirm", "ann", "--number", "777")
    assert "canvas_id 777 is ann's" in said
    assert cells(course, "ann") == {"canvas_id": "777"}
    assert works(course) == {"ann": "ann's", "leeann (666)": "eve's"}
    assert posted(course, ["ann"]) == {"ann": ANNS}
    collect(course, "hw", inbox)
    assert works(course) == {"ann": "ann's", "leeann (666)": "eve's"}
    assert everything(course) == ["ann's", "eve's"]


TWO_ANNS = "id,name,email\nann,Ann Lee,ann@x.example\nann2,Ann Lee,ann2@x.example\neve,Eve Moss,eve@x.example\n"
MOODLE = "Ann Lee_{}_assignsubmission_file_/hw.ipynb"


def test_identity_two_people_of_one_name_wait_and_no_third_is_made(course: Course, inbox: Path) -> None:
    roster(course, TWO_ANNS)
    put(inbox, MOODLE.format(777), ANN)
    put(inbox, MOODLE.format(778), EVE)
    told = collect(course, "hw", inbox)
    assert all("several people of the roster have this name (ann, ann2)" in str(one) for one in told)
    assert works(course) == {"Ann Lee (777)": "ann's", "Ann Lee (778)": "eve's"}
    assert [person.id for person in load_roster(course).people] == ["ann", "ann2", "eve"]
    on(course, "people", "confirm", "ann", "--number", "777")
    on(course, "people", "confirm", "ann2", "--number", "778")
    assert works(course) == {"ann": "ann's", "ann2": "eve's"}
    collect(course, "hw", inbox)
    assert works(course) == {"ann": "ann's", "ann2": "eve's"}


def test_identity_one_of_them_alone_waits_too(course: Course, inbox: Path) -> None:
    roster(course, TWO_ANNS)
    put(inbox, MOODLE.format(777), ANN)
    collect(course, "hw", inbox)
    collect(course, "hw", inbox)
    assert works(course) == {"Ann Lee (777)": "ann's"}
    assert [person.id for person in load_roster(course).people] == ["ann", "ann2", "eve"]


def test_identity_the_number_of_one_tells_the_other(course: Course, inbox: Path) -> None:
    known = "id,name,moodle_participant/hw\nann,Ann Lee,777\nann2,Ann Lee,\neve,Eve Moss,\n"
    roster(course, known)
    put(inbox, MOODLE.format(778), EVE)
    put(inbox, MOODLE.format(777), ANN)
    collect(course, "hw", inbox)
    assert works(course) == {"ann": "ann's", "ann2": "eve's"}


def test_identity_a_name_of_two_people_without_a_number_is_refused(course: Course, inbox: Path) -> None:
    roster(course, TWO_ANNS)
    put(inbox, "Ann Lee - hw.ipynb", ANN)
    (told,) = collect(course, "hw", inbox)
    assert "name it after the student's id" in str(told)
    assert works(course) == {}


def test_identity_an_edit_of_the_table_does_the_same(course: Course, inbox: Path) -> None:
    """Until something is collected again, nothing is posted by what was there."""
    roster(course)
    put(inbox, "leeann_666_1_nb.ipynb", EVE)
    put(inbox, "leeann_666_2_nb-1.ipynb", EVE + " again")
    collect(course, "hw", inbox)
    roster(course, "id,name,email,canvas_id\nann,Ann Lee,ann@x.example,777\neve,Eve Moss,eve@x.example,666\n")
    assert "another person's number" in posted(course, ["ann"])["ann"]
    put(inbox, "leeann_777_2_hw.ipynb", ANN)
    collect(course, "hw", inbox)
    assert works(course) == {"ann": "ann's", "eve": "eve's"}
    assert posted(course, ["ann", "eve"]) == {"ann": ANNS, "eve": EVES}


def test_identity_all_attempts_of_a_number_go_to_its_owner(course: Course, inbox: Path) -> None:
    roster(course)
    for number, name in enumerate(("leeann_666_1_hw.ipynb", "leeann_666_2_hw.ipynb")):
        put(inbox.parent / name, name, f"{EVE} {number}")
        collect(course, "hw", inbox.parent / name)
    put(inbox.parent / "own", "ann.ipynb", ANN)
    collect(course, "hw", inbox.parent / "own")
    roster(course, "id,name,email,canvas_id\nann,Ann Lee,ann@x.example,777\neve,Eve Moss,eve@x.example,666\n")
    on(course, "people", "confirm")
    assert works(course) == {"ann": "ann's", "eve": "eve's"}
    hand_ins = HandIns(course)
    assert [len(hand_ins.attempts(student, "hw")) for student in ("ann", "eve")] == [1, 2]


def test_identity_the_grade_of_anothers_work_is_not_posted_once_it_is_known(course: Course, inbox: Path) -> None:
    """It is set aside with the work, and made again; so is the one of the work that the student gets."""
    roster(course)
    put(inbox, "leeann_666_1_nb.ipynb", EVE)
    collect(course, "hw", inbox)
    put(inbox, "leeann_777_2_nb.ipynb", ANN)
    collect(course, "hw", inbox)
    for student in works(course):
        course.autograded(student, "hw").mkdir(parents=True)
        (course.autograded(student, "hw") / "result.json").write_text(student)
    on(course, "people", "confirm", "ann", "--number", "777")
    assert not [*course.directory("autograded").rglob("result.json")]
    kept = sorted(path.read_text() for path in (course.state / "set-aside").rglob("result.json"))
    assert kept == ["ann", "leeann (777)"]


def test_identity_nothing_is_posted_by_a_provisional_number(course: Course, inbox: Path) -> None:
    """Neither to the account with that number, nor to the other one, which the address finds."""
    roster(course, "id,name\nann,Ann Lee\n")
    put(inbox, "leeann_666_1_hw.ipynb", EVE)
    collect(course, "hw", inbox)
    assert "nothing but the name" in posted(course, ["ann"], ACCOUNTS[:1])["ann"]
    roster(
        course,
        (course.root / "people.csv")
        .read_text()
        .replace("id,name", "id,name,email")
        .replace("Lee,", "Lee,ann@x.example,"),
    )
    assert "has 777" in posted(course, ["ann"])["ann"]


def test_identity_a_list_of_the_course_is_a_second_source(course: Course, inbox: Path) -> None:
    roster(course)
    put(inbox, "leeann_666_1_hw.ipynb", EVE)
    collect(course, "hw", inbox)
    (course.root / "list.csv").write_text(
        'Student,ID,SIS User ID,SIS Login ID,Section\n"Lee, Ann",777,,ann,A\n"Lee, Ann",666,,eve,A\n'
    )
    on(course, "people", "import", str(course.root / "list.csv"))
    assert cells(course, "ann")["canvas_id"] == "777"
    assert works(course) == {"eve": "eve's"}


def test_identity_people_who_were_collected_first_are_not_those_of_a_later_list(course: Course, inbox: Path) -> None:
    put(inbox, "Ann Lee_66_assignsubmission_file_/nb.ipynb", EVE)
    collect(course, "hw", inbox)
    (course.root / "list.csv").write_text("id,name\nann,Ann Lee\n")
    on(course, "people", "import", str(course.root / "list.csv"), "--column", "name=name")
    (person,) = load_roster(course).people
    assert person.status == "active"
    assert person.ids == {"moodle_participant/hw?": "66"}


def test_identity_control_two_honest_people_of_one_name_lose_nothing(course: Course, inbox: Path) -> None:
    """Both wait, each with a folder of its own, and each gets the result once a person has said who is who."""
    roster(course, "id,name\nann1,Ann Lee\nann2,Ann Lee\n")
    put(inbox, "leeann_777_1_hw.ipynb", ANN)
    put(inbox, "leeann_778_2_hw.ipynb", EVE)
    collect(course, "hw", inbox)
    assert works(course) == {"leeann (777)": "ann's", "leeann (778)": "eve's"}
    roster(course, "id,name,canvas_id\nann1,Ann Lee,777\nann2,Ann Lee,778\n")
    collect(course, "hw", inbox)
    found = works(course)
    assert (found["ann1"], found["ann2"]) == ("ann's", "eve's")


def test_identity_control_a_second_source_confirms_without_a_person(course: Course, inbox: Path) -> None:
    """The address fits the account that has the number of the upload."""
    roster(course)
    put(inbox, "leeann_777_1_hw.ipynb", ANN)
    collect(course, "hw", inbox)
    assert posted(course, ["ann"]) == {"ann": ANNS}
    assert numbers_of(course, "ann") == ()


def numbers_of(course: Course, student: str) -> tuple[str, ...]:
    return tuple(n for n in known_students(load_roster(course), "hw", [student])[student].ids if n.startswith(CANVAS))


def test_identity_control_the_same_person_hands_in_again(course: Course, inbox: Path) -> None:
    """Also under a new name."""
    roster(course)
    for number, name in enumerate(("leeann_777_1_hw.ipynb", "leeann_777_2_hw.ipynb", "newlyannie_777_3_hw.ipynb")):
        put(inbox.parent / name, name, f"{ANN} {number}")
        (only,) = collect(course, "hw", inbox.parent / name)
        assert only.student == "ann"
    assert cells(course, "ann") == {"canvas_id?": "777"}


def test_identity_control_an_old_table_keeps_its_numbers(course: Course, inbox: Path) -> None:
    roster(course, "id,name,canvas_id\nann,Ann Lee,777\n")
    put(inbox, "leeann_777_1_hw.ipynb", ANN)
    put(inbox, "leeann_666_2_hw.ipynb", EVE)
    collect(course, "hw", inbox)
    assert works(course) == {"ann": "ann's", "leeann (666)": "eve's"}
    assert cells(course, "ann") == {"canvas_id": "777"}
    assert posted(course, ["ann"]) == {"ann": ANNS}


def test_identity_a_login_in_an_uploads_name_is_a_second_source(course: Course, inbox: Path) -> None:
    """ILIAS names folders by login and number; no student chooses the login."""
    roster(course)
    for name in ("Lee_Ann_ann_777", "Moss_Eve_eve_666"):
        put(inbox, f"{name}/nb.ipynb", ANN)
    collect(course, "hw", inbox)
    assert (cells(course, "ann"), cells(course, "eve")) == ({"ilias_id": "777"}, {"ilias_id": "666"})


# --- every other way in


def owners(course: Course, folder: Path, **options: Any) -> dict[str, str]:
    """Item → student, or "refused"."""
    found = collect(course, "hw", folder, **options)
    return {one.item: "refused" if one.status is CollectStatus.REFUSED else one.student or "" for one in found}


@pytest.mark.parametrize(
    ("prefix", "student"),
    [
        ("mosseve_666_12_", "mosseve"),
        ("666-12 - Eve Moss - Jan 31, 2026 500 PM - x_", "Eve Moss"),
        ("Doubling_eve_attempt_2026-01-31-17-00-00_", "eve"),
        ("eve_", "refused"),
    ],
)
@pytest.mark.parametrize("chosen", ["Ann Lee_777_assignsubmission_file_nb.ipynb"])
def test_identity_a_file_named_like_another_systems_is_still_its_students(
    course: Course, inbox: Path, prefix: str, student: str, chosen: str
) -> None:
    """What a student calls a file stands behind what the learning system put in front."""
    name = put(inbox, prefix + chosen, EVE).name
    put(inbox, "leeann_777_1_nb.ipynb", ANN)
    assert owners(course, inbox)[name] == student


def test_identity_control_members_of_groups_in_moodle_are_themselves(course: Course, inbox: Path) -> None:
    names = [put(inbox, f"Red_{who}_assignsubmission_file_nb.ipynb").name for who in ("Ann Lee_777", "Eve Moss_666")]
    assert owners(course, inbox) == dict(zip(names, ("Ann Lee", "Eve Moss"), strict=True))
    (inbox / names[0]).unlink()
    assert list(owners(course, inbox, layout=ExportLayout("moodle")).values()) == ["Eve Moss"]


@pytest.mark.parametrize("top", ["eve", "Moss_Eve_eve_666"])
@pytest.mark.parametrize("also", [(), ("bob_5_6_nb.ipynb",)])
def test_identity_names_in_a_lone_folder_of_a_student_are_nobodys(
    course: Course, inbox: Path, top: str, also: tuple[str, ...]
) -> None:
    """It is not taken for the folder around an export that was packed again."""
    roster(course)
    for name in ("leeann_777_99_nb.ipynb", *also):
        put(inbox, f"{top}/{name}", EVE)
    assert set(owners(course, inbox).values()) <= {"refused", "eve"}


def test_identity_control_an_export_in_a_folder_is_read(course: Course, inbox: Path) -> None:
    for name in ("leeann_777_99_nb.ipynb", "mosseve_666_1_nb.ipynb"):
        put(inbox, f"downloads/{name}")
    assert set(owners(course, inbox).values()) == {"leeann", "mosseve"}
    (inbox / "downloads/mosseve_666_1_nb.ipynb").unlink()
    assert set(owners(course, inbox).values()) == {"refused"}
    assert set(owners(course, inbox, layout=ExportLayout("canvas")).values()) == {"leeann"}


def test_identity_a_file_named_after_a_student_has_no_number_of_somebody_else(course: Course, inbox: Path) -> None:
    """In a folder of ``<student>_<anything>``, Eve calls her file ``777_1_nb.ipynb``, with Ann's number."""
    roster(course, "id,name,canvas_id\nann,Ann Lee,777\neve,Eve Moss,666\n")
    put(inbox, "eve_777_1_nb.ipynb", EVE)
    put(inbox, "ann_nb.ipynb", ANN)
    assert owners(course, inbox) == {"ann_nb.ipynb": "ann", "eve_777_1_nb.ipynb": "refused"}
    assert works(course) == {"ann": "ann's"}


def test_identity_control_canvas_says_by_its_number_who_took_anothers_id(course: Course, inbox: Path) -> None:
    roster(course, "id,name,canvas_id\nann,Ann Lee,777\neve,Eve Moss,666\n")
    put(inbox, "eve_777_1_nb.ipynb", ANN)
    assert owners(course, inbox, layout=ExportLayout("canvas")) == {"eve_777_1_nb.ipynb": "ann"}


def test_identity_a_package_names_nobody_but_in_words(course: Course, inbox: Path) -> None:
    """Where the learning system names the student, the name in submission.json is only reported."""
    roster(course)
    work = put(inbox.parent / "work", "nb.ipynb", EVE)
    packed = pack(work, student="ann", assignment="hw", out=inbox.parent / "out").path
    packed.rename(inbox / "mosseve_666_1_hw-ann.zip")
    put(inbox, "ann.ipynb", ANN)
    assert {one.student for one in arrived(course, inbox)} == {"ann", "eve"}
    assert works(course) == {"ann": "ann's", "eve": "eve's"}


def test_identity_a_package_whose_two_names_differ_is_refused(course: Course, inbox: Path) -> None:
    work = put(inbox.parent / "work", "nb.ipynb", EVE)
    packed = pack(work, student="eve", assignment="hw", out=inbox).path
    packed.rename(packed.with_name(packed.name.replace("eve", "ann")))
    (only,) = arrived(course, inbox)
    assert (only.status, works(course)) == (CollectStatus.REFUSED, {})


def test_identity_a_team_that_a_package_names_takes_nobodys_grade(tmp_path: Path) -> None:
    course = tiny_course(tmp_path / "course", yaml="course: t\nassignments:\n  hw: {team_size: 2}\n")
    roster(course)
    inbox = tmp_path / "inbox"
    put(inbox, "ann.ipynb", ANN)
    work = put(tmp_path / "work", "nb.ipynb", EVE)
    pack(work, student="eve", assignment="hw", out=inbox, team=["ann"])
    collect(course, "hw", inbox)
    hand_ins = HandIns(course)
    chosen = {student: hand_ins.chosen(student, "hw") for student in ("ann", "eve")}
    assert {student: attempt.submitter for student, attempt in chosen.items() if attempt} == {
        "ann": "ann",
        "eve": "eve",
    }
    assert "whose own hand-in counts" in hand_ins.teams("hw").conflicts[0]


def test_identity_an_otter_export_carries_no_name(course: Course, inbox: Path) -> None:
    """Neither its metadata nor a name in it decides whose it is."""
    data = json.loads(book(EVE))
    data["metadata"]["otter"] = {"student": "ann", "assignment_name": "hw"}
    archive(inbox, "mosseve_666_1_hw_2026_01_31T10_00_00_000000.zip", {"ann.ipynb": json.dumps(data)})
    arrived(course, inbox)
    assert works(course) == {"mosseve": "eve's"}
