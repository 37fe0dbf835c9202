"""Acceptance test 78: a commit's id on the receipt names what was handed in, whatever a clone's objects are called."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

import pytest
from helpers.git_clones import DUE, HOUR, WORK, commit, git, make_git_course

from autograder.submission import CollectStatus, collect
from autograder.submissions.export_names import ExportLayout

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]
FORGED = b"forged = 1\n"


def named(repository: Path, name: str) -> str:
    return git(repository, "rev-parse", name)


def put_under(repository: Path, id: str, kind: bytes, content: bytes) -> None:
    """Write an object into the place of another one."""
    place = repository / ".git" / "objects" / id[:2] / id[2:]
    place.unlink()
    place.write_bytes(zlib.compress(b"%s %d\0%s" % (kind, len(content), content)))


def another_folder(repository: Path) -> None:
    forged = git(repository, "hash-object", "-w", "--stdin", given=FORGED)
    tree = b"100644 losses.py\0" + bytes.fromhex(forged)
    put_under(repository, named(repository, "HEAD^{tree}"), b"tree", tree)


def another_commit(repository: Path) -> None:
    content = git(repository, "cat-file", "commit", "HEAD").encode()
    put_under(repository, named(repository, "HEAD"), b"commit", content + b"\nanother message\n")


FORGERIES = {
    "file": lambda clone: put_under(clone, named(clone, "HEAD:losses.py"), b"blob", FORGED),
    "folder": another_folder,
    "commit": another_commit,
}


@pytest.mark.parametrize("forgery", sorted(FORGERIES))
def test_78_an_object_that_is_not_what_its_id_says_is_no_hand_in(tmp_path: Path, forgery: str) -> None:
    """The receipt would name a commit that the student shows elsewhere with other files."""
    course, clone = make_git_course(tmp_path / "course"), tmp_path / "clones" / "ada"
    commit(clone, WORK, DUE - HOUR)
    FORGERIES[forgery](clone)
    (found,) = collect(course, "hw1", clone.parent, layout=ExportLayout("git"))
    assert found.status is CollectStatus.REFUSED
    assert not course.submitted("ada", "hw1").exists()


@pytest.mark.parametrize(("options", "packed"), [([], False), ([], True), (["--object-format=sha256"], True)])
def test_78_control_an_honest_clone_is_collected_loose_and_packed(
    tmp_path: Path, options: list[str], packed: bool
) -> None:
    course, clone = make_git_course(tmp_path / "course"), tmp_path / "clones" / "ada"
    clone.mkdir(parents=True)
    git(clone, "init", "--quiet", *options)
    chosen = commit(clone, {**WORK, "deep/er/notes.txt": "mine"}, DUE - HOUR)
    if packed:
        git(clone, "gc", "--quiet")
    (found,) = collect(course, "hw1", clone.parent, layout=ExportLayout("git"))
    assert (found.status, chosen[:12] in found.reason) == (CollectStatus.COLLECTED, True)
