"""Bundle of a submission: one zip with all that a second look at its grade needs.

    bundle.json          manifest: format, versions, keys, environment; place, digest and size of each file
    exam.json            assignment and exams, hidden tests included
    unit.json            what the grader knew of the submission beside its files
    submission/…         the submission
    course/…             released files, hidden data (unless left out), and the course's own modules
    recordings/0.run …   recording of each notebook after its key, and the cached predictions of its models
    result.json          the grade, with the instructor's details
    second-look.yaml     the student's requests for a second look, if there are any

A bundle is the instructor's: it holds hidden tests, and the student's name and work.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autograder._util.digests import file_digests, folder_key
from autograder._util.files import unwritable
from autograder._util.plain_records import to_plain
from autograder.coordinator import recordings
from autograder.coordinator.assignment import load_release
from autograder.coordinator.batch import earlier, plan
from autograder.coordinator.course_files import course_files
from autograder.errors import CourseError, UsageError
from autograder.exchange import result_json
from autograder.exchange.blob_container import unpack
from autograder.exchange.parcel import MAX_COMMON, pack_common, pack_unit
from autograder.exchange.work import Work
from autograder.extensions.trust.bundle_environment import Environment, environment_here
from autograder.records.course import Assignment, Course
from autograder.records.grade import Grade
from autograder.results import second_look
from autograder.submissions.members import MIB, ArchiveLimits, Member, is_junk, mark_collisions, name_problem

FORMAT = "nbexaminer bundle"
VERSION = 13
"""Version of the layout and of the records in it, which is raised as they change; another one is refused."""
MANIFEST, EXAM, UNIT, RESULT = "bundle.json", "exam.json", "unit.json", result_json.NAME
REQUESTS = "second-look.yaml"
SUBMISSION, COURSE, RECORDINGS, OTHER_FILES = "submission", "course", "recordings", "other"
"""Folders in a bundle; ``other`` has files whose names no archive should have, by their digests."""
LIMITS = ArchiveLimits(MAX_COMMON, 20_000, MAX_COMMON, 2 * MAX_COMMON)
"""Bounds of a bundle."""
KEY_BYTES = 64
"""Length of the key that a recording in a bundle begins with."""
HIDDEN = ("included", "left out", "none")
"""Whether a bundle has the hidden data; ``none``: the assignment has none."""
_STORED_RATIO = 50
"""Bytes packed more than so many to one are stored as they are: readers refuse larger ratios."""
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class BundledFile:
    """A file of a bundle."""

    member: str
    """Name in the zip."""
    sha256: str
    size: int


@dataclass(frozen=True)
class FileDigest:
    """A file of the submission that is not in the bundle."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """Content of bundle.json."""

    format: str
    version: int
    student: str
    assignment: str
    made_at: datetime
    hidden: str
    """One of :data:`HIDDEN`."""
    hidden_key: str
    """Digest of the folder of hidden data; empty if there is none."""
    graded_from: Mapping[str, str]
    """Content keys of the grade."""
    bundled_from: Mapping[str, str]
    """Content keys of the course when the bundle was made. Where they differ, the grade was not current."""
    recorded: int
    """Number of notebooks with a recording."""
    execution: str
    """Key of what the recordings were made with, see :mod:`autograder.coordinator.cache_keys`."""
    environment: Environment
    """Machine that made the bundle."""
    left_out: Mapping[str, FileDigest] = field(default_factory=dict)
    """Path in the submission → file that was handed in and that grading does not need."""
    files: Mapping[str, BundledFile] = field(default_factory=dict)
    """Place → file, for all files but the manifest."""


def bundle_name(student: str, assignment: str) -> str:
    """Build the file name ``<student>-<assignment>.bundle.zip``."""
    return f"{student}-{assignment}.bundle.zip"


def write_bundle(
    course: Course, assignment: Assignment, student: str, path: Path, *, hidden_data: bool = True
) -> Manifest:
    """Pack the bundle of a graded submission.

    Args:
        course: the course.
        assignment: the assignment.
        student: whose submission it is.
        path: the file to write.
        hidden_data: whether the hidden data go into it.

    Raises:
        UsageError: there is no such submission, or it has no grade.
        CourseError: the exam cannot be made, or a file of the course cannot be read.
        HostError: the files are too large for a bundle, or it cannot be written.
    """
    release = load_release(course, assignment)
    (work,) = plan(course, release, [student])
    grade = earlier(work)
    if grade is None:
        raise UsageError(
            f"{student} has no grade in {assignment.name} yet; run `autograder grade {assignment.name}` first"
        )
    contents = _contents(work, grade, hidden_data=hidden_data)
    contents |= _requests(second_look.path(course, student, assignment.name))
    hidden = HIDDEN[2] if work.hidden is None else HIDDEN[0] if hidden_data else HIDDEN[1]
    manifest = Manifest(
        format=FORMAT,
        version=VERSION,
        student=student,
        assignment=assignment.name,
        made_at=datetime.now(UTC),
        hidden=hidden,
        hidden_key=folder_key(work.hidden) if work.hidden else "",
        graded_from=grade.content_keys,
        bundled_from=work.content_keys,
        recorded=sum(place.endswith(".run") and bool(contents[place]) for place in contents),
        execution=work.execution,
        environment=environment_here(assignment.environment),
        left_out=_left_out(work.submission, contents),
        files=_listed(contents),
    )
    _write(path, manifest, contents)
    return manifest


def _contents(work: Work, grade: Grade, *, hidden_data: bool) -> dict[str, bytes]:
    """Return the files of a bundle, except its manifest: place → content."""
    head, files = unpack(pack_common([work], course_files(work)))
    unit, submitted = unpack(pack_unit(work))
    if not hidden_data and work.hidden is not None:
        folder = work.hidden.relative_to(work.course).as_posix()
        files = {name: content for name, content in files.items() if not name.startswith(f"{folder}/")}
    contents = {EXAM: _json(head), UNIT: _json(unit), RESULT: result_json.dumps(grade).encode()}
    contents |= {f"{SUBMISSION}/{name}": content for name, content in submitted.items()}
    contents |= {f"{COURSE}/{name}": content for name, content in files.items()}
    pairs = zip(work.recording_keys, recordings.load(work, mark=False), strict=False)
    for number, (key, recording) in enumerate(pairs):
        contents |= {f"{RECORDINGS}/{number}.run": key.encode() + recording.run} if recording.run else {}
        contents |= {f"{RECORDINGS}/{number}.predictions": recording.figures} if recording.figures else {}
    return contents


def _left_out(submission: Path, contents: Mapping[str, bytes]) -> dict[str, FileDigest]:
    """List what was handed in and is not in the bundle: the grade's key of the submission covers it."""
    digests = file_digests(submission)
    names = [name for name in digests if f"{SUBMISSION}/{name}" not in contents]
    return {name: FileDigest(digests[name][1], digests[name][0]) for name in names}


