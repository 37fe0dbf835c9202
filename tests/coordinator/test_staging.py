"""Copies of a course's files: all that is needed, nothing else, and nothing left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from helpers.tiny import YAML, submit, tiny_course, tiny_release

from autograder.coordinator import batch, staging
from autograder.coordinator.staging import neutral_folder, staged, sweep
from autograder.errors import HostError
from autograder.exchange.work import Work
from autograder.exchange.work_layout import stand_in
from autograder.records.course import Course


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def course(tmp_path: Path) -> Course:
    hidden = tmp_path / "course/source/hw/hidden"
    hidden.mkdir(parents=True)
    (hidden / "holdout.csv").write_text("3,4")
    (hidden / "link.csv").symlink_to("holdout.csv")
    (tmp_path / "course/data.csv").write_text("1,2")
    (tmp_path / "course/private.txt").write_text("nobody's")
    made = tiny_course(tmp_path / "course", yaml=YAML + "    files: [data.csv]\n    hidden: [holdout.csv]\n")
    submit(made, "ada")
    (made.submitted("ada", "hw") / "own.txt").write_text("mine")
    return made


def work_of(course: Course) -> Work:
    (work,) = batch.plan(course, tiny_release(course))
    return work


def test_the_examiner_gets_its_part_of_the_course_and_kernels_what_is_released(course: Course, temporary: Path) -> None:
    with staged(work_of(course)) as made:
        course_there = stand_in(made.course)
        found = {path.relative_to(course_there).as_posix() for path in made.course.rglob("*") if path.is_file()}
        assert found == {"data.csv", "source/hw/hidden/holdout.csv", "source/hw/hidden/link.csv"}
        assert not any(path.is_symlink() for path in made.course.rglob("*"))
        assert {name: path.read_text() for name, path in made.released.items()} == {"data.csv": "1,2"}
        assert made.folder.is_relative_to(course.root)
        assert made.released["data.csv"].is_relative_to(temporary)
        assert "course" not in str(made.released["data.csv"].relative_to(temporary))
    assert list(temporary.iterdir()) == []
    assert list((course.state / "work").iterdir()) == []


def test_the_folder_of_hidden_data_has_another_name_each_time(course: Course, temporary: Path) -> None:
    names = set()
    for _ in range(3):
        with staged(work_of(course)) as made:
            names.add(stand_in(made.course).name)
    assert len(names) == 3
    assert {len(name) for name in names} == {32}


def test_what_a_killed_process_left_is_removed_and_a_living_ones_is_not(temporary: Path) -> None:
    left, other = (temporary / f"{staging.PREFIX}{name}" for name in ("left", "mine"))
    for folder in (left, other):
        folder.mkdir()
    (left / staging.LOCK).touch()
    with neutral_folder() as alive:
        sweep()
        assert sorted(temporary.iterdir()) == sorted([alive, other])


def test_that_there_is_no_room_is_the_machines_fault(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(staging.tempfile, "TemporaryDirectory", refuse)
    with pytest.raises(HostError, match="No space left on device"), staged(work_of(course)):
        pass


def test_that_what_the_examiner_is_told_has_no_room_is_the_machines_fault(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with staged(work_of(course)) as made:
        monkeypatch.setattr(Path, "write_bytes", refuse)
        with pytest.raises(HostError, match="No space left on device"):
            made.write_common(b"exam")
