"""How the tests themselves are laid out."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from helpers.tiers import OTHER_TIERS

TESTS = Path(__file__).parents[1]
MODULES = sorted(TESTS.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The modules that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_module_imports_from_a_test_module(path: Path) -> None:
    """What several of them need is in tests/helpers/."""
    assert [name for name in imported(path) if name.startswith("test_")] == []


def test_a_folder_of_tests_is_a_room_or_one_that_contributors_are_told_of() -> None:
    root = TESTS.parent
    rooms = {path.stem for path in (root / "autograder").iterdir()}
    told = set(re.findall(r"`(?:tests/)?(\w+)/`", (root / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    folders = {path.name for path in TESTS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - rooms <= told


def test_plain_pytest_leaves_out_every_tier_but_the_units() -> None:
    settings = tomllib.loads((TESTS.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
    (chosen,) = [option for option in settings["ini_options"]["addopts"] if option.startswith("-m=")]
    assert set(chosen.removeprefix("-m=not ").split(" and not ")) == OTHER_TIERS
