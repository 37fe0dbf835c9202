"""The web process as a user of its own: it takes hand-ins, and cannot open what it has no business with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

import pytest
from django.core.signing import TimestampSigner
from django.db import connections
from helpers import readable_python
from helpers.doors import Door
from helpers.tiny import YAML, tiny_course

import autograder
from autograder.extensions.serve import django_settings, state_folder, visitors
from autograder.extensions.serve.models import Job, JobState
from autograder.submissions.choices import Choice, add_choice

WEB_USER = 65_534
CLOSED_FOLDER = readable_python.closed_folder(Path(autograder.__file__).resolve())
CLOSED = {
    "source/hw/nb.ipynb": "rb",
    "source/hw/hidden/holdout.npz": "rb",
    ".autograder/exams/exam.json": "rb",
    "gradebook.db": "r+b",
    "people.csv": "r+b",
    "course.yaml": "r+b",
    "feedback/ada/hw/nb.html": "r+b",
    "autograded/ada/hw/result.json": "r+b",
    "submitted/ada/hw/nb.ipynb": "r+b",
    "release/hw/nb.ipynb": "r+b",
}
"""File → the mode in which the web process may not open it."""


@pytest.fixture
def shared(door: Door) -> Door:
    """A door as the how-to sets it up: its folder is the group's, and all else is another user's."""
    for name in CLOSED:
        path = door.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.exists() or path.write_text("{}")
    for path in (door.root / "source").rglob("*"):
        path.chmod(0o711 if path.is_dir() else 0o600)
    (door.root / ".autograder/exams").chmod(0o700)
    for path in (door.root, *door.root.parents):
        if path != Path("/tmp") and path.is_relative_to("/tmp"):
            path.chmod(0o755)
    add_choice(door.course, "hw", "ada", Choice("0" * 32, datetime.now(UTC), "staff meier"))
    visit(door)  # imports what it needs: another user may be unable to read this Python
    Job.objects.update(state=JobState.DONE)  # with no worker, what is to be held back stays so
    connections["default"].close()
    serve = state_folder.folder(door.course)
    for path in (serve, *serve.rglob("*")):
        os.chown(path, -1, WEB_USER)
        path.chmod(0o2770 if path.is_dir() else 0o660)
    return door


def visit(door: Door) -> list[int]:
    """Open pages and hand in; return the statuses."""
    client = door.visitor("ada")
    token = {"HTTP_AUTHORIZATION": f"Bearer {visitors.token('ada')}"}
    pages = [client.get(f"/assignments/{page}").status_code for page in ("", "hw/", "hw/feedback/page/")]
    staff = door.visitor("meier")
    pages += [staff.get(f"/staff/{page}/").status_code for page in ("students/hw/ada", "acts", "reports", "preview")]
    pages.append(staff.post("/staff/acts/hold/hw/").status_code)
    staff.post("/staff/acts/publish/hw/")
    return [*pages, door.hand_in().status_code, client.get("/exchange/release/hw/", **token).status_code]


def opened(door: Door) -> list[int]:
    return [number for number, (name, mode) in enumerate(CLOSED.items()) if can_open(door.root / name, mode)]


def can_open(path: Path, mode: str) -> bool:
    try:
        path.open(mode).close()
    except PermissionError:
        return False
    return True


def as_web_user(act: Callable[[], list[int]]) -> list[int]:
    """Run ``act`` in a child that is the web process's user; return its numbers."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setgid(WEB_USER)
            os.setuid(WEB_USER)
            os.write(writing, repr(act()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        text = answer.read().decode()
    os.waitpid(child, 0)
    return [int(word) for word in text.strip("[]").split(",") if word.strip()]


@pytest.mark.integration
@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which root alone can")
@pytest.mark.skipif(CLOSED_FOLDER is not None, reason=f"other users cannot enter {CLOSED_FOLDER}, where its pages lie")
def test_it_serves_and_opens_neither_hidden_data_nor_exams_nor_the_gradebook_for_writing(shared: Door) -> None:
    assert as_web_user(lambda: visit(shared)) == [200] * 7 + [302, 302, 200]
    assert as_web_user(lambda: opened(shared)) == []
    assert opened(shared) == list(range(len(CLOSED)))
    owners = sorted(path.stat().st_uid for path in state_folder.uploads(shared.course).iterdir())
    assert owners == [os.geteuid(), os.geteuid(), WEB_USER, WEB_USER]


@pytest.mark.integration
def test_no_connection_is_open_when_the_web_servers_processes_are_forked(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    lines = (
        "from pathlib import Path",
        "from autograder.extensions.serve.django_settings import configure",
        f"configure(Path({str(course.root)!r}))",
        "from django.db import connections",
        "print(connections['default'].connection)",
    )
    command = [sys.executable, "-c", "\n".join(lines)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "None\n"


def test_a_databases_address_has_options() -> None:
    settings = django_settings._postgresql("postgresql://door:p%40ss@db.example:5433/door?sslmode=verify-full")
    assert (settings["PASSWORD"], settings["PORT"]) == ("p@ss", "5433")
    assert settings["OPTIONS"] == {"sslmode": "verify-full"}


@pytest.mark.integration
def test_several_processes_may_start_at_once_in_a_new_course(tmp_path: Path) -> None:
    course = tiny_course(tmp_path, yaml=YAML + "serve: {staff: [meier]}\n")
    command = [sys.executable, "-m", "autograder", "serve", "links", "--course", str(course.root)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    secret = (course.root / ".autograder" / "serve" / "secret").read_text()
    for links, _ in said:
        (link,) = re.findall(r"/enter/(\S+)/,", links)
        assert TimestampSigner(key=secret, salt="dated link").unsign(unquote(link)) == "0:meier", "one secret"
    assert "meier,meier,staff,http://127.0.0.1:8000/enter/" in said[0][0]
