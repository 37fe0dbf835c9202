"""Hand-ins: upload and record are on the disk, then the row, and only then the student gets a receipt.

The worker has them read by collect, as a stranger's archive.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext

from autograder._util.platforms import flush_folder
from autograder._util.text import one_line
from autograder.errors import SubmissionError
from autograder.extensions.serve import jobs, state_folder
from autograder.extensions.serve.course_keys import door
from autograder.extensions.serve.models import Job, JobState, Kind
from autograder.extensions.serve.visitors import Visitor
from autograder.records.course import Course
from autograder.submissions.collection import collect_items, expected_files
from autograder.submissions.delivery import Collected
from autograder.submissions.export_names import ARCHIVES, is_archive
from autograder.submissions.lms import Item
from autograder.submissions.members import MIB, ArchiveLimits, Member, submission_limits

ENDINGS = (".ipynb", *ARCHIVES)


class TooManyError(SubmissionError):
    """Too many hand-ins of one student in line, or too many bytes on a day."""


def refusal(error: SubmissionError) -> int:
    """Return the status of the answer to a hand-in that was not taken."""
    return 429 if isinstance(error, TooManyError) else 400


def refuse_more(visitor: Visitor, kind: Kind) -> None:
    """Raise TooManyError where a student has asked for one thing as often as is allowed in 24 hours."""
    most = door(visitor.course).daily_hand_ins
    if jobs.of_day(visitor.id, kind).count() >= most:
        text = gettext("You sent this form %(most)s times in 24 hours: nothing was taken. Ask your teachers.")
        raise TooManyError(text % {"most": most})


def take(request: HttpRequest, visitor: Visitor, assignment: str) -> Job:
    """Keep the file of a request and put it into the queue.

    The name on the disk is the receipt's: the student chose the other one.

    Returns:
        The job; file, record and row are on the disk.

    Raises:
        TooManyError: the student's limits are reached.
        SubmissionError: there is no file, it is no notebook and no archive, is empty or too large.
        OSError: the disk is full, or cannot be written. Nothing is left.
        django.db.Error: the row cannot be written. Nothing is left.
    """
    student = visitor.id
    upload = _upload(request, visitor, assignment)
    limits = submission_limits(visitor.course.assignments[assignment].limits.file_mib)
    receipt = jobs.new_receipt()
    path = state_folder.uploads(visitor.course) / f"{receipt}{_ending(upload, limits)}"
    record = path.with_name(f"{receipt}.json")
    received = datetime.now(UTC)
    try:
        sha256 = _write(path, upload.chunks())
        # Without the database, the record says whose the upload is.
        values = {"student": student, "assignment": assignment, "received": received.isoformat(), "sha256": sha256}
        _write(record, [json.dumps(values, ensure_ascii=False).encode()])
        title, size = one_line(str(upload.name), 120), path.stat().st_size
        about: dict[str, Any] = {"receipt": receipt, "file": path.name, "title": title, "sha256": sha256, "size": size}
        return jobs.add(Kind.HAND_IN, student, assignment, student, received=received, **about)
    except BaseException:
        path.unlink(missing_ok=True)
        record.unlink(missing_ok=True)
        raise


def bring_in(course: Course, job: Job) -> Collected:
    """Put a hand-in into submitted/; the visitor's id and the receipt's time count, and nothing that the file says.

    Its name is the receipt's: no name that the student chose can be somebody else's.

    Raises:
        CourseError: people.csv is wrong.
        HostError: the course cannot be written.
    """
    folder = state_folder.uploads(course)
    upload = Member(job.file, job.size, job.received)
    item = Item(
        job.file, (upload,), student=job.student, is_archive=is_archive(job.file), received=job.received, is_told=True
    )

    def find(_: Path) -> tuple[Path, tuple[Item, ...]]:
        return folder, (item,)

    return collect_items(course, job.assignment, expected_files(course, job.assignment), job.file, find)[-1]


def _upload(request: HttpRequest, visitor: Visitor, assignment: str) -> UploadedFile:
    """Return the file of a request; with too many hand-ins in line, its body is not read.

    Raises:
        SubmissionError, TooManyError: as for :func:`take`.
    """
    limits = door(visitor.course)
    if jobs.of_assignment(assignment, visitor.id).filter(state=JobState.WAITING).count() >= limits.most_waiting:
        text = gettext("%(most)s of your hand-ins wait in line: nothing was handed in. Wait until one is graded.")
        raise TooManyError(text % {"most": limits.most_waiting})
    refuse_more(visitor, Kind.HAND_IN)
    upload = request.FILES.get("file")
    if upload is None:
        raise SubmissionError(gettext("Choose a file first: nothing was handed in."))
    if jobs.bytes_of_day(visitor.id) + (upload.size or 0) > limits.daily_mib * MIB:
        text = gettext(
            "You would hand in more than %(most)s MiB in 24 hours: nothing was handed in. Ask your teachers."
        )
        raise TooManyError(text % {"most": limits.daily_mib})
    return upload


def _ending(upload: UploadedFile, limits: ArchiveLimits) -> str:
    """Return the ending of an upload's name.

    Raises:
        SubmissionError: it is none that can be read, or the upload's size is wrong.
    """
    endings = [ending for ending in ENDINGS if str(upload.name).lower().endswith(ending)]
    if not endings:
        raise SubmissionError(
            gettext("Hand in a notebook or an archive: %(endings)s.") % {"endings": ", ".join(ENDINGS)}
        )
    if not upload.size:
        raise SubmissionError(gettext("The file is empty: nothing was handed in."))
    if upload.size > limits.archive_bytes:
        raise SubmissionError(gettext("The file is larger than %(most)s MiB.") % {"most": limits.archive_bytes // MIB})
    return max(endings, key=len)


def _write(path: Path, chunks: Iterable[bytes]) -> str:
    """Write a new file and flush it and its folder to the disk; return its SHA-256."""
    digest = hashlib.sha256()
    with path.open("xb") as file:
        for chunk in chunks:
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fchmod(file.fileno(), state_folder.file_mode(path.parent))
        os.fsync(file.fileno())
    flush_folder(path.parent)
    return digest.hexdigest()
