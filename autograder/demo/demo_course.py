"""The kit's own course, copied to a folder where it can be tried."""

from __future__ import annotations

import shutil
from pathlib import Path

from autograder._util.files import write_atomically
from autograder.errors import HostError, UsageError

FILES = ("course.yaml", "kaggle_data.py", "nbgrader_config.py", "prepare_data.py")
SHORTER = (b"cell_seconds: 30\n", b"cell_seconds: 15\n")
"""The lesson's limit of a cell, and the demo's: one of its students never ends, and all wait for that."""
MARK = ".autograder-demo"
"""File that tells a demo folder from a folder with somebody's work in it."""


def make_course(target: Path) -> Path:
    """Copy the FILES and source/ of the kit's own course to ``target``, without files that a release makes.

    An earlier demo in ``target`` is renewed: its course files are replaced, and its students' submissions,
    grades and gradebook are removed, so that two demos begin alike.

    Returns:
        ``target``.

    Raises:
        UsageError: ``target`` is a file, is the kit's own course, or holds anything but an earlier demo.
        HostError: this installation has no course with it.
    """
    origin = kit_course()
    if target.resolve() == origin or (target.exists() and not target.is_dir()):
        raise UsageError(f"{target}: choose a folder of its own for the demo")
    if target.is_dir() and any(target.iterdir()):
        if not (target / MARK).is_file():
            raise UsageError(f"{target} is not empty and not an earlier demo: choose another folder, or empty this one")
        _clear(target)
    write_atomically(target / MARK, "Made by `autograder demo`, which replaces what lies in this folder.\n")
    for name in FILES:
        write_atomically(target / name, (origin / name).read_bytes().replace(*SHORTER))
    ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "holdout.npz")
    shutil.copytree(origin / "source", target / "source", ignore=ignored)
    return target


def kit_course() -> Path:
    """Find the folder of the kit's own course: the checkout, or the copy in an installed package."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent, package / "_course"):
        if all((folder / name).is_file() for name in FILES) and (folder / "source").is_dir():
            return folder
    raise HostError(
        f"{package} comes without its course (course.yaml, kaggle_data.py, source/). "
        "Run the demo from a checkout of the project."
    )


def _clear(demo: Path) -> None:
    """Remove the files of a demo, and nothing that a person may have added."""
    generated = ("source", "release", "submitted", "autograded", "feedback", "reports", ".autograder")
    for name in generated:
        path = demo / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name in ("gradebook.db", "grades.csv"):
        (demo / name).unlink(missing_ok=True)
