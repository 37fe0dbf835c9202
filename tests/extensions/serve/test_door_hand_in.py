"""A hand-in: file and row are on the disk, then there is a receipt; or a sentence, and nothing is left."""

from __future__ import annotations

import contextlib
import errno
import gc
import hashlib
import io
import logging
import os
import shutil
import sqlite3
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import OperationalError, connections
from django.test import Client
from helpers.doors import NOTEBOOK, OTHER, Door
from helpers.service_attempts import without_walls

from autograder.extensions.serve import hand_in, jobs, state_folder
from autograder.extensions.serve.models import Job, JobState, Kind
from autograder.results import held_grades
from autograder.submissions.members import MIB


def files(door: Door) -> list[Path]:
    return [path for name in ("uploads", "incoming") for path in (state_folder.folder(door.course) / name).iterdir()]


def test_a_receipt_has_the_digest_of_the_file_on_the_disk_and_the_place_in_line(door: Door) -> None:
    door.hand_in("bob")
    client = door.visitor("ada")
    answer = client.post("/assignments/hw/", {"file": SimpleUploadedFile("my work.ipynb", NOTEBOOK)})
    page = client.get(answer.headers["Location"]).content.decode()
    job = Job.objects.get(student="ada")
    stored = state_folder.uploads(door.course) / job.file
    assert hashlib.sha256(stored.read_bytes()).hexdigest() == job.sha256 == hashlib.sha256(NOTEBOOK).hexdigest()
    assert job.sha256 in page
    assert "Number 2 in line" in page
    assert "my work.ipynb" in page


def test_file_folder_and_row_are_flushed_in_this_order_before_the_answer(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.visitor("ada")  # the course's tables are copied
    steps: list[str] = []
    monkeypatch.setattr(hand_in.os, "fsync", lambda _: steps.append("file"))
    monkeypatch.setattr(hand_in, "flush_folder", lambda _: steps.append("folder"))
    add = jobs.add
    monkeypatch.setattr(jobs, "add", lambda *a, **k: steps.append("row") or add(*a, **k))
    door.hand_in()
    assert steps == ["file", "folder", "file", "folder", "row"]  # upload, record, row


def test_sqlite_flushes_each_row(door: Door) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)  # full
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    ("name", "content", "status", "words"),
    [
        ("nb.pdf", b"x", 400, "Hand in a notebook or an archive"),
        ("nb.ipynb", b"", 400, "The file is empty"),
    ],
)
def test_what_is_no_hand_in_gets_a_sentence_and_no_receipt(
    door: Door, name: str, content: bytes, status: int, words: str
) -> None:
    answer = door.hand_in("ada", content, name)
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert not Job.objects.exists()
    assert files(door) == []


def test_a_form_without_a_file_gets_a_sentence(door: Door) -> None:
    answer = door.visitor("ada").post("/assignments/hw/")
    assert (answer.status_code, Job.objects.count()) == (400, 0)


