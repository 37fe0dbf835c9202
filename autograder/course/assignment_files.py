"""Files that an assignment of course.yaml names: released, hidden, made before a release."""

from __future__ import annotations

import shlex
from pathlib import Path, PurePosixPath

import yaml

from autograder.course.course_yaml import COURSE_FILE, READER
from autograder.course.paths import inside, is_hidden
from autograder.records.course import Assignment

_PRIVATE = frozenset(
    {
        *("submitted", "autograded", "feedback", "reports", "gradebook.db", "grades.csv", "totals.csv", ".autograder"),
        *("people.csv", "people.yaml", "extensions.csv", "teams.csv", "second-look"),
    }
)


def check_files(root: Path, node: yaml.Node, section: str, base: Path, *, hidden: bool, may_be_made: bool) -> None:
    """Check the listed files: they exist below ``base``, and students may see them.

    With ``may_be_made``, files may be missing, because a command makes them before a release. No two may have one name.
    """
    names: dict[str, str] = {}
    for item in READER.items(node, "files"):
        name = str(item.value)
        try:
            path = inside(root, name, base)
        except ValueError as error:
            raise READER.error(item, f"{name!r} in {section} {error}") from None
        if not (path.is_file() or path.is_dir() or (may_be_made and not path.exists())) or path == base.resolve():
            raise READER.error(item, f"{section}: there is no file {base.relative_to(root) / name}")
        if not hidden and (reason := _not_released(root, path)):
            raise READER.error(item, f"{name!r} in {section} {reason}")
        key = name if hidden else PurePosixPath(name).name
        if key in names:
            raise READER.error(item, f"{name!r} and {names[key]!r} in {section} would be one file; rename one")
        names[key] = name


def _not_released(root: Path, path: Path) -> str:
    """Return why students may not get a file of the course; empty if they may."""
    if is_hidden(root, path):
        return "lies in a hidden folder: students would get it"
    parts = path.relative_to(root).parts
    if parts == (COURSE_FILE,):
        return "may hold secrets: it cannot be released"
    return "is about students: it cannot be released" if parts[0] in _PRIVATE else ""


def check_prepare(root: Path, node: yaml.Node, section: str, result: Assignment, source: Path) -> None:
    """Check that the command is a Python file of the course, and that students get none of its files."""
    try:
        words = shlex.split(result.prepare or "")
    except ValueError as error:
        raise READER.error(node, f"'prepare' in {section} is not a command line: {error}") from None
    script = words[0] if words else ""
    try:
        path = inside(root, script, root)
    except ValueError as error:
        raise READER.error(node, f"{script!r}, the script of 'prepare' in {section}, {error}") from None
    if path.suffix != ".py" or not path.is_file():
        rule = "the first word of 'prepare' must be a Python file of the course"
        raise READER.error(node, f"{section}: there is no Python file {script!r}; {rule}")
    for word in words:
        argument = (root / word.rpartition("=")[2]).resolve()
        if _is_released(root, argument, result, source):
            raise READER.error(node, f"'prepare' in {section} uses {word!r}, which students would get")


def _is_released(root: Path, path: Path, result: Assignment, source: Path) -> bool:
    """Tell whether ``path`` goes with the release."""
    if any(path.is_relative_to((root / name).resolve()) for name in result.files):
        return True
    return path.is_file() and path.is_relative_to(source) and not is_hidden(root, path)
