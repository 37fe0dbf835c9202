"""Backup, restore and upgrade of a door with its course: one command each, and nothing is ever written over."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sqlite3
import tarfile
import tracemalloc
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import pytest
from click.testing import CliRunner, Result
from helpers.doors import NOTEBOOK, Door
from helpers.service_attempts import without_walls

from autograder.cli import main
from autograder.course.configuration import load_course
from autograder.errors import HostError, UsageError
from autograder.extensions.serve import folder_archive, serve_command, state_folder
from autograder.extensions.serve.models import Job, JobState

pytestmark = pytest.mark.integration


def serve(*words: object) -> Result:
    return CliRunner().invoke(main, ["serve", *map(str, words)])


def files(root: Path) -> dict[str, bytes]:
    """Path → content, without what belongs to processes and without databases, whose pages may differ."""
    paths = [path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"]
    return {str(p.relative_to(root)): p.read_bytes() for p in paths if ".db" not in p.name and "sqlite3" not in p.name}


def rows(root: Path) -> list[tuple[str, str, float]]:
    with contextlib.closing(sqlite3.connect(root / ".autograder/serve/door.sqlite3")) as database:
        return database.execute("select receipt, state, score from serve_job order by number").fetchall()


@pytest.fixture
def term(door: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """A door in use: ada's hand-in is graded, bob's waits."""
    without_walls(monkeypatch)
    door.hand_in("ada")
    door.work()
    door.hand_in("bob")
    return door


def save(door: Door, archive: Path) -> None:
    folder_archive.save(door.root, archive, state_folder.incoming(door.course))


def test_what_is_restored_is_the_course_with_its_queue(term: Door, tmp_path: Path) -> None:
    archive, copy = tmp_path / "term.tar.gz", tmp_path / "new/course"
    made, restored = serve("backup", archive, "--course", term.root), serve("restore", archive, "--course", copy)
    assert (made.exit_code, restored.exit_code) == (0, 0), made.output + restored.output
    assert archive.stat().st_mode & 0o077 == 0
    assert files(copy) == files(term.root)
    assert rows(copy) == rows(term.root)
    assert [state for _, state, _ in rows(copy)] == [JobState.DONE, JobState.WAITING]
    secret = copy / ".autograder/serve/secret"
    assert secret.stat().st_mode & 0o077 == 0


def test_a_restored_door_goes_on(term: Door, tmp_path: Path) -> None:
    save(term, tmp_path / "term.tar.gz")
    folder_archive.restore(tmp_path / "term.tar.gz", tmp_path / "new")
    with Door.opened(tmp_path / "new") as door:
        assert door.visitor("ada").get("/assignments/hw/feedback/").status_code == 200  # her link is the old one
        door.work()
        assert [job.state for job in Job.objects.order_by("number")] == [JobState.DONE, JobState.DONE]
        assert (door.course.submitted("bob", "hw") / "nb.ipynb").read_bytes() == NOTEBOOK


def test_each_row_of_a_backup_has_its_upload_while_students_hand_in(
    term: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The databases are copied before the files: what comes in between is a file without a row."""
    add = folder_archive._add

    def add_and_hand_in(archive: tarfile.TarFile, name: str, content: IO[bytes], mode: int) -> str:
        if name == "course.yaml":
            term.hand_in("ada", name="later.ipynb")
        return add(archive, name, content, mode)

    monkeypatch.setattr(folder_archive, "_add", add_and_hand_in)
    save(term, tmp_path / "term.tar.gz")
    folder_archive.restore(tmp_path / "term.tar.gz", tmp_path / "new")
    uploads = {path.stem for path in state_folder.uploads(load_course(tmp_path / "new")).iterdir()}
    assert {receipt for receipt, *_ in rows(tmp_path / "new")} <= uploads
    assert len(rows(term.root)) == len(rows(tmp_path / "new")) + 1


