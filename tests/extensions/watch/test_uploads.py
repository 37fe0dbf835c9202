"""Uploads of an inbox: one file is a whole submission, and a part of one is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.git_clones import make_git_course, put

from autograder.extensions.watch.uploads import collect_upload
from autograder.records.course import Course
from autograder.submission import CollectStatus


def released(course: Course, *asked: str, answers: bool) -> str:
    """Release a notebook with or without a cell to write in, and return it."""
    marks = {"nbgrader": {"grade_id": "q", "solution": True}} if answers else {}
    cell = {"cell_type": "code", "metadata": marks, "source": "pass", "outputs": [], "execution_count": None}
    metadata = {"autograder": {"assignment": "hw1", "files": list(asked)}}
    notebook = json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": [cell]})
    (course.release("hw1") / "hw1.ipynb").write_text(notebook)
    return notebook


def arrived(course: Course, inbox: Path, name: str, content: str) -> tuple[CollectStatus, str]:
    put(inbox, {name: content})
    (found,) = collect_upload(course, "hw1", inbox / name, [path.name for path in inbox.iterdir()])
    return found.status, found.reason


@pytest.mark.parametrize("part", ["model.safetensors", "losses.py"])
def test_a_part_of_a_submission_supersedes_no_notebook(tmp_path: Path, part: str) -> None:
    course, inbox = make_git_course(tmp_path / "course"), tmp_path / "inbox"
    notebook = released(course, "losses.py", "model.safetensors", answers=True)
    assert arrived(course, inbox, "ada_hw1.ipynb", notebook)[0] is CollectStatus.COLLECTED
    status, reason = arrived(course, inbox, f"ada_{part}", "part")
    assert status is CollectStatus.REFUSED
    assert "pack it with the notebook: autograder submit" in reason
    assert (course.submitted("ada", "hw1") / "hw1.ipynb").is_file()


def test_one_of_several_modules_supersedes_no_other(tmp_path: Path) -> None:
    course = make_git_course(tmp_path / "course")
    released(course, "losses.py", "net/layers.py", answers=False)
    assert arrived(course, tmp_path / "inbox", "ada_losses.py", "x = 1\n")[0] is CollectStatus.REFUSED


def test_the_only_module_of_an_assignment_without_cells_is_a_submission(tmp_path: Path) -> None:
    course = make_git_course(tmp_path / "course")
    released(course, "losses.py", answers=False)
    assert arrived(course, tmp_path / "inbox", "ada_losses.py", "x = 1\n")[0] is CollectStatus.COLLECTED
