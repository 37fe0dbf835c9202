"""Grids of parameters, of which the quick tiers take a part and the nightly run takes all."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import pytest


def each_once(*axes: Iterable[Any]) -> list[Any]:
    """Return every combination of the axes' values; all but as many as have each value once are ``slow``."""
    values = [list(axis) for axis in axes]
    quick = {tuple(axis[i % len(axis)] for axis in values) for i in range(max(map(len, values)))}
    return [_case(row, row in quick) for row in itertools.product(*values)]


def first_of_each(
    rows: Iterable[Sequence[Any]], key: Callable[[Any], Hashable], name: Callable[[Any], str] | None = None
) -> list[Any]:
    """Return every row; all but the first with its key are ``slow``."""
    seen: set[Hashable] = set()
    cases = []
    for row in rows:
        cases.append(_case(row, key(row) not in seen, name and name(row)))
        seen.add(key(row))
    return cases


def _case(row: Sequence[Any], quick: bool, name: str | None = None) -> Any:
    return pytest.param(*row, id=name, marks=() if quick else pytest.mark.slow)
