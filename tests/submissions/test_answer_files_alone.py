"""Hand-ins without a notebook: folders, archives and loose files with the modules that a release asks for."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.errors import UsageError
from autograder.records.course import Assignment, Course
from autograder.records.limits import Limits
from autograder.submission import Collected, CollectStatus, collect, pack

NOON = datetime(2026, 1, 30, 12, 0, tzinfo=UTC)
LAYERS, LOSSES = "def relu(x):\n    return max(x, 0)\n", "def mse(a, b):\n    return 0\n"
WORK = {"net/__init__.py": "", "net/layers.py": LAYERS, "net/helper.py": "HELPER = 1\n", "losses.py": LOSSES}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course whose release asks for two modules, and whose notebook has no cell to write in."""
    root = tmp_path / "course"
    (root / "release/hw1").mkdir(parents=True)
    origin = {"assignment": "hw1", "files": ["losses.py", "net/layers.py"]}
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"autograder": origin}, "cells": []}
    (root / "release/hw1/hw1.ipynb").write_text(json.dumps(notebook))
    return Course(root, "course", "Course", {name: Assignment(name, name) for name in ("hw1", "hw2")})


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def put(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        os.utime(path, (NOON.timestamp(),) * 2)


def zipped(path: Path, files: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def below(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}": content for name, content in files.items()}


def handed_in(course: Course, student: str) -> dict[str, str]:
    folder = course.submitted(student, "hw1")
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in files.items() if name != "timestamp.txt"}


def only(found: tuple[Collected, ...]) -> Collected:
    assert len(found) == 1, [str(one) for one in found]
    return found[0]


@pytest.mark.parametrize("around", ["", "hw1/", "work/", "my homework/code/"])
def test_a_students_folder_of_modules_is_a_hand_in(course: Course, inbox: Path, around: str) -> None:
    put(inbox, {f"ada/{around}{name}": content for name, content in WORK.items()})
    found = only(collect(course, "hw1", inbox))
    assert (found.status, found.student, found.timestamp) == (CollectStatus.COLLECTED, "ada", NOON)
    assert handed_in(course, "ada") == WORK


@pytest.mark.parametrize("around", ["", "work/", "a/b/"])
@pytest.mark.parametrize("place", ["ada.zip", "ada/work.zip", "Ada Lovelace_123_assignsubmission_file_/work.zip"])
def test_a_students_archive_of_modules_is_a_hand_in(course: Course, inbox: Path, place: str, around: str) -> None:
    zipped(inbox / place, {f"{around}{name}": content for name, content in WORK.items()})
    found = only(collect(course, "hw1", inbox))
    assert found.status is CollectStatus.COLLECTED
    assert handed_in(course, found.student or "") == WORK


def test_one_of_several_answer_files_is_enough(course: Course, inbox: Path) -> None:
    put(inbox, {"ada/losses.py": LOSSES})
    assert only(collect(course, "hw1", inbox)).status is CollectStatus.COLLECTED


def test_modules_below_a_folder_keep_what_they_import(course: Course, inbox: Path) -> None:
    """Files around the folder with the answers go along only if answers lie there, too."""
    put(inbox, {**below("ada/src", WORK), "ada/README.md": "Hello"})
    collect(course, "hw1", inbox)
    assert handed_in(course, "ada") == WORK


def test_another_assignments_folder_is_no_hand_in(course: Course, inbox: Path) -> None:
    put(inbox, below("ada/hw2", WORK))
    assert collect(course, "hw1", inbox) == ()


def test_loose_modules_of_one_student_are_one_hand_in_with_their_released_names(course: Course, inbox: Path) -> None:
    """Canvas gives an upload of several files so, and numbers those that came a second time."""
    put(inbox, {"adalovelace_12_34_losses-2.py": LOSSES, "adalovelace_12_35_layers.py": LAYERS})
    found = only(collect(course, "hw1", inbox))
    assert found.student == "adalovelace"
    assert handed_in(course, "adalovelace") == {"losses.py": LOSSES, "net/layers.py": LAYERS}


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"ada/other.py": "x = 1"}, "there is no notebook in ada/ or ada/hw1/, and none of losses.py, net/layers.py"),
        ({"losses.py": LOSSES}, "named after the assignment"),
        ({"ada_other.py": "x = 1"}, "neither a notebook nor an archive"),
    ],
)
def test_what_holds_no_answer_is_refused(course: Course, inbox: Path, files: dict[str, str], reason: str) -> None:
    put(inbox, files)
    found = only(collect(course, "hw1", inbox))
    assert found.status is CollectStatus.REFUSED
    assert reason in found.reason


