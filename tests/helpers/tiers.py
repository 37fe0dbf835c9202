"""The tiers of the suite."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import pytest

OTHER_TIERS = frozenset({"sandbox", "keras", "integration", "slow", "security", "prose"})
"""Markers of tests that plain ``pytest`` leaves out; a test without any of them is a unit test."""


def is_unit_test(item: pytest.Item) -> bool:
    """Say whether plain ``pytest`` runs this test."""
    return not OTHER_TIERS.intersection(mark.name for mark in item.iter_markers())


SHARED = {
    "the class of attackers": re.compile(r"tests/security/test_(01|06|12|19)_"),
    "the sheets of questions": re.compile(r"tests/security/test_(38|53|57|66|69)_"),
    "packages for platforms": re.compile(r"tests/pipeline/test_(gradescope_package|platform_packages)\.py"),
}
"""Files that ask for the same graded students or environment, by what these are: they take a worker long to make."""


def work_unit(nodeid: str) -> str:
    """Return what one worker runs as a whole: a file, or all files that share graded students."""
    return next((name for name, files in SHARED.items() if files.match(nodeid)), nodeid.split("::", 1)[0])


SHORT = 20
"""Tests of a short file, at most: of unit tests, they take a fraction of a second."""


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests in the order given, but files with Keras late, and short files of unit tests at the end.

    TensorFlow makes a process large: what forks it, as frozen copies of a kernel do, takes four times as long from then on.
    With short files at the end, no worker is idle for long.
    """
    keras = {item.path for item in items if any(mark.name == "keras" for mark in item.iter_markers())}
    long = {item.path for item in items if not is_unit_test(item)}
    long |= {path for path, count in Counter(item.path for item in items).items() if count > SHORT}
    return sorted(items, key=lambda item: 1 if item.path in keras else 0 if item.path in long else 2)
