"""What is handed over where something stands already: one rule for files and for servers."""

from __future__ import annotations

import pytest

from autograder.extensions.lms.points import Standing, why_kept

NOTHING = Standing(None, "")


@pytest.mark.parametrize(
    ("stands", "before", "overwrite", "why"),
    [
        (NOTHING, None, False, ""),
        (NOTHING, 5.0, False, ""),
        (Standing(5.0, "5"), 5.0, False, ""),
        (Standing(7.0, "7"), 5.0, False, ""),
        (Standing(7.004, "7.004"), None, False, ""),
        (Standing(6.0, "6"), 5.0, False, "6 stands there, 7 here"),
        (Standing(6.0, "6"), None, False, "6 stands there, 7 here"),
        (Standing(6.0, "6"), 5.0, True, ""),
        (Standing(None, "absent"), 5.0, False, "absent stands there, 7 here"),
        (Standing(None, "absent"), 5.0, True, ""),
        (Standing(None, "", "excused there"), None, True, "excused there"),
        (Standing(5.0, "5", "excused there"), 5.0, True, "excused there"),
    ],
)
def test_what_a_person_changed_is_kept(stands: Standing, before: float | None, overwrite: bool, why: str) -> None:
    assert why_kept(stands, before, 7.0, "7", overwrite=overwrite) == why
