"""The README: a newcomer knows in a minute what the kit is, why, and how to try it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from autograder import check

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
MAX_WORDS = 550
SECTIONS = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", README, re.M))


def test_it_has_at_most_550_words() -> None:
    assert len(README.split()) <= MAX_WORDS


def test_it_shows_a_picture_before_the_first_section() -> None:
    assert re.search(r"^!\[.+\]\(docs/images/.+\)$", README.partition("\n## ")[0], re.M)


def test_its_two_names_are_explained_before_the_first_command() -> None:
    assert re.search(r"^\*\*Two names\.\*\* nbexaminer .*`autograder`", README.partition("```console")[0], re.M)


def test_it_says_who_it_is_for_before_the_first_section() -> None:
    assert re.search(r"^\*\*Who it is for\.\*\* ", README.partition("\n## ")[0], re.M)


def test_it_shows_a_hidden_test_and_what_a_student_reads_in_25_lines() -> None:
    section = SECTIONS["A hidden test"].partition("\n\n**Two names.**")[0]
    shown = section.partition("\nA few lines")[0]
    assert len(shown.splitlines()) <= 25
    assert "### BEGIN HIDDEN TESTS" in shown
    values, expected = np.array([150.0, 171.0, 190.0]), np.array([-1.2, 0.1, 1.1])
    with pytest.raises(AssertionError) as read:
        check.close(values - values.mean(), expected, name="many heights")
    assert "many heights: 3 of 3 values are not right" in str(read.value)


def test_it_says_that_the_package_index_does_not_have_it_yet() -> None:
    assert "not on the package index yet" in SECTIONS["Two commands"]


def test_its_two_and_five_commands_are_as_many_as_its_headings_say() -> None:
    assert re.findall(r"^\$ (.+)", SECTIONS["Two commands"], re.M) == ["make install", "make demo"]
    assert len(re.findall(r"^\$ autograder ", SECTIONS["A term in five commands"], re.M)) == 5


def test_it_says_how_long_the_tests_take() -> None:
    assert re.search(r"`make test`.*: about .+ on two cores", README)


def test_its_comparison_has_five_rows_and_links_to_the_whole_one() -> None:
    section = SECTIONS["Beside other graders"]
    _, _, *rows = re.findall(r"^\|.*", section, re.M)
    assert len(rows) == 5
    assert "(docs/explanation/overview.md)" in section
