"""Archives that ``grader.export()`` of otter-grader makes: the notebook and the declared files, and nothing of the log."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from autograder.records.course import Assignment, Course
from autograder.submission import CollectStatus, collect

NOTEBOOK = json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": []})
NAME = "nb_2026_01_30T12_00_00_123456.zip"
OWN = {
    "nb.ipynb": NOTEBOOK,
    "nb.pdf": "%PDF",
    ".OTTER_LOG": "cbuiltins\nexit\n(tR.",
    "__zip_filename__": NAME,
    "nb.otter": "{}",
}


@pytest.fixture
def course(tmp_path: Path) -> Course:
    (tmp_path / "course/release/hw").mkdir(parents=True)
    (tmp_path / "course/release/hw/nb.ipynb").write_text(NOTEBOOK)
    return Course(tmp_path / "course", "course", "Course", {"hw": Assignment("hw", "hw")})


def export(path: Path, **more: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**OWN, **more}.items():
            archive.writestr(name, content)
    return path


def collected(course: Course, source: Path) -> list[str]:
    (one,) = collect(course, "hw", source)
    assert one.status is CollectStatus.COLLECTED, one.reason
    return sorted(p.relative_to(one.path).as_posix() for p in one.path.rglob("*") if p.is_file())


@pytest.mark.parametrize("name", [f"jane/{NAME}", "jane.zip", f"jane_12_34_{NAME}"])
def test_the_notebook_and_the_declared_files_are_taken(course, tmp_path, name) -> None:
    export(tmp_path / "downloads" / name, **{"own.csv": "1,2", "data/more.csv": "3"})
    assert collected(course, tmp_path / "downloads") == ["data/more.csv", "nb.ipynb", "own.csv", "timestamp.txt"]


def test_a_log_may_be_as_large_as_it_likes(course, tmp_path) -> None:
    export(tmp_path / "downloads/jane.zip", **{".OTTER_LOG": "\0" * (60 << 20)})
    assert collected(course, tmp_path / "downloads") == ["nb.ipynb", "timestamp.txt"]


def test_an_export_without_a_students_name_is_refused(course, tmp_path) -> None:
    export(tmp_path / "downloads" / NAME)
    (one,) = collect(course, "hw", tmp_path / "downloads")
    assert one.status is CollectStatus.REFUSED
    assert "otter's export named it after the notebook" in one.reason


@pytest.mark.parametrize(
    ("notebooks", "note"),
    [
        (("one.ipynb", "two.ipynb"), "none of its notebooks is nb.ipynb"),
        (("nb.ipynb", "two.ipynb"), ""),
    ],
    ids=["two others", "two"],
)
def test_what_is_wrong_with_the_notebooks_of_an_export_is_said(course, tmp_path, notebooks, note) -> None:
    """All that was handed in is kept: the grade says that the notebook is missing."""
    path = tmp_path / "downloads/jane.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__zip_filename__", NAME)
        archive.writestr("own.csv", "1,2")
        for name in notebooks:
            archive.writestr(name, NOTEBOOK)
    (one,) = collect(course, "hw", tmp_path / "downloads")
    assert one.status is CollectStatus.COLLECTED
    assert note in str(one)
    assert sorted(p.name for p in one.path.iterdir()) == sorted([*notebooks, "own.csv", "timestamp.txt"])


def test_an_export_without_a_notebook_is_refused(course, tmp_path) -> None:
    path = tmp_path / "downloads/jane.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("__zip_filename__", NAME)
        archive.writestr("nb.pdf", "%PDF")
    (one,) = collect(course, "hw", tmp_path / "downloads")
    assert (one.status, one.item) == (CollectStatus.REFUSED, "jane.zip")
    assert one.reason.startswith("there is no notebook at its top")


def test_a_pdf_in_another_archive_is_the_students_own(course, tmp_path) -> None:
    path = tmp_path / "downloads/jane.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nb.ipynb", NOTEBOOK)
        archive.writestr("nb.pdf", "%PDF")
    assert collected(course, tmp_path / "downloads") == ["nb.ipynb", "nb.pdf", "timestamp.txt"]
