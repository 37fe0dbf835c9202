"""The kit's own extensions: each has tests, a page, and an extra that installs what it needs."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from helpers.commands import commands

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
EXTENSIONS = sorted(path.parent.name for path in (ROOT / "autograder/extensions").glob("*/__init__.py"))
PAGE = ROOT / "docs/reference/extensions.md"
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.M))
WITHOUT_COMMON_WHEELS = {"pytorch"}
"""Extensions that ``all`` leaves out: their libraries' packages differ by machine."""

each_extension = pytest.mark.parametrize("extension", EXTENSIONS)


def registered(extension: str) -> set[str]:
    """The names that an extension registers."""
    return {
        name
        for entries in PROJECT["entry-points"].values()
        for name, value in entries.items()
        if value.startswith(f"autograder.extensions.{extension}.")
    }


def test_the_page_lists_all_of_them() -> None:
    assert list(ROWS) == EXTENSIONS


@each_extension
def test_its_row_names_all_that_it_registers_and_a_page(extension: str) -> None:
    assert registered(extension)
    assert {name for name in registered(extension) if not re.search(rf"\b{name}\b", ROWS[extension])} == set()
    assert re.search(r"\]\([^)]+\.md", ROWS[extension])


@each_extension
def test_it_has_tests_of_its_own(extension: str) -> None:
    assert list((ROOT / "tests/extensions" / extension).glob("test_*.py"))


@each_extension
def test_it_has_an_extra_which_all_includes(extension: str) -> None:
    (everything,) = EXTRAS["all"]
    included = set(re.split(r"[\[\],]", everything))
    assert extension in EXTRAS
    assert (extension in included) == (extension not in WITHOUT_COMMON_WHEELS)


OVERVIEW = (ROOT / "docs/explanation/overview.md").read_text(encoding="utf-8")
CHECKS = sorted(
    name for name, place in PROJECT["entry-points"]["autograder.checks"].items() if ".networks.pattern:" not in place
)
"""The words that check something: those of patterns do not."""


@pytest.mark.parametrize("words", [*sorted(commands()), *(f"check.{name}" for name in CHECKS)])
def test_the_page_by_which_a_teacher_decides_has_every_command_and_check(words: str) -> None:
    spelled = words if "." in words else f"autograder {words}"
    assert re.search(rf"\b{re.escape(spelled)}\b", OVERVIEW), f"{spelled} is missing in overview.md"


@each_extension
def test_the_page_by_which_a_teacher_decides_has_every_extension(extension: str) -> None:
    """By a name that it registers, or by its own."""
    names = registered(extension) | {extension}
    assert [name for name in names if re.search(rf"\b{name}\b", OVERVIEW, re.I)], f"{extension}: none of {names}"


def test_the_page_by_which_a_teacher_decides_denies_nothing_that_an_extension_does() -> None:
    (denied,) = re.findall(r"^## What it does not do yet\n(.*)", OVERVIEW, re.M | re.S)
    assert not re.search(r"not looked for|no LTI|no door", denied)
