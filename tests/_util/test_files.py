"""Folders change places as a whole, and what a killed process left goes."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder._util import files
from autograder._util.files import fill, replace_folder, sweep, write_atomically
from autograder.errors import HostError


def folder(path: Path, text: str) -> Path:
    path.mkdir(parents=True)
    (path / "file").write_text(text)
    return path


@pytest.fixture(params=["in one step", "in two steps"])
def steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With a file system that exchanges names, and with one that does not."""
    if request.param == "in two steps":
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    return str(request.param)


@pytest.mark.usefixtures("steps")
def test_a_folder_is_put_in_a_place_where_there_is_none_or_another(tmp_path: Path) -> None:
    target = tmp_path / "autograded/ada/hw"
    for text in ("first", "second"):
        replace_folder(folder(tmp_path / f"work/{text}/new", text), target)
        assert (target / "file").read_text() == text
        assert list((tmp_path / f"work/{text}").iterdir()) == []
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.usefixtures("steps")
def test_a_link_in_its_place_is_replaced_and_what_it_points_at_stays(tmp_path: Path) -> None:
    victim = folder(tmp_path / "victim", "precious")
    (tmp_path / "target").symlink_to(victim)
    replace_folder(folder(tmp_path / "work/new", "grade"), tmp_path / "target")
    assert (victim / "file").read_text() == "precious"
    assert not (tmp_path / "target").is_symlink()
    assert list((tmp_path / "work").iterdir()) == []


def test_whoever_is_killed_while_folders_change_leaves_one_of_them(tmp_path: Path) -> None:
    """SIGKILL again and again: the target is there each time, and whole."""
    target = folder(tmp_path / "target", "0")
    code = (
        "import sys\nfrom pathlib import Path\nfrom autograder._util.files import replace_folder\n"
        "root = Path(sys.argv[1])\nprint(flush=True)\n"
        "for n in range(10**9):\n"
        "    new = root / f'work/{n}'\n    new.mkdir(parents=True)\n    (new / 'file').write_text(str(n))\n"
        "    replace_folder(new, root / 'target')\n"
    )
    for number in range(6):
        with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.03 + number / 100)
            process.kill()
        assert (target / "file").read_text().isdigit()
        shutil.rmtree(tmp_path / "work")


def test_where_it_can_not_be_moved_the_old_one_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = folder(tmp_path / "target", "old")
    new = folder(tmp_path / "new", "new")

    def refuse(one: Path, other: Path) -> bool:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files, "_exchange", refuse)
    with pytest.raises(
        HostError, match=r"target cannot be replaced \(Permission denied\); check free space and permissions"
    ):
        replace_folder(new, target)
    assert (target / "file").read_text() == "old"


def test_what_was_written_aside_and_never_renamed_goes_when_it_is_old(tmp_path: Path) -> None:
    page = tmp_path / "feedback/ada/hw/nb.html"
    write_atomically(page, "page")
    kept = [page, page.with_name(".nb.html.abcd1234.tmp"), page.with_name(".mine.tmp")]
    for path in kept[1:]:
        path.write_text("half")
    left = page.with_name(".nb.html.x_yz9876.tmp")
    left.write_text("half")
    for path in (left, page, kept[2]):
        os.utime(path, (0, 0))
    sweep(tmp_path)
    assert sorted(page.parent.iterdir()) == sorted(kept)


def test_a_file_is_written_in_pieces_and_the_old_one_stays_where_a_piece_can_not_be_made(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write_atomically(path, iter(["one ", "zwölf"]))
    assert path.read_text(encoding="utf-8") == "one zwölf"

    def fails() -> Iterator[str]:
        yield "half"
        raise KeyError("a name")

    with pytest.raises(KeyError):
        write_atomically(path, fails())
    assert path.read_text(encoding="utf-8") == "one zwölf"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_filled_with_files_that_everybody_may_read(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        fill(tmp_path, {"text.txt": "ä\n", "bytes.bin": b"\0"})
    finally:
        os.umask(old)
    assert (tmp_path / "text.txt").read_bytes() == "ä\n".encode()
    assert (tmp_path / "bytes.bin").read_bytes() == b"\0"
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o644}


def test_what_is_there_already_is_not_written_over_or_through(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        fill(tmp_path / "folder", {"link": "theirs"})
    assert (tmp_path / "elsewhere").read_text() == "mine"
