"""Collection of submissions: from a folder or an archive into submitted/<student>/<assignment>/.

    source ─ walk, extract ─▶ members ─ find_items ─▶ items ─ resolve ─▶ files ─ deliver ─▶ submitted/

The student is taken from the place of an item: the folder, or the name that the learning system gave the file. Its
content never counts, since a student could write another one's name there.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from autograder._util.text import is_same_text, one_line
from autograder._util.time_zones import in_words, placed
from autograder.errors import HostError, SubmissionError, UsageError
from autograder.records.course import Course
from autograder.submissions.answered import MAX_JUDGED, Answered, answered
from autograder.submissions.delivery import Collected, CollectStatus, deliver
from autograder.submissions.export_names import ExportLayout
from autograder.submissions.folder import read_chunks
from autograder.submissions.identity import UnplacedSubmission, resolve
from autograder.submissions.lms import Item, find_items, limited, numbered
from autograder.submissions.manifest import read_timestamp
from autograder.submissions.members import LARGEST, submission_limits
from autograder.submissions.notebook_inspection import asked_files
from autograder.submissions.placement import answer_modules, answer_named
from autograder.submissions.registered_sources import SourceRequest, find_registered

if TYPE_CHECKING:
    from autograder.submissions.uploaders import People

_NAMES = frozenset({errno.EEXIST, errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR})
"""Errors that a file name can cause: the student's fault, and not the machine's."""


def collect(
    course: Course,
    assignment: str,
    source: Path,
    *,
    received: datetime | None = None,
    layout: ExportLayout | None = None,
) -> tuple[Collected, ...]:
    """Put the submissions in ``source`` into submitted/, each with its timestamp.txt.

    Whose an upload is, the roster says where it knows the learning system's number or the name; what the names tell of
    people is kept there. An item that is refused is a value with its reason, and the others are collected. Collecting
    the same again changes nothing. A replaced submission is moved to
    .autograder/superseded/<assignment>/<student>/<time>/.

    Args:
        course: the course.
        assignment: the assignment's name.
        source: a folder, an archive or one notebook; docs/how-to/collect.md draws the layouts.
        received: a time that counts for all of them, if the times in the submissions are not reliable.
        layout: how the names are to be read, if they do not tell themselves.

    Returns:
        One entry for each item.

    Raises:
        UsageError: the assignment or the source does not exist.
        HostError: the course cannot be written.
    """
    if assignment not in course.assignments:
        raise UsageError(f"There is no assignment “{assignment}”: {', '.join(course.assignments)}.")
    if not source.exists():
        raise UsageError(f"There is no folder or archive {source}.")
    expected = expected_files(course, assignment)
    limits = submission_limits(course.assignments[assignment].limits.file_mib)

    def read(staging: Path) -> tuple[Path, tuple[Item, ...]]:
        system = layout.system if layout else ""
        request = SourceRequest(course, assignment, expected, source, staging, received, system)
        if not (layout and layout.pattern) and (registered := find_registered(request)) is not None:
            root, items = registered
            return root, tuple(limited(item, limits) for item in items)
        root, members = request.opened
        title = course.assignments[assignment].title
        students = known_students(course)
        return root, find_items(members, assignment, course.assignments, title, expected, layout, students, limits)

    return collect_items(course, assignment, expected, source.name, read, received)


def collect_items(
    course: Course,
    assignment: str,
    expected: tuple[str, ...],
    name: str,
    find: Callable[[Path], tuple[Path, tuple[Item, ...]]],
    received: datetime | None = None,
) -> tuple[Collected, ...]:
    """Put the items that ``find`` finds into submitted/.

    Args:
        course: the course.
        assignment: the assignment's name.
        expected: the paths of its notebooks, and of the files that these ask for.
        name: the source's name, for a source that is refused as a whole.
        find: gets a folder to unpack into, and returns the items with the folder that their files are named from.
        received: a time that counts for all of them.
    """
    # The roster is no business of a student's installation.
    from autograder.submissions.settling import settle
    from autograder.submissions.uploaders import People

    with _staging(course) as staging:
        try:
            root, items = find(staging)
        except SubmissionError as error:
            return (Collected(name, CollectStatus.REFUSED, reason=str(error)),)
        results = list(settle(course, assignment))
        people = People(course, assignment)
        delivered: dict[str, datetime] = {}
        for number, item in enumerate(items):
            work = staging / f"item-{number}"
            results.append(_collect_item(course, assignment, expected, root, item, work, received, delivered, people))
            shutil.rmtree(work, ignore_errors=True)
        people.save()
    return tuple(results)


def _collect_item(
    course: Course,
    assignment: str,
    expected: tuple[str, ...],
    root: Path,
    item: Item,
    work: Path,
    received: datetime | None,
    delivered: dict[str, datetime],
    people: People,
) -> Collected:
    """``delivered``: student → the upload's own time, of those that came before it in this source."""
    try:
        work.mkdir()
        limits = submission_limits(course.assignments[assignment].limits.file_mib)
        submission = resolve(assignment, expected, root, item, work, limits)
        identity = people.identified(item, submission.student)
        notes = (*submission.notes, *identity.notes, *_changed_files(course.release(assignment), submission, expected))
        submission = replace(submission, student=identity.student, notes=notes)
        if identity.student == identity.given:
            submission = _numbered(course, assignment, item, submission, people)
        submission = replace(submission, notes=(*submission.notes, *_answers(course, assignment, submission, expected)))
        now = datetime.now(UTC)
        if received is not None:
            before = delivered.get(submission.student)
            if before is not None and before > submission.timestamp:
                reason = (
                    f"handed in {in_words(placed(submission.timestamp, course.zone))}, and another one here is newer"
                )
                return Collected(item.name, CollectStatus.OLDER, submission.student, reason, submission.timestamp)
            delivered[submission.student] = submission.timestamp
            submission = replace(submission, timestamp=received.astimezone(UTC))
        elif submission.timestamp > now:
            note = f"its time lies in the future ({in_words(placed(submission.timestamp, course.zone))})"
            submission = replace(submission, timestamp=now, notes=(*submission.notes, note))
        result, folder = deliver(course, assignment, item, submission, work, is_timed=received is not None)
        people.learn(item, identity, submission.student, folder)
        if result.status is not CollectStatus.OLDER:
            people.claim(submission.student, submission.team)
        return result
    except SubmissionError as error:
        return Collected(item.name, CollectStatus.REFUSED, item.student, reason=str(error))
    except OSError as error:
        if error.errno not in _NAMES:
            raise
        reason = f"this file system does not allow one of its names ({error.strerror})"
        return Collected(item.name, CollectStatus.REFUSED, item.student, reason=reason)


