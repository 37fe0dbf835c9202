"""The queue in PostgreSQL, where a server of it is installed: the same receipts, ends and refusals as in SQLite."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import OperationalError, connections
from helpers.doors import Door
from helpers.postgresql import postgresql_server
from helpers.service_attempts import without_walls

from autograder.extensions.serve import django_settings, state_folder
from autograder.extensions.serve.models import Job, JobState

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql_server() as started:
        yield started.address


@pytest.fixture
def on_postgresql(door: Door, server: str) -> Iterator[Door]:
    """The door with its queue on the server, in a schema of its own."""
    before = connections.settings["default"]
    connections["default"].close()
    _use({**before, "OPTIONS": {}, **django_settings._postgresql(server)})
    with connections["default"].cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    call_command("migrate", verbosity=0, interactive=False)
    yield door
    connections["default"].close()
    _use(before)


def _use(database: dict[str, object]) -> None:
    connections.settings["default"] = database
    del connections["default"]


def test_a_hand_in_has_a_receipt_and_is_graded(on_postgresql: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    without_walls(monkeypatch)
    assert on_postgresql.hand_in("ada").status_code == 302
    on_postgresql.work()
    job = Job.objects.get()
    assert (job.state, job.score) == (JobState.DONE, 2.0)
    steps = [job.received, job.begun, job.published]
    assert steps == sorted(steps)
    assert on_postgresql.visitor("ada").get(f"/receipts/{job.receipt}/").status_code == 200


@pytest.mark.usefixtures("on_postgresql")
def test_the_queue_is_on_the_server_alone(door: Door) -> None:
    door.hand_in("ada")
    with connections["default"].cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM serve_job").fetchone() == (1,)
    with contextlib.closing(sqlite3.connect(state_folder.database(door.course))) as beside:
        assert beside.execute("SELECT count(*) FROM serve_job").fetchone() == (0,)


def test_staffs_pages_count_and_search(on_postgresql: Door) -> None:
    on_postgresql.hand_in("ada")
    client = on_postgresql.visitor("meier")
    assert [client.get(f"/staff/{page}").status_code for page in ("", "submissions/?q=ADA", "people/", "log/")] == [
        200
    ] * 4
    assert "Ada A." in client.get("/staff/submissions/?q=ADA").content.decode()


def test_without_the_server_a_hand_in_is_503_and_leaves_no_file(
    on_postgresql: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = on_postgresql.visitor("ada", raise_request_exception=False)
    monkeypatch.setitem(connections["default"].settings_dict["OPTIONS"], "host", "/nowhere")
    connections["default"].close()
    with pytest.raises(OperationalError):
        Job.objects.count()
    answer = client.get("/assignments/")
    assert answer.status_code == 503
    assert list(state_folder.uploads(on_postgresql.course).iterdir()) == []
