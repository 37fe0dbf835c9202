"""Work as bytes: what a machine needs that shares no folder with this one, and the work that it makes of them.

A batch has one *common* parcel (exams, hidden data, released files, the course's own modules), which each worker gets
once, and a small one for each submission. Both are JSON and plain files; nothing is unpickled.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder._util.plain_records import from_plain, to_plain
from autograder.errors import HostError
from autograder.grading.container import pack, unpack, write_files
from autograder.grading.course_files import course_files
from autograder.grading.work import TIMESTAMP, Work, read_stamp, versions
from autograder.records import MAX_NOTEBOOK_BYTES, Assignment, Exam
from autograder.submissions.members import SUBMISSION

STATE = ".autograder"
"""In the folder that stands for the course over there, as here: what a batch makes and nobody keeps."""
BATCH_LOG = "batch.log"
MAX_COMMON = 2 << 30
"""Bytes of a common parcel. It lies in the memory of the scheduler and, for a moment, of each worker."""


@dataclass(frozen=True)
class Common:
    """What the submissions of a batch have in common, on the machine that grades them."""

    root: Path
    """Stands for the course folder; submissions lie below it as well, so that one mask covers all."""
    assignment: Assignment
    exams: tuple[Exam, ...]
    hidden: Path | None
    modules: tuple[Path, ...]
    files: Mapping[str, Path]
    """Path in the work folder → file: what the release brought."""
    versions: Mapping[str, str]
    """What the coordinator has installed."""
    warm: bool = True
    """Kernels are forked from a template."""


def pack_common(due: Sequence[Work], *, warm: bool = True) -> bytes:
    """The common parcel of a batch; ``warm``: kernels are to be forked from a template.

    Raises:
        CourseError: a file of the course cannot be read.
        HostError: there is more than :data:`MAX_COMMON`.
    """
    first = due[0]
    shared = (first.assignment, first.exams, first.course, first.hidden, first.modules)
    if any((work.assignment, work.exams, work.course, work.hidden, work.modules) != shared for work in due):
        raise ValueError("the submissions of a batch have one exam")
    files = course_files(first)
    if (size := sum(map(len, files.values()))) > MAX_COMMON:
        what = f"{first.assignment.name} has {size >> 20:,} MiB of files beside its notebooks"
        raise HostError(f"{what}; {MAX_COMMON >> 20:,} MiB are sent to other machines at most: grade it on one")
    return pack(_common_head(first, warm), files)


def pack_common_head(work: Work) -> bytes:
    """The same without any file, for who has the files already: see :func:`common_in`."""
    return pack(_common_head(work, warm=True), {})


def _common_head(first: Work, warm: bool) -> dict[str, Any]:
    return {
        "assignment": to_plain(first.assignment),
        "exams": to_plain(first.exams),
        "hidden": _relative(first.hidden, first.course) if first.hidden else None,
        "modules": [_relative(folder, first.course) for folder in first.modules],
        "files": {name: _relative(path, first.course) for name, path in first.files.items() if not _own(first, path)},
        "versions": versions(),
        "warm": warm,
    }


@dataclass(frozen=True)
class _CommonHead:
    assignment: Assignment
    exams: tuple[Exam, ...]
    hidden: str | None
    modules: tuple[str, ...]
    files: Mapping[str, str]
    versions: Mapping[str, str]
    warm: bool


def unpack_common(data: bytes, root: Path) -> Common:
    """Write the common parcel's files below ``root``.

    Raises:
        ValueError: it is no such parcel.
    """
    _, files = unpack(data)
    common = common_in(data, root)
    write_files(root, files)
    for folder in common.modules:
        folder.mkdir(parents=True, exist_ok=True)
    return common


def common_in(data: bytes, root: Path) -> Common:
    """What a common parcel says, where its files lie below ``root``.

    Raises:
        ValueError: it is no such parcel.
    """
    head, _ = unpack(data)
    read = from_plain(_CommonHead, head)
    return Common(
        root=root,
        assignment=read.assignment,
        exams=read.exams,
        hidden=root / read.hidden if read.hidden is not None else None,
        modules=tuple(root / folder for folder in read.modules),
        files={name: root / place for name, place in read.files.items()},
        versions=read.versions,
        warm=read.warm,
    )


# --- one submission --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _UnitHead:
    student: str
    submitted_at: datetime | None
    content_keys: Mapping[str, str]
    own: tuple[str, ...]
    """The student's files that go into the work folder."""
    odd: Mapping[str, str]
    """Notebook that cannot be read as one → what it is. The other machine makes the same of it, and says the same."""


