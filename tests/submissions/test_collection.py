"""Handing in and collecting: receipts, the layouts of learning systems, and what students may not do."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tarfile
import tracemalloc
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import SubmissionError, UsageError
from autograder.records.course import Assignment, Course
from autograder.records.limits import Limits
from autograder.submission import Collected, CollectStatus, collect, pack, read_timestamp, student_name
from autograder.submissions.export_names import ExportLayout, parse_pattern

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
NOON = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
COLLECTED, REPLACED, UNCHANGED, OLDER, REFUSED = CollectStatus


def cell(grade_id: str | None, source: str, *, kind: str = "code", **marks: Any) -> dict[str, Any]:
    metadata = {"nbgrader": {"grade_id": grade_id, "solution": False, **marks}} if grade_id else {}
    content: dict[str, Any] = {"cell_type": kind, "metadata": metadata, "source": source}
    return content | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def notebook(*cells: dict[str, Any]) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": list(cells)})


def lesson(first: str = STUB, second: str = "YOUR ANSWER HERE", extra: str = "") -> str:
    return notebook(
        cell(None, extra),
        cell("q1", first, solution=True),
        cell("q1-test", "assert squares(2) == 4", grade=True),
        cell("q2", second, kind="markdown", solution=True, grade=True),
    )


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course with one assignment of one notebook, ps1.ipynb, and another assignment."""
    root = tmp_path / "course"
    (root / "release/ps1").mkdir(parents=True)
    (root / "release/ps1/ps1.ipynb").write_text(lesson())
    return Course(root, "course", "Course", {n: Assignment(n, n) for n in ("ps1", "ps2")})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """The folder that is collected."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder


def put(path: Path, content: str | bytes = lesson("1"), at: datetime = NOON) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def packed(folder: Path, student: str, content: str = lesson("1"), at: datetime = NOON) -> Path:
    work = put(folder / f"work-{student}-{at:%H%M}/ps1.ipynb", content)
    return pack(work, student=student, assignment="ps1", out=folder / "packed", now=at).path


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def only(found: tuple[Collected, ...]) -> Collected:
    assert len(found) == 1, [str(f) for f in found]
    return found[0]


# --- pack ---------------------------------------------------------------------------------------------


def test_a_receipt_says_what_is_answered_and_what_is_not(tmp_path: Path) -> None:
    """Without the release, nbgrader's stubs tell; the zip holds the notebook and submission.json alone."""
    work = put(tmp_path / "ps1/ps1.ipynb", lesson("def squares(n):\n    return n * n"))
    receipt = pack(work, student="jane", now=NOON)
    assert receipt.path == tmp_path / "ps1/ps1-jane-20260130T120000Z.zip"
    assert (receipt.answered, receipt.unanswered, receipt.warnings) == (("q1",), ("q2",), ())
    with zipfile.ZipFile(receipt.path) as archive:
        assert archive.namelist() == ["ps1.ipynb", "submission.json"]
        manifest = json.loads(archive.read("submission.json"))
    assert manifest["format"] == 1
    assert manifest["timestamp"] == "2026-01-30T12:00:00+00:00"
    assert re.search(r"answered  1 of 2\nnot yet   q2", receipt.text())


def test_the_release_tells_answers_exactly(tmp_path: Path) -> None:
    """A release with its own stub text; a cell that was deleted is unanswered, and said to be missing."""
    put(tmp_path / "release/ps1.ipynb", lesson("squares = None  # your turn"))
    work = put(tmp_path / "ps1/ps1.ipynb", notebook(cell("q1", "squares = None  # your turn", solution=True)))
    receipt = pack(work, release=tmp_path / "release/ps1.ipynb", student="jane", assignment="ps1")
    assert receipt.unanswered == ("q1", "q2")
    assert any("q1-test" in w and "missing" in w for w in receipt.warnings)


def released_for(assignment: Any, content: str = lesson("1")) -> str:
    read = json.loads(content)
    read["metadata"]["autograder"] = {"assignment": assignment}
    return json.dumps(read)


def test_the_notebook_says_its_assignment_whatever_its_folder_is_called(tmp_path: Path, course: Course) -> None:
    put(tmp_path / "original-basics/ps1.ipynb", released_for("ps1", lesson()))
    work = put(tmp_path / "my homework/ps1.ipynb", released_for("ps1"))
    for release in (None, tmp_path / "original-basics"):
        receipt = pack(work, student="jane", release=release, out=tmp_path / "packed")
        assert receipt.assignment == "ps1"
        assert receipt.path.name.startswith("ps1-jane-")
    assert pack(work, student="jane", assignment="ps2", out=tmp_path / "other").assignment == "ps2"
    assert {result.status for result in collect(course, "ps1", tmp_path / "packed")} <= {COLLECTED, UNCHANGED, REPLACED}


@pytest.mark.parametrize("named", ["", 3, None, ["ps1"], {}])
def test_a_notebook_that_says_no_assignment_has_that_of_its_folder(tmp_path: Path, named: Any) -> None:
    work = put(tmp_path / "ps2/ps1.ipynb", released_for(named))
    assert pack(work, student="jane").assignment == "ps2"


@pytest.mark.parametrize(("named", "status"), [("ps1", COLLECTED), ("ps2", REFUSED), ("", REFUSED)])
def test_a_package_with_another_name_is_taken_if_its_notebook_was_released_for_the_assignment(
    tmp_path: Path, course: Course, named: str, status: CollectStatus
) -> None:
    work = put(tmp_path / "work/ps1.ipynb", released_for(named))
    pack(work, student="jane", assignment="original-basics", out=tmp_path / "packed")
    (result,) = collect(course, "ps1", tmp_path / "packed")
    assert (result.status, result.student) == (status, "jane") if status is COLLECTED else result.status is status


@pytest.mark.parametrize("name", ["anna-maria-lee", "anna-maria-2026", "x-anna-maria-20260101T100000Z"])
def test_a_file_that_is_not_named_as_submit_names_it_is_nobody_elses(tmp_path: Path, course: Course, name: str) -> None:
    """Its submission.json says "anna" and "maria", in the hope that `anna-maria-lee` is read so."""
    work = put(tmp_path / "work/ps1.ipynb", released_for("ps1"))
    receipt = pack(work, student="maria", assignment="anna", out=tmp_path / "packed")
    receipt.path.rename(receipt.path.with_name(f"{name}.zip"))
    (result,) = collect(course, "ps1", tmp_path / "packed")
    assert result.status is REFUSED
    assert not (course.directory("submitted") / "maria").exists()


@pytest.mark.parametrize("is_released", [True, False])
@pytest.mark.parametrize(
    ("below", "is_answered"), [("*Your answer.*", False), ("", False), ("The second overfits.", True), (None, False)]
)
def test_a_task_is_answered_by_what_stands_below_it(
    below: str | None, is_answered: bool, is_released: bool, tmp_path: Path
) -> None:
    task = cell("explain", "## Explain\n\nWrite into the cell below.", kind="markdown", task=True, locked=True)
    more = cell("end", "print('the end')", locked=True)

    def with_below(text: str) -> str:
        return notebook(task, cell("", text, kind="markdown"), more)

    put(tmp_path / "release/ps1/ps1.ipynb", with_below("*Your answer.*"))
    work = put(tmp_path / "ps1/ps1.ipynb", notebook(task, more) if below is None else with_below(below))
    receipt = pack(work, student="jane", release=tmp_path / "release/ps1" if is_released else None)
    assert (receipt.answered, receipt.unanswered) == ((("explain",), ()) if is_answered else ((), ("explain",)))


