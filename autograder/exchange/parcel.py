"""Parcels: work as bytes, for machines that share no folder, and the work records that these make.

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
from autograder._util.student_names import is_folder_name
from autograder.errors import HostError
from autograder.exchange.blob_container import checked_path, pack, unpack, write_files
from autograder.exchange.work import Work, is_students, read_stamp, versions
from autograder.records.course import Assignment
from autograder.records.dates import TIMESTAMP, Dates
from autograder.records.exam import Exam
from autograder.records.limits import FILE_MIB, MAX_NOTEBOOK_BYTES
from autograder.records.observations import Observations

STATE = ".autograder"
"""Folder for working files in the stand-in for the course, as in the course itself; nothing in it is kept."""
BATCH_LOG = "batch.log"
MAX_COMMON = 2 << 30
"""Largest size of a common parcel. It lies in the memory of the scheduler and, for a moment, of each worker."""


@dataclass(frozen=True)
class Common:
    """Data that the submissions of a batch share, on the machine that grades them."""

    root: Path
    """Stand-in for the course folder; submissions lie below it as well, so that hiding it hides all."""
    assignment: Assignment
    exams: tuple[Exam, ...]
    hidden: Path | None
    modules: tuple[Path, ...]
    files: Mapping[str, Path]
    """Path in the work folder → file of the release."""
    versions: Mapping[str, str]
    """Versions that the coordinator has installed."""
    warm: bool = True
    """Whether kernels are forked from a template."""


def pack_common(
    due: Sequence[Work], files: Mapping[str, bytes], *, warm: bool = True, is_observed: bool = False
) -> bytes:
    """Pack the common parcel of a batch.

    Args:
        due: the submissions of the batch.
        files: path in the course folder → content, of all that grading them may open.
        warm: whether kernels are to be forked from a template.
        is_observed: whether what the solution was seen to do is in it, where no parcel of a submission brings it.

    Raises:
        HostError: there is more than :data:`MAX_COMMON`.
    """
    first = due[0]
    shared = (first.assignment, first.exams, first.course, first.hidden, first.modules)
    if any((work.assignment, work.exams, work.course, work.hidden, work.modules) != shared for work in due):
        raise ValueError("the submissions of a batch have one exam")
    if (size := sum(map(len, files.values()))) > MAX_COMMON:
        problem = f"{first.assignment.name} has {size >> 20:,} MiB of files beside its notebooks"
        raise HostError(f"{problem}; {MAX_COMMON >> 20:,} MiB are sent to other machines at most: grade it on one")
    return pack(_common_head(first, warm, is_observed=is_observed), files)


def pack_common_head(work: Work) -> bytes:
    """Pack the same without files, for a reader that has them already: see :func:`common_in`."""
    return pack(_common_head(work, warm=True, is_observed=False), {})


def _common_head(first: Work, warm: bool, *, is_observed: bool) -> dict[str, Any]:
    exams = first.exams if is_observed else [replace(exam, observations=None) for exam in first.exams]
    return {
        "assignment": to_plain(first.assignment),
        "exams": to_plain(list(exams)),
        "hidden": _relative(first.hidden, first.course) if first.hidden else None,
        "modules": [_relative(folder, first.course) for folder in first.modules],
        "files": {
            name: _relative(path, first.course) for name, path in first.files.items() if not is_students(first, path)
        },
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
        ValueError: it is not such a parcel.
    """
    _, files = unpack(data)
    common = common_in(data, root)
    write_files(root, files)
    for folder in common.modules:
        folder.mkdir(parents=True, exist_ok=True)
    return common


def common_in(data: bytes, root: Path) -> Common:
    """Read a common parcel whose files lie below ``root``.

    Raises:
        ValueError: it is not such a parcel.
    """
    head, _ = unpack(data)
    head_record = from_plain(_CommonHead, head)
    return Common(
        root=root,
        assignment=head_record.assignment,
        exams=head_record.exams,
        hidden=root / head_record.hidden if head_record.hidden is not None else None,
        modules=tuple(root / folder for folder in head_record.modules),
        files={name: root / place for name, place in head_record.files.items()},
        versions=head_record.versions,
        warm=head_record.warm,
    )


