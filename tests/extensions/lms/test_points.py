"""What is handed over where something stands already: one rule for files and for servers."""

from __future__ import annotations

import pytest

from autograder.extensions.lms.point_scale import SystemStanding, why_kept

NOTHING = SystemStanding(None, "")


@pytest.mark.parametrize(
    ("stands", "before", "overwrite", "why"),
    [
        (NOTHING, None, False, ""),
        (NOTHING, 5.0, False, ""),
        (SystemStanding(5.0, "5"), 5.0, False, ""),
        (SystemStanding(7.0, "7"), 5.0, False, ""),
        (SystemStanding(7.004, "7.004"), None, False, ""),
        (SystemStanding(6.0, "6"), 5.0, False, "6 stands there, 7 here"),
        (SystemStanding(6.0, "6"), None, False, "6 stands there, 7 here"),
        (SystemStanding(6.0, "6"), 5.0, True, ""),
        (SystemStanding(None, "absent"), 5.0, False, "absent stands there, 7 here"),
        (SystemStanding(None, "absent"), 5.0, True, ""),
        (SystemStanding(None, "", "excused there"), None, True, "excused there"),
        (SystemStanding(5.0, "5", "excused there"), 5.0, True, "excused there"),
    ],
)
def test_what_a_person_changed_is_kept(stands: SystemStanding, before: float | None, overwrite: bool, why: str) -> None:
    assert why_kept(stands, before, 7.0, "7", overwrite=overwrite) == why
