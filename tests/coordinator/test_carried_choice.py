"""Which file of a student's runs where answer files go on from an earlier assignment, and what of it is kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from helpers.answer_files import LAYERS, solved

from autograder._util import digests
from autograder.coordinator import batch
from autograder.coordinator import student_files as chosen_files
from autograder.coordinator.carried_files import carried_files
from autograder.coordinator.carried_files import with_kept as kept
from autograder.coordinator.student_files import CarriedFiles, StudentFiles, student_files
from autograder.errors import HostError
from autograder.exchange.work import Work, handed_in
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.grade import Grade, NotGraded
from autograder.records.limits import MAX_ANSWER_BYTES
from autograder.records.policies import LateDays, LatePolicy
from autograder.submissions.hand_ins import HandIns

NAME, SKELETON, MINE, FINISHED = "net/layers.py", "# gap\n", "# mine\n", solved(LAYERS)
CELL = ExamCell(Role.ANSWER, "code", NAME, 0.0, FINISHED, SKELETON, "", file=NAME, carried=True)
EXAMS = [Exam("hw3", "hw3", (CELL,))]
HUGE = MINE + "#" * MAX_ANSWER_BYTES
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


WITHOUT_DATES = Assignment("hw1", "hw1")


def course(root: Path, hw1: Assignment = WITHOUT_DATES) -> Course:
    hw3 = Assignment("hw3", "hw3", carried={"hw1": ("net",), "hw2": ("net",)})
    return Course(root, "c", "c", {"hw1": hw1, "hw2": Assignment("hw2", "hw2"), "hw3": hw3})


def carried(of: Course, student: str = "ada") -> CarriedFiles:
    return carried_files(HandIns(of), student, of.assignments["hw3"], EXAMS)


def chosen(of: Course, student: str = "ada") -> StudentFiles:
    return student_files(of.submitted(student, "hw3"), {}, EXAMS, (), carried(of, student))


def texts(files: StudentFiles) -> dict[str, str]:
    return {name: path.read_text() for name, path in files.files.items()} | dict(files.skeletons)


@pytest.mark.parametrize(
    ("earlier", "later"), [({"net/x": "1"}, {"net/x/y": "2"}), ({"net/x/y": "1", "net/z": "3"}, {"net/x": "2"})]
)
def test_of_colliding_earlier_files_the_later_assignments_go_along(
    tmp_path: Path, earlier: Mapping[str, str], later: Mapping[str, str]
) -> None:
    made = course(tmp_path)
    written(made.submitted("ada", "hw1"), earlier)
    written(made.submitted("ada", "hw2"), later)
    written(made.submitted("ada", "hw3"), {NAME: MINE})
    z = {name: text for name, text in earlier.items() if name == "net/z"}
    assert texts(chosen(made)) == {NAME: MINE, **later, **z}


def test_an_earlier_file_that_cannot_be_read_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = course(tmp_path)
    folder = written(made.submitted("ada", "hw1"), {NAME: MINE, "net/mine.py": MINE})
    (folder / NAME).chmod(0)
    usual = Path.open

    def open_as_a_user(path: Path, *arguments: object, **options: object) -> object:
        if path == folder / NAME:
            raise PermissionError(13, "Permission denied")
        return usual(path, *arguments, **options)  # type: ignore[call-overload]

    if os.geteuid() == 0:
        monkeypatch.setattr(Path, "open", open_as_a_user)
    assert set(carried(made).files) == {"net/mine.py"}


def test_a_student_who_cannot_be_planned_stops_nobody() -> None:
    def make(student: str) -> str:
        if student == "eve":
            raise HostError("eve's file cannot be written")
        return student

    failed: list[NotGraded] = []
    assert list(batch._plan_for_each(make, ["ada", "eve", "zoe"], "hw3", failed)) == ["ada", "zoe"]
    assert [(one.student, one.reason) for one in failed] == [("eve", "eve's file cannot be written")]
    with pytest.raises(HostError):
        batch._plan_for_each(make, ["eve"], "hw3", None)


@pytest.mark.parametrize(("hw1", "runs"), [({NAME: MINE}, MINE), ({}, SKELETON)])
@pytest.mark.parametrize("place", [NAME, "layers.py"])
def test_a_file_that_is_too_large_never_makes_the_courses_run(
    tmp_path: Path, hw1: Mapping[str, str], runs: str, place: str
) -> None:
    made = course(tmp_path)
    written(made.submitted("ada", "hw1"), hw1)
    written(made.submitted("ada", "hw3"), {place: HUGE})
    files = chosen(made)
    assert texts(files)[NAME] == runs
    assert ("as it was released" in files.said[NAME], "handed in for hw1" in files.said[NAME]) == (not hw1, bool(hw1))


DATES: Mapping[str, tuple[Assignment, bool]] = {
    # hw1, whether it is still open
    "no dates": (Assignment("hw1", "hw1"), False),
    "due later": (Assignment("hw1", "hw1", due=NOW + DAY), True),
    "was due": (Assignment("hw1", "hw1", due=NOW - DAY), False),
    "closes later": (Assignment("hw1", "hw1", due=NOW - DAY, close=NOW + DAY), True),
    "closes without due": (Assignment("hw1", "hw1", close=NOW + DAY), True),
    "was closed": (Assignment("hw1", "hw1", due=NOW - 2 * DAY, close=NOW - DAY), False),
    "grace": (Assignment("hw1", "hw1", due=NOW - DAY, late=LatePolicy("zero", grace_hours=30)), True),
    "late is zero": (Assignment("hw1", "hw1", due=NOW - DAY, late=LatePolicy("zero")), False),
    "late costs a third a day": (
        Assignment("hw1", "hw1", due=NOW - DAY, late=LatePolicy("per_day", per_day=0.34)),
        True,
    ),
    "late has cost all": (Assignment("hw1", "hw1", due=NOW - 4 * DAY, late=LatePolicy("per_day", per_day=0.34)), False),
}


@pytest.mark.parametrize("when", DATES)
def test_the_courses_module_runs_once_the_earlier_assignment_is_closed(tmp_path: Path, when: str) -> None:
    hw1, is_open = DATES[when]
    made = course(tmp_path, hw1)
    written(made.submitted("ada", "hw3"), {})
    files = chosen(made)
    assert texts(files) == ({NAME: SKELETON} if is_open else {})
    assert ("wait until hw1 is closed" in files.said[NAME]) == is_open


def test_late_days_keep_an_assignment_open(tmp_path: Path) -> None:
    hw1 = Assignment("hw1", "hw1", due=NOW - DAY, late=LatePolicy("zero"))
    made = replace(course(tmp_path, hw1), late_days=LateDays(budget=3.0))
    assert set(carried(made).still_open) == {NAME}
    assert not carried(replace(made, late_days=LateDays(budget=3.0, per_assignment=0.5))).still_open


def planned(of: Course, graded: Work | None = None) -> Work:
    """Plan hw3, as if ``graded`` had been."""
    folder, files = of.submitted("ada", "hw3"), chosen(of)
    work = batch_work(of, files)
    grade = Grade("ada", "hw3", (), content_keys=graded.content_keys, said=graded.said) if graded else None
    assert folder.is_dir()
    return kept(work, of, files, carried(of), grade)


def batch_work(of: Course, files: StudentFiles) -> Work:
    nowhere = of.root / "nowhere"
    return Work(
        "ada", of.assignments["hw3"], tuple(EXAMS), of.submitted("ada", "hw3"), nowhere, nowhere, nowhere, nowhere,
        nowhere, of.root, None, (), files.files, said=files.said,
    )  # fmt: skip


def runs(work: Work) -> str:
    return handed_in(work)[NAME].read_text() if NAME in handed_in(work) else FINISHED


@pytest.mark.parametrize("handed_in_too", [{}, {NAME: SKELETON}, {"layers.py": SKELETON}])
def test_a_skeleton_runs_until_a_hand_in_or_the_close_and_then_stays_decided(
    tmp_path: Path, handed_in_too: Mapping[str, str]
) -> None:
    """Also where the student handed in the very skeleton: the keys of all these grades differ."""
    opened, closed = (course(tmp_path, Assignment("hw1", "hw1", close=NOW + days * DAY)) for days in (1, -1))
    written(opened.submitted("ada", "hw3"), handed_in_too)
    waiting = planned(opened)
    assert (runs(waiting), runs(planned(opened, waiting))) == (SKELETON, SKELETON)
    assert planned(opened, waiting).content_keys == waiting.content_keys
    after = planned(closed, waiting)
    assert (runs(after), after.content_keys != waiting.content_keys) == (FINISHED, True)
    assert "your course's" in after.said[NAME]
    written(opened.submitted("ada", "hw1"), {NAME: MINE})
    own = planned(opened, waiting)
    assert (runs(own), own.content_keys != waiting.content_keys) == (MINE, True)
    written(opened.submitted("ada", "hw1"), {NAME: "# changed\n"})
    assert (runs(planned(closed, own)), runs(planned(closed, after))) == (MINE, FINISHED)


def test_files_of_this_hand_in_come_before_earlier_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_files, "MAX_OWN_FILES", 2)
    made = course(tmp_path)
    written(made.submitted("ada", "hw1"), {NAME: MINE, "net/a.py": "", "net/b.py": "", "net/c.py": ""})
    written(made.submitted("ada", "hw3"), {"z1.py": "", "z2.py": ""})
    files = chosen(made)
    assert list(files.files) == [NAME, "z1.py", "z2.py"]
    assert "net/a.py and 2 more were left out: at most 2" in files.said["net/a.py"]


@pytest.mark.parametrize(("after", "said"), [(DAY, True), (-DAY, False)])
def test_a_module_of_after_the_due_date_is_named(tmp_path: Path, after: timedelta, said: bool) -> None:
    """It counts, late in hw1 alone; whoever thinks otherwise reads of it on the page and in the class report."""
    made = course(tmp_path)
    hw3 = replace(made.assignments["hw3"], due=NOW - 3 * DAY)
    made = replace(made, assignments={**made.assignments, "hw3": hw3})
    handed_in_at = f"{NOW - 3 * DAY + after:%Y-%m-%d %H:%M:%S} UTC"
    written(made.submitted("ada", "hw1"), {NAME: MINE, "timestamp.txt": handed_in_at})
    files = chosen(made)
    assert texts(files) == {NAME: MINE}
    assert ("after this assignment was due" in files.said[NAME]) is said


@pytest.mark.parametrize("mine", [{NAME: MINE}, {"layers.py": MINE}])
def test_an_unchanged_skeleton_without_its_folder_is_none_of_the_students(
    tmp_path: Path, mine: Mapping[str, str]
) -> None:
    made = course(tmp_path)
    written(made.submitted("ada", "hw1"), mine)
    written(made.submitted("ada", "hw3"), {"layers.py": "# gap  \r\n"})
    files = chosen(made)
    assert (texts(files), "handed in for hw1" in files.said[NAME]) == ({NAME: MINE}, True)


def test_a_changed_module_without_its_folder_is_still_found(tmp_path: Path) -> None:
    made = course(tmp_path)
    written(made.submitted("ada", "hw3"), {"layers.py": MINE})
    assert (texts(chosen(made)), chosen(made).said[NAME]) == ({NAME: MINE}, f"{NAME} was found as layers.py.")


def test_a_file_too_large_for_any_submission_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of these digests is that of the folder all the same."""
    monkeypatch.setattr(digests, "MAX_SUBMITTED_FILE_BYTES", 3)
    folder = written(tmp_path, {"large": "1234", "small": "123"})
    read = []
    usual = digests.hashlib.file_digest
    monkeypatch.setattr(digests.hashlib, "file_digest", lambda file, how: (read.append(file.name), usual(file, how))[1])
    found = digests.file_digests(folder)
    assert [Path(name).name for name in read] == ["small"]
    assert digests.listed_key(found) == digests.folder_key(folder)


def test_a_file_that_cannot_be_read_is_part_of_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the key of the folder is that of its digests: a bundle of such a submission leaves no doubt."""
    folder = written(tmp_path, {"a": "1", "b": "2"})
    before = digests.folder_key(folder)

    def broken(file: Any, how: str) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(digests.hashlib, "file_digest", broken)
    assert set(digests.file_digests(folder)) == {"a", "b"}
    assert digests.folder_key(folder) == digests.listed_key(digests.file_digests(folder)) != before
