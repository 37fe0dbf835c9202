"""A gradebook in PostgreSQL, where nbgrader_config.py names one: the same rows, the same rules for people's points."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from helpers.postgresql import postgresql_server
from helpers.tiny import Here, submit, tiny_course, tiny_release

from autograder.cli.main import main
from autograder.coordinator import batch
from autograder.coordinator.cache_keys import exam_key
from autograder.errors import CourseError, HostError
from autograder.extensions.gradebook import database
from autograder.extensions.gradebook import nbgraders as gradebook
from autograder.records.course import Course
from autograder.results import publication


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql_server() as started:
        yield started.address


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
        gradebook.database_of(course)


@pytest.mark.parametrize("address", [None, "sqlite:///gradebook.db"])
def test_without_another_address_it_is_the_file_of_the_course(course: Course, address: str | None) -> None:
    if address is not None:
        name_database(course, address)
    assert gradebook.database_of(course) == course.gradebook


def test_no_message_shows_a_password(course: Course) -> None:
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL is installed")
    name_database(course, "postgresql://grader:secret@127.0.0.1:1/course")
    assert "secret" not in str(gradebook.database_of(course))
    with pytest.raises(HostError, match="check the server and its user") as caught:
        gradebook.with_manual_scores(course, ())
    assert "secret" not in str(caught.value)


@pytest.mark.slow
def test_people_are_imported_from_the_courses_database_and_from_an_address(course: Course, server: str) -> None:
    """Nothing is written there: the kit reads in a transaction that cannot write."""
    name_database(course, server)
    grade(course)
    with database.opened(course) as book:
        book.update_or_create_student("ada", first_name="Ada", last_name="Lovelace", email="ada@example.org")
    for source in (["--from", "nbgrader"], [server]):
        (course.root / "people.csv").unlink(missing_ok=True)
        done = CliRunner().invoke(main, ["people", "import", *source, "--course", str(course.root)])
        assert done.exit_code == 0, done.output
        assert "2 people, 2 new, 0 changed" in done.output
        lines = (course.root / "people.csv").read_text().splitlines()
        assert lines == ["id,name,email", "ada,Ada Lovelace,ada@example.org", "bob,,"]


@pytest.mark.slow
def test_a_database_without_a_gradebook_is_named_without_its_password(course: Course, server: str) -> None:
    address = server.replace("grader@/postgres", "grader:secret@/template1")
    done = CliRunner().invoke(main, ["people", "import", address, "--course", str(course.root)])
    assert done.exit_code == 1
    assert "is no gradebook of nbgrader's" in done.output
    assert "secret" not in done.output
    assert not (course.root / "people.csv").exists()
