"""Archives from outside: what is taken, and what is refused before anything is written."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.archives import ATTACKS, BAD_NAMES, GOOD, WHOLE, tar_with, zip_with

from autograder.errors import SubmissionError
from autograder.submissions.archive import extract, scan
from autograder.submissions.members import CLASS, MIB, SUBMISSION, ArchiveLimits, Member, name_problem

TIGHT = ArchiveLimits(archive_bytes=4 * MIB, members=20, member_bytes=MIB, total_bytes=2 * MIB, ratio=50)


def write(folder: Path, data: bytes) -> Path:
    path = folder / "archive"
    path.write_bytes(data)
    return path


def unpack(data: bytes, folder: Path, limits: ArchiveLimits, *, strict: bool) -> tuple[Member, ...]:
    (folder / "out").mkdir()
    with write(folder, data).open("rb") as file:
        return extract(file, folder / "out", limits, strict=strict)


def written(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir() or p.is_symlink()}


# --- what is taken ------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [zip_with, tar_with, lambda *m: tar_with(*m, packed=True)])
def test_good_archives_come_out_as_they_went_in(make: Callable[..., bytes], tmp_path: Path) -> None:
    """Zips, tars and gzipped tars: folders are made, bytes are kept, hidden files and junk stay out."""
    data = make(
        GOOD,
        ("./data/größe.csv", b"1,2\n" * 50_000),
        ("empty.txt", b""),
        (".ipynb_checkpoints/ps1.ipynb", b"old"),
        ("__MACOSX/._ps1.ipynb", b"junk"),
    )
    members = unpack(data, tmp_path, SUBMISSION, strict=True)
    assert [m.name for m in members] == ["ps1.ipynb", "data/größe.csv", "empty.txt"]
    assert written(tmp_path / "out") == {"ps1.ipynb", "data/größe.csv", "empty.txt"}
    assert (tmp_path / "out/data/größe.csv").read_bytes() == b"1,2\n" * 50_000


def test_command_line_tar_of_a_folder_is_taken(tmp_path: Path) -> None:
    """`tar czf x.tgz .` names everything ./…, with folders of their own."""
    (tmp_path / "in/sub").mkdir(parents=True)
    (tmp_path / "in/sub/a.ipynb").write_text("{}")
    with tarfile.open(tmp_path / "x.tgz", "w:gz") as archive:
        archive.add(tmp_path / "in", arcname=".")
    with (tmp_path / "x.tgz").open("rb") as file:
        assert [m.name for m in scan(file, SUBMISSION)] == ["sub/a.ipynb"]


# --- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ATTACKS)
def test_one_bad_member_refuses_a_students_archive(attack: str, tmp_path: Path) -> None:
    """Whatever is wrong with one member: an error, and nothing written (save lies found on the way)."""
    with pytest.raises(SubmissionError):
        unpack(ATTACKS[attack](), tmp_path, TIGHT, strict=True)
    if "real size" not in attack:
        assert written(tmp_path / "out") == set()
    assert written(tmp_path) <= {"archive", "out/ps1.ipynb", "out/evil"}


# In a collision the good member is refused too: which of the two is meant, nobody can tell.
ALONE = [a for a in ATTACKS if not any(word in a for word in ("case", "twice", "under"))]


@pytest.mark.parametrize("attack", ALONE)
def test_one_bad_member_is_not_the_others_loss_in_a_class_export(attack: str, tmp_path: Path) -> None:
    """The bad member comes back with its problem, the good one is written, and nothing else is."""
    members = unpack(ATTACKS[attack](), tmp_path, TIGHT, strict=False)
    assert all(m.problem for m in members if m.name != "ps1.ipynb")
    assert written(tmp_path / "out") == {"ps1.ipynb"}


def test_a_name_twice_in_a_zip_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zip_with(GOOD, GOOD)
    with pytest.raises(SubmissionError, match="collides"):
        unpack(data, tmp_path, SUBMISSION, strict=True)


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("strict", [True, False])
def test_archives_that_are_refused_as_a_whole(kind: str, strict: bool, tmp_path: Path) -> None:
    make, message = WHOLE[kind]
    with pytest.raises(SubmissionError, match=message):
        unpack(make(), tmp_path, TIGHT, strict=strict)
    assert written(tmp_path / "out") == set()


@pytest.mark.parametrize("packed", [False, True])
def test_zip_bombs_are_refused_by_their_declared_ratio(packed: bool, tmp_path: Path) -> None:
    """20 MiB of zeros in 20 kB: within every size, and no notebook."""
    zeros = ("zeros", b"\0" * (20 * MIB))
    data = tar_with(zeros, packed=True) if packed else zip_with(zeros)
    with pytest.raises(SubmissionError, match="200 to 1"):
        unpack(data, tmp_path, SUBMISSION, strict=True)
    assert written(tmp_path / "out") == set()


def test_a_bomb_never_fills_the_memory(tmp_path: Path) -> None:
    """A gzip stream of 1 GiB (1 MB on the disk) is counted while it unpacks and left at the limit."""
    import tracemalloc

    with gzip.open(tmp_path / "bomb", "wb", compresslevel=1) as out:
        info = tarfile.TarInfo("zeros")
        info.size = 256 * MIB
        out.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(256):
            out.write(b"\0" * MIB)
    tracemalloc.start()
    with (tmp_path / "bomb").open("rb") as file, pytest.raises(SubmissionError):
        extract(file, tmp_path / "out", SUBMISSION, strict=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MIB


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
def test_bad_names_have_a_reason(name: str) -> None:
    assert name_problem(name)


@pytest.mark.parametrize("name", ["ps1.ipynb", "data/a b.csv", "größe/日本.ipynb", "a..b", "x" * 255])
def test_good_names_have_none(name: str) -> None:
    assert name_problem(name) == ""


def test_limits_for_a_class_are_wider_than_for_a_student() -> None:
    assert CLASS.members > SUBMISSION.members
    assert CLASS.member_bytes >= SUBMISSION.archive_bytes, "a student's archive fits into the class's"