# --- one submission --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _UnitHead:
    student: str
    submitted_at: datetime | None
    dates: Dates | None
    content_keys: Mapping[str, str]
    own: tuple[str, ...]
    """Student's files that go into the work folder."""
    said: Mapping[str, str]
    """See :attr:`autograder.exchange.work.Work.said`."""
    observations: tuple[Observations | None, ...]
    """What the solution of each exam was seen to do: it may become known after the common parcel was made."""
    observe: bool
    """Whether it is the solution, and what it does is recorded."""
    odd: Mapping[str, str]
    """Notebook that is not a regular file → what it is.

    The other machine makes such a file, too, so that its message is the same.
    """


def pack_unit(work: Work) -> bytes:
    """Pack the parcel of one submission.

    Raises:
        HostError: a file in it cannot be read, or they are too large to send.
    """
    files: dict[str, bytes] = {}
    odd: dict[str, str] = {}
    own_names = sorted(name for name, path in work.files.items() if is_students(work, path))
    most_mib = max(FILE_MIB, work.assignment.limits.file_mib)
    for name in [f"{exam.notebook}.ipynb" for exam in work.exams]:
        path = work.submission / name
        if kind := _odd(path):
            odd[name] = kind
        elif path.exists():
            files[name] = _content(path, MAX_NOTEBOOK_BYTES)
    if (stamp := read_stamp(work.submission)) is not None:
        files[TIMESTAMP] = stamp
    for name in own_names:
        files[name] = _content(work.files[name], most_mib << 20)
        if sum(map(len, files.values())) > 4 * most_mib << 20:
            raise HostError(f"{work.submission} is too large: at most {4 * most_mib} MiB are examined")
    about = work.student, work.submitted_at, work.dates, work.content_keys
    observations = tuple(exam.observations for exam in work.exams)
    return pack(to_plain(_UnitHead(*about, tuple(own_names), work.said, observations, work.observe, odd)), files)


def unpack_unit(data: bytes, common: Common, folder: Path) -> Work:
    """Write a submission's files below ``folder``, which lies below ``common.root``, and return its work there.

    Raises:
        ValueError: it is not such a parcel.
    """
    head, files = unpack(data)
    unit = from_plain(_UnitHead, head)
    if not is_folder_name(unit.student):
        raise ValueError(f"the name {unit.student!r:.80} of a student is refused")
    for name in (*unit.own, *unit.odd):
        checked_path(name)
    submission = folder / "submitted"
    submission.mkdir(mode=0o700)
    write_files(submission, files)
    for name, kind in unit.odd.items():
        _make_odd(submission / name, kind)
    if len(unit.observations) != len(common.exams):
        raise ValueError("it is of other notebooks")
    return replace(
        work_in(common, folder),
        exams=tuple(
            replace(exam, observations=observations)
            for exam, observations in zip(common.exams, unit.observations, strict=True)
        ),
        student=unit.student,
        files={**common.files, **{name: submission / name for name in unit.own}},
        said=unit.said,
        submitted_at=unit.submitted_at,
        dates=unit.dates,
        content_keys=unit.content_keys,
        observe=unit.observe,
    )


def work_in(common: Common, folder: Path) -> Work:
    """Make the work record of no student, in ``folder``: the part that all submissions of the batch share."""
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


def _relative(path: Path, course: Path) -> str:
    return path.relative_to(course).as_posix()


def _content(path: Path, most: int) -> bytes:
    """Read a regular file; links are not followed, and pipes are not waited for."""
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
    """Describe a notebook that is no regular file of a readable size; empty if it is one, or is missing."""
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
