"""One door over several courses: one address, a path each, and places for grading that are shared fairly."""

from __future__ import annotations

import csv
import io
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
import requests
from click.testing import CliRunner
from helpers.door_client import DoorClient, receipt_of
from helpers.doors import NOTEBOOK, Door
from helpers.service_attempts import Attempts, without_walls
from helpers.tiny import YAML, cell, notebook, tiny_course

from autograder import cli
from autograder.extensions.serve import worker_pool
from autograder.extensions.serve.models import Job, JobState
from autograder.extensions.serve.worker_pool import WorkerPool
from autograder.records.course import Course

pytestmark = pytest.mark.integration
SECONDS = 60


def a_course(root: Path, url: str, more: str = "") -> Course:
    course = tiny_course(root, yaml=f"{YAML}serve: {{staff: [meier], url: '{url}'{more}}}\n")
    course.release("hw").mkdir(parents=True)
    stub = "def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    (course.release("hw") / "nb.ipynb").write_text(notebook(cell(stub, "double", solution=True)))
    (course.root / "people.csv").write_text("id,name\nada,Ada A.\n")
    return course


def line(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "autograder", "serve", *map(str, words)]


def link(course: Course, person: str) -> str:
    said = subprocess.run(line("links", "--course", course.root), capture_output=True, text=True, check=True).stdout
    return next(row["link"] for row in csv.DictReader(io.StringIO(said)) if row["id"] == person)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Course, Course]]:
    """Two courses behind one address, ``/a`` and ``/ab``."""
    root = tmp_path_factory.mktemp("two")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    courses = a_course(root / "one", f"http://{address}/a"), a_course(root / "two", f"http://{address}/ab")
    with (root / "said").open("wb") as said:
        door = subprocess.Popen(line(*(each.root for each in courses), "--bind", address), stdout=said, stderr=said)
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            if {requests.get(f"http://{address}{p}/", timeout=9).status_code for p in ("/a", "/ab")} == {401}:
                break
        except requests.ConnectionError:
            pass
        assert time.monotonic() < deadline, (root / "said").read_text()
        time.sleep(0.2)
    yield courses
    door.terminate()
    door.wait(SECONDS)


def test_each_course_has_its_path_and_its_own_people_and_queue(two: tuple[Course, Course]) -> None:
    session = requests.Session()  # one browser for both
    for course in two:
        ada = DoorClient(link(course, "ada"), session)
        ada.enter()
        answer = ada.hand_in("hw", "nb.ipynb", NOTEBOOK)
        assert answer.status_code == 200
        assert answer.url == f"{ada.base}/receipts/{receipt_of(answer)}/"
        assert len(list((course.root / ".autograder/serve/uploads").glob("*.ipynb"))) == 1
    first, second = (DoorClient(link(course, "ada"), session) for course in two)
    assert first.get("/assignments/").status_code == second.get("/assignments/").status_code == 200, "both stay open"
    foreign = link(two[0], "ada").replace("/a/enter/", "/ab/enter/")
    assert requests.get(foreign, timeout=SECONDS).status_code == 401, "a link is of one course"


def test_the_front_hands_on_what_it_must_and_answers_where_no_course_is(two: tuple[Course, Course]) -> None:
    ada = DoorClient(link(two[0], "ada"))
    ada.enter()
    host = ada.base.removesuffix("/a")
    assert requests.get(f"{host}/other/", timeout=SECONDS).status_code == 404
    assert requests.get(f"{host}/abc/", timeout=SECONDS).status_code == 404
    large = ada.session.post(f"{ada.base}/assignments/hw/", data=bytes(110 << 20), timeout=SECONDS)
    assert large.status_code == 413
    assert ada.get("/assignments/hw/files/").content[:2] == b"PK"
    assert ada.session.head(f"{ada.base}/assignments/", timeout=SECONDS).status_code == 200
    assert "ETag" not in ada.get("/assignments/").headers
    assert "default-src 'none'" in ada.get("/assignments/").headers["Content-Security-Policy"]
    log = next((two[0].root / ".autograder/serve").glob("access-*.log")).read_text()
    assert " 127.0.0.1 ada HEAD /a/assignments/ 200 " in log


