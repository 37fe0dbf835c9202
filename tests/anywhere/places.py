"""Places on a disk where somebody may put the kit, and how a copy of this checkout gets there."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
COPIED = ("autograder", "pyproject.toml", "README.md", "LICENSE")
HEAVY = ("tensorflow*", "tensorboard*", "keras*", "jax*", "llvmlite*", "pytensor*", "numba*", "clang*")
"""Libraries that are left out of the copied environments: what is graded here needs none of them."""
ROOM_BYTES = 2 << 30
ODD = "a path, größer\nthan usual"


@dataclass(frozen=True)
class Place:
    """A copy of the checkout, its environment, and a folder for courses."""

    checkout: Path
    environment: Path
    courses: Path
    view: tuple[str, ...] = ()
    """First words of each command: they change what it sees of the files."""

    def command(self, *words: str | Path) -> list[str]:
        """The kit's command line, called as this copy's own."""
        return [*self.view, str(self.environment / "bin/python"), "-m", "autograder", *map(str, words)]


Make = Callable[[Path], Place]


def usual(folder: Path) -> Place:
    """Everything in one folder, as the README says."""
    return _copy(folder, folder / ".venv", folder / "courses")


def odd(folder: Path) -> Place:
    return usual(folder / ODD)


def closed(folder: Path) -> Place:
    place = usual(folder / "home/kit")
    (folder / "home").chmod(0o700)
    return place


def linked(folder: Path) -> Place:
    """Reached through a link to a link."""
    (folder / "real").mkdir()
    (folder / "first").symlink_to("second")
    (folder / "second").symlink_to(folder / "real")
    return usual(folder / "first/kit")


def apart(folder: Path) -> Place:
    """The environment outside of the checkout."""
    return _copy(folder / "kit", folder / "environments/grading", folder / "courses")


def read_only(folder: Path) -> Place:
    """A checkout that nobody may write to; for root, who may write everywhere, it is mounted so."""
    place = _copy(folder / "kit", folder / "kit/.venv", folder / "courses")
    kit = shlex.quote(str(folder / "kit"))
    if os.geteuid() != 0:
        subprocess.run(["chmod", "-R", "a-w", folder / "kit"], check=True)
        return place
    script = f'mount --bind {kit} {kit}; mount -o remount,ro,bind {kit}; exec "$@"'
    return Place(place.checkout, place.environment, place.courses, ("unshare", "--mount", "sh", "-ec", script, "sh"))


def everywhere(baseline: Path) -> Mapping[str, tuple[Path, Make]]:
    """Name of a place → the folder in which it is made, and how; the first is what others are compared with."""
    return {
        "an open folder": (baseline, usual),
        "/tmp": (Path("/tmp"), usual),
        "/var/tmp": (Path("/var/tmp"), usual),
        "/dev/shm": (Path("/dev/shm"), usual),
        "behind links": (baseline, linked),
        "an odd path": (baseline, odd),
        "a closed home": (baseline, closed),
        "a read-only checkout": (baseline, read_only),
        "an environment apart": (baseline, apart),
    }


def open_folder() -> Path:
    """A folder that everybody may enter, outside of those that a sandbox has for itself."""
    for folder in (CHECKOUT.parent, Path("/opt"), Path("/srv"), Path.home()):
        ways = (folder, *folder.parents)
        covered = any(folder.is_relative_to(place) for place in ("/tmp", "/var/tmp", "/dev/shm"))
        if os.access(folder, os.W_OK) and not covered and all(way.stat().st_mode & 0o001 for way in ways):
            return folder
    return CHECKOUT.parent


@contextmanager
def made(folder: Path, make: Make) -> Iterator[Place]:
    """Make a place in a new folder, and remove it at the end."""
    made_folder = Path(tempfile.mkdtemp(prefix="anywhere-", dir=folder))
    made_folder.chmod(0o755)
    try:
        yield make(made_folder)
    finally:
        subprocess.run(["chmod", "-R", "u+w", made_folder], check=False)
        shutil.rmtree(made_folder, ignore_errors=True)


def why_not(folder: Path) -> str:
    """Why no place can be made in a folder; empty where it can."""
    if not os.access(folder, os.W_OK):
        return "no folder can be made there"
    free = shutil.disk_usage(folder).free
    return f"only {free >> 20} MiB are free" if free < ROOM_BYTES else ""


def _copy(checkout: Path, environment: Path, courses: Path) -> Place:
    checkout.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        source = CHECKOUT / name
        if source.is_dir():
            shutil.copytree(source, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, checkout)
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(checkout / "autograder")], check=False)
    courses.mkdir(parents=True)
    environment.parent.mkdir(parents=True, exist_ok=True)
    same_disk = os.stat(sys.prefix).st_dev == environment.parent.stat().st_dev  # noqa: PTH116
    copy = os.link if same_disk else shutil.copy2
    left_out = shutil.ignore_patterns(*HEAVY)
    shutil.copytree(sys.prefix, environment, symlinks=True, copy_function=copy, ignore=left_out)
    for packages in environment.glob("lib/python*/site-packages"):
        for file in packages.glob("*.pth"):
            if str(CHECKOUT) in file.read_text():  # the editable checkout; a path may have a line break in it
                file.unlink()
                file.write_text(f"import sys; sys.path.append({str(checkout)!r})\n")
    return Place(checkout, environment, courses)