def test_an_archive_without_an_answer_is_refused_by_what_is_asked_for(course: Course, inbox: Path) -> None:
    zipped(inbox / "ada.zip", {"other.py": "x = 1"})
    reason = only(collect(course, "hw1", inbox)).reason
    assert reason == (
        "there is no notebook at its top, and none of losses.py, net/layers.py in it (archives in it are not opened)"
    )


def test_a_course_of_notebooks_alone_takes_no_module_for_a_hand_in(course: Course, inbox: Path) -> None:
    """The control: what the release does not ask for is no hand-in."""
    (course.root / "release/hw1/hw1.ipynb").write_text(
        '{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": []}'
    )
    put(inbox, below("ada", WORK))
    assert only(collect(course, "hw1", inbox)).reason == "there is no notebook in ada/ or ada/hw1/"


def test_a_hand_in_says_how_many_of_the_files_were_changed(course: Course, inbox: Path) -> None:
    """What collect prints is what a door's receipt says. Line endings are no change."""
    put(course.release("hw1"), {"losses.py": LOSSES, "net/layers.py": "pass\n"})
    put(inbox, {"ada/losses.py": LOSSES.replace("\n", "\r\n"), "ada/net/layers.py": LAYERS, "bob/losses.py": LOSSES})
    assert [one.reason for one in collect(course, "hw1", inbox)] == ["1 of 2 files changed", "0 of 2 files changed"]


def test_a_note_on_a_large_module_refuses_nothing(course: Course, inbox: Path) -> None:
    assignments = {"hw1": Assignment("hw1", "hw1", limits=Limits(file_mib=60))}
    course = replace(course, assignments=assignments)
    put(course.release("hw1"), {"losses.py": LOSSES})
    put(inbox, {"ada/losses.py": "#" * (51 << 20)})
    found = only(collect(course, "hw1", inbox))
    assert (found.status, found.reason) == (CollectStatus.COLLECTED, "1 of 1 files changed")


def test_loose_weights_alone_are_no_hand_in(course: Course, inbox: Path) -> None:
    """Collected after the notebook, they would take its place. With the notebook or a module they are part of it."""
    origin = {"assignment": "hw1", "files": ["losses.py", "model.safetensors"]}
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"autograder": origin}, "cells": []}
    (course.release("hw1") / "hw1.ipynb").write_text(json.dumps(notebook))
    put(inbox, {"ada_hw1.ipynb": json.dumps(notebook), "bob_losses.py": LOSSES})
    collect(course, "hw1", inbox)
    (inbox / "ada_hw1.ipynb").rename(inbox.parent / "ada_hw1.ipynb")
    put(inbox, {"ada_model.safetensors": "weights", "bob_model.safetensors": "weights"})
    found = {one.student: one for one in collect(course, "hw1", inbox)}
    assert found["ada"].status is CollectStatus.REFUSED
    assert "autograder submit" in found["ada"].reason
    assert set(handed_in(course, "ada")) == {"hw1.ipynb"}
    assert set(handed_in(course, "bob")) == {"losses.py", "model.safetensors"}
    (inbox.parent / "ada_hw1.ipynb").rename(inbox / "ada_hw1.ipynb")
    collect(course, "hw1", inbox)
    assert set(handed_in(course, "ada")) == {"hw1.ipynb", "model.safetensors"}


def test_a_module_that_an_answer_file_imports_or_reads_is_packed_with_it(course: Course, tmp_path: Path) -> None:
    """A student's own helpers are imported by modules, and the notebook imports nothing."""
    work = tmp_path / "work"
    shutil.copytree(course.release("hw1"), work)
    layers = "from .helper import HELPER\nimport tools.words\n\nTABLE = 'data/table.csv'\n"
    files = {**WORK, "net/layers.py": layers, "tools/words.py": "import private_things", "data/table.csv": "1,2"}
    put(work, {**files, "diary.txt": "dear diary", "notes.py": ""})
    receipt = pack(work / "hw1.ipynb", student="ada", out=tmp_path)
    assert set(receipt.files) == {*files, "hw1.ipynb"}
    assert receipt.warnings == (
        "The code imports private_things, which is neither beside the notebook nor installed here.",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"def relu(x:\n    return x\n", "net/layers.py, line 1: '(' was never closed; Python cannot read it, so it earns nothing."),
        (b"NAME = 'Ren\xe9'\n", "net/layers.py, line 1: "),
        (b"\xff\xfed\0e\0f\0", "net/layers.py: "),
        (b"#" * (1 << 20) + b"\nx = 1\n", "net/layers.py has more than 1 MiB, which is too large for a module; it earns nothing."),
    ],
)  # fmt: skip
def test_a_module_that_will_not_run_is_told_before_it_is_handed_in(
    course: Course, tmp_path: Path, content: bytes, said: str
) -> None:
    work = tmp_path / "work"
    shutil.copytree(course.release("hw1"), work)
    put(work, WORK)
    (work / "net/layers.py").write_bytes(content)
    receipt = pack(work / "hw1.ipynb", student="ada", out=tmp_path)
    assert "net/layers.py" in receipt.files
    assert [warning for warning in receipt.warnings if warning.startswith(said)]
    assert not [warning for warning in receipt.warnings if "losses.py" in warning]


