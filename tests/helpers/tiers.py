"""The tiers of the suite."""

from __future__ import annotations

import pytest

OTHER_TIERS = frozenset({"sandbox", "keras", "integration", "slow", "security", "prose"})
"""Markers of tests that plain ``pytest`` leaves out; a test without any of them is a unit test."""


def is_unit_test(item: pytest.Item) -> bool:
    """Say whether plain ``pytest`` runs this test."""
    return not OTHER_TIERS.intersection(mark.name for mark in item.iter_markers())
