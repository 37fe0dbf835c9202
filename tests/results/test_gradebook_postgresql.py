"""A gradebook in PostgreSQL, where nbgrader_config.py names one: the same rows, the same rules for people's points."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.tiny import Here, submit, tiny_course, tiny_release

from autograder.errors import CourseError, HostError
from autograder.grading import batch
from autograder.grading.cache_keys import exam_key
from autograder.records.course import Course
from autograder.results import gradebook, publication
from autograder.results.gradebook import database

PLACES = [Path("/usr/lib/postgresql").glob("*/bin"), [Path(p).parent for p in [shutil.which("initdb")] if p]]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server of this test alone, on a socket in a folder of its own; its address."""
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL is installed")
    binaries = [folder for places in PLACES for folder in places if (folder / "postgres").is_file()]
    if not binaries:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    user = {"user": "nobody"} if os.geteuid() == 0 else {}  # it refuses root
    if user:
        shutil.chown(folder, "nobody")

    def run(name: str, *words: str) -> None:
        done = subprocess.run(
            [binaries[-1] / name, *words], capture_output=True, text=True, timeout=120, cwd=folder, **user
        )
        assert done.returncode == 0, done.stdout + done.stderr

    data = f"{folder}/data"
    run("initdb", "-D", data, "-A", "trust", "-U", "grader", "-E", "UTF8")
    try:
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        run("pg_ctl", "-D", data, "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield f"postgresql://grader@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = tiny_course(tmp_path)
    for name in ("ada", "bob"):
        submit(made, name)
    return made


def name_database(course: Course, address: str) -> None:
    (course.root / "nbgrader_config.py").write_text(f"c = get_config()\nc.CourseDirectory.db_url = {address!r}\n")


def grade(course: Course) -> publication.Published:
    release = tiny_release(course)
    batch.run(batch.plan(course, release), execute=Here(), force=True)
    exams = [notebook.exam for notebook in release.notebooks]
    return publication.record(course, course.assignments["hw"], exams, exam_key(course, release))


@pytest.mark.slow
def test_nbgrader_finds_grades_in_the_database_and_a_persons_points_stay(course: Course, server: str) -> None:
    from nbgrader.api import Gradebook

    name_database(course, server)
    recorded = grade(course)
    assert not course.gradebook.exists()
    assert str(recorded.paths["gradebook"]).startswith("postgresql+psycopg://grader@/postgres")
    with Gradebook(server.replace("postgresql", "postgresql+psycopg", 1), course.course_id) as book:
        assert {s.student_id: s.score for s in book.assignment_submissions("hw")} == {"ada": 2, "bob": 2}
        row = book.find_grade("test-double", "nb", "hw", "bob")
        row.manual_score = 1.5
        book.db.commit()
    submit(course, "bob", "def double(x):\n    return 1")
    grade(course)
    scores = {g.student: g.score for g in gradebook.with_manual_scores(course, publication.grades(course, "hw"))}
    assert scores == {"ada": 2, "bob": 1.5}


@pytest.mark.slow
def test_two_commands_write_one_after_the_other(course: Course, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first; for so long and no longer."""
    name_database(course, server)
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        done.wait(20)

    def first() -> None:
        with database.opened(course) as book:
            database.transact(book, "first", hold)

    thread = threading.Thread(target=first)
    thread.start()
    try:
        assert inside.wait(20)
        monkeypatch.setattr(database, "PATIENCE_SECONDS", 1.0)
        with pytest.raises(HostError, match=r"cannot be used .*lock timeout"):
            grade(course)
    finally:
        done.set()
        thread.join()
    assert "postgresql" in str(grade(course).paths["gradebook"])


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("not an address", "db_url in nbgrader_config.py is not the address of a database; name a PostgreSQL database"),
        ("sqlite:////elsewhere/gradebook.db", "is sqlite:////elsewhere/gradebook.db, which the kit does not use"),
        ("mysql://grader:secret@host/course", r"is mysql://grader:\*\*\*@host/course, which the kit does not use"),
    ],
)
def test_a_database_that_the_kit_does_not_use_is_named(course: Course, address: str, message: str) -> None:
    name_database(course, address)
    with pytest.raises(CourseError, match=message):
        gradebook.place(course)


@pytest.mark.parametrize("address", [None, "sqlite:///gradebook.db"])
def test_without_another_address_it_is_the_file_of_the_course(course: Course, address: str | None) -> None:
    if address is not None:
        name_database(course, address)
    assert gradebook.place(course) == course.gradebook


def test_no_message_shows_a_password(course: Course) -> None:
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL is installed")
    name_database(course, "postgresql://grader:secret@127.0.0.1:1/course")
    assert "secret" not in str(gradebook.place(course))
    with pytest.raises(HostError, match="check the server and its user") as caught:
        gradebook.with_manual_scores(course, ())
    assert "secret" not in str(caught.value)
