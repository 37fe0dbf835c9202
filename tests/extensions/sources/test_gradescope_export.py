"""What Gradescope hands out as hand-ins: whose each folder is, and when it came."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from helpers.git_clones import WORK, make_git_course, put

from autograder.records.course import Course
from autograder.submission import CollectStatus, collect, pack
from autograder.submissions.claims import read_claims
from autograder.submissions.export_names import ExportLayout

METADATA = """\
---
submission_11:
  :submitters:
  - :name: Ada Lovelace
    :sid: '1001'
    :email: ada@example.org
  :created_at: 2026-03-02 17:38:40.577340000 Z
  :score: 3.0
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    tests: []
submission_12:
  :submitters:
  - :name: Bob Bond
    :sid:
    :email: bob@example.org
  - :name: Cyd Cole
    :sid: '1003'
    :email: cyd@example.org
  :created_at: 2026-03-02 10:00:00.000000000 -08:00
"""


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = make_git_course(tmp_path / "course")
    (made.root / "people.csv").write_text(
        "id,name,email\nada,Ada,ada@example.org\n1003,Cyd,\nbob,Bob,BOB@example.org\n"
    )
    return made


def export(folder: Path, metadata: str = METADATA, around: str = "assignment_7_export/") -> Path:
    files = {f"{around}submission_{number}/{name}": text for number in (11, 12) for name, text in WORK.items()}
    put(folder, {**files, f"{around}submission_metadata.yml": metadata})
    return folder


@pytest.mark.parametrize("form", ["folder", "unwrapped", "zip"])
def test_an_export_is_known_by_its_file_and_people_by_the_roster(course: Course, tmp_path: Path, form: str) -> None:
    source = export(tmp_path / "export", around="" if form == "unwrapped" else "assignment_7_export/")
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
            for path in source.rglob("*.*"):
                archive.write(path, path.relative_to(source))
        source = tmp_path / "export.zip"
    found = {one.student: one for one in collect(course, "hw1", source)}
    assert {name: one.status for name, one in found.items()} == dict.fromkeys(("ada", "bob"), CollectStatus.COLLECTED)
    assert found["ada"].timestamp == datetime(2026, 3, 2, 17, 38, 40, 577340, UTC)
    assert found["bob"].timestamp == datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
    assert read_claims(course, "hw1")["bob"] == ["1003"]
    assert (course.submitted("ada", "hw1") / "net/layers.py").read_text() == WORK["net/layers.py"]


def test_people_whom_no_roster_knows_are_their_numbers_or_addresses(tmp_path: Path) -> None:
    course = make_git_course(tmp_path / "course")
    found = collect(course, "hw1", export(tmp_path / "export"))
    assert [one.student for one in found] == ["1001", "bob@example.org"]


def test_a_students_file_of_that_name_makes_no_export(course: Course, tmp_path: Path) -> None:
    """Mallory puts the file into a folder of uploads, and says that Ada's is hers."""
    put(tmp_path / "inbox", {"submission_metadata.yml": METADATA})
    put(tmp_path / "inbox/ada", dict(WORK))
    put(tmp_path / "inbox/mallory", {**WORK, "submission_metadata.yml": METADATA})
    found = {one.item: one for one in collect(course, "hw1", tmp_path / "inbox")}
    assert {name: one.student for name, one in found.items() if one.student} == {"ada": "ada", "mallory": "mallory"}
    assert found["submission_metadata.yml"].status is CollectStatus.REFUSED


@pytest.mark.parametrize("around", ["", "assignment_7_export/"])
def test_a_students_file_of_that_name_in_a_submission_hides_no_export(
    course: Course, tmp_path: Path, around: str
) -> None:
    source = export(tmp_path / "export", around=around)
    put(source, {f"{around}submission_11/submission_metadata.yml": METADATA.replace("ada@", "bob@")})
    assert {one.student for one in collect(course, "hw1", source)} == {"ada", "bob"}


@pytest.mark.parametrize("name", ["2024-13-45", "=", "<<", "0x_", "1:60", "~x", "[1]", "!!binary x"])
def test_no_name_that_somebody_chose_refuses_an_export(course: Course, tmp_path: Path, name: str) -> None:
    metadata = METADATA.replace("Ada Lovelace", name)
    found = {one.student: one.timestamp for one in collect(course, "hw1", export(tmp_path / "export", metadata))}
    assert found.keys() == {"ada", "bob"}
    assert found["bob"] == datetime(2026, 3, 2, 18, 0, tzinfo=UTC)


def test_a_number_is_taken_as_it_is_written(tmp_path: Path) -> None:
    course = make_git_course(tmp_path / "course")
    metadata = METADATA.replace("'1001'", "0017").replace(":sid:\n", ":sid: ~\n").replace("bob@", "nora@")
    found = collect(course, "hw1", export(tmp_path / "export", metadata))
    assert [one.student for one in found] == ["0017", "nora@example.org"]


def test_an_archive_in_an_export_never_says_whose_it_is_or_with_whom_against_gradescope(
    course: Course, tmp_path: Path
) -> None:
    """Folders are named by Gradescope; an archive in one may have any name and say anything."""
    source = export(tmp_path / "export", around="")
    put(tmp_path / "work", {"hw1.ipynb": (course.release("hw1") / "hw1.ipynb").read_bytes(), **WORK})
    package = pack(tmp_path / "work", student="ada", team=["eve"], assignment="hw1").path.read_bytes()
    for path in sorted((source / "submission_12").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    put(source, {"submission_12/ada.zip": package})
    found = {one.student: one for one in collect(course, "hw1", source)}
    assert found.keys() == {"ada", "bob"}
    assert "its submission.json names “ada”" in found["bob"].reason
    assert read_claims(course, "hw1")["bob"] == ["1003"]


def test_a_folder_that_is_no_export_is_refused_where_one_is_announced(course: Course, tmp_path: Path) -> None:
    put(tmp_path / "inbox/ada", dict(WORK))
    (found,) = collect(course, "hw1", tmp_path / "inbox", layout=ExportLayout("gradescope"))
    assert (found.status, found.reason) == (CollectStatus.REFUSED, "It is not in the layout gradescope.")


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ("submission_11: {}\nsubmission_12:\n  :submitters: [1]\n", "does not say whose it is"),
        ("[1, 2]", "lists no submissions"),
        ("a: [", "cannot be read: ParserError"),
        ("submission_11: !!python/object/apply:os.system ['true']\n", "does not say whose it is"),
    ],
)
def test_a_file_that_says_nothing_refuses_what_it_should_name(
    course: Course, tmp_path: Path, metadata: str, reason: str
) -> None:
    found = collect(course, "hw1", export(tmp_path / "export", metadata))
    assert found
    for one in found:
        assert one.status is CollectStatus.REFUSED
        assert reason in one.reason
