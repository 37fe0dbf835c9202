"""nbgrader's exchange by way of the door: its seven classes, without a folder that students and staff share."""

from __future__ import annotations

import hashlib
import json
import logging
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from helpers.archives import zip_special, zip_with
from helpers.doors import NOTEBOOK, OTHER, Door
from helpers.grids import each_once
from helpers.hubs import Hub, answering, plugin, served
from helpers.service_attempts import without_walls
from nbgrader.exchange import ExchangeError

from autograder.extensions.serve import nbgrader_exchange, worker
from autograder.extensions.serve.models import Job, JobState, Kind

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def hub(door: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    cache.clear()
    hub = Hub()
    with answering(hub) as address:
        settings_file = door.root / "course.yaml"
        settings_file.write_text(settings_file.read_text().replace("staff:", f"hub: {address}/hub/api, staff:"))
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "t-ada")
        yield hub


@pytest.fixture
def address(door: Door) -> Iterator[str]:
    """The door's address; hw is released with a data file."""
    folder = door.course.release("hw")
    (folder / "data").mkdir(parents=True)
    (folder / "nb.ipynb").write_bytes(OTHER)
    (folder / "data/zeros.csv").write_bytes(b"0\n" * 10_000_000)  # it would pack well
    with served() as address:
        yield address


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def hand_in(address: str, home: Path, content: bytes = NOTEBOOK) -> None:
    if not (home / "hw").exists():
        plugin("FetchAssignment", address, home).start()
    (home / "hw/nb.ipynb").write_bytes(content)
    plugin("Submit", address, home).start()


def cached(address: str, home: Path, **options: Any) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = plugin("List", address, home, "", cached=True, **options).start()
    return listed


# --- students


def test_a_released_assignment_is_listed_and_fetched(address: str, home: Path) -> None:
    (before,) = plugin("List", address, home, "").start()
    assert (before["course_id"], before["assignment_id"], before["status"]) == ("tiny", "hw", "released")
    assert [each["notebook_id"] for each in before["notebooks"]] == ["nb"]
    plugin("FetchAssignment", address, home).start()
    assert (home / "hw/nb.ipynb").read_bytes() == OTHER
    assert (home / "hw/data/zeros.csv").stat().st_size == 20_000_000
    assert sorted(path.name for path in home.iterdir()) == ["hw"]
    (after,) = plugin("List", address, home, "").start()
    assert (after["status"], after["path"]) == ("fetched", str(home / "hw"))


def test_a_second_fetch_keeps_what_is_there(address: str, home: Path) -> None:
    plugin("FetchAssignment", address, home).start()
    (home / "hw/nb.ipynb").write_bytes(NOTEBOOK)
    (home / "hw/data/zeros.csv").unlink()
    with pytest.raises(ExchangeError, match="already have a copy"):
        plugin("FetchAssignment", address, home).start()
    plugin("FetchAssignment", address, home, replace_missing_files=True).start()
    assert (home / "hw/nb.ipynb").read_bytes() == NOTEBOOK
    assert (home / "hw/data/zeros.csv").is_file()


def test_an_assignment_that_is_not_released_is_neither_listed_nor_fetched(door: Door, address: str, home: Path) -> None:
    text = (door.root / "course.yaml").read_text()
    (door.root / "course.yaml").write_text(text.replace("title: Doubling", "title: Doubling\n    release: 2999-01-01"))
    assert plugin("List", address, home, "").start() == []
    with pytest.raises(ExchangeError, match="no such page"):
        plugin("FetchAssignment", address, home).start()
    assert list(home.iterdir()) == []


