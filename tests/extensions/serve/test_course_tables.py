"""Tables of the course that people edit while the door is open: a fault in one closes it for nobody."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from helpers.doors import Door

from autograder.errors import CourseError
from autograder.extensions.serve import course_tables
from autograder.extensions.serve.models import Job, JobState

PEOPLE = "id,name,status\nada,Ada A.,\nbob,Bob B.,\n"
FAULTS = {
    "extensions.csv": "student,assignment,due\nada,hw,tomorrow\n",
    "people.csv": "id,name\nada,Ada A.\nada,Ada B.\n",
    "teams.csv": "team,student\nred,nobody\n",
    "course.yaml": "course: c\nno such key: 1\n",
}


@pytest.fixture(params=FAULTS)
def faulty(door: Door, request: pytest.FixtureRequest) -> Door:
    """A door with a fault in one table, after a request that found all in order."""
    door.visitor("ada").get("/assignments/")
    (door.root / request.param).write_text(FAULTS[request.param])
    return door


@pytest.mark.parametrize("path", ["/assignments/", "/assignments/hw/"])
def test_students_go_on_with_what_the_tables_said_before(faulty: Door, path: str) -> None:
    assert faulty.visitor("ada").get(path).status_code == 200


def test_a_hand_in_is_kept(faulty: Door) -> None:
    assert faulty.hand_in("bob").status_code == 302
    assert Job.objects.get().state == JobState.WAITING


def test_staff_read_which_line_is_wrong_and_monitors_that_one_is(faulty: Door) -> None:
    page = faulty.visitor("meier").get("/staff/").content.decode()
    table = next(name for name, text in FAULTS.items() if (faulty.root / name).is_file() and name in page)
    assert (faulty.root / table).read_text() == FAULTS[table]
    health = faulty.visitor().get("/healthz")
    assert health.status_code == 503
    assert "ada" not in health.content.decode()  # everybody may read it
    assert "course_with_fault 1" in faulty.visitor("meier").get("/metrics").content.decode()


def test_a_mended_table_counts_at_the_next_request(door: Door) -> None:
    ada = door.visitor("ada")
    ada.get("/assignments/")
    (door.root / "people.csv").write_text("id,name\nada,A\nada,B\n")
    ada.get("/assignments/")
    (door.root / "people.csv").write_text(PEOPLE + "eve,Eve E.,\n")
    assert door.visitor("eve").get("/assignments/").status_code == 200
    assert not course_tables.read(door.root).fault


def test_a_new_process_begins_with_the_last_tables_in_order(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    door.visitor("ada").get("/assignments/")
    (door.root / "course.yaml").write_text("")  # an editor has saved the beginning of nothing
    monkeypatch.setattr(course_tables, "_looked", {})
    assert door.hand_in("ada").status_code == 302


@pytest.mark.parametrize("table", ["course.yaml", "people.csv"])
def test_a_table_that_an_editor_replaces_is_not_gone(door: Door, table: str) -> None:
    door.visitor("ada").get("/assignments/")
    (door.root / table).unlink()
    assert door.visitor("ada").get("/assignments/").status_code == 200
    assert course_tables.read(door.root).fault == f"{table} is gone; put it back"


def test_a_list_of_extensions_may_be_deleted(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(course_tables, "FAULT_SECONDS", 0.0)
    (door.root / "extensions.csv").write_text("student,assignment,excused\nada,hw,yes\n")
    door.visitor("ada").get("/assignments/")
    (door.root / "extensions.csv").unlink()
    assert course_tables.read(door.root).fault == "extensions.csv is being saved"
    assert course_tables.read(door.root).course.table("extensions.csv").exists()
    minute = time.time() - 60
    os.utime(door.root, (minute, minute))
    assert not course_tables.read(door.root).fault
    assert not course_tables.read(door.root).course.table("extensions.csv").exists()


def test_tables_with_a_fault_are_not_read_again_for_each_request(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Path] = []
    look = course_tables._look
    monkeypatch.setattr(course_tables, "_look", lambda *each: [looks.append(each[0]), look(*each)][1])
    ada = door.visitor("ada")
    (door.root / "people.csv").write_text(FAULTS["people.csv"])
    looks.clear()
    for _ in range(5):
        assert ada.get("/assignments/").status_code == 200
    assert len(looks) <= 2


@pytest.mark.parametrize(
    ("people", "status"),
    [
        ("id,name\nbob,B\nbob,B\n", 401),  # ada's line was deleted
        ("id,name,status\nada,A,left\nbob,B,\nbob,B,\n", 401),
        ("id,name\nada,A\nbob,B\nbob,B\n", 200),
        ("id,name,name\nbob,B,B\n", 200),  # nothing of it can be read
        ("id,name\n", 200),  # an editor has saved the beginning
        ("name\nBob\n", 200),
    ],
)
def test_who_was_taken_out_does_not_come_in_though_another_line_is_wrong(door: Door, people: str, status: int) -> None:
    ada = door.visitor("ada")
    assert ada.get("/assignments/").status_code == 200
    (door.root / "extensions.csv").write_text(FAULTS["extensions.csv"])
    (door.root / "people.csv").write_text(people)
    assert ada.get("/assignments/").status_code == 200, "an editor may be saving it"
    minute = time.time() - 60
    os.utime(door.root / "people.csv", (minute, minute))
    assert ada.get("/assignments/").status_code == status
    assert door.visitor("meier").get("/staff/").status_code == 200


def test_copies_that_somebody_deleted_are_made_again(door: Door) -> None:
    """Without them, the course would be read as one that has no course.yaml."""
    door.visitor("ada").get("/assignments/")
    shutil.rmtree(door.root / ".autograder" / "serve" / "tables")
    (door.root / ".autograder" / "serve" / "tables").mkdir(mode=0o700)
    assert course_tables.read(door.root).course.course_id == "tiny"
    assert door.visitor("ada").get("/assignments/").status_code == 200


def test_a_course_that_never_was_in_order_is_refused(door: Door) -> None:
    (door.root / "course.yaml").write_text("course: [\n")
    with pytest.raises(CourseError, match=r"course\.yaml"):
        course_tables.read(door.root)
    assert door.visitor(raise_request_exception=False).get("/assignments/").status_code == 503


def test_a_disk_without_space_for_copies_closes_nothing(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(course_tables, "_write", full)
    assert door.visitor("ada").get("/assignments/").status_code == 200


def test_copies_are_for_the_door_alone_and_the_oldest_go(door: Door) -> None:
    for number in range(12):
        (door.root / "people.csv").write_text(PEOPLE + f"s{number},S,\n")
        course_tables.read(door.root)
    folder = door.root / ".autograder" / "serve" / "tables"
    copies = [path for path in folder.iterdir() if path.is_dir()]
    assert len(copies) <= 9
    assert {mode(path) for path in (folder, *copies)} == {0o700}
    assert {mode(path) for path in folder.rglob("*") if path.is_file()} == {0o600}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