def _changed_files(release: Path, submission: UnplacedSubmission, expected: tuple[str, ...]) -> list[str]:
    """Say how many of the modules to write in are not as they were released; nothing where there are none."""
    released = {name: release / name for name in answer_modules(expected) if (release / name).is_file()}
    changed: set[str] = set()
    for name, source in submission.files.items():
        if answer := answer_named(name, released):
            try:
                content = _read(submission.root, source)
            except SubmissionError:  # what is refused is refused elsewhere, and not for a note
                changed.add(answer)
            else:
                changed |= set() if is_same_text(content, released[answer].read_bytes()) else {answer}
    return [f"{len(changed)} of {len(released)} files changed"] if released else []


def _answers(course: Course, assignment: str, submission: UnplacedSubmission, expected: tuple[str, ...]) -> list[str]:
    """Say what is no notebook of this assignment, and how much is answered where that is little.

    Raises:
        SubmissionError: nothing of the assignment is in it, and it is not to replace work that stands there.
    """
    release, earlier = course.release(assignment), course.submitted(submission.student, assignment)
    names = [path.name for path in release.glob("*.ipynb")]
    handed_in = {name: submission.files[name] for name in names if name in submission.files}
    now, before = answered(release, _judged(submission.root, handed_in)), answered_in(course, assignment, earlier)
    has_modules = any(answer_named(name, expected) for name in submission.files)
    if now.faults and not now.has_work and before.has_work and not has_modules:
        raise SubmissionError(f"{'; '.join(now.faults)}; the hand-in of {_when(course, earlier)} stays")
    notes = list(now.faults)
    if now.is_known and before.is_known and now.count < before.count:
        notes.append(f"{now}; the hand-in of {_when(course, earlier)} had {before}")
    elif now.is_known and now.has_work and not now.count and now.total:
        notes.append(str(now))
    return notes


def answered_in(course: Course, assignment: str, folder: Path) -> Answered:
    """Count the answers in a hand-in that was collected; none can be counted in one that cannot be read."""
    release = course.release(assignment)
    with contextlib.suppress(SubmissionError, OSError):
        return answered(release, _judged(folder, {path.name: path.name for path in release.glob("*.ipynb")}))
    return Answered()


def _when(course: Course, folder: Path) -> str:
    time = read_timestamp(folder)
    return in_words(placed(time, course.zone)) if time is not None else "before"


def _read(root: Path, name: str) -> bytes:
    return b"".join(read_chunks(root, name, LARGEST))


def _judged(root: Path, files: Mapping[str, str]) -> dict[str, bytes | None]:
    """Read notebooks, released name → path, as far as they are small enough to be judged."""
    sizes = {name: (root / path).lstat().st_size for name, path in files.items() if (root / path).is_file()}
    return {name: _read(root, files[name]) if size <= MAX_JUDGED else None for name, size in sizes.items()}


def _numbered(
    course: Course, assignment: str, item: Item, submission: UnplacedSubmission, people: People
) -> UnplacedSubmission:
    """Keep one of several people of one name apart from the others who were collected at other times."""
    if not item.key or submission.student != item.student:
        return submission
    plain = submission.student.removesuffix(f" ({item.key})")
    if course.submitted(numbered(plain, item.key), assignment).is_dir():
        return replace(submission, student=numbered(plain, item.key))
    if (
        plain != submission.student
        and not people.has_number(item, plain)
        and course.submitted(plain, assignment).is_dir()
    ):
        note = f"“{one_line(plain)}” was collected before there were two: delete it in submitted/"
        return replace(submission, notes=(*submission.notes, note))
    return submission


@contextmanager
def _staging(course: Course) -> Iterator[Path]:
    """Make a temporary folder on the course's own file system, so that its content can be renamed into place."""
    try:
        course.state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="collect-", dir=course.state) as folder:
            yield Path(folder)
    except OSError as error:
        raise HostError(f"{course.root} cannot be written: {error}. Check free space and permissions.") from error


def expected_files(course: Course, assignment: str) -> tuple[str, ...]:
    """Return the paths of the assignment's notebooks, if the course has them, and of the files that these ask for."""
    for folder in (course.release(assignment), course.source(assignment)):
        if notebooks := sorted(folder.glob("*.ipynb")):
            answers = (name for path in notebooks for name in asked_files(path.read_bytes()))
            return tuple(dict.fromkeys([*(path.name for path in notebooks), *answers]))
    return ()


def known_students(course: Course) -> set[str]:
    """Return the ids of all students that the roster or submitted/ knows."""
    from autograder.term.people import load_roster

    folder = course.directory("submitted")
    present = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return present | load_roster(course).by_id.keys()
