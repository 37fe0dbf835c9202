"""The tiers of the suite."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

OTHER_TIERS = frozenset({"sandbox", "keras", "integration", "slow", "security", "prose"})
"""Markers of tests that plain ``pytest`` leaves out; a test without any of them is a unit test."""


def is_unit_test(item: pytest.Item) -> bool:
    """Say whether plain ``pytest`` runs this test."""
    return not OTHER_TIERS.intersection(mark.name for mark in item.iter_markers())


SHARED = {
    "the class of attackers": re.compile(r"tests/security/test_(01|06|12|19)_"),
    "the sheets of questions": re.compile(r"tests/security/test_(38|53|57|66)_"),
}
"""Files that ask for the same graded students, by what these are: it takes a worker a quarter of a minute to grade them."""


def work_unit(nodeid: str) -> str:
    """Return what one worker runs as a whole: a file, or all files that share graded students."""
    return next((name for name, files in SHARED.items() if files.match(nodeid)), nodeid.split("::", 1)[0])


def short_files_last(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests in the order given, but those of files that have unit tests alone at the end."""
    long = {item.path for item in items if not is_unit_test(item)}
    return sorted(items, key=lambda item: item.path not in long)
