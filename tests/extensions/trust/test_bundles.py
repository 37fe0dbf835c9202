"""Bundles: what a second look needs, packed by one machine and read by another, which trusts none of it."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import hashlib
import json
import shutil
import subprocess
import types
import typing
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.bundles import rewritten
from helpers.tiny import TEST, YAML, Here, copied, submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.coordinator.forecast import changed_questions
from autograder.errors import CourseError, HostError, UsageError
from autograder.exchange import parcel
from autograder.exchange.result_json import from_json, to_json
from autograder.execution.recording import Transcript
from autograder.extensions.trust.bundle import VERSION, Manifest, write_bundle
from autograder.extensions.trust.bundle_reading import Bundle, BundleError, read_bundle
from autograder.extensions.trust.bundle_signature import PROGRAM, SignatureError, sign, signer
from autograder.extensions.trust.grade_comparison import differing_parts
from autograder.extensions.trust.replay import ReplayReport, bundle_case, replay
from autograder.extensions.trust.replay_report import rows, sentences
from autograder.records.course import Course
from autograder.records.grade import Grade
from autograder.results import second_look


@pytest.fixture(scope="module")
def graded_course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course with hidden data and a released file, and the grades of ada and bob."""
    made = tiny_course(tmp_path_factory.mktemp("graded") / "course")
    hidden = made.hidden("hw")
    hidden.mkdir()
    (hidden / "rows.csv").write_text("1,2,3")
    (made.source("hw") / "words.txt").write_text("for everyone")
    submit(made, "ada")
    submit(made, "bob", "def double(x):\n    return 2")
    grade(made)
    return made


@pytest.fixture
def course(graded_course: Course, tmp_path: Path) -> Course:
    """The same in a folder of the test's own."""
    return copied(graded_course, tmp_path / "course")