@pytest.mark.parametrize("lesson_path", sorted(Path("release").glob("*/*.ipynb")), ids=lambda path: path.stem)
def test_each_lesson_knows_whether_its_written_answer_is_there(lesson_path: Path, tmp_path: Path) -> None:
    content = json.loads(lesson_path.read_text())
    tasks = [i for i, c in enumerate(content["cells"]) if c["metadata"].get("nbgrader", {}).get("task")]
    name = content["cells"][tasks[0]]["metadata"]["nbgrader"]["grade_id"]
    release = lesson_path.resolve().parent
    assert (
        name in pack(put(tmp_path / lesson_path.name, json.dumps(content)), student="jane", release=release).unanswered
    )
    content["cells"][tasks[0] + 1]["source"] = "Because the rows are few."
    assert name in pack(put(tmp_path / lesson_path.name, json.dumps(content)), student="jane", release=release).answered


def test_a_browsers_second_download_gets_its_name_back(tmp_path: Path) -> None:
    put(tmp_path / "release/ps1/ps1.ipynb", lesson())
    work = put(tmp_path / "Downloads/ps1 (1).ipynb", lesson("1"))
    receipt = pack(work, release=tmp_path / "release/ps1", student="jane")
    assert (receipt.assignment, receipt.files) == ("ps1", ("ps1.ipynb",))


def test_duplicated_cells_are_a_warning(tmp_path: Path) -> None:
    work = put(tmp_path / "ps1/ps1.ipynb", notebook(*[cell("q1", "1", solution=True)] * 2))
    assert "“q1” occurs 2 times" in pack(work, student="jane").warnings[0]


def test_only_files_that_the_code_names_go_with_it(tmp_path: Path) -> None:
    """Quoted data and imported modules; nothing hidden, no link, nothing outside, nothing unnamed."""
    code = 'import helpers, os\nfrom layers import x\n"data/train.csv", "../secret", ".env", "link", "/etc"'
    work = put(tmp_path / "ps1/ps1.ipynb", lesson(extra=code))
    for name in (
        "helpers.py",
        "layers.py",
        "data/train.csv",
        ".env",
        "diary.txt",
        "../secret",
        "other.ipynb",
    ):
        put(tmp_path / "ps1" / name, name)
    (tmp_path / "ps1/link").symlink_to(tmp_path / "secret")
    assert pack(work, student="jane").files == ("data/train.csv", "helpers.py", "layers.py", "ps1.ipynb")


def test_packages_that_the_code_imports_go_with_it(tmp_path: Path) -> None:
    """With what they import in turn, by relative imports, too; a module that is nowhere is a warning by name."""
    code = "%matplotlib inline\nimport sys; sys.path.append('./code')\nfrom mylib.net import Net\nimport deep.er, gone.far, numpy"
    work = put(tmp_path / "ps1/ps1.ipynb", lesson(extra=code))
    texts = {
        "mylib/__init__.py": "", "mylib/net.py": "from .layers import relu\nfrom . import blocks\nimport mylib.lost",
        "mylib/layers.py": "import tool", "mylib/blocks.py": "", "mylib/unused.py": "", "code/tool.py": "",
        "deep/er.py": "", "unused.py": "",
    }  # fmt: skip
    for name, text in texts.items():
        put(tmp_path / "ps1" / name, text)
    receipt = pack(work, student="jane")
    assert set(receipt.files) == texts.keys() - {"mylib/unused.py", "unused.py"} | {"ps1.ipynb"}
    warnings = [warning for warning in receipt.warnings if "imports" in warning]
    assert warnings == [
        f"The code imports {name}, which is neither beside the notebook nor installed here."
        for name in ("gone.far", "mylib.lost")
    ]


def test_a_file_that_the_release_asks_for_goes_with_it(tmp_path: Path) -> None:
    """However large within the limit of every file; the receipt says which modules were changed."""
    book = json.loads(lesson())
    book["metadata"] = {"autograder": {"assignment": "ps1", "files": ["a.py", "b.py", "c.py", "model.safetensors"]}}
    work = put(tmp_path / "ps1/ps1.ipynb", json.dumps(book))
    put(tmp_path / "release/ps1.ipynb", json.dumps(book))
    for name, text in {"a.py": "x = 1", "b.py": "y = 2", "c.py": "z = 3"}.items():
        put(tmp_path / "release" / name, "x = 1")
        put(work.parent / name, text)
    (work.parent / "c.py").unlink()
    put(work.parent / "model.safetensors", bytes(12 << 20))
    receipt = pack(work, student="jane", release=tmp_path / "release")
    assert set(receipt.files) == {"ps1.ipynb", "a.py", "b.py", "model.safetensors"}
    assert {"b.py", "model.safetensors"} <= set(receipt.answered)
    assert {"a.py", "c.py"} <= set(receipt.unanswered)
    assert "c.py was asked for and is not beside the notebook." in receipt.warnings


def weighty(folder: Path, extra: str = "", **released: Any) -> Path:
    """Write a notebook for whose assignment the release says ``released``."""
    book = json.loads(lesson(extra=extra))
    book["metadata"] = {"autograder": {"assignment": "ps1", **released}}
    return put(folder / "ps1.ipynb", json.dumps(book))


def sized(path: Path, mib: float) -> Path:
    put(path, b"")
    os.truncate(path, int(mib * 2**20))
    return path


def test_a_file_that_code_or_the_student_names_goes_along_up_to_the_limit_of_the_assignment(tmp_path: Path) -> None:
    """The limit is the one that the release wrote into the notebook, and each refusal names it."""
    work = weighty(tmp_path / "ps1", 'read("quoted.bin"); read("large.bin")', file_mib=20)
    for name, mib in {"quoted.bin": 15, "named.bin": 15, "large.bin": 21, "unnamed.bin": 1}.items():
        sized(work.parent / name, mib)
    receipt = pack(work, student="jane", more_files=[work.parent / "named.bin"])
    assert set(receipt.files) == {"ps1.ipynb", "quoted.bin", "named.bin"}
    assert receipt.warnings == (
        "large.bin was left out: it has 21.0 MiB, and this assignment takes files of at most 20 MiB.",
    )
    with pytest.raises(SubmissionError, match=r"large\.bin was left out: it has 21\.0 MiB"):
        pack(work, student="jane", more_files=[work.parent / "large.bin"])
    with pytest.raises(UsageError, match=r"is not in the folder of ps1\.ipynb"):
        pack(work, student="jane", more_files=[sized(tmp_path / "elsewhere.bin", 1)])


@pytest.mark.parametrize("said", [None, "240", 0, -1, 10**6, True])
def test_a_limit_that_no_release_writes_counts_as_none(tmp_path: Path, said: Any) -> None:
    work = weighty(tmp_path / "ps1", 'read("large.bin")', file_mib=said)
    sized(work.parent / "large.bin", 51)
    assert "at most 50 MiB" in pack(work, student="jane").warnings[0]


def test_files_that_the_release_asks_for_have_the_room_before_others(tmp_path: Path) -> None:
    names = ["a.bin", "b.bin", "z.bin"]
    work = weighty(tmp_path / "ps1", " ".join(f"'{name}'" for name in names), files=["z.bin"])
    for name, mib in zip(names, (45, 40, 45), strict=True):
        sized(work.parent / name, mib)
    receipt = pack(work, student="jane")
    assert set(receipt.files) == {"ps1.ipynb", "b.bin", "z.bin"}
    (warning,) = receipt.warnings
    assert warning.startswith("a.bin was left out: with it the files have 130.0 MiB")
    assert warning.endswith("takes 99 MiB together.")


