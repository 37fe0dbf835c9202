"""Places on a disk where somebody may put the kit, and how a copy of this checkout gets there."""

from __future__ import annotations

import fnmatch
import os
import re
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
COPIED = ("autograder", "source", "pyproject.toml", "README.md", "LICENSE", "course.yaml", "kaggle_data.py")
COPIED += ("nbgrader_config.py", "prepare_data.py")
LOCK = "requirements.lock"
HEAVY = ("tensorflow*", "tensorboard*", "keras*", "jax*", "llvmlite*", "pytensor*", "numba*", "clang*")
"""Libraries that are left out of the environments: what is graded here needs none of them."""
ROOM_BYTES = 2 << 30
ODD = "a path, größer than usual"
LINE_BREAK = "a path with\na line break"


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


Environment = Callable[[Path, Path], None]
"""Makes an environment for a checkout, in a folder."""
Make = Callable[[Path, Environment], Place]


def wheels(folder: Path) -> Path | None:
    """Collect the wheels of the lock in a folder, most of them from pip's cache; None where pip cannot."""
    pinned = re.split(r"\n(?=\S)", (CHECKOUT / LOCK).read_text())
    light = [pin for pin in pinned if not any(fnmatch.fnmatch(pin, f"{name}==*") for name in HEAVY)]
    (folder / LOCK).write_text("\n".join(light))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    done = subprocess.run([*command, "-r", folder / LOCK, "--dest", folder], check=False)
    return folder if done.returncode == 0 else None


def installed(wheels: Path) -> Environment:
    """Install from wheels alone, with pip, as scripts/install does."""

    def install(checkout: Path, environment: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        pip = [environment / "bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
        locked = ["--find-links", wheels, "--require-hashes", "-r", wheels / LOCK]
        subprocess.run([*pip, *locked], check=True)
        subprocess.run([*pip, "--no-build-isolation", "-e", "."], cwd=checkout, check=True)

    return install


def usual(folder: Path, environment: Environment) -> Place:
    """Everything in one folder, as the README says."""
    return _place(folder, folder / ".venv", folder / "courses", environment)


def odd(folder: Path, environment: Environment) -> Place:
    return usual(folder / ODD, environment)


def broken_line(folder: Path, environment: Environment) -> Place:
    """Nobody can install there, which scripts/install says; somebody may move the kit there."""
    return usual(folder / LINE_BREAK, copied)


def closed(folder: Path, environment: Environment) -> Place:
    place = usual(folder / "home/kit", environment)
    (folder / "home").chmod(0o700)
    return place


def linked(folder: Path, environment: Environment) -> Place:
    """Reached through a link to a link."""
    (folder / "real").mkdir()
    (folder / "first").symlink_to("second")
    (folder / "second").symlink_to(folder / "real")
    return usual(folder / "first/kit", environment)


def apart(folder: Path, environment: Environment) -> Place:
    """The environment outside of the checkout."""
    return _place(folder / "kit", folder / "environments/grading", folder / "courses", environment)


def read_only(folder: Path, environment: Environment) -> Place:
    """A checkout that nobody may write to; for root, who may write everywhere, it is mounted so."""
    place = _place(folder / "kit", folder / "kit/.venv", folder / "courses", environment)
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
        "a line break": (baseline, broken_line),
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
def made(folder: Path, make: Make, environment: Environment) -> Iterator[Place]:
    """Make a place in a new folder, and remove it at the end."""
    made_folder = Path(tempfile.mkdtemp(prefix="anywhere-", dir=folder))
    made_folder.chmod(0o755)
    try:
        yield make(made_folder, environment)
    finally:
        subprocess.run(["chmod", "-R", "u+w", made_folder], check=False)
        shutil.rmtree(made_folder, ignore_errors=True)


def why_not(folder: Path) -> str:
    """Why no place can be made in a folder; empty where it can."""
    if not os.access(folder, os.W_OK):
        return "no folder can be made there"
    free = shutil.disk_usage(folder).free
    return f"only {free >> 20} MiB are free" if free < ROOM_BYTES else ""


def _place(checkout: Path, environment: Path, courses: Path, make_environment: Environment) -> Place:
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
    make_environment(checkout, environment)
    return Place(checkout, environment, courses)


def copied(checkout: Path, environment: Path) -> None:
    """Copy this checkout's own environment, and lead it to another checkout."""
    same_disk = os.stat(sys.prefix).st_dev == environment.parent.stat().st_dev  # noqa: PTH116
    copy = os.link if same_disk else shutil.copy2
    left_out = shutil.ignore_patterns(*HEAVY)
    shutil.copytree(sys.prefix, environment, symlinks=True, copy_function=copy, ignore=left_out)
    for packages in environment.glob("lib/python*/site-packages"):
        for file in packages.glob("*.pth"):
            if str(CHECKOUT) in file.read_text():  # the editable checkout; a path may have a line break in it
                file.unlink()
                file.write_text(f"import sys; sys.path.append({str(checkout)!r})\n")