def test_latin_1_in_a_comment_costs_nothing(course: Course, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(course.release("hw1"), work)
    put(work, WORK)
    (work / "losses.py").write_bytes(b"# -*- coding: latin-1 -*-\n# \xe9\r\n" + LOSSES.encode())
    assert pack(work / "hw1.ipynb", student="ada", out=tmp_path).warnings == ()


@pytest.mark.parametrize("name", ["hw1.ipynb", "hw1 (1).ipynb"])
def test_a_folder_is_packed_by_its_only_notebook(course: Course, tmp_path: Path, name: str) -> None:
    work = tmp_path / "work"
    shutil.copytree(course.release("hw1"), work)
    put(work, WORK)
    (work / "hw1.ipynb").rename(work / name)
    receipt = pack(work, student="ada", out=tmp_path)
    assert (receipt.assignment, receipt.path.parent) == ("hw1", tmp_path)
    assert {"losses.py", "net/layers.py"} <= set(receipt.files)


def test_in_a_folder_of_several_notebooks_the_released_one_is_packed(course: Course, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(course.release("hw1"), work)
    put(work, {**WORK, "scratch.ipynb": '{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": []}'})
    assert "scratch.ipynb" not in pack(work, student="ada").files


@pytest.mark.parametrize(
    ("names", "reason"), [((), "There is no notebook in"), (("a.ipynb", "b.ipynb"), "a.ipynb, b.ipynb")]
)
def test_a_folder_whose_notebook_cannot_be_told_is_refused(tmp_path: Path, names: tuple[str, ...], reason: str) -> None:
    put(tmp_path, dict.fromkeys(names, "{}"))
    with pytest.raises(UsageError, match=reason):
        pack(tmp_path, student="ada")


def test_a_student_or_a_folder_may_be_called_like_an_answer_file(course: Course, inbox: Path) -> None:
    """Adam writes adam.py elsewhere; a package of a student's own may have a module's name."""
    files = {**WORK, "losses/own.py": "x = 1\n", "layers/own.py": "x = 1\n"}
    put(inbox, below("losses", files))
    assert only(collect(course, "hw1", inbox)).student == "losses"
    assert handed_in(course, "losses") == files


def test_a_loose_file_that_is_no_module_goes_with_the_notebook(course: Course, inbox: Path) -> None:
    """Weights, for instance; alone they are no answer."""
    notebook = (course.root / "release/hw1/hw1.ipynb").read_text()
    (course.root / "release/hw1/hw1.ipynb").write_text(notebook.replace('"losses.py"', '"losses.py", "w.npz"'))
    put(inbox, {"ada_12_34_hw1.ipynb": notebook, "ada_12_35_w-1.npz": "x", "bob_12_36_my_w.npz": "x"})
    found = {one.item: one for one in collect(course, "hw1", inbox)}
    assert handed_in(course, "ada").keys() == {"hw1.ipynb", "w.npz"}
    assert found["bob_12_36_my_w.npz"].status is CollectStatus.REFUSED


def test_a_folder_whose_name_ends_like_an_answers_folder_is_another_one(course: Course, inbox: Path) -> None:
    put(inbox, {"ada/mynet/layers.py": LAYERS, "ada/mynet/own.py": "x = 1\n"})
    collect(course, "hw1", inbox)
    assert handed_in(course, "ada").keys() == {"mynet/layers.py", "mynet/own.py"}


def test_a_copys_number_is_no_other_file(course: Course, inbox: Path) -> None:
    """Browsers number what is downloaded again, and editors append .txt; the released one beside it is no answer."""
    put(course.release("hw1"), {"losses.py": "pass\n", "net/layers.py": "pass\n"})
    put(inbox, {"ada/losses.py": "pass\n", "ada/losses (1).py": LOSSES, "ada/layers.py.txt": LAYERS})
    zipped(inbox / "bob.zip", {"work/Losses (2).py": LOSSES})
    assert [one.reason for one in collect(course, "hw1", inbox)] == ["2 of 2 files changed", "1 of 2 files changed"]


def test_two_copies_of_an_answer_file_in_other_folders_are_named(course: Course, inbox: Path) -> None:
    put(inbox, {"ada/old/losses.py": LOSSES, "ada/new/losses.py": LOSSES})
    assert only(collect(course, "hw1", inbox)).reason == "losses.py may be any of new/losses.py, old/losses.py"
