"""What an otter notebook says of Gradescope: when points are seen, and which libraries are installed."""

from __future__ import annotations

import pytest
from helpers.otter import block, code, config, course, question, text

from autograder.errors import CourseError
from autograder.release.formats import PlatformSettings, platform_settings

X = block("solution", code("x = 1 # SOLUTION"))
PUBLIC, HIDDEN = code("x > 0", "True"), code("# HIDDEN\nx", "1")


def said(tmp_path, settings: str, *tests: dict) -> PlatformSettings:
    cells = question("name: q", text("?"), X, block("tests", *(tests or (PUBLIC, HIDDEN))))
    found = platform_settings(course(tmp_path, config(settings), *cells) / "source/hw")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("settings", "tests", "visibility", "summary"),
    [
        ("", (PUBLIC, HIDDEN), "hidden", True),
        ("generate: true", (PUBLIC, HIDDEN), "hidden", True),
        ("generate: {show_hidden: true}", (PUBLIC, HIDDEN), "after_published", True),
        ("generate: {show_hidden: true, force_public_test_summary: false}", (PUBLIC,), "after_published", False),
        ("generate: {force_public_test_summary: false}", (PUBLIC,), "hidden", True),
        ("generate: {show_all_public: true}", (PUBLIC, HIDDEN), "hidden", True),
        ("generate: {show_all_public: true}", (PUBLIC,), "visible", True),
    ],
)
def test_points_are_seen_when_otter_shows_them(tmp_path, settings, tests, visibility, summary) -> None:
    found = said(tmp_path, settings, *tests)
    assert (found.visibility, found.public_summary) == (visibility, summary)


def test_libraries_are_listed_or_in_a_file_that_assignments_share(tmp_path) -> None:
    assert said(tmp_path, "requirements: [openpyxl==3.1, otter-grader]").requirements == ("openpyxl==3.1",)
    (tmp_path / "requirements.txt").write_text("# tables\nopenpyxl>=3  # sheets\n\notter-grader==7.0\n")
    assert said(tmp_path, "requirements: ../../requirements.txt").requirements == ("openpyxl>=3",)


def test_a_file_of_libraries_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(CourseError, match=r"source/hw: requirements: '\.\./none\.txt' cannot be read"):
        said(tmp_path, "requirements: ../none.txt")


def test_notebooks_of_nbgraders_say_nothing(tmp_path) -> None:
    assert platform_settings(course(tmp_path, code("x = 1")) / "source/hw") is None