def test_a_link_that_code_names_is_left_out_with_a_word(tmp_path: Path) -> None:
    work = weighty(tmp_path / "ps1", files=["m.safetensors"])
    (work.parent / "m.safetensors").symlink_to(sized(tmp_path / "runs/m.safetensors", 1))
    assert any(
        text.startswith("m.safetensors was left out: it cannot be opened")
        for text in pack(work, student="jane").warnings
    )


def test_packing_and_collecting_hold_no_large_file(course: Course, tmp_path: Path, source: Path) -> None:
    """Files are read in pieces: of 48 MiB, less than 8 are in memory at a time."""
    work = weighty(tmp_path / "ps1", files=["m.safetensors"])
    sized(work.parent / "m.safetensors", 48)
    tracemalloc.start()
    try:
        receipt = pack(work, student="jane", out=source)
        assert only(collect(course, "ps1", source)).status is COLLECTED
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert "m.safetensors" in receipt.files
    assert (course.submitted("jane", "ps1") / "m.safetensors").stat().st_size == 48 << 20


@pytest.mark.parametrize("form", ["zip", "folder", "class"])
def test_the_limit_of_the_assignment_holds_where_work_is_collected(form: str, tmp_path: Path, source: Path) -> None:
    """What the package of one assignment may hold is refused for another, with the limit in the sentence."""
    limits = {"ps1": Limits(file_mib=60), "ps2": Limits(file_mib=40)}
    course = Course(tmp_path / "course", "c", "C", {n: Assignment(n, n, limits=each) for n, each in limits.items()})
    for name, each in limits.items():
        work = weighty(tmp_path / name, assignment=name, files=["m.bin"], file_mib=60)
        sized(work.parent / "m.bin", each.file_mib + 0.5 if name == "ps2" else each.file_mib)
        if form == "folder":
            shutil.copytree(work.parent, source / name / "jane")
        else:
            pack(work, student="jane", out=source / name)
        if form == "class":
            with zipfile.ZipFile(source / f"{name}.zip", "w") as archive:
                (file,) = (source / name).iterdir()
                archive.write(file, file.name)
    ending = ".zip" if form == "class" else ""
    assert only(collect(course, "ps1", source / f"ps1{ending}")).status is COLLECTED
    refused = only(collect(course, "ps2", source / f"ps2{ending}"))
    assert (refused.status, "larger than 40 MiB" in refused.reason) == (REFUSED, True)


def test_the_releases_own_files_stay_at_home(tmp_path: Path) -> None:
    """Unchanged files of the release do not travel; a changed one, and its other notebooks, do."""
    code = 'open("data.csv"); open("same.csv")'
    for folder in ("release/ps1", "ps1"):
        put(tmp_path / folder / "ps1.ipynb", lesson(extra=code))
        put(tmp_path / folder / "part2.ipynb", lesson() if folder == "ps1" else lesson(extra="2"))
        put(tmp_path / folder / "same.csv", "same")
        put(tmp_path / folder / "data.csv", folder)
    receipt = pack(tmp_path / "ps1/ps1.ipynb", release=tmp_path / "release/ps1", student="jane")
    assert receipt.files == ("data.csv", "part2.ipynb", "ps1.ipynb")


def test_two_spellings_of_one_path_do_not_travel_together(tmp_path: Path) -> None:
    """Collecting refuses an archive that has both: Windows and macOS take them for one."""
    work = put(tmp_path / "ps1/ps1.ipynb", lesson("1", extra='"Data/a.csv", "data/b.csv", "PS1.ipynb"'))
    for name in ("Data/a.csv", "data/b.csv", "PS1.ipynb"):
        put(work.parent / name, name)
    receipt = pack(work, student="jane")
    assert receipt.files == ("Data/a.csv", "ps1.ipynb")
    assert [w.split(" was left out")[0] for w in receipt.warnings] == ["PS1.ipynb", "data/b.csv"]


def test_a_path_that_only_windows_understands_is_a_warning(tmp_path: Path) -> None:
    code = r"""open("data\\train.csv"); open(r'data\train.csv'); print("a\n", "other\\train.csv")"""
    work = put(tmp_path / "ps1/ps1.ipynb", lesson("1", extra=code))
    put(work.parent / "data/train.csv", "1")
    receipt = pack(work, student="jane")
    assert receipt.files == ("ps1.ipynb",)
    assert len(receipt.warnings) == 2
    assert all("write data/train.csv, since notebooks are graded on Linux" in w for w in receipt.warnings)


def test_the_same_work_at_the_same_time_is_the_same_zip(tmp_path: Path) -> None:
    work = put(tmp_path / "ps1/ps1.ipynb", lesson("1", extra="import b, a"))
    for name in ("a.py", "b.py"):
        put(work.parent / name, name)
    first = pack(work, student="jane", out=tmp_path / "one", now=NOON)
    put(work.parent / "a.py", "a.py", at=NOON + HOUR)
    second = pack(work, student="jane", out=tmp_path / "two", now=NOON)
    assert first.sha256 == second.sha256
    assert first.path.read_bytes() == second.path.read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "is not JSON"),
        (b"\xff\xfe{}", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "not a notebook of format 4"),
        (b'{"nbformat": 3, "worksheets": []}', "not a notebook of format 4 .it says 3"),
    ],
)
def test_what_could_not_be_graded_is_not_packed(content: bytes, message: str, tmp_path: Path) -> None:
    work = put(tmp_path / "ps1/ps1.ipynb", content)
    with pytest.raises(SubmissionError, match=message):
        pack(work, student="jane")
    assert files(tmp_path) == {"ps1/ps1.ipynb"}


def test_a_notebook_that_breaks_the_schema_is_packed_with_a_warning(tmp_path: Path) -> None:
    work = put(tmp_path / "ps1/ps1.ipynb", '{"nbformat": 4, "nbformat_minor": 5, "cells": [{"source": 7}, 3]}')
    assert "not a valid notebook" in pack(work, student="jane").warnings[0]


def test_paths_that_do_not_exist_are_the_callers_fault(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no notebook"):
        pack(tmp_path / "ps1.ipynb", student="jane")
    work = put(tmp_path / "$$/ps1.ipynb", lesson())
    with pytest.raises(UsageError, match="cannot be an assignment"):
        pack(work, student="jane")
    with pytest.raises(UsageError, match="no released notebook"):
        pack(work, release=tmp_path / "release", student="jane")


# --- names and times ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["jane", "Jane Doe", "O'Brien, Zoë", "李雷", "a_b-c.d@x.edu", "x" * 100, "नमस्ते"])
def test_students_may_have_the_names_of_people(name: str) -> None:
    assert student_name(name) == name


def test_names_are_composed() -> None:
    """The same name, typed on two systems, is one student."""
    assert student_name("Zoe\u0308") == "Zo\u00eb"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            "..",
            ".hidden",
            "-rf",
            " jane",
            "jane ",
            "a/b",
            "a\\b",
            "a\nb",
            "a\0b",
            "a\x1bb",
            "a\u202eb",
        ),
        *("a\u200bb", "a\u00a0b", "*", "[ab]", "a?", "a:b", "<b>", "a|b", "$x", "`x`", "\u0301a", "\ud800"),
        *("=1+1", "+1", "@SUM", "x" * 101, "李" * 67, "a\u2028b", "\U0001f600"),
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(SubmissionError, match="cannot be a student's name"):
        student_name(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-30 12:00:00.000000 UTC", NOON),
        ("2026-01-30 12:00:00 UTC\n", NOON),
        ("2026-01-30 13:00:00.000000 +01:00", NOON),
        ("2026-01-30T12:00:00Z", NOON),
        ("January 30, 2026 12:00 UTC", NOON),
        ("yesterday, more or less", None),
        ("", None),
    ],
)
def test_timestamps_as_nbgrader_writes_them(text: str, expected: datetime | None, tmp_path: Path) -> None:
    (tmp_path / "timestamp.txt").write_text(text)
    assert read_timestamp(tmp_path) == expected


