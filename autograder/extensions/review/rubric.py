"""Rubric items from a mark scheme: its lines that name points."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"(?P<points>[+-]?\d+(?:[.,]\d+)?)"
_POINTS = r"(?:points?|pts?|p|marks?)\b\.?"
_BEFORE = re.compile(
    rf"(?:[-*+]|\d+[.)])?\s*[(\[]?{_NUMBER}\s*{_POINTS}[)\]]?\s*[:–—-]?\s*(?P<text>\S.*)", re.IGNORECASE
)
_AFTER = re.compile(
    rf"(?:[-*+]|\d+[.)])\s*(?P<text>\S.*?)\s*[:,–—-]?\s*[(\[]?{_NUMBER}\s*{_POINTS}[)\]]?\s*\.?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class RubricItem:
    """One thing that earns points, or costs them."""

    points: float
    text: str


def items(scheme: str) -> tuple[RubricItem, ...]:
    """Read the items of a mark scheme: ``- 2 points: names the reason`` or ``- names the reason (2 points)``."""
    rubric_items = []
    for line in scheme.splitlines():
        text = line.strip().lstrip("#").strip()
        match = _BEFORE.fullmatch(text) or _AFTER.fullmatch(text)
        if match:
            rubric_items.append(RubricItem(float(match["points"].replace(",", ".")), match["text"].strip()))
    return tuple(rubric_items)