def test_a_header_that_is_written_while_a_front_listens_on_a_port_is_trusted_by_nobody(
    two: tuple[Course, Course],
) -> None:
    base = DoorClient(link(two[1], "ada")).base
    settings = two[1].root / "course.yaml"
    text = settings.read_text()
    settings.write_text(text.replace("staff:", "header: X-Login, proxies: [unix], staff:"))
    try:
        for person in ("ada", "meier"):
            assert requests.get(f"{base}/", headers={"X-Login": person}, timeout=SECONDS).status_code == 401
        meier = DoorClient(link(two[1], "meier"))
        meier.enter()
        assert "needs --bind unix:PATH" in meier.get("/staff/").text
    finally:
        settings.write_text(text)


@pytest.mark.parametrize(
    ("urls", "more", "said"),
    [
        (("http://x/a", "http://x/a"), "", "a path of its own"),
        (("http://x/a", "http://x/a/b"), "", "a path of its own"),
        (("http://x/a", "http://x"), "", "each has a path"),
        (("http://x/a", "http://x/b"), ", header: X-Login, proxies: [unix]", "'header' needs --bind unix:PATH"),
    ],
)
def test_courses_without_a_path_of_their_own_are_refused(
    tmp_path: Path, urls: tuple[str, str], more: str, said: str
) -> None:
    roots = [a_course(tmp_path / str(n), url, more).root for n, url in enumerate(urls)]
    done = subprocess.run(line(*roots), capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_a_word_that_is_neither_a_folder_nor_an_action_is_named() -> None:
    said = CliRunner().invoke(cli.main, ["serve", "lnks"])
    assert said.exit_code == 2
    assert "'lnks' is no folder, and no action (start, links" in said.output


# --- places


def pools(folder: Path, places: int, count: int, monkeypatch: pytest.MonkeyPatch) -> list[WorkerPool]:
    found = []
    for number in range(count):
        monkeypatch.setattr(worker_pool.os, "getpid", lambda number=number: number)
        found.append(WorkerPool(folder, places, count))
    return found


def test_a_course_alone_at_work_has_all_places_and_then_shares_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, late = pools(tmp_path, 4, 2, monkeypatch)
    held = [busy.take() for _ in range(5)]
    assert [place is not None for place in held] == [True] * 4 + [False]
    assert late.take() is None, "all are taken, and now the wish is known"
    release(held)
    assert busy.take() is None, "it has more than its share, and another waits"
    first = late.take()
    assert first is not None
    assert busy.take() is None, "nothing is free"
    release(held)
    second = late.take()
    assert second is not None
    third = late.take()
    assert third is None
    release(held)
    late.wish_nothing()
    assert busy.take() is not None


def release(held: list[IO[str] | None]) -> None:
    place = held.pop(0)
    assert place is not None
    place.close()


def test_a_worker_without_a_place_does_what_needs_none_and_grades_later(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts: Attempts = without_walls(monkeypatch)
    assert attempts is not None
    (other,) = pools(tmp_path, 1, 1, monkeypatch)
    monkeypatch.setenv(worker_pool.VARIABLE, f"1:2:{tmp_path}")
    monkeypatch.setattr(worker_pool.os, "getpid", lambda: 7)
    place = other.take()
    assert place is not None
    door.hand_in("ada")
    door.visitor("meier").post("/staff/acts/hold/hw/", {"why": "x"})
    with door.worker() as worker:
        for _ in range(3):
            worker.look()
        assert dict(Job.objects.values_list("kind", "state")) == {"hand-in": JobState.WAITING, "hold": JobState.DONE}
        place.close()
    door.work()
    assert Job.objects.get(kind="hand-in").state == JobState.DONE
    assert other.take() is not None, "the place is free again"