# --- collect: where submissions come from ---------------------------------------------------------------


def test_packed_zips_in_a_folder(course: Course, source: Path) -> None:
    """Each becomes submitted/<student>/<assignment>/ with its timestamp.txt; nothing else is left."""
    for student in ("jane", "li_lei"):
        packed(source, student)
    found = collect(course, "ps1", source / "packed")
    assert [(c.student, c.status) for c in found] == [("jane", COLLECTED), ("li_lei", COLLECTED)]
    assert files(course.submitted("jane", "ps1")) == {"ps1.ipynb", "timestamp.txt"}
    stamp = (course.submitted("jane", "ps1") / "timestamp.txt").read_text()
    assert stamp == "2026-01-30 12:00:00.000000 UTC"
    assert list(course.state.iterdir()) == []


def test_one_packed_zip(course: Course, source: Path) -> None:
    assert only(collect(course, "ps1", packed(source, "jane"))).student == "jane"


LAYOUTS = {
    "nbgrader": ["jane/ps1/ps1.ipynb"],
    "nbgrader's submitted": ["submitted/jane/ps1/ps1.ipynb"],
    "a folder each": ["jane/ps1.ipynb"],
    "a folder each, renamed": ["jane/my final version.ipynb"],
    "loose": ["jane.ipynb"],
    "loose with more": ["jane_ps1.ipynb"],
    "Canvas": ["jane_1234_56789_ps1.ipynb"],
    "Canvas, late": ["jane_LATE_1234_56789_ps1-1.ipynb"],
    "Moodle, folders": ["jane_1234_assignsubmission_file_/ps1.ipynb"],
    "Moodle, flat": ["jane_1234_assignsubmission_file_ps1.ipynb"],
    "Blackboard": ["ps1_jane_attempt_2026-01-30-12-00-00_ps1.ipynb"],
    "with others' work": ["jane/ps1/ps1.ipynb", "jane/ps2/ps2.ipynb", "bob/ps2/ps2.ipynb"],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz"])
def test_layouts(layout: str, form: str, course: Course, source: Path, tmp_path: Path) -> None:
    """Every layout comes from a folder, a zip and a tar alike, with the notebook under its own name."""
    for name in LAYOUTS[layout]:
        put(source / name, lesson("1"))
    if form == "zip":
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            for path in source.rglob("*.ipynb"):
                archive.write(path, path.relative_to(source))
        source = tmp_path / "all.zip"
    elif form == "tar.gz":
        with tarfile.open(tmp_path / "all.tgz", "w:gz") as tar:
            tar.add(source, ".")
        source = tmp_path / "all.tgz"
    found = only(collect(course, "ps1", source))
    assert (found.student, found.status, found.timestamp) == ("jane", COLLECTED, NOON)
    assert files(course.root / "submitted") == {"jane/ps1/ps1.ipynb", "jane/ps1/timestamp.txt"}


def test_a_zip_of_zips(course: Course, source: Path) -> None:
    """As learning systems export: archives in an archive are opened, one level deep."""
    with zipfile.ZipFile(source / "export.zip", "w") as export:
        export.write(packed(source, "jane"), "jane_12_34_ps1-jane-20260130T120000Z.zip")
        export.write(packed(source, "li"), "Li Lei_99_assignsubmission_file_/ps1-li-20260130T120000Z.zip")
    found = collect(course, "ps1", source / "export.zip")
    assert [(c.student, c.status) for c in found] == [("Li Lei", COLLECTED), ("jane", COLLECTED)]


@pytest.mark.parametrize("around", ["", "hw/"])
def test_the_only_archive_in_a_students_archive_is_the_hand_in(course: Course, source: Path, around: str) -> None:
    """Somebody who packs the package again loses nothing; of two archives nobody knows which is meant."""
    inner = packed(source, "jane")
    (source / "in").mkdir()
    for student, names in (("jane", ["a.zip"]), ("li", ["a.zip", "b.zip"])):
        with zipfile.ZipFile(source / "in" / f"{student}_12_34_outer.zip", "w") as archive:
            archive.writestr(f"{around}README.txt", "see the archive")
            for name in names:
                archive.write(inner, around + name)
    found = {c.student: c for c in collect(course, "ps1", source / "in")}
    assert (found["jane"].status, found["li"].status) == (COLLECTED, REFUSED)
    assert f"its files were in {around}a.zip in it" in found["jane"].reason
    assert (course.submitted("jane", "ps1") / "ps1.ipynb").is_file()


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("../evil.ipynb", b"{}", "is refused"),
        ("ps1.ipynb", b" " * (60 << 20), "larger than"),
        ("ps1.ipynb", b" " * (20 << 20), "zip bomb"),
    ],
)
def test_an_archive_in_an_archive_has_the_bounds_of_one(
    course: Course, source: Path, name: str, content: bytes, reason: str
) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    (source / "in").mkdir()
    with zipfile.ZipFile(source / "in/jane_1_2_outer.zip", "w") as archive:
        archive.writestr("hw.zip", inner.getvalue())
    found = only(collect(course, "ps1", source / "in"))
    assert (found.status, reason in found.reason) == (REFUSED, True)
    assert not course.directory("submitted").exists()
    assert not list(source.parent.rglob("evil.ipynb"))


def test_archives_are_opened_one_level_deep_only(course: Course, source: Path) -> None:
    inner = packed(source, "jane")
    for outer in ("middle.zip", "jane_1_2_outer.zip"):
        with zipfile.ZipFile(source / outer, "w") as archive:
            archive.write(inner, inner.name)
        inner = source / outer
    put(source / "in/x.txt")
    (source / "in/x.txt").unlink()
    inner.rename(source / "in" / inner.name)
    found = only(collect(course, "ps1", source / "in"))
    assert (found.status, "archives in it are not opened" in found.reason) == (REFUSED, True)


def test_several_notebooks_come_as_one_submission(course: Course, source: Path) -> None:
    put(course.release("ps1") / "warm_up.ipynb", lesson())
    put(source / "jane_12_34_ps1.ipynb")
    put(source / "jane_12_35_warm_up-2.ipynb")
    only(collect(course, "ps1", source))
    assert files(course.submitted("jane", "ps1")) == {"ps1.ipynb", "warm_up.ipynb", "timestamp.txt"}


def test_of_two_attempts_the_newest_counts_and_both_are_kept(course: Course, source: Path) -> None:
    put(source / "ps1_jane_attempt_2026-01-29-12-00-00_ps1.ipynb", lesson("old"), at=NOON + HOUR)
    put(source / "ps1_jane_attempt_2026-01-30-12-00-00_ps1.ipynb", lesson("new"), at=NOON)
    assert [item.status for item in collect(course, "ps1", source)] == [COLLECTED, REPLACED]
    assert [item.status for item in collect(course, "ps1", source)] == [OLDER, UNCHANGED]
    assert (course.submitted("jane", "ps1") / "ps1.ipynb").read_text() == lesson("new")
    assert read_timestamp(course.submitted("jane", "ps1")) == NOON
    (kept,) = (course.state / "superseded/ps1/jane").iterdir()
    assert ((kept / "ps1.ipynb").read_text(), read_timestamp(kept)) == (lesson("old"), NOON - 24 * HOUR)