def _requests(file: Path) -> dict[str, bytes]:
    """Return the student's requests as they stand there, faults included: place → content; empty if there are none."""
    try:
        return {REQUESTS: file.read_bytes()} if file.is_file() else {}
    except OSError as error:
        name = f"{second_look.FOLDER}/{file.parent.name}/{file.name}"
        raise CourseError(f"{name}: cannot be read: {error.strerror}") from error


def _listed(contents: Mapping[str, bytes]) -> dict[str, BundledFile]:
    """List the files; one whose name an archive should not have gets its digest as its name."""
    digests = {place: hashlib.sha256(content).hexdigest() for place, content in contents.items()}
    members = mark_collisions(Member(place, 0, None, name_problem(place) or _junk(place)) for place in contents)
    names = {
        member.name: f"{OTHER_FILES}/{digests[member.name]}" if member.problem else member.name for member in members
    }
    return {place: BundledFile(names[place], digests[place], len(contents[place])) for place in sorted(contents)}


def _junk(path: str) -> str:
    return "left out by readers" if is_junk(path) else ""


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, allow_nan=False).encode()


def _write(path: Path, manifest: Manifest, contents: Mapping[str, bytes]) -> None:
    text = json.dumps(to_plain(manifest), indent=1).encode()
    members = {manifest.files[place].member: content for place, content in contents.items()}
    aside = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(aside, "w") as archive:
            for name, content in [(MANIFEST, text), *sorted(members.items())]:
                info = zipfile.ZipInfo(name, _ZIP_DATE)
                info.external_attr = 0o100600 << 16
                info.create_system = 3  # Unix: the permissions above are Unix's
                info.compress_type = zipfile.ZIP_STORED if _packs_too_well(content) else zipfile.ZIP_DEFLATED
                archive.writestr(info, content)
        aside.chmod(0o600)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise unwritable(path, error) from error


def _packs_too_well(content: bytes) -> bool:
    return len(content) > MIB and len(zlib.compress(content)) * _STORED_RATIO < len(content)