def pack_unit(work: Work) -> bytes:
    """The parcel of one submission.

    Raises:
        HostError: a file in it cannot be read, or they are too large to travel.
    """
    files: dict[str, bytes] = {}
    odd: dict[str, str] = {}
    own = sorted(name for name, path in work.files.items() if _own(work, path))
    for name in [f"{exam.notebook}.ipynb" for exam in work.exams]:
        path = work.submission / name
        if kind := _odd(path):
            odd[name] = kind
        elif path.exists():
            files[name] = _content(path, MAX_NOTEBOOK_BYTES)
    if (stamp := read_stamp(work.submission)) is not None:
        files[TIMESTAMP] = stamp
    for path in (work.files[name] for name in own):
        files[path.relative_to(work.submission).as_posix()] = _content(path, SUBMISSION.member_bytes)
        if sum(map(len, files.values())) > 2 * SUBMISSION.total_bytes:
            raise HostError(
                f"{work.submission} is too large: at most {2 * SUBMISSION.total_bytes >> 20} MiB are examined"
            )
    return pack(to_plain(_UnitHead(work.student, work.submitted_at, work.content_keys, tuple(own), odd)), files)


def unpack_unit(data: bytes, common: Common, folder: Path) -> Work:
    """Write a submission's files below ``folder``, which lies below ``common.root``; the work that it is there.

    Raises:
        ValueError: it is no such parcel.
    """
    head, files = unpack(data)
    read = from_plain(_UnitHead, head)
    submission = folder / "submitted"
    submission.mkdir(mode=0o700)
    write_files(submission, files)
    for name, kind in read.odd.items():
        _make_odd(submission / name, kind)
    return replace(
        work_in(common, folder),
        student=read.student,
        files={**{name: submission / name for name in read.own}, **common.files},
        submitted_at=read.submitted_at,
        content_keys=read.content_keys,
    )


def work_in(common: Common, folder: Path) -> Work:
    """The work of nobody, in ``folder``: what all submissions of the batch have in common."""
    return Work(
        student="",
        assignment=common.assignment,
        exams=common.exams,
        submission=folder / "submitted",
        target=folder / "autograded",
        scratch=folder / "work",
        details=folder / "details.json",
        log=folder / "log",
        batch_log=common.root / STATE / BATCH_LOG,
        course=common.root,
        hidden=common.hidden,
        modules=common.modules,
        files=common.files,
    )


def _own(work: Work, path: Path) -> bool:
    return path.is_relative_to(work.submission)


def _relative(path: Path, course: Path) -> str:
    return path.relative_to(course).as_posix()


def _content(path: Path, most: int) -> bytes:
    """Of a regular file; no link is followed and no pipe waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise HostError(f"{path} cannot be read ({error.strerror})") from error
    if len(content) > most:
        raise HostError(f"{path} is larger than {most >> 20} MiB, and so is not examined; a person should look at it")
    return content


def _odd(path: Path) -> str:
    """What a notebook is that is no regular file of a size that is read; empty where it is one, or is not there."""
    try:
        status = path.lstat()
    except OSError:
        return ""
    for test, kind in ((stat.S_ISLNK, "link"), (stat.S_ISDIR, "folder"), (stat.S_ISREG, "")):
        if test(status.st_mode):
            return kind if kind or status.st_size <= MAX_NOTEBOOK_BYTES else str(status.st_size)
    return "pipe"


def _make_odd(path: Path, kind: str) -> None:
    if kind == "link":
        path.symlink_to("nowhere")
    elif kind == "folder":
        path.mkdir(exist_ok=True)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        with path.open("wb") as file:
            file.truncate(int(kind))