def test_notebooks_of_two_attempts_are_one_submission_where_there_are_several(course: Course, source: Path) -> None:
    """Who hands in the second notebook alone has not taken back the first one."""
    (course.release("ps1") / "warm_up.ipynb").write_text(lesson())
    put(source / "ps1_jane_attempt_2026-01-29-12-00-00_ps1.ipynb", "old", at=NOON)
    put(source / "ps1_jane_attempt_2026-01-30-12-00-00_warm_up.ipynb", "new", at=NOON)
    assert only(collect(course, "ps1", source)).timestamp == NOON
    assert files(course.submitted("jane", "ps1")) == {"ps1.ipynb", "warm_up.ipynb", "timestamp.txt"}


@pytest.mark.parametrize("content", [b"not json", b"", b"\xff\xfe\0", b'{"nbformat": 4'])
def test_notebooks_are_not_judged_here(content: bytes, course: Course, source: Path) -> None:
    """An invalid notebook must still become a grade that says so."""
    put(source / "jane.ipynb", content)
    assert only(collect(course, "ps1", source)).status == COLLECTED
    assert (course.submitted("jane", "ps1") / "ps1.ipynb").read_bytes() == content


def titled(course: Course, title: str) -> Course:
    return replace(course, assignments={**course.assignments, "ps1": Assignment("ps1", title)})


OF_SYSTEMS = {
    "Blackboard, another title": [
        "Homework 5_jane_attempt_2026-01-30-12-00-00_ps1.ipynb",
        "Homework 5_jane_attempt_2026-01-30-12-00-00.txt",
        "Homework 5_li_attempt_2026-01-30-12-00-00_x_attempt_2026-01-30-12-00-00_y.ipynb",
    ],
    "Blackboard, a title with underscores": [
        "Lab_5__jane_attempt_2026-01-30-12-00-00_ps1.ipynb",
        "Lab_5__li_attempt_2026-01-30-12-00-00_a_b.ipynb",
    ],
    "Brightspace": [
        "index.html",
        "1234-567 - jane - Jan 30, 2026 1200 PM/ps1.ipynb",
        "1235-567 - li - Jan 30, 2026 1200 PM/my work.ipynb",
    ],
    "Brightspace, second attempts": [
        "1234-567 - jane - Jan 29, 2026 945 AM/ps1.ipynb",
        "1234-568 - jane - Jan 30, 2026 1200 PM/ps1.ipynb",
        "1235-567 - li - Jan 30, 2026 1200 PM/ps1.ipynb",
    ],
    "Google Classroom": ["jane - Problem set 1.ipynb", "li - Problem set 1.ipynb"],
    "Moodle, groups": [
        "Team 1_jane_12_assignsubmission_file_/ps1.ipynb",
        "Team 2_li_13_assignsubmission_file_/x_14_assignsubmission_file_/ps1.ipynb",
    ],
    "Moodle, packed again": [
        "export/jane_12_assignsubmission_file_/ps1.ipynb",
        "export/li_13_assignsubmission_file_/ps1.ipynb",
    ],
    "Canvas, packed again": ["export/jane_12_34_ps1.ipynb", "export/li_13_35_ps1.ipynb"],
    "Sakai": [
        "Problem set 1/grades.csv",
        "Problem set 1/Doe, Jane(jane)/timestamp.txt",
        "Problem set 1/Doe, Jane(jane)/Submission attachment(s)/my work.ipynb",
        "Problem set 1/Lei, Li(li)/timestamp.txt",
        "Problem set 1/Lei, Li(li)/Submission attachment(s)/ps1.ipynb",
        "Problem set 1/Lei, Li(li)/Submission attachment(s)/timestamp.txt",
        "Problem set 1/Lei, Li(li)/comments.txt",
    ],
    "ILIAS": ["Doe_Jane_jane_301/20260130120000_ps1.ipynb", "Lei_Li_li_302/ps1.ipynb"],
    "ILIAS, feedback": ["multi_feedback_PS_7/Doe_Jane_jane_301/ps1.ipynb", "multi_feedback_PS_7/Lei_Li_li_302/a.ipynb"],
}


@pytest.mark.parametrize("system", OF_SYSTEMS)
def test_each_student_of_a_learning_system_is_one(system: str, course: Course, source: Path) -> None:
    for name in OF_SYSTEMS[system]:
        content = "20260130120000000" if name.endswith(")/timestamp.txt") else lesson(name)
        has_own_time = "_attempt_" in name or "Jan " in name or system == "Sakai"
        put(source / name, content, at=NOON + HOUR if has_own_time else NOON)
    found = collect(titled(course, "Problem set 1"), "ps1", source)
    assert {item.student for item in found} == {"jane", "li"}
    assert not any(item.status is REFUSED for item in found)
    for student in ("jane", "li"):
        assert read_timestamp(course.submitted(student, "ps1")) == NOON
        assert "29" not in (course.submitted(student, "ps1") / "ps1.ipynb").read_text()


@pytest.mark.parametrize(
    ("name", "layout", "student"),
    [
        ("Participant_123_assignsubmission_file_/ps1.ipynb", "", "Participant 123"),
        ("Participant 123_assignsubmission_file_/ps1.ipynb", "", "Participant 123"),
        ("Team 1-Participant_123_assignsubmission_file_/ps1.ipynb", "", "Participant 123"),
        ("Team 1-Anna-Lena Doe_12_assignsubmission_file_/ps1.ipynb", "moodle-groups", "Anna-Lena Doe"),
        ("Anna-Lena Doe_12_assignsubmission_file_/ps1.ipynb", "", "Anna-Lena Doe"),
        ("Doe_Jane_jane_12/ps1.ipynb", "", "Doe_Jane_jane_12"),
        ("Doe_Jane_jane_12/ps1.ipynb", "ilias", "jane"),
        ("Doe, Jane(jd1)/ps1.ipynb", "", "Doe, Jane(jd1)"),
        ("Doe, Jane(jd1)/Submission attachment(s)/ps1.zip.ipynb", "sakai", "jd1"),
        ("jane - Another title.ipynb", "classroom", "jane"),
        ("Hand in/Doe_Jane_jane_12/ps1.ipynb", "ilias", "jane"),
        ("jane_12_assignsubmission_file_/my homework/ps1.ipynb", "", "jane"),
    ],
)
def test_the_layout_tells_the_student(name: str, layout: str, student: str, course: Course, source: Path) -> None:
    put(source / name)
    found = only(collect(course, "ps1", source, layout=ExportLayout(layout)))
    assert (found.student, found.status) == (student, COLLECTED)
    assert files(course.submitted(student, "ps1")) == {"ps1.ipynb", "timestamp.txt"}


def test_with_a_layout_other_names_are_refused(course: Course, source: Path) -> None:
    put(source / "jane_12_34_ps1.ipynb")
    put(source / "li_ps1.ipynb")
    found = {item.item: item for item in collect(course, "ps1", source, layout=ExportLayout("canvas"))}
    assert found["jane_12_34_ps1.ipynb"].student == "jane"
    assert found["li_ps1.ipynb"].reason == "its name is none that Canvas gives"


PATTERNS = [
    ("{any}-{student}-{time:%Y%m%d %H%M}", "hw-jane-20260130 1200.ipynb"),
    ("{student}_{key}_{any}", "jane_12_a_b.zip.ipynb"),
    (r"(?P<time>[\d-]+)_(?P<student>\w+)", "2026-01-30-12-00-00_jane.ipynb"),
    (r"\w+-(?P<student_id>\w+)-(?P<timestamp>[\d-]+)", "ps-jane-2026-01-30-12-00-00/my work.ipynb"),
]


