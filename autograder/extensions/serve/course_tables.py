"""The course as the door reads it: by its newest tables, or by the last ones that were in order.

A typo in a date, or an editor that has saved half a file, closes the door for nobody. Copies of the tables are kept
whenever they are in order; the newest copies count until the files are in order again.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder._util.files import Versions, versions_of, write_atomically
from autograder.course.configuration import load_course
from autograder.course.course_yaml import COURSE_FILE
from autograder.errors import CourseError, HostError
from autograder.extensions.serve import state_folder
from autograder.records.course import Course
from autograder.term.csv_tables import read_table
from autograder.term.facts import TERM_FILES, load_term
from autograder.term.people import CSV_FILE, LEFT, YAML_FILE, load_roster

TABLES = (COURSE_FILE, *TERM_FILES)
_NEEDED = ((COURSE_FILE,), (CSV_FILE, YAML_FILE))
"""Tables that are not deleted on purpose while a door is open: of each group, one has to stay."""
_MOST_COPIES = 8
FAULT_SECONDS = 1.0
"""Seconds for which tables that have a fault, and do not change, are not read again."""
_SAVING_SECONDS = 10.0
"""Seconds for which an editor, or what brings files from elsewhere, may leave a table away."""


@dataclass(frozen=True, slots=True)
class CourseReading:
    """The course for one request."""

    course: Course
    fault: str = ""
    """What is wrong with the newest tables, which do not count yet; empty if nothing is."""
    gone: frozenset[str] = frozenset()
    """People whom the newest list of people does not have any more, as far as it can be read: they do not come in."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """What the last look at a course's tables found."""

    versions: Versions
    reading: CourseReading
    at: float = field(default_factory=time.monotonic)


_looked: dict[Path, _Looked] = {}


def read(root: Path) -> CourseReading:
    """Read the course, with the last tables that were in order.

    Raises:
        CourseError: something is wrong, and it never was in order.
        HostError: something cannot be read, and never could.
    """
    before = _looked.get(root)
    newest = _versions(root)
    # Some faults pass with time, and a look reads all tables.
    is_old = before is not None and bool(before.reading.fault) and time.monotonic() - before.at > FAULT_SECONDS
    copies = before.reading.course.tables if before is not None else None
    is_gone = copies is not None and not copies.is_dir()
    if before is None or before.versions != newest or is_old or is_gone:
        before = _looked[root] = _Looked(newest, _look(root, newest))
    reading = before.reading
    try:
        return replace(reading, course=load_course(root, reading.course.tables))
    except (CourseError, HostError) as error:  # of what else a course is: its folders, an nbgrader_config.py
        return replace(reading, fault=reading.fault or str(error))


def _versions(root: Path) -> Versions:
    return versions_of(root / name for name in TABLES)


def _look(root: Path, newest: Versions) -> CourseReading:
    """Copy the tables and read the copies; where a fault is found, read the last ones without."""
    folder = state_folder.tables(root)
    if not folder.is_dir():
        return CourseReading(load_course(root))
    last = _last(folder)
    try:
        copies = _copied(root, folder, newest, last)
    except (OSError, HostError):  # a full disk closes no door, either
        return CourseReading(load_course(root))
    except CourseError as error:
        if last is None:
            raise
        course = load_course(root, last)
        return CourseReading(course, str(error), _gone(course))
    return CourseReading(load_course(root, copies))


def _gone(course: Course) -> frozenset[str]:
    """Return who was in the course, and is not among the lines of the newest people.csv, whatever else is wrong."""
    path = course.root / CSV_FILE
    try:
        is_saved = time.time() - path.stat().st_mtime > _SAVING_SECONDS
        rows = read_table(path).rows if is_saved else ()
    except (CourseError, HostError, OSError):  # nothing of it can be read: they stay
        return frozenset()
    ids = (row.get("id") for row in rows if row.get("status").casefold() != LEFT)
    listed = {unicodedata.normalize("NFC", each) for each in ids} - {""}  # as the ids of people in order are
    return frozenset(person.id for person in load_roster(course).people if listed and person.id not in listed)


def _copied(root: Path, folder: Path, newest: Versions, last: Path | None) -> Path:
    """Return the folder with copies of the tables, which are in order.

    Raises:
        CourseError: they are not, or one cannot be read.
        HostError, OSError: a copy cannot be written.
    """
    contents = {name: _content(root / name) for name in TABLES if (root / name).exists()}
    if _versions(root) != newest:
        raise CourseError("a file of the course is being saved")
    _refuse_gone(root, contents, last)
    copies = folder / hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()[:32]
    if not copies.is_dir():
        _write(root, copies, contents)
    if copies != last:
        write_atomically(folder / "last", copies.name, mode=state_folder.file_mode(folder))
        _prune(folder, copies)
    return copies


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path.name} cannot be read ({error.strerror}); check its permissions") from error


def _refuse_gone(root: Path, contents: Mapping[str, bytes], last: Path | None) -> None:
    """Refuse a course that lost its course.yaml or its people, and any table that has just gone: editors save so."""
    for group in _NEEDED:
        if last is not None and not contents.keys() & set(group) and any((last / name).exists() for name in group):
            raise CourseError(f"{group[0]} is gone; put it back")
    gone = [name for name in TERM_FILES if last is not None and name not in contents and (last / name).exists()]
    if gone and time.time() - root.stat().st_mtime < _SAVING_SECONDS:
        raise CourseError(f"{gone[0]} is being saved")


def _write(root: Path, copies: Path, contents: Mapping[str, bytes]) -> None:
    """Write copies of tables that are in order; a copy has the mode of the door's other files.

    Raises:
        CourseError, OSError: as for :func:`_copied`.
    """
    aside = Path(tempfile.mkdtemp(prefix=".", dir=copies.parent))
    try:
        for name, content in contents.items():
            (aside / name).write_bytes(content)
            (aside / name).chmod(state_folder.file_mode(copies.parent))
        load_term(load_course(root, aside))
        aside.chmod(copies.parent.stat().st_mode & 0o7777)
        with contextlib.suppress(OSError):  # another process was first
            aside.rename(copies)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _last(folder: Path) -> Path | None:
    """Return the newest copies that were in order; None if there are none."""
    try:
        copies = folder / (folder / "last").read_text()
    except OSError:
        return None
    return copies if copies.is_dir() else None


def _prune(folder: Path, copies: Path) -> None:
    """Delete old copies; of the others, a request may still read one."""
    folders = sorted((path for path in folder.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for path in folders[:-_MOST_COPIES]:
        if path != copies:
            shutil.rmtree(path, ignore_errors=True)
