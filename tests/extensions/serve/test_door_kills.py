"""A door that is killed while a class hands in: each receipt has one end. And the checker that says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.histories import faults
from helpers.postgresql import postgresql_server

RECEIPT = {"receipt": "r1", "student": "ada", "assignment": "hw", "sha256": "aa"}
GRADED = {**RECEIPT, "state": "done", "score": 2.0, "note": ""}
REFUSED = {**RECEIPT, "state": "refused", "score": None, "note": "It was refused."}


@pytest.mark.parametrize("row", [GRADED, REFUSED, GRADED | {"state": "for person"}, REFUSED | {"state": "for person"}])
def test_a_receipt_with_one_end_keeps_the_promise(row: dict[str, Any]) -> None:
    assert faults([RECEIPT], [row]) == []


def test_a_row_whose_receipt_never_arrived_breaks_nothing() -> None:
    assert faults([], [GRADED]) == []


@pytest.mark.parametrize(
    ("history", "words"),
    [
        ([], "nobody knows of it"),
        ([GRADED, GRADED], "2 rows"),
        ([GRADED | {"sha256": "bb"}], "another sha256"),
        ([GRADED | {"student": "bob"}], "another student"),
        ([GRADED | {"state": "begun"}], "it ended as 'begun'"),
        ([GRADED | {"score": None}], "without a score"),
        ([REFUSED | {"score": 0.0}], "with a score"),
        ([REFUSED | {"note": ""}], "without words"),
        ([REFUSED | {"state": "for person", "note": ""}], "without words"),
        ([GRADED, GRADED | {"receipt": "r2", "score": 1.0}], "[1.0, 2.0]"),
    ],
)
def test_a_history_that_breaks_the_promise_is_named(history: list[dict[str, Any]], words: str) -> None:
    (fault,) = faults([RECEIPT], history)
    assert words in fault


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.integration
def test_each_receipt_has_one_end_whatever_is_killed(tmp_path: Path) -> None:
    from helpers.door_kills import run

    assert run(tmp_path, kills=8, students=4, seed=3) == []


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.integration
def test_each_receipt_has_one_end_whatever_is_killed_the_database_too(tmp_path: Path) -> None:
    from helpers.door_kills import run

    with postgresql_server("on") as server:
        assert run(tmp_path, kills=8, students=4, seed=3, server=server) == []