@pytest.mark.parametrize(("pattern", "name"), PATTERNS)
def test_a_pattern_of_the_instructors_tells_the_student(pattern: str, name: str, course: Course, source: Path) -> None:
    put(source / name)
    put(source / "else.ipynb")
    compiled, time_format = parse_pattern(pattern)
    found = {c.status: c for c in collect(course, "ps1", source, layout=ExportLayout("", compiled, time_format))}
    assert (found[COLLECTED].student, found[COLLECTED].timestamp) == ("jane", NOON)
    assert found[REFUSED].reason == "its name does not fit the pattern"


@pytest.mark.parametrize("pattern", ["{name}_{any}", "(?P<student>", "jane", "{student}{student}"])
def test_a_pattern_without_a_place_for_the_student_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match=r"no place for the student|is no pattern"):
        parse_pattern(pattern)


def test_the_systems_time_outweighs_the_students_own(course: Course, source: Path) -> None:
    """And is read in the zone of the learning system."""
    inner = packed(source, "jane", at=NOON - 5 * HOUR)
    put(source / "in/ps1_jane_attempt_2026-01-30-12-00-00_ps1.zip", inner.read_bytes())
    found = only(collect(course, "ps1", source / "in", layout=ExportLayout(zone=timezone(HOUR))))
    assert (found.student, found.timestamp) == ("jane", NOON - HOUR)


def test_canvas_word_that_a_submission_is_late_is_told(course: Course, source: Path) -> None:
    put(source / "jane_LATE_12_34_ps1.ipynb")
    assert "Canvas marks it as late" in only(collect(course, "ps1", source)).reason


@pytest.mark.parametrize("name", ["fns/fns.ipynb", "fns.ipynb", "warm_up.ipynb"])
def test_the_notebooks_own_name_is_no_student(name: str, course: Course, source: Path) -> None:
    for notebook_name in ("fns.ipynb", "warm_up.ipynb"):
        put(course.release("ps1") / notebook_name, lesson())
    put(source / name)
    found = only(collect(course, "ps1", source))
    assert (found.status, found.student) == (REFUSED, None)
    assert "named after the assignment" in found.reason


def test_the_title_in_course_yaml_tells_a_single_upload_of_blackboards(course: Course, source: Path) -> None:
    put(source / "Homework 5_jane_attempt_2026-01-30-12-00-00_ps1.ipynb")
    found = only(collect(course, "ps1", source))
    assert (found.status, "title" in found.reason) == (REFUSED, True)
    assert only(collect(titled(course, "Homework 5"), "ps1", source)).student == "jane"


@pytest.mark.parametrize(
    "names",
    [
        ["Homework 5_jane_ps1.ipynb", "Homework 5_li_ps1.ipynb"],
        ["Lab_jane.ipynb", "Lab_li.ipynb"],
        ["Lab_jane.zip", "Lab_li.zip"],
    ],
)
def test_uploads_of_a_class_do_not_become_one_student(names: list[str], course: Course, source: Path) -> None:
    for name in names:
        put(source / name)
    found = collect(course, "ps1", source)
    assert [item.status for item in found] == [REFUSED, REFUSED]
    assert "2 uploads with different names would become the one student" in found[0].reason


def test_copies_and_notebooks_of_one_student_are_joined(course: Course, source: Path) -> None:
    for name in ("jane_ps1.ipynb", "jane_ps1 (1).ipynb", "jane_notes.ipynb"):
        put(source / name)
    assert only(collect(course, "ps1", source)).student == "jane"


def test_of_two_resubmissions_in_canvas_the_later_counts(course: Course, source: Path) -> None:
    """Canvas counts them, and gives all files of a download one date."""
    for name in ("jane_12_34_ps1.ipynb", "jane_12_36_ps1-2.ipynb", "jane_12_35_ps1-1.ipynb"):
        put(source / name, name)
    only(collect(course, "ps1", source))
    assert (course.submitted("jane", "ps1") / "ps1.ipynb").read_text() == "jane_12_36_ps1-2.ipynb"


def test_a_folder_of_the_assignments_name_is_no_student(course: Course, source: Path) -> None:
    put(source / "ps1/ps1.ipynb")
    found = only(collect(course, "ps1", source))
    assert (found.status, found.student) == (REFUSED, None)


# --- collect: again -------------------------------------------------------------------------------------


def test_the_same_again_changes_nothing(course: Course, source: Path) -> None:
    zipped = packed(source, "jane")
    collect(course, "ps1", zipped)
    before = course.submitted("jane", "ps1").stat().st_mtime_ns
    assert only(collect(course, "ps1", zipped)).status == UNCHANGED
    assert only(collect(course, "ps1", packed(source, "jane", at=NOON + HOUR))).status == UNCHANGED
    assert course.submitted("jane", "ps1").stat().st_mtime_ns == before
    assert read_timestamp(course.submitted("jane", "ps1")) == NOON, "handing in the same later is not late"


def test_a_newer_submission_replaces_an_older_one_and_keeps_it_aside(course: Course, source: Path) -> None:
    old, new = packed(source, "jane", lesson("1")), packed(source, "jane", lesson("2"), NOON + HOUR)
    assert only(collect(course, "ps1", old)).status == COLLECTED
    assert only(collect(course, "ps1", new)).status == REPLACED
    assert only(collect(course, "ps1", old)).status == OLDER
    assert (course.submitted("jane", "ps1") / "ps1.ipynb").read_text() == lesson("2")
    kept = course.state / "superseded/ps1/jane/20260130T120000Z"
    assert (kept / "ps1.ipynb").read_text() == lesson("1")
    assert [p.name for p in course.state.iterdir()] == ["superseded"]


@pytest.mark.parametrize("order", [1, -1])
def test_the_order_in_a_folder_does_not_matter(order: int, course: Course, source: Path) -> None:
    for i in (1, 2):
        packed(source, "jane", lesson(str(i)), NOON + order * i * HOUR)
    collect(course, "ps1", source / "packed")
    assert (course.submitted("jane", "ps1") / "ps1.ipynb").read_text() == lesson("2" if order == 1 else "1")


def test_the_instructors_time_outweighs_the_submissions(course: Course, source: Path) -> None:
    found = only(collect(course, "ps1", packed(source, "jane"), received=NOON + HOUR))
    assert found.timestamp == NOON + HOUR


def test_the_instructors_time_outweighs_the_one_collected_before(course: Course, source: Path) -> None:
    collect(course, "ps1", packed(source, "jane"))
    found = only(collect(course, "ps1", packed(source, "jane", lesson("2")), received=NOON - HOUR))
    assert (found.status, found.timestamp) == (REPLACED, NOON - HOUR)
    assert read_timestamp(course.submitted("jane", "ps1")) == NOON - HOUR
    again = only(collect(course, "ps1", packed(source, "jane", lesson("2")), received=NOON - HOUR))
    assert again.status == UNCHANGED
    assert only(collect(course, "ps1", packed(source, "jane", lesson("2")), received=NOON)).status == REPLACED
    assert read_timestamp(course.submitted("jane", "ps1")) == NOON


@pytest.mark.parametrize("order", [1, -1])
def test_with_the_instructors_time_the_newest_still_counts(order: int, course: Course, source: Path) -> None:
    for i in (1, 2):
        packed(source, "jane", lesson(str(i)), NOON + order * i * HOUR)
    collect(course, "ps1", source / "packed", received=NOON)
    assert (course.submitted("jane", "ps1") / "ps1.ipynb").read_text() == lesson("2" if order == 1 else "1")