class Unread:
    """Body of a request that nobody may read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("it was read")

    readline = read


@pytest.mark.parametrize(("person", "size"), [("ada", 10_000 * MIB), ("", MIB + 1), ("carl", MIB + 1)])
@pytest.mark.parametrize("path", ["/assignments/hw/", "/leave/", "/nothing/"])
def test_a_body_that_is_too_large_is_refused_before_it_is_read(door: Door, person: str, size: int, path: str) -> None:
    environment = {"wsgi.input": Unread(), "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    answer = door.visitor(person).generic("POST", path, CONTENT_LENGTH=str(size), **environment)
    assert answer.status_code == 413
    assert "Nothing was handed in" in answer.content.decode()


def test_a_visitor_may_hand_in_more_than_a_mebibyte(door: Door) -> None:
    assert door.hand_in("ada", NOTEBOOK + b" " * 2 * MIB).status_code == 302


def test_a_file_that_is_larger_than_its_limit_is_refused(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimpleUploadedFile, "size", 10, raising=False)
    monkeypatch.setattr(hand_in, "submission_limits", lambda _: type("Small", (), {"archive_bytes": 5}))
    assert door.hand_in().status_code == 400
    assert files(door) == []


def test_several_files_in_one_form_are_refused(door: Door) -> None:
    uploads = [SimpleUploadedFile(f"{number}.ipynb", NOTEBOOK) for number in range(3)]
    answer = door.visitor("ada").post("/assignments/hw/", {"file": uploads})
    assert (answer.status_code, Job.objects.count()) == (400, 0)


def fail(error: Exception) -> Any:
    def raising(*_: object, **__: object) -> None:
        raise error

    return raising


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("where", ["fsync", "flush_folder"])
def test_a_full_disk_is_507_and_leaves_neither_file_nor_row(
    door: Door, monkeypatch: pytest.MonkeyPatch, where: str, code: int
) -> None:
    target = hand_in.os if where == "fsync" else hand_in
    with monkeypatch.context() as patch:
        patch.setattr(target, where, fail(OSError(code, os.strerror(code))))
        answer = door.hand_in(raise_request_exception=False)
    assert answer.status_code == 507
    assert "Nothing was handed in" in answer.content.decode()
    assert not Job.objects.exists()
    assert files(door) == []
    assert door.hand_in().status_code == 302


@pytest.mark.parametrize(("code", "status"), [(sqlite3.SQLITE_FULL, 507), (sqlite3.SQLITE_BUSY, 503)])
def test_a_database_that_takes_no_row_leaves_no_file(
    door: Door, monkeypatch: pytest.MonkeyPatch, code: int, status: int
) -> None:
    error = OperationalError("words")
    error.__cause__ = sqlite3.OperationalError("words")
    error.__cause__.sqlite_errorcode = code
    monkeypatch.setattr(jobs, "add", fail(error))
    answer = door.hand_in(raise_request_exception=False)
    assert answer.status_code == status
    assert files(door) == []


def test_a_disk_that_is_full_before_the_file_has_come_is_507(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(logging.getLogger("django.request"), "disabled", True)  # as the web process has it
        patch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", write)
        assert door.hand_in(raise_request_exception=False).status_code == 507
    gc.collect()  # of the request and what it has opened: nobody holds them any longer
    assert not Job.objects.exists()
    assert files(door) == []


def test_a_database_that_another_process_holds_is_503_and_leaves_no_file(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = door.visitor("ada", raise_request_exception=False)
    monkeypatch.setitem(connections["default"].settings_dict["OPTIONS"], "timeout", 0.1)
    connections["default"].close()
    with contextlib.closing(sqlite3.connect(state_folder.database(door.course), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = client.post("/assignments/hw/", {"file": SimpleUploadedFile("nb.ipynb", NOTEBOOK)})
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "60"
    assert files(door) == []
    assert door.hand_in().status_code == 302


class Stalled:
    """Body of a request whose sender stops."""

    def read(self, *_: object) -> bytes:
        raise TimeoutError("timed out")

    readline = read


@pytest.mark.parametrize("with_cookie", [True, False])
def test_a_sender_who_stops_leaves_nothing(door: Door, with_cookie: bool) -> None:
    client = door.visitor("ada", raise_request_exception=False, enforce_csrf_checks=with_cookie)
    client.get("/assignments/hw/")
    environment = {"wsgi.input": Stalled(), "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    answer = client.generic("POST", "/assignments/hw/", CONTENT_LENGTH=str(MIB), **environment)
    assert 400 <= answer.status_code < 500
    assert "Nothing was handed in" in answer.content.decode()
    assert (Job.objects.count(), files(door)) == (0, [])


def test_a_student_with_several_hand_ins_in_line_waits(door: Door) -> None:
    assert [door.hand_in().status_code for _ in range(4)] == [302, 302, 302, 429]
    assert door.hand_in("bob").status_code == 302
    assert len(files(door)) == 2 * 4  # each with its record


def test_a_student_hands_in_so_many_bytes_on_a_day(door: Door) -> None:
    half = {"student": "ada", "assignment": "hw", "by": "ada", "file": "x.zip", "size": 300 * MIB}
    jobs.add(Kind.HAND_IN, **half, received=datetime.now(UTC) - timedelta(hours=25))
    jobs.add(Kind.HAND_IN, **{**half, "file": ""})  # refused
    assert door.hand_in().status_code == 302
    jobs.add(Kind.HAND_IN, **half, state=JobState.DONE)
    jobs.add(Kind.HAND_IN, **{**half, "size": 200 * MIB - len(NOTEBOOK)}, state=JobState.DONE)
    Job.objects.update(state=JobState.DONE)
    answer = door.hand_in()
    assert answer.status_code == 429
    assert "more than 500 MiB in 24 hours" in answer.content.decode()
    assert door.hand_in("bob").status_code == 302


def test_a_student_hands_in_so_often_on_a_day_refused_files_included(door: Door) -> None:
    """Attack 74: a loop of tiny archives would make rows without end, and push others' out of the staff's list."""
    settings_file = door.root / "course.yaml"
    settings_file.write_text(settings_file.read_text().replace("serve: {", "serve: {daily_hand_ins: 10, "))
    refused = {"student": "ada", "assignment": "hw", "by": "ada", "state": JobState.REFUSED}
    jobs.add(Kind.HAND_IN, **refused, received=datetime.now(UTC) - timedelta(hours=25))
    for _ in range(9):
        jobs.add(Kind.HAND_IN, **refused)
    assert door.hand_in().status_code == 302
    answer = door.hand_in()
    assert answer.status_code == 429
    assert "10 times in 24 hours" in answer.content.decode()
    assert door.hand_in("bob").status_code == 302


def test_a_form_from_elsewhere_is_refused(door: Door) -> None:
    answer = door.hand_in(enforce_csrf_checks=True)
    assert answer.status_code == 403
    assert "load the page again" in answer.content.decode()
    assert files(door) == []


def test_a_host_that_is_not_the_doors_is_refused(door: Door) -> None:
    assert door.visitor("ada").get("/", HTTP_HOST="evil.example").status_code == 400
    assert door.visitor("ada").get("/", HTTP_HOST="door.example").status_code in (302, 400)


def test_an_assignment_that_is_not_there_or_not_released_takes_nothing(door: Door) -> None:
    client = door.visitor("ada")
    assert client.get("/assignments/nothing/").status_code == 404
    text = (door.root / "course.yaml").read_text()
    (door.root / "course.yaml").write_text(text.replace("title: Doubling", "title: Doubling\n    release: 2999-01-01"))
    assert client.get("/assignments/hw/").status_code == 404
    assert door.hand_in().status_code == 404
    assert not Job.objects.exists()


def test_sessions_are_not_readable_by_scripts_and_not_sent_by_other_sites(door: Door) -> None:
    cookie = door.visitor("ada").cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_the_page_works_without_scripts(door: Door) -> None:
    client: Client = door.visitor("ada")
    receipt = client.get(door.hand_in().headers["Location"]).content.decode()
    assert '<noscript><meta http-equiv="refresh"' in receipt
    assert '<section id="status"' in receipt
    assert 'hx-select="#status"' in receipt  # with scripts, the page's own answer replaces this part alone
    assert "<form" in client.get("/assignments/hw/").content.decode()


def test_an_assignment_without_a_release_is_not_open_and_staff_are_told(door: Door) -> None:
    shutil.rmtree(door.course.release("hw"))
    assert door.hand_in("ada").status_code == 404
    assert "There is no assignment yet" in door.visitor("ada").get("/assignments/").content.decode()
    assert "not released" in door.visitor("meier").get("/staff/").content.decode()


def test_a_student_downloads_the_assignment_as_a_zip(door: Door) -> None:
    answer = door.visitor("ada").get("/assignments/hw/files/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="hw.zip"'
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.read("nb.ipynb") == (door.course.release("hw") / "nb.ipynb").read_bytes()


def test_what_was_handed_in_can_be_had_back_by_its_student_and_by_staff(door: Door) -> None:
    door.hand_in("ada", name="my work.ipynb")
    receipt = Job.objects.get().receipt
    own = door.visitor("ada").get(f"/receipts/{receipt}/file/")
    assert b"".join(own.streaming_content) == NOTEBOOK
    assert own.headers["Content-Disposition"] == 'attachment; filename="my work.ipynb"'
    assert own.headers["Content-Type"] == "application/octet-stream"  # no browser shows it as a page
    assert door.visitor("bob").get(f"/receipts/{receipt}/file/").status_code == 404
    theirs = door.visitor("meier").get(f"/staff/submissions/{receipt}/file/")
    assert b"".join(theirs.streaming_content) == NOTEBOOK
    Job.objects.update(file="")
    assert door.visitor("ada").get(f"/receipts/{receipt}/file/").status_code == 404


def test_list_and_receipt_say_how_late_a_hand_in_is(door: Door) -> None:
    settings = door.root / "course.yaml"
    settings.write_text(settings.read_text().replace("title: Doubling", "title: Doubling\n    due: 2026-01-10 18:00"))
    door.hand_in("ada")
    Job.objects.update(received=datetime(2026, 1, 10, 21, 20, tzinfo=UTC))
    ada, receipt = door.visitor("ada"), Job.objects.get().receipt
    assert "3 h 20 min late" in ada.get(f"/receipts/{receipt}/").content.decode()
    hand_in.bring_in(door.course, Job.objects.get())
    assert "3 h 20 min late" in ada.get("/assignments/").content.decode()


def test_the_list_says_of_each_hand_in_how_late_it_is(door: Door) -> None:
    settings = door.root / "course.yaml"
    settings.write_text(settings.read_text().replace("title: Doubling", "title: Doubling\n    due: 2026-01-10 18:00"))
    for hour in (17, 21):
        door.hand_in("ada")
        Job.objects.filter(number=Job.objects.latest("number").number).update(
            received=datetime(2026, 1, 10, hour, 20, tzinfo=UTC)
        )
    assert door.visitor("ada").get("/assignments/hw/").content.decode().count("late</span>") == 1


@pytest.mark.integration
def test_a_receipt_shows_the_points_that_the_feedback_shows(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    without_walls(monkeypatch)
    answers = [door.hand_in("ada", content).headers["Location"] for content in (NOTEBOOK, OTHER)]
    door.work()
    ada = door.visitor("ada")
    first, last = (ada.get(each).content.decode() for each in answers)
    assert "2 of 2 points" in last
    assert "points" not in first, "the later one counts, and its page is the student's"
    held_grades.hold(door.course, "hw", "meier", "")
    held = ada.get(answers[-1]).content.decode()
    assert "points" not in held
    assert "Read the feedback" not in held


@pytest.mark.sandbox
def test_a_second_try_of_a_job_is_no_second_hand_in(door: Door) -> None:
    """A worker that was killed had brought the file in: its student handed in once, and reads nothing of a first time."""
    door.hand_in("ada")
    hand_in.bring_in(door.course, Job.objects.get())
    door.work()
    assert Job.objects.get().note == ""