def test_the_receipt_is_that_of_the_page(
    door: Door, address: str, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hand_in(address, home)
    job = Job.objects.get()
    assert (job.kind, job.student, job.by, job.assignment) == (Kind.HAND_IN, "ada", "ada", "hw")
    assert f"Receipt {job.receipt}, number 1 in line, sha256 {job.sha256}" in caplog.text
    assert "t-ada" not in caplog.text
    stored = (door.course.state / "serve/uploads" / job.file).read_bytes()
    assert hashlib.sha256(stored).hexdigest() == job.sha256
    assert job.receipt in door.visitor("ada").get(f"/receipts/{job.receipt}/").content.decode()


def test_what_is_handed_in_is_the_folder_without_links_hidden_files_and_what_nbgrader_ignores(
    door: Door, address: str, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugin("FetchAssignment", address, home).start()
    folder = home / "hw"
    (folder / "data/zeros.csv").write_text("0")
    (folder / "linked.txt").symlink_to("/etc/passwd")
    for name in ("feedback/x/nb.html", ".ipynb_checkpoints/nb.ipynb", "__pycache__/a.pyc", ".secret"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    plugin("Submit", address, home).start()
    (archive,) = (door.course.state / "serve/uploads").glob("*.zip")
    assert sorted(zipfile.ZipFile(archive).namelist()) == ["data/zeros.csv", "nb.ipynb"]
    assert "linked.txt is left out: it is a link" in caplog.text


def test_a_missing_notebook_is_a_warning_and_strictly_a_fault(
    address: str, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "hw").mkdir()
    (home / "hw/other.ipynb").write_bytes(NOTEBOOK)
    with pytest.raises(ExchangeError, match=r"missing notebooks: nb\.ipynb"):
        plugin("Submit", address, home, strict=True).start()
    plugin("Submit", address, home).start()
    assert "Possible missing notebooks: nb.ipynb" in caplog.text
    assert Job.objects.count() == 1


def test_a_limit_of_the_page_is_a_limit_here_and_said_in_its_words(address: str, home: Path) -> None:
    for _ in range(3):
        hand_in(address, home)
    with pytest.raises(ExchangeError, match="3 of your hand-ins wait in line: nothing was handed in"):
        hand_in(address, home)


def test_feedback_is_the_students_page_at_the_time_of_the_hand_in_that_was_graded(
    door: Door, address: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_walls(monkeypatch)
    hand_in(address, home)
    door.work()
    hand_in(address, home, OTHER)  # not graded yet: the page is that of the first
    (group,) = cached(address, home)
    first, second = group["submissions"]
    assert (first["has_exchange_feedback"], first["has_local_feedback"]) == (True, False)
    assert (second["has_exchange_feedback"], second["notebooks"]) == (False, [])
    plugin("FetchFeedback", address, home).start()
    page = home / "hw/feedback" / first["timestamp"] / "nb.html"
    assert page.read_bytes() == door.visitor("ada").get("/assignments/hw/feedback/page/").content
    (group,) = cached(address, home)
    assert group["submissions"][0]["local_feedback_path"] == str(page.parent)
    assert not group["submissions"][0]["feedback_updated"]
    page.write_text("older")
    assert cached(address, home)[0]["submissions"][0]["feedback_updated"]


def test_what_was_refused_says_why(door: Door, address: str, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    (home / "hw").mkdir()
    (home / "hw/notes.txt").write_text("no notebook")
    plugin("Submit", address, home).start()
    door.work()
    cached(address, home)
    assert "(refused, no feedback available) It was refused: there is no notebook" in caplog.text


def test_another_student_sees_fetches_and_removes_nothing_of_adas(
    door: Door, address: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_walls(monkeypatch)
    hand_in(address, home)
    door.work()
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "t-bob")
    assert cached(address, home) == []
    assert plugin("List", address, home, "", inbound=True).start() == []
    plugin("FetchFeedback", address, home).start()
    assert not (home / "hw/feedback").exists()
    for kind in ("ReleaseAssignment", "ReleaseFeedback"):
        with pytest.raises(ExchangeError, match="This page is for others"):
            plugin(kind, address, home).start()
    with pytest.raises(ExchangeError, match="keeps what it has"):
        plugin("List", address, home, "", remove=True).start()
    plugin("Collect", address, home).start()
    assert not (home / "submitted").exists()


# --- staff


def run_worker(door: Door, stopping: threading.Event) -> None:
    with door.worker() as running:
        while not stopping.wait(0.05):
            running.look()


@pytest.fixture
def working(door: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker at work; commands only say what they would do."""
    program = "import sys; print(*sys.argv[1:]); sys.exit('broken' in sys.argv)"

    def start(course: Any, job: Job) -> subprocess.Popen[bytes]:
        log = worker._preview_file(course).with_suffix(".log")
        words = [str(job.kind), job.assignment]
        with log.open("wb") as file:
            return subprocess.Popen([sys.executable, "-c", program, *words], stdout=file)

    monkeypatch.setattr(worker, "_start_command", start)
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "t-meier")
    stopping = threading.Event()
    thread = threading.Thread(target=run_worker, args=(door, stopping))
    thread.start()
    yield
    stopping.set()
    thread.join()


@pytest.mark.parametrize(("kind", "command"), [("ReleaseAssignment", "release"), ("ReleaseFeedback", "feedback")])
def test_a_release_is_the_command_on_the_doors_side(
    working: None, address: str, home: Path, caplog: pytest.LogCaptureFixture, kind: str, command: str
) -> None:
    caplog.set_level(logging.INFO)
    plugin(kind, address, home).start()
    assert f"{command} hw" in caplog.text
    job = Job.objects.get()
    assert (job.kind, job.state, job.by) == (command, JobState.DONE, "prof")


def test_a_command_that_fails_says_its_words(door: Door, working: None, address: str, home: Path) -> None:
    text = (door.root / "course.yaml").read_text().replace("  hw:", "  broken: {}\n  hw:")
    (door.root / "course.yaml").write_text(text)
    (door.root / "source/broken").mkdir()
    with pytest.raises(ExchangeError, match="`autograder release broken` at the door is failed: release broken"):
        plugin("ReleaseAssignment", address, home, "broken").start()
    assert Job.objects.get().state == JobState.FAILED


def test_staff_collect_what_counts(door: Door, address: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_walls(monkeypatch)
    hand_in(address, home)
    door.work()
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "t-meier")
    (group,) = plugin("List", address, home, "", inbound=True).start()
    assert (group["student_id"], len(group["submissions"])) == ("ada", 1)
    plugin("Collect", address, home).start()
    folder, there = home / "submitted/ada/hw", door.course.submitted("ada", "hw")
    assert {path.name for path in folder.iterdir()} == {path.name for path in there.iterdir()}
    (folder / "nb.ipynb").write_text("seen")
    plugin("Collect", address, home).start()
    plugin("Collect", address, home, update=True).start()
    assert (folder / "nb.ipynb").read_text() == "seen"  # it is the newest
    (folder / "timestamp.txt").write_text("2020-01-01 00:00:00 UTC")
    plugin("Collect", address, home, update=True).start()
    assert (folder / "nb.ipynb").read_bytes() == NOTEBOOK


# --- a door that lies


def listing(released: dict[str, list[str]] | None = None, **changes: Any) -> bytes:
    hand_in = {
        "assignment": "hw", "student": "ada", "time": "2026-01-01T00:00:00+00:00", "state": "done", "note": "",
        "page": "nb.html", "sha256": hashlib.sha256(b"page").hexdigest(), **changes,
    }  # fmt: skip
    return json.dumps({"released": released or {}, "hand_ins": [hand_in]}).encode()


LIES: dict[str, bytes] = {
    "no JSON": b"<html>",
    "another record": b"{}",
    "a number": b"NaN",
    "deep": b"[" * 100_000,
    "a path in a page": listing(page="../../.bashrc"),
    "a hidden page": listing(page=".bashrc"),
    "an absolute page": listing(page="/etc/passwd"),
    "an assignment that leads out": listing(assignment=".."),
    "a student that leads out": listing(student="../x"),
    "a hidden assignment": listing({".jupyter": ["nb.ipynb"]}),
    "an assignment that writes on the terminal": listing(assignment="\x1b[2J"),
    "a release that leads out": listing({"../x": ["nb.ipynb"]}),
    "a notebook that leads out": listing({"hw": ["../nb.ipynb"]}),
    "a time without a zone": listing(time="2026-01-01T00:00:00"),
    "a time before all": listing(time="0001-01-01T00:00:00+14:00"),
    "no time": listing(time="../../x"),
    "too much": b" " * (33 << 20),
}


def test_the_listing_of_these_tests_is_taken_where_it_does_not_lie(home: Path) -> None:
    with answering(lambda request: (200, {}, listing({"hw": ["nb.ipynb"]}))) as address:
        assert len(cached(address, home)) == len(plugin("List", address, home, "").start()) == 1


@pytest.mark.parametrize(("kind", "lie"), each_once(["List", "FetchFeedback", "Collect"], LIES))
def test_a_listing_that_lies_is_refused_and_writes_nothing(home: Path, kind: str, lie: str) -> None:
    with answering(lambda request: (200, {}, LIES[lie])) as address, pytest.raises(ExchangeError):
        plugin(kind, address, home).start()
    assert list(home.iterdir()) == []
    assert {path.name for path in home.parent.iterdir()} <= {"home", "course"}


ARCHIVES: dict[str, bytes] = {
    "no archive": b"no archive",
    "a path out": zip_with(("nb.ipynb", NOTEBOOK), ("../evil", b"x")),
    "an absolute path": zip_with(("/tmp/evil", b"x")),
    "a link": zip_with((zip_special(0o120000), b"/etc/passwd")),
    "a name twice": zip_with(("nb.ipynb", NOTEBOOK), ("NB.ipynb", NOTEBOOK)),
    "a bomb": zip_with(("nb.ipynb", NOTEBOOK), ("zeros", bytes(64 << 20))),
    "a cut": zip_with(("nb.ipynb", NOTEBOOK))[:-10],
}


@pytest.mark.parametrize("archive", ARCHIVES)
def test_an_archive_that_leads_out_of_its_folder_writes_nothing(home: Path, archive: str) -> None:
    with answering(lambda request: (200, {}, ARCHIVES[archive])) as address, pytest.raises(ExchangeError):
        plugin("FetchAssignment", address, home).start()
    assert list(home.iterdir()) == []
    assert not (home.parent / "evil").exists()


def test_feedback_that_is_not_the_listed_one_is_not_written(home: Path) -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, listing() if request.path == "/exchange/" else b"another page"

    with answering(answer) as address, pytest.raises(ExchangeError, match="has just changed"):
        plugin("FetchFeedback", address, home).start()
    assert list(home.iterdir()) == []


def test_other_bytes_than_were_sent_are_no_receipt(home: Path) -> None:
    news = {
        "receipt": "r",
        "sha256": "0" * 64,
        "received": "2026-01-01T00:00:00+00:00",
        "state": "waiting",
        "position": 1,
        "detail": "",
    }
    (home / "hw").mkdir()
    (home / "hw/nb.ipynb").write_bytes(NOTEBOOK)

    def answer(request: Any) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, listing() if request.path == "/exchange/" else json.dumps(news).encode()

    with answering(answer) as address, pytest.raises(ExchangeError, match="other bytes than were sent"):
        plugin("Submit", address, home).start()


def test_words_of_the_door_cannot_write_on_the_terminal(home: Path) -> None:
    refusal = (400, {"Content-Type": "text/plain"}, "\x1b[2J\u202e t-ada\nnext".encode() * 500)
    with answering(lambda request: refusal) as address, pytest.raises(ExchangeError) as error:
        plugin("List", address, home, "").start()
    assert str(error.value).isprintable()
    assert len(str(error.value)) <= 500


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_is_sent_to_no_other_address(home: Path, status: int) -> None:
    seen: list[str] = []

    def other(request: Any) -> tuple[int, dict[str, str], bytes]:
        seen.append(request.path)
        return 200, {}, listing()

    with (
        answering(other) as elsewhere,
        answering(lambda request: (status, {"Location": f"{elsewhere}/exchange/"}, b"")) as address,
        pytest.raises(ExchangeError, match="leads elsewhere"),
    ):
        plugin("List", address, home, "").start()
    assert seen == []


def test_a_netrc_does_not_replace_the_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = home.parent / "netrc"
    netrc.write_text("machine 127.0.0.1 login x password y\n")
    monkeypatch.setenv("NETRC", str(netrc))
    seen: list[str] = []

    def answer(request: Any) -> tuple[int, dict[str, str], bytes]:
        seen.append(request.headers["Authorization"])
        return 200, {}, listing()

    with answering(answer) as address:
        plugin("List", address, home, "").start()
    assert seen == ["token t-ada"]


def test_a_door_that_is_away_or_slow_is_a_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda request: (200, {}, b"")) as address:
        pass
    with pytest.raises(ExchangeError, match="no answer from http") as error:
        plugin("List", address, home, "").start()
    assert "t-ada" not in str(error.value)
    monkeypatch.delenv("JUPYTERHUB_API_TOKEN")
    with pytest.raises(ExchangeError, match="there is no JUPYTERHUB_API_TOKEN"):
        plugin("List", address, home, "").start()
    with pytest.raises(ExchangeError, match=r"no address of the course 'tiny'"):
        plugin("List", "file:///etc", home, "").start()


def test_a_course_of_others_does_not_hide_ones_own(address: str, home: Path) -> None:
    lister = plugin("List", address, home, "")
    lister.doors = {"tiny": address, "other": "http://127.0.0.1:9"}
    lister.coursedir.course_id = ""
    assert [each["course_id"] for each in lister.start()] == ["tiny"]
    lister.path_includes_course = True
    assert lister.start()[0]["path"] == str(home / "tiny/hw")


def test_it_needs_neither_django_nor_what_grades() -> None:
    program = f"import sys, {nbgrader_exchange.__name__}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert {"django", "gunicorn", "autograder.coordinator", "autograder.results", "numpy"} & set(loaded) <= {"numpy"}
    assert "nbgrader" in loaded