def test_nobody_hands_in_from_the_future(course: Course, source: Path) -> None:
    zipped = packed(source, "jane", at=datetime(2999, 1, 1, tzinfo=UTC))
    found = only(collect(course, "ps1", zipped))
    assert found.timestamp is not None
    assert found.timestamp <= datetime.now(UTC)
    assert "future" in found.reason


# --- collect: what is refused ---------------------------------------------------------------------------


def repack(path: Path, **changes: Any) -> Path:
    """The same zip with other values in its submission.json."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    manifest = {**json.loads(content["submission.json"]), **changes}
    content["submission.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format 2"),
        ({"assignment": "ps2"}, "submission of “ps2”"),
        ({"student": "bob"}, "file name says “jane”, its submission.json says “bob”"),
        ({"student": "../bob"}, "cannot be a student's name"),
        ({"student": 7}, "cannot be read"),
        ({"timestamp": "soon"}, "cannot be read"),
        ({"sha256": {}}, "damaged or changed"),
        ({"sha256": {"ps1.ipynb": "0" * 64}}, "damaged or changed"),
        ({"sha256": 7}, "cannot be read"),
    ],
)
def test_a_submission_json_that_does_not_fit(
    changes: dict[str, Any], message: str, course: Course, source: Path
) -> None:
    found = only(collect(course, "ps1", repack(packed(source, "jane"), **changes)))
    assert found.status == REFUSED
    assert re.search(message, found.reason)
    assert not (course.root / "submitted").exists()


def test_a_student_can_not_hand_in_for_another(course: Course, source: Path) -> None:
    """Where the learning system says whose it is, the name in the archive counts for nothing but a note."""
    packed(source, "alice").rename(source / "packed/bob_12_34_ps1-alice-20260130T120000Z.zip")
    found = only(collect(course, "ps1", source / "packed"))
    assert (found.student, found.status) == ("bob", COLLECTED)
    assert "alice" in found.reason


@pytest.mark.parametrize("name", ["bob_alice_attempt_2026-01-30-12-00-00_.ipynb", "bob_7_9_alice_7_9_x.ipynb"])
def test_file_names_are_read_from_the_front(name: str, course: Course, source: Path) -> None:
    """What follows the learning system's part is the student's own choice."""
    put(source / name)
    put(source / "eve.ipynb")
    assert [item.student for item in collect(course, "ps1", source)] == ["bob", "eve"]


def test_a_timestamp_in_a_students_upload_is_not_believed(course: Course, source: Path) -> None:
    folder = source / "jane_1234_assignsubmission_file_/ps1"
    put(folder / "ps1.ipynb")
    put(folder / "timestamp.txt", "2020-01-01 00:00:00 UTC")
    assert only(collect(course, "ps1", source)).timestamp == NOON


def test_nbgraders_own_timestamp_is(course: Course, source: Path) -> None:
    put(source / "jane/ps1/ps1.ipynb")
    put(source / "jane/ps1/timestamp.txt", "2020-01-01 00:00:00.000000 UTC")
    assert only(collect(course, "ps1", source)).timestamp == datetime(2020, 1, 1, tzinfo=UTC)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def hard_link(path: Path) -> None:
    os.link(put(path.parent.parent / "outside/secret"), path)


def symlink(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def folder_link(path: Path) -> None:
    path.symlink_to("/etc")


BAD_FILES = [fifo, sparse, hard_link, symlink, folder_link]


@pytest.mark.parametrize("make", BAD_FILES)
@pytest.mark.parametrize("place", ["jane/ps1/evil", "jane/evil.ipynb", "jane.ipynb", "jane"])
def test_bad_files_in_a_folder_refuse_one_submission(make: Any, place: str, course: Course, source: Path) -> None:
    """Nothing hangs, nothing is followed, and bob's submission is collected all the same."""
    put(source / "bob/ps1/ps1.ipynb")
    if place.startswith("jane/"):
        put(source / place.replace("evil", "ps1").removesuffix(".ipynb").replace("/ps1/ps1", "/ps1/ps1.ipynb"))
    (source / place).unlink(missing_ok=True)
    make(source / place)
    found = {c.item.split("/")[0].split(".")[0]: c.status for c in collect(course, "ps1", source)}
    assert (found["jane"], found["bob"]) == (REFUSED, COLLECTED)
    assert files(course.root / "submitted") == {"bob/ps1/ps1.ipynb", "bob/ps1/timestamp.txt"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../evil.ipynb", "leaves its folder"),
        ("jane/../../evil.ipynb", "leaves its folder"),
        ("/etc/evil.ipynb", "absolute"),
        ("jane\u202e/ps1.ipynb", "cannot be a student's name"),
        ("-rf/ps1.ipynb", "cannot be a student's name"),
        ("*.ipynb", "cannot be a student's name"),
        ("essay.pdf", "neither a notebook nor an archive"),
        ("ps1.ipynb", "named after the assignment"),
        ("jane/deep/er/ps1.ipynb", "there is no notebook in jane/"),
    ],
)
def test_bad_members_of_a_class_export_refuse_one_submission(
    name: str, message: str, course: Course, source: Path
) -> None:
    with zipfile.ZipFile(source / "all.zip", "w") as archive:
        archive.writestr(name, "{}")
        archive.writestr("bob/ps1/ps1.ipynb", "{}")
    found = {c.student if c.status == COLLECTED else c.status: c for c in collect(course, "ps1", source / "all.zip")}
    assert set(found) == {"bob", REFUSED}
    assert re.search(message, found[REFUSED].reason)
    assert str(found[REFUSED]).isprintable()


@pytest.mark.parametrize(
    "names",
    [
        ["jane/ps1/ps1.ipynb", "Jane/ps1/ps1.ipynb"],
        ["zoe\u0308.ipynb", "zo\u00eb.ipynb"],
    ],
)
def test_two_people_of_one_name_are_never_mixed_up(names: list[str], course: Course, source: Path) -> None:
    for name in names:
        put(source / name)
    found = collect(course, "ps1", source)
    assert [c.status for c in found] == [REFUSED, REFUSED]
    assert not (course.root / "submitted").exists()


@pytest.mark.parametrize(
    "names",
    [
        ["Jane Doe_1_assignsubmission_file_/ps1.ipynb", "Jane Doe_2_assignsubmission_file_/ps1.ipynb"],
        ["Jane Doe_1_5_ps1.ipynb", "Jane Doe_2_6_ps1.ipynb"],
    ],
)
def test_the_systems_numbers_tell_people_of_one_name_apart(names: list[str], course: Course, source: Path) -> None:
    """Also where the other one hands in later, alone."""
    for name in names:
        put(source / name)
    found = collect(course, "ps1", source)
    assert [(c.student, c.status) for c in found] == [("Jane Doe (1)", COLLECTED), ("Jane Doe (2)", COLLECTED)]
    assert "2 people here are called “Jane Doe”" in found[0].reason
    put(source.parent / "later" / names[1], lesson("new"), at=NOON + HOUR)
    again = only(collect(course, "ps1", source.parent / "later"))
    assert (again.student, again.status) == ("Jane Doe (2)", REPLACED)


def test_a_second_person_of_a_name_that_was_collected_is_told_apart(course: Course, source: Path) -> None:
    """The roster remembers the first one's number."""
    put(source / "Jane Doe_1_assignsubmission_file_/ps1.ipynb")
    assert only(collect(course, "ps1", source)).student == "Jane Doe"
    put(source / "Jane Doe_2_assignsubmission_file_/ps1.ipynb")
    assert [c.student for c in collect(course, "ps1", source)] == ["Jane Doe", "Jane Doe (2)"]