@pytest.fixture(scope="module")
def bundle_of_ada(graded_course: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that no test changes."""
    return packed(graded_course, tmp_path_factory.mktemp("bundle"))[0]


def grade(course: Course) -> None:
    batch.run(batch.plan(course, tiny_release(course)), execute=Here())


def packed(course: Course, tmp_path: Path, student: str = "ada", **options: Any) -> tuple[Path, Manifest]:
    path = tmp_path / f"{student}.zip"
    return path, write_bundle(course, course.assignments["hw"], student, path, **options)


def opened(path: Path, tmp_path: Path, course: Course | None = None) -> Bundle:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return read_bundle(path, folder, course)


def test_a_bundle_holds_submission_exam_recording_result_versions_and_keys(course: Course, tmp_path: Path) -> None:
    path, manifest = packed(course, tmp_path)
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    assert names == {
        "bundle.json",
        "exam.json",
        "unit.json",
        "result.json",
        "submission/nb.ipynb",
        "course/source/hw/hidden/rows.csv",
        "course/source/hw/words.txt",
        "recordings/0.run",
    }
    assert (manifest.format, manifest.version, manifest.student) == ("nbexaminer bundle", VERSION, "ada")
    assert manifest.graded_from == manifest.bundled_from
    assert manifest.environment.packages["numpy"]
    assert manifest.recorded == 1


def test_what_was_packed_is_read_and_gives_the_same_grade_without_the_course(course: Course, tmp_path: Path) -> None:
    path, _ = packed(course, tmp_path, "bob")
    found = opened(path, tmp_path)
    assert found.grade.score == 0
    assert found.work.hidden is not None
    assert (found.work.hidden / "rows.csv").read_text() == "1,2,3"
    assert found.work.files["words.txt"].read_text() == "for everyone"
    (tmp_path / "work").mkdir()
    (done,) = replay([bundle_case(found)], tmp_path / "work", execute=Here()).cases
    assert done.recording.grade is not None
    assert done.recording.grade.notebooks[0].replayed
    assert done.execution.grade is not None
    assert not done.execution.grade.notebooks[0].replayed
    assert not done.differs


def test_hidden_data_can_be_left_out_and_are_taken_from_a_course_that_has_the_same(
    course: Course, tmp_path: Path
) -> None:
    path, manifest = packed(course, tmp_path, hidden_data=False)
    assert manifest.hidden == "left out"
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if "hidden" in name]
    found = opened(path, tmp_path, course)
    assert found.work.hidden is not None
    assert (found.work.hidden / "rows.csv").read_text() == "1,2,3"


def test_without_the_same_hidden_data_a_bundle_made_without_them_is_refused(course: Course, tmp_path: Path) -> None:
    path, _ = packed(course, tmp_path, hidden_data=False)
    (tmp_path / "one").mkdir()
    with pytest.raises(UsageError, match="--course DIR"):
        read_bundle(path, tmp_path / "one")
    (course.hidden("hw") / "rows.csv").write_text("4,5,6")
    with pytest.raises(UsageError, match="are others"):
        opened(path, tmp_path, course)


def test_a_students_request_for_a_second_look_comes_along(course: Course, tmp_path: Path) -> None:
    second_look.ask(course, "ada", "hw", "test-double", "It doubles \x1b[31mall numbers.")
    path, _ = packed(course, tmp_path)
    (request,) = opened(path, tmp_path).requests
    assert (request.question, request.request) == ("test-double", "It doubles \x1b[31mall numbers.")
    path, _ = packed(course, tmp_path, "bob")
    (tmp_path / "bob").mkdir()
    assert read_bundle(path, tmp_path / "bob").requests == ()


FAULTY = {
    "no list": b"question: x\n",
    "no request": b"- question: x\n",
    "no YAML": b"- [",
    "no text": b"\xff",
    "none": b"",
}


@pytest.mark.parametrize("content", FAULTY.values(), ids=FAULTY.keys())
def test_a_fault_in_the_requests_costs_no_grade(course: Course, tmp_path: Path, content: bytes) -> None:
    file = second_look.path(course, "ada", "hw")
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    path, _ = packed(course, tmp_path)
    found = opened(path, tmp_path)
    assert (found.grade.student, found.requests) == ("ada", ())
    (note,) = found.notes
    assert note.startswith("what the student asked cannot be read (second-look.yaml")


def test_requests_that_can_be_read_need_no_note(course: Course, tmp_path: Path) -> None:
    second_look.ask(course, "ada", "hw", "test-double", "It doubles.")
    assert opened(packed(course, tmp_path)[0], tmp_path).notes == ()


def test_requests_without_permission_are_the_courses_fault(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    file = second_look.ask(course, "ada", "hw", "test-double", "It doubles.")
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: refuse(path) if path == file else read(path))
    with pytest.raises(CourseError, match=r"second-look/ada/hw\.yaml: cannot be read: Permission denied"):
        packed(course, tmp_path)


def test_a_submission_without_a_grade_has_no_bundle(course: Course, tmp_path: Path) -> None:
    submit(course, "eve")
    with pytest.raises(UsageError, match="eve has no grade in hw yet"):
        packed(course, tmp_path, "eve")


def test_a_bundle_says_that_the_exam_has_changed_since_the_grade(course: Course, tmp_path: Path) -> None:
    tiny_course(course.root, test="assert double(1) == 2")
    path, _ = packed(course, tmp_path)
    said = bundle_case(opened(path, tmp_path)).changes
    assert "the grade was not current when the bundle was made: exam had changed" in said


def test_a_students_file_with_an_odd_name_comes_along(course: Course, tmp_path: Path) -> None:
    folder = course.submitted("ada", "hw")
    for name in (".rc", "A.txt", "a.txt", "tab\there"):
        (folder / name).write_text(name)
    grade(course)
    path, _ = packed(course, tmp_path)
    own = opened(path, tmp_path).work.files
    assert {name: own[name].read_text() for name in own if name != "words.txt"} == {
        name: name for name in (".rc", "A.txt", "a.txt", "tab\there")
    }


# --- bytes that somebody else chose --------------------------------------------------------------------------


def in_json(file: str, change: Callable[[Any], None]) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    def changed(files: dict[str, bytes], _: dict[str, Any]) -> None:
        data = json.loads(files[file])
        change(data)
        files[file] = json.dumps(data).encode()

    return changed


def planted(place: str) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    """A file at a place that leads out of its folder."""

    def changed(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        files["other/x"] = b"planted"
        manifest["files"][place] = {"member": "other/x", "sha256": "", "size": 0}

    return changed


OUT = "../../../planted"


def named(student: Any) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    """A bundle whose manifest, submission and result agree on the student's name."""

    def changed(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        manifest["student"] = student
        for file in ("unit.json", "result.json"):
            in_json(file, lambda data: data.update(student=student))(files, manifest)

    return changed


HOSTILE = {
    "a student outside": named(OUT),
    "a student with an absolute path": named("/etc"),
    "a student who is a folder above": named(".."),
    "a student in a folder": named("ada/bob"),
    "a student without a name": named(""),
    "a student with a name without end": named("a" * 300),
    "a student with signs for the terminal": named("ada\x1b[2J"),
    "a student who is a number": named(7),
    "an assignment that is a path": lambda files, manifest: (
        manifest.update(assignment=OUT),
        in_json("result.json", lambda result: result.update(assignment=OUT))(files, manifest),
    ),
    "an exam of another assignment": in_json("exam.json", lambda head: head["assignment"].update(name="other")),
    "another format": lambda files, manifest: manifest.update(format="zip"),
    "another version": lambda files, manifest: manifest.update(version=VERSION + 1),
    "another version and no environment": lambda files, manifest: manifest.update(version=VERSION + 1, environment=7),
    "a manifest with another key": lambda files, manifest: manifest.update(more=1),
    "a number for a file": lambda files, manifest: manifest["files"].update({"course/x": 1}),
    "files without end": lambda files, manifest: manifest["files"].update(
        {f"course/{n}": {"member": "unit.json", "sha256": "", "size": 0} for n in range(20_001)}
    ),
    "no exam": lambda files, manifest: manifest["files"].pop("exam.json"),
    "a place outside": planted(f"course/{OUT}"),
    "a submitted file outside": planted(f"submission/{OUT}"),
    "an absolute place": planted("course//etc/planted"),
    "a member outside": lambda files, manifest: manifest["files"]["unit.json"].update(member=OUT),
    "hidden data outside": in_json("exam.json", lambda head: head.update(hidden=OUT)),
    "modules outside": in_json("exam.json", lambda head: head.update(modules=["/etc"])),
    "a released file of this machine": in_json("exam.json", lambda head: head["files"].update(x="/etc/passwd")),
    "a released file with a name outside": in_json(
        "exam.json", lambda head: head["files"].update({OUT: head["files"]["words.txt"]})
    ),
    "a notebook outside": in_json("exam.json", lambda head: head["exams"][0].update(notebook=OUT)),
    "an assignment outside": in_json("exam.json", lambda head: head["assignment"].update(name=OUT)),
    "a text for the exams": in_json("exam.json", lambda head: head.update(exams="exams")),
    "no exams": in_json("exam.json", lambda head: head.update(exams=[])),
    "memory without end": in_json("exam.json", lambda head: head["assignment"]["limits"].update(memory_mib=10**9)),
    "no time": in_json("exam.json", lambda head: head["assignment"]["limits"].update(cell_seconds=-1.0)),
    "another sandbox": in_json("exam.json", lambda head: head["assignment"].update(sandbox="none")),
    "a student's file outside": in_json("unit.json", lambda unit: unit["own"].append(OUT)),
    "a pipe outside": in_json("unit.json", lambda unit: unit["odd"].update({OUT: "pipe"})),
    "a device": in_json("unit.json", lambda unit: unit["odd"].update(x="device")),
    "a submission that is allowed everything": in_json("unit.json", lambda unit: unit.update(observe=True)),
    "another student's submission": in_json("unit.json", lambda unit: unit.update(student="bob")),
    "a result with other totals": in_json("result.json", lambda result: result.update(score=100)),
    "a result of somebody else": in_json("result.json", lambda result: result.update(student="bob")),
    "deep nesting": lambda files, manifest: files.update({"unit.json": b"[" * 100_000}),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_no_bundle_has_is_refused_and_writes_nothing_outside(
    bundle_of_ada: Path, tmp_path: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None]
) -> None:
    path = rewritten(bundle_of_ada, change, tmp_path)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(BundleError, match="no bundle that this version can read"):
        opened(path, tmp_path)
    new = {entry for entry in tmp_path.rglob("*") if not entry.is_relative_to(tmp_path / "elsewhere")} - before
    assert new == set()


def test_a_bundle_of_another_version_names_the_kit_that_made_it(course: Course, tmp_path: Path) -> None:
    def change(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        manifest["version"] = 1
        manifest["environment"]["kit"] = "0.0.9\x1b[31m"

    said = r"its version is 1 \(made with version 0\.0\.9.* of the kit\), and this kit reads version 13"
    with pytest.raises(BundleError, match=said) as caught:
        opened(rewritten(packed(course, tmp_path)[0], change), tmp_path)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("student", ["Łukasz Żak (77)", "a:b", "O'Neil, J."])
def test_a_student_may_have_any_name_of_a_folder(course: Course, tmp_path: Path, student: str) -> None:
    submit(course, student)
    grade(course)
    assert opened(packed(course, tmp_path, student)[0], tmp_path).grade.student == student


def test_a_changed_byte_is_found_by_its_digest(course: Course, tmp_path: Path) -> None:
    path, _ = packed(course, tmp_path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["submission/nb.ipynb"] = files["submission/nb.ipynb"].replace(b"2", b"3", 1)  # of the same size
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    with pytest.raises(BundleError, match=r"'submission/nb.ipynb' is missing or damaged"):
        opened(path, tmp_path)


def test_a_zip_bomb_is_refused(course: Course, tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bundle.json", b" " * (64 << 20))
    with pytest.raises(BundleError, match="zip bomb"):
        opened(path, tmp_path)


def test_nothing_of_a_bundle_chooses_what_runs_on_this_machine(course: Course, tmp_path: Path) -> None:
    def change(head: dict[str, Any]) -> None:
        head["assignment"] |= {"environment": "/tmp/python", "prepare": "evil.py", "files": ["/etc/passwd"]}
        head["assignment"]["late"] |= {"kind": "plugin", "plugin": "late.py:Policy"}

    found = opened(rewritten(packed(course, tmp_path)[0], in_json("exam.json", change)), tmp_path)
    assert (found.work.assignment.environment, found.work.assignment.prepare) == (None, None)
    assert found.work.assignment.files == ()
    assert any("what being late cost is not compared" in doubt for doubt in found.doubts)
    (tmp_path / "work").mkdir()
    (done,) = replay([bundle_case(found)], tmp_path / "work", execute=Here()).cases
    assert not done.differs, "a policy that is a program was not run, or its file would be missing"


# --- what belongs together -----------------------------------------------------------------------------------


def test_a_bundle_as_it_was_made_leaves_no_doubt(course: Course, tmp_path: Path) -> None:
    """Also with a module of the course, and with files that grading does not need."""
    (course.root / "helpers.py").write_text("FACTOR = 2")
    tiny_course(course.root, test=f"import helpers\n{TEST}")
    (course.submitted("ada", "hw") / "other.ipynb").write_text("{}")
    (course.submitted("ada", "hw") / "notes").mkdir()
    (course.submitted("ada", "hw") / "notes/mine.txt").write_text("mine")
    grade(course)
    found = opened(packed(course, tmp_path)[0], tmp_path)
    assert found.doubts == ()
    assert found.recordings[0].run


def of_bob(path: Path, place: str) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    """A file of bob's bundle in the place of ada's."""
    with zipfile.ZipFile(path) as archive:
        content = archive.read(place)
    return lambda files, manifest: files.update({place: content})


def doubts_of(path: Path, folder: Path) -> tuple[str, ...]:
    folder.mkdir()
    return read_bundle(path, folder).doubts


def test_what_does_not_belong_to_the_grade_is_named(course: Course, tmp_path: Path) -> None:
    """Whoever changes a bundle can write new digests, but the grade names what it was made from."""
    path, theirs = packed(course, tmp_path)[0], packed(course, tmp_path, "bob")[0]
    recording = rewritten(path, of_bob(theirs, "recordings/0.run"))
    assert doubts_of(recording, tmp_path / "1") == ("the recording of nb is not of this submission",)
    submission = rewritten(path, of_bob(theirs, "submission/nb.ipynb"))
    assert doubts_of(submission, tmp_path / "2") == (
        "the grade was made from another submission",
        "the recording of nb is not of this submission",
    )
    exam = rewritten(path, in_json("exam.json", lambda head: head["exams"][0]["cells"][1].update(points=3.0)))
    assert doubts_of(exam, tmp_path / "3") == ("the grade was made from another exam",)
    words = rewritten(path, lambda files, _: files.update({"course/source/hw/words.txt": b"other words"}))
    assert "the grade was made from other released files" in doubts_of(words, tmp_path / "4")
    keys = rewritten(path, lambda _, manifest: manifest["graded_from"].update(submission="0" * 64))
    assert doubts_of(keys, tmp_path / "5") == ("its manifest and its grade name different keys",)


def test_a_grade_that_could_not_be_verified_is_not_said_to_be_the_same(course: Course, tmp_path: Path) -> None:
    """A broken recording, and another student's: the execution alone gives the same grade."""
    submit(course, "eve", "def double(x):\n    return x + x")
    grade(course)
    path, theirs = packed(course, tmp_path)[0], packed(course, tmp_path, "eve")[0]
    broken = rewritten(path, lambda files, _: files.update({"recordings/0.run": files["recordings/0.run"][:80]}))
    for number, changed in enumerate((broken, rewritten(path, of_bob(theirs, "recordings/0.run")))):
        folder = tmp_path / f"read-{number}"
        (folder / "work").mkdir(parents=True)
        (folder / "bundle").mkdir()
        report = replay([bundle_case(read_bundle(changed, folder / "bundle"))], folder / "work", execute=Here())
        assert (len(report.differing), len(report.not_executed), len(report.not_verified)) == (0, 0, 1)
        assert sentences(report)[0] == "Not verified: the grade is the same executed anew."


LATE = {"late": {"kind": "per_day", "per_day": 0.5, "grace_hours": 0.0, "plugin": None}}


def in_result(change: Callable[[Any], None]) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    return in_json("result.json", change)


def in_question(**values: Any) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    """Another value in the result's only question, and totals that fit."""

    def changed(result: Any) -> None:
        (question,) = result["questions"]
        question |= values
        result |= {
            "score": max(0.0, question["score"] - result["late_penalty"]),
            "max_score": question["max_score"],
            "needs_manual_grade": question["needs_manual_grade"],
        }

    return in_result(changed)


def in_two(
    *changes: Callable[[dict[str, bytes], dict[str, Any]], None],
) -> Callable[[dict[str, bytes], dict[str, Any]], None]:
    def changed(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
        for change in changes:
            change(files, manifest)

    return changed


def doubled(result: Any) -> None:
    """A question that stands twice gives its points twice."""
    result["questions"] *= 2
    result |= {"score": 4.0, "max_score": 4.0}


CHECK = {
    "name": "close",
    "outcome": "passed",
    "fraction": 1.0,
    "weight": 1.0,
    "message": "as wanted",
    "detail": "",
    "evidence": {},
    "bonus": 0.0,
    "undecided": False,
}
FORGED = {
    "a score": (in_question(score=1.0, outcome="partial"), "test-double 1 → 2 (recording)"),
    "a bonus": (in_question(score=3.0), "test-double 3 → 2 (recording)"),
    "most points": (in_question(max_score=50.0), "1 test-double max_score 50.0 → 2.0 (recording)"),
    "a question that waits for a person": (
        in_question(outcome="manual", needs_manual_grade=True, waits="written"),
        "passed",
    ),
    "a question that stands twice": (in_result(doubled), "2 test-double"),
    "a question of another name": (in_question(id="test-triple"), "test-triple 2 → –"),
    "a late penalty": (in_result(lambda r: r.update(late_penalty=1.5, score=0.5)), "late_penalty 1.5 → 0"),
    "a message": (in_question(message="copied from another student"), "message copied from another"),
    "a check": (in_question(checks=[CHECK]), "checks 1 close name close → nothing"),
    "points of the student's process": (in_question(in_students_process=True), "in_students_process True → False"),
    "how the run ended": (
        in_result(lambda r: (r["notebooks"][0].update(status="timed_out"), r.update(status="timed_out"))),
        "status timed_out → completed",
    ),
    "words on how it ended": (
        in_result(lambda r: r["notebooks"][0].update(message="the student cheated")),
        "message the student cheated → nothing",
    ),
    "a learning curve": (in_result(lambda r: r["notebooks"][0].update(history={"loss": [2.0, 1.0]})), "history loss"),
    "a number of trainings": (in_result(lambda r: r["notebooks"][0].update(trainings={"kernel": 3})), "trainings"),
    "a file that did not run": (in_result(lambda r: r.update(files={"net.py": "is empty"})), "net.py is empty"),
    "the time of the hand-in": (
        in_result(lambda r: r.update(submitted_at="2026-01-02T03:04:05+00:00")),
        "submitted_at 2026-01-02T03:04:05+00:00 → nothing",
    ),
    "the due date": (in_result(lambda r: r["dates"].update(due="2026-01-02T03:04:05+00:00")), "due 2026-01-02"),
}


def replayed_bundle(path: Path, tmp_path: Path) -> ReplayReport:
    (tmp_path / "work").mkdir()
    return replay([bundle_case(opened(path, tmp_path))], tmp_path / "work", execute=Here())


@pytest.mark.parametrize(("change", "said"), FORGED.values(), ids=FORGED.keys())
def test_a_forged_part_of_a_grade_is_named_and_is_no_chance(
    bundle_of_ada: Path, tmp_path: Path, change: Any, said: str
) -> None:
    """With digests that fit. Nothing was changed but the result, so its recording gives another one."""
    report = replayed_bundle(rewritten(bundle_of_ada, change, tmp_path), tmp_path)
    assert len(report.differing) == 1
    assert said in rows(report)[0][-1]
    found = sentences(report)
    assert found[0] == "The grade differs."
    assert "ada: the recording gives another grade, and no chance is in it: the grade was changed" in found[-1]
    assert "chance or time" not in " ".join(found)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each value of plain data that holds no other, with its path."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from leaves(value[key], (*path, key))
    else:
        yield path, value


def test_each_value_of_a_grade_is_compared_but_for_times_and_what_it_was_made_from(
    bundle_of_ada: Path, tmp_path: Path
) -> None:
    """Changed one by one. Versions and keys are compared with the bundle's own, and details are kept elsewhere."""
    grade = opened(bundle_of_ada, tmp_path).grade
    passed_over = set()
    for path, value in leaves(to_json(grade)):
        data = to_json(grade)
        place = functools.reduce(lambda inner, key: inner[key], path[:-1], data)
        place[path[-1]] = (
            not value if isinstance(value, bool) else value + 1 if isinstance(value, int | float) else "other"
        )
        with contextlib.suppress(ValueError, TypeError, KeyError, HostError):  # what cannot be read is refused
            other = from_json(data)
            if not [*differing_parts(other, grade, is_certain=True), *changed_questions(other, grade)]:
                passed_over.add(path[0] if path[0] not in ("questions", "notebooks") else path[-1])
    assert passed_over <= {"wall_seconds", "own_seconds", "cpu_seconds", "answer_seconds", "test_seconds", "times"} | {
        "peak_memory_mib", "sandbox", "kept", "versions", "content_keys", "detail"
    }  # fmt: skip


def test_a_bundle_as_it_was_made_gives_the_same_grade_in_all_its_parts(bundle_of_ada: Path, tmp_path: Path) -> None:
    report = replayed_bundle(rewritten(bundle_of_ada, lambda files, manifest: None, tmp_path), tmp_path)
    assert sentences(report) == ["The grade is the same.", "environment: no difference is known."]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (in_json("exam.json", lambda head: head["assignment"].update(LATE)), "another late policy or other dates"),
        (in_json("unit.json", lambda unit: unit["dates"].update(late_days=2.0)), "another late policy or other dates"),
        (
            in_two(
                in_result(lambda r: r.update(submitted_at="2026-01-02T03:04:05+00:00")),
                in_json("unit.json", lambda unit: unit.update(submitted_at="2026-01-02T03:04:05+00:00")),
            ),
            "another time of the hand-in",
        ),
    ],
)
def test_a_late_penalty_is_not_forged_by_its_reasons(
    bundle_of_ada: Path, tmp_path: Path, change: Any, said: str
) -> None:
    (found,) = opened(rewritten(bundle_of_ada, change, tmp_path), tmp_path).doubts
    assert said in found


def late_course(root: Path) -> Course:
    due = "title: Doubling\n    due: 2026-01-02 12:00 +01:00\n    late: {kind: per_day, per_day: 0.25}"
    yaml = YAML.replace("title: Doubling", due)
    made = tiny_course(root, yaml=yaml)
    (submit(made, "ada") / "timestamp.txt").write_text("2026-01-03 12:00:00 +00:00")
    (root / "extensions.csv").write_text("student,assignment,days\nada,hw,0.5\n")
    grade(made)
    return made


def test_a_late_penalty_is_computed_anew_under_the_students_own_date(tmp_path: Path) -> None:
    """The honest one is the same, and a smaller or larger one is none."""
    path, _ = packed(late_course(tmp_path / "course"), tmp_path)
    for number, (penalty, differs) in enumerate([(0.5, False), (0.0, True), (1.5, True)]):
        change = in_result(lambda r, p=penalty: r.update(late_penalty=p, score=2 - p))
        folder = tmp_path / str(number)
        folder.mkdir()
        report = replayed_bundle(rewritten(path, change, folder), folder)
        assert bool(report.differing) is differs, rows(report)
        assert bool(report.not_verified) is False


# --- who made it ---------------------------------------------------------------------------------------------


@pytest.fixture
def signers(tmp_path: Path) -> Path:
    """A file that allows the key ``tmp_path/key``."""
    if shutil.which(PROGRAM) is None:
        pytest.skip(f"{PROGRAM} is not installed")
    for name in ("key", "other"):
        made = [PROGRAM, "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(tmp_path / name)]
        subprocess.run(made, check=True)
    path = tmp_path / "signers"
    path.write_text(f"ada@example.org {(tmp_path / 'key.pub').read_text()}")
    return path


def test_a_signature_says_who_made_a_bundle(course: Course, tmp_path: Path, signers: Path) -> None:
    path, _ = packed(course, tmp_path)
    assert sign(path, tmp_path / "key") == path.with_name("ada.zip.sig")
    assert sign(path, tmp_path / "key").is_file()  # once more, without a question
    assert signer(path, signers) == "ada@example.org"


def test_a_changed_byte_a_stranger_and_a_missing_signature_are_refused(
    course: Course, tmp_path: Path, signers: Path
) -> None:
    path, _ = packed(course, tmp_path)
    with pytest.raises(SignatureError, match=r"is not signed: there is no ada.zip.sig"):
        signer(path, signers)
    sign(path, tmp_path / "other")
    with pytest.raises(SignatureError, match="a key of nobody in"):
        signer(path, signers)
    sign(path, tmp_path / "key")
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(SignatureError, match=r"does not fit ada.zip"):
        signer(path, signers)


def test_a_signature_for_something_else_does_not_count(course: Course, tmp_path: Path, signers: Path) -> None:
    path, _ = packed(course, tmp_path)
    subprocess.run(
        [PROGRAM, "-q", "-Y", "sign", "-f", tmp_path / "key", "-n", "file", path], check=True, capture_output=True
    )
    with pytest.raises(SignatureError, match=r"does not fit ada.zip"):
        signer(path, signers)


def test_without_openssh_it_is_named(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = packed(course, tmp_path)
    (tmp_path / "key").write_text("key")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HostError, match="ssh-keygen is not installed; signatures need OpenSSH"):
        sign(path, tmp_path / "key")
    with pytest.raises(UsageError, match="there is no key"):
        sign(path, tmp_path / "missing")


# --- the version ---------------------------------------------------------------------------------------------

SHAPE = {13: "df39fbe6b906c547"}
"""Version of a bundle → digest of its records' fields and types."""


def shape(kind: Any, known: dict[str, Any]) -> str:
    """Describe a type with the fields of all records in it."""
    if arguments := typing.get_args(kind):
        origin = typing.get_origin(kind)
        name = "union" if origin in (types.UnionType, typing.Union) else getattr(origin, "__qualname__", str(origin))
        return f"{name}[{', '.join(shape(part, known) for part in arguments)}]"
    if dataclasses.is_dataclass(kind) and isinstance(kind, type) and kind.__qualname__ not in known:
        known[kind.__qualname__] = {}
        hints = typing.get_type_hints(kind)
        known[kind.__qualname__] = {field.name: shape(hints[field.name], known) for field in dataclasses.fields(kind)}
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        known[kind.__qualname__] = [str(each.value) for each in kind]
    return kind.__qualname__ if isinstance(kind, type) else str(kind)


def test_a_record_that_changes_gets_another_version() -> None:
    """A bundle of the same version must be readable: raise VERSION where a field or its type changes."""
    known: dict[str, Any] = {}
    for kind in (Manifest, parcel._CommonHead, parcel._UnitHead, Grade, Transcript):
        shape(kind, known)
    assert len(known) > 20
    made = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
    assert {VERSION: made} == SHAPE, (
        "a record in bundles has changed: raise VERSION in bundle.py, and write the digest here"
    )
