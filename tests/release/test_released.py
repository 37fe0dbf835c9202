"""The release in this repository is what its source makes."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from helpers.lessons import built_lesson

from autograder.course.configuration import load_course
from autograder.release.leaks import check_files, check_sources

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]


def test_the_released_lessons_are_current():
    for name, assignment in load_course(ROOT).assignments.items():
        built = built_lesson(name)
        course = load_course(ROOT)
        check_sources(course, assignment)
        check_files(course, built)
        folder = course.release(assignment.name)
        for notebook in built.notebooks:
            assert nbformat.read(folder / f"{notebook.name}.ipynb", as_version=4) == notebook.released
        for place, source in built.files.items():
            assert (folder / place).read_bytes() == source.read_bytes()


def test_no_release_holds_hidden_data_or_a_hidden_test():
    for path in (ROOT / "release").rglob("*"):
        assert "hidden" not in path.name
        assert path.suffix != ".npz"
        if path.suffix == ".ipynb":
            assert "HIDDEN TESTS" not in path.read_text("utf-8")
            assert "hidden_data" not in path.read_text("utf-8")