def test_a_second_person_of_a_name_is_named_if_the_first_ones_number_is_not_known(course: Course, source: Path) -> None:
    put(source / "Jane Doe_1_assignsubmission_file_/ps1.ipynb")
    assert only(collect(course, "ps1", source)).student == "Jane Doe"
    (course.root / "people.csv").unlink()
    put(source / "Jane Doe_2_assignsubmission_file_/ps1.ipynb")
    found = collect(course, "ps1", source)
    assert all("was collected before there were two: delete it in submitted/" in c.reason for c in found)


def test_a_name_that_differs_in_case_from_one_that_was_collected(course: Course, source: Path) -> None:
    collect(course, "ps1", put(source / "jane.ipynb"))
    found = only(collect(course, "ps1", put(source / "Jane.ipynb")))
    assert (found.status, "the same name but for case" in found.reason) == (REFUSED, True)


@pytest.mark.parametrize("name", ["ps1.ipynb/evil.txt", "timestamp.txt/evil.txt", "PS1.ipynb/evil.txt"])
def test_folders_in_the_place_of_our_files_refuse_one_submission(name: str, course: Course, source: Path) -> None:
    """The notebook gets its name back, timestamp.txt is written: neither may meet a folder of that name."""
    put(source / "jane/mine.ipynb")
    put(source / "jane" / name)
    put(source / "bob/ps1.ipynb")
    found = {c.student: c for c in collect(course, "ps1", source)}
    assert (found["jane"].status, found["bob"].status) == (REFUSED, COLLECTED)
    assert "collides" in found["jane"].reason


def test_too_large_and_too_many(course: Course, source: Path) -> None:
    """A submission's limits hold in a folder as in an archive."""
    put(source / "large/ps1.ipynb")
    (source / "large/big.bin").touch()
    os.truncate(source / "large/big.bin", 60 << 20)
    for i in range(1001):
        put(source / "many" / f"{i}.ipynb")
    reasons = [c.reason for c in collect(course, "ps1", source)]
    assert "larger than 50 MiB" in reasons[0]
    assert "more than 1000 files" in reasons[1]


def test_archives_that_are_none_are_values(course: Course, source: Path) -> None:
    """The source itself, and one item in it."""
    put(source / "bad.zip", b"not a zip")
    assert "neither a zip nor a tar" in only(collect(course, "ps1", source / "bad.zip")).reason
    assert "neither a zip nor a tar" in only(collect(course, "ps1", source)).reason


def test_a_wrong_name_of_the_assignment_or_the_source_is_the_callers_fault(course: Course, source: Path) -> None:
    with pytest.raises(UsageError, match="no assignment “ps9”: ps1, ps2"):
        collect(course, "ps9", source)
    with pytest.raises(UsageError, match="no folder or archive"):
        collect(course, "ps1", source / "nothing")


def test_a_folder_with_nothing_in_it_gives_nothing(course: Course, source: Path) -> None:
    assert collect(course, "ps1", source) == ()


def test_packed_bytes_are_a_plain_zip(tmp_path: Path) -> None:
    """Deflated regular files, so that every system opens it."""
    data = packed(tmp_path, "jane").read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {i.compress_type for i in archive.infolist()} == {zipfile.ZIP_DEFLATED}
        assert {i.external_attr >> 16 for i in archive.infolist()} == {0o100644}


# --- what a hand-in answers

ELSEWHERE = notebook(cell("other-task", "x = 1"))
WITHOUT_MARKS = notebook(cell(None, "x = 2"), cell(None, "assert squares(2) == 4"))


def handed_in_again(course: Course, folder: Path, content: str | bytes) -> Collected:
    """The status of a second hand-in, after one with both answers."""
    put(folder / "jane.ipynb", lesson("1", "Because."))
    collect(course, "ps1", folder)
    put(folder / "jane.ipynb", content, at=NOON + HOUR)
    return only(collect(course, "ps1", folder))


@pytest.mark.parametrize("content", [b"16 bytes, no JSON", ELSEWHERE, "{}", "[]", notebook()])
def test_a_file_with_nothing_of_the_release_replaces_no_hand_in(
    content: str | bytes, course: Course, source: Path
) -> None:
    found = handed_in_again(course, source, content)
    assert found.status is REFUSED
    assert "the hand-in of 30 January 2026, 12:00 UTC stays" in found.reason
    assert (course.submitted("jane", "ps1") / "ps1.ipynb").read_text() == lesson("1", "Because.")


def test_a_refused_notebook_of_another_assignment_is_named(course: Course, source: Path) -> None:
    found = handed_in_again(course, source, released_for("ps2", ELSEWHERE))
    assert "it is that of “ps2”" in found.reason


def test_with_nothing_before_it_such_a_file_is_taken_with_a_word(course: Course, source: Path) -> None:
    put(source / "jane.ipynb", ELSEWHERE)
    found = only(collect(course, "ps1", source))
    assert found.status is COLLECTED
    assert found.reason.endswith("ps1.ipynb has no cell of the released notebook in it")


@pytest.mark.parametrize(("content", "said"), [(lesson(), "0 of 2"), (lesson("1"), "1 of 2")])
def test_a_hand_in_that_answers_less_is_taken_and_says_what_the_one_before_had(
    content: str, said: str, course: Course, source: Path
) -> None:
    found = handed_in_again(course, source, content)
    assert (found.status, found.reason) == (
        REPLACED,
        f"{said} answered; the hand-in of 30 January 2026, 12:00 UTC had 2 of 2 answered",
    )


@pytest.mark.parametrize("content", [lesson("2", "Otherwise."), WITHOUT_MARKS, lesson("1", "Because.", "more")])
def test_honest_work_is_taken_without_a_word(content: str, course: Course, source: Path) -> None:
    """Also of an editor that drops all marks: the text of a released cell is there."""
    found = handed_in_again(course, source, content)
    assert (found.status, "answered" in found.reason) == (REPLACED, False)


def test_a_wrong_file_that_was_first_locks_nobody_out(course: Course, source: Path) -> None:
    """Each later one would be refused, whatever it is, if what stands there were not asked, too."""
    for hour, content in enumerate([ELSEWHERE, notebook(cell("another", "y = 2")), lesson("1", "Because.")]):
        put(source / "jane.ipynb", content, at=NOON + hour * HOUR)
        assert only(collect(course, "ps1", source)).status in (COLLECTED, REPLACED)


def test_a_notebook_that_was_typed_anew_is_known_by_the_names_of_its_answers(course: Course, source: Path) -> None:
    (course.release("ps1") / "ps1.ipynb").write_text(lesson("def squares(n):\n    raise NotImplementedError()"))
    found = handed_in_again(course, source, notebook(cell(None, "def squares(n):\n    return n * n")))
    assert found.status is REPLACED


def test_a_large_notebook_is_not_judged(course: Course, source: Path) -> None:
    """Figures make it large; and as objects, one of nothing but braces would take all memory."""
    found = handed_in_again(course, source, "[" + "{}," * (2 << 20) + "{}]")
    assert found.status is REPLACED


def test_a_broken_notebook_beside_a_good_one_is_named(course: Course, source: Path) -> None:
    (course.release("ps1") / "second.ipynb").write_text(lesson())
    put(source / "jane" / "ps1.ipynb", lesson("1", "Because."))
    put(source / "jane" / "second.ipynb", "<html>")
    found = only(collect(course, "ps1", source))
    assert found.status is COLLECTED
    assert "second.ipynb is no notebook" in found.reason


def test_the_untouched_release_is_taken_with_a_word(course: Course, source: Path) -> None:
    put(source / "jane.ipynb", lesson())
    assert only(collect(course, "ps1", source)).reason.endswith("0 of 2 answered")
