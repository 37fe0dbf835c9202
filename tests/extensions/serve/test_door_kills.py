"""A door that is killed while a class hands in: each receipt has one end. And the checker that says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from helpers.doors import NOTEBOOK, OTHER, Door
from helpers.postgresql import postgresql_server
from helpers.service_attempts import without_walls

from autograder.cli import main
from autograder.extensions.serve import state_folder
from autograder.extensions.serve.histories import faults, unequal
from autograder.extensions.serve.models import Job

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
        ([GRADED | {"state": "begun"}], "it has not ended yet, and is 'begun'"),
        ([GRADED | {"score": None}], "without a score"),
        ([REFUSED | {"score": 0.0}], "with a score"),
        ([REFUSED | {"note": ""}], "without words"),
        ([REFUSED | {"state": "for person", "note": ""}], "without words"),
    ],
)
def test_a_history_that_breaks_the_promise_is_named(history: list[dict[str, Any]], words: str) -> None:
    (fault,) = faults([RECEIPT], history)
    assert words in fault


def test_equal_files_with_different_scores_are_listed() -> None:
    assert unequal([GRADED, GRADED | {"receipt": "r2", "score": 1.0}]) == ["hw, aa: [1.0, 2.0]"]
    assert unequal([GRADED, GRADED | {"receipt": "r2"}]) == []


@pytest.fixture
def graded(door: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """A door with two graded hand-ins of ada, and one of bob that was refused."""
    without_walls(monkeypatch)
    for person, content in (("ada", NOTEBOOK), ("ada", OTHER), ("bob", NOTEBOOK), ("bob", b"no notebook")):
        door.hand_in(person, content)
        door.work()
    return door


def check(door: Door, *words: str) -> Result:
    from autograder.extensions.serve import serve_command

    def ask() -> None:
        serve_command._check(door.course, "", *(words or ("",)))

    return CliRunner().invoke(click.command()(ask))


@pytest.mark.integration
def test_a_door_is_checked_by_one_command(graded: Door, tmp_path: Path) -> None:
    assert check(graded).output == "each of 4 receipts has one end: 3 graded, 0 for a person, 1 refused\n"
    receipts = [{key: getattr(job, key) for key in RECEIPT} for job in Job.objects.all()]
    of_clients = tmp_path / "receipts.jsonl"
    of_clients.write_text("".join(f"{json.dumps(row)}\n" for row in receipts))
    assert check(graded, str(of_clients)).exit_code == 0
    of_clients.write_text(json.dumps({**receipts[0], "receipt": "lost"}))
    assert "lost: a receipt was given, and nobody knows of it" in str(check(graded, str(of_clients)).exception)
    of_clients.write_text("{}")
    assert "is no list of receipts" in str(check(graded, str(of_clients)).exception)


@pytest.mark.integration
def test_an_upload_that_is_another_file_now_is_named_and_one_without_a_row_is_told(graded: Door) -> None:
    first, second, *_ = Job.objects.order_by("number")
    (state_folder.uploads(graded.course) / first.file).write_bytes(b"another")
    second.delete()
    found = check(graded)
    assert str(found.exception) == f"{first.receipt}: {first.file} is not the file that came"
    assert f"{second.receipt}: ada's file has no row" in found.output


@pytest.mark.integration
def test_a_hand_in_that_waits_has_no_end_yet(door: Door) -> None:
    door.hand_in("ada")
    assert "it has not ended yet, and is 'waiting'" in str(check(door).exception)


def test_it_is_a_word_of_the_command() -> None:
    assert "autograder serve check" in CliRunner().invoke(main, ["serve", "--help"]).output


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