class Shrinks(io.BytesIO):
    """A file that another process makes shorter, ``times`` times, just when its length was asked."""

    def __init__(self, times: int) -> None:
        super().__init__(bytes(range(200)) * 1000)
        self.times = times

    def seek(self, offset: int, whence: int = 0) -> int:
        end = super().seek(offset, whence)
        if whence == os.SEEK_END and self.times:
            self.times -= 1
            self.truncate(end // 2)
        return end


def shrunk(folder: Path, times: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Save a folder whose log shrinks meanwhile; return its restored copy."""
    files = {"first.txt": b"1", "log": b"", "other.txt": b"2"}
    (folder / "course").mkdir()
    for name, content in files.items():
        (folder / "course" / name).write_bytes(content)
    opened = folder_archive._at_one_moment

    def opens(path: Path, target: Path) -> AbstractContextManager[IO[bytes]]:
        return contextlib.nullcontext(Shrinks(times)) if path.name == "log" else opened(path, target)

    monkeypatch.setattr(folder_archive, "_at_one_moment", opens)
    assert folder_archive.save(folder / "course", folder / "term.tar.gz", folder / "incoming") == len(files)
    folder_archive.restore(folder / "term.tar.gz", folder / "new")
    return folder / "new"


def test_a_file_that_shrinks_is_taken_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = shrunk(tmp_path, 1, monkeypatch)
    assert (copy / "log").read_bytes() == (bytes(range(200)) * 1000)[:100_000]
    assert [(copy / name).read_bytes() for name in ("first.txt", "other.txt")] == [b"1", b"2"]


def test_a_file_that_shrinks_again_ends_the_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HostError, match="log became shorter twice"):
        shrunk(tmp_path, 2, monkeypatch)
    assert not (tmp_path / "term.tar.gz").exists()


def test_nothing_is_written_over(term: Door, tmp_path: Path) -> None:
    archive, full = tmp_path / "term.tar.gz", tmp_path / "full"
    full.mkdir()
    (full / "thesis.tex").write_text("mine")
    archive.write_text("another backup")
    taken, refused = serve("backup", archive, "--course", term.root), serve("restore", archive, "--course", full)
    assert (taken.exit_code, refused.exit_code) == (2, 2)
    assert "exists already: name a new file" in taken.stderr
    assert "is not empty" in refused.stderr
    assert archive.read_text() == "another backup"
    assert [path.name for path in full.iterdir()] == ["thesis.tex"]


def with_member(name: str, kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/passwd"
        archive.addfile(entry, io.BytesIO())
        sums = json.dumps({}).encode()
        last = tarfile.TarInfo(folder_archive.DIGESTS)
        last.size = len(sums)
        archive.addfile(last, io.BytesIO(sums))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"no archive",
        with_member("../outside"),
        with_member("/tmp/outside-of-the-course"),
        with_member("link", tarfile.SYMTYPE),
        with_member("pipe", tarfile.FIFOTYPE),
        with_member("unnamed.txt"),
    ],
    ids=["none", "parent", "absolute", "link", "pipe", "unnamed"],
)
def test_an_archive_that_is_no_backup_leaves_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar.gz").write_bytes(content)
    with pytest.raises(UsageError, match="is no backup, or is damaged"):
        folder_archive.restore(tmp_path / "x.tar.gz", tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["x.tar.gz"]


def test_a_backup_with_one_changed_byte_is_refused(term: Door, tmp_path: Path) -> None:
    save(term, tmp_path / "term.tar.gz")
    with tarfile.open(tmp_path / "term.tar.gz") as archive:
        members = [(m, (archive.extractfile(m) or io.BytesIO()).read()) for m in archive]
    with tarfile.open(tmp_path / "changed.tar.gz", "w:gz") as archive:
        for member, content in members:
            content = content.replace(b"Ada A.", b"Eva A.") if member.name == "people.csv" else content
            archive.addfile(member, io.BytesIO(content))
    with pytest.raises(UsageError, match="not those that were saved"):
        folder_archive.restore(tmp_path / "changed.tar.gz", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_an_upgrade_keeps_a_backup_and_the_queue(term: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are brought up to date by what every start does; Django is set up once in a process."""
    monkeypatch.setattr("autograder.extensions.serve.django_settings.configure", load_course)
    before = rows(term.root)
    done = serve("upgrade", tmp_path / "before.tar.gz", "--course", term.root)
    assert done.exit_code == 0, done.output
    assert rows(term.root) == before
    folder_archive.restore(tmp_path / "before.tar.gz", tmp_path / "new")
    assert rows(tmp_path / "new") == before


def test_no_upgrade_while_a_worker_is_at_work(term: Door, tmp_path: Path) -> None:
    with state_folder.only_worker(term.course):
        done = serve("upgrade", tmp_path / "before.tar.gz", "--course", term.root)
    assert done.exit_code == 3
    assert "another worker is at work" in done.stderr
    assert not (tmp_path / "before.tar.gz").exists()


@pytest.mark.parametrize("action", serve_command._NEEDED)
def test_a_missing_word_is_named(action: str, tmp_path: Path) -> None:
    done = serve(action, "--course", tmp_path)
    assert done.exit_code == 2
    assert f"name {serve_command._NEEDED[action]}" in done.stderr


def test_a_large_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    large, copy = tmp_path / "course/data.bin", tmp_path / "copy"
    large.parent.mkdir()
    with large.open("wb") as file:
        file.truncate(48 << 20)
    tracemalloc.start()
    try:
        folder_archive.save(large.parent, tmp_path / "term.tar.gz", large.parent / "incoming")
        folder_archive.restore(tmp_path / "term.tar.gz", copy)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert (copy / "data.bin").stat().st_size == 48 << 20
