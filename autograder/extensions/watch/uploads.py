"""Uploads of an inbox: each file is one student's, and only its own name says whose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from autograder.errors import SubmissionError
from autograder.records.course import Course
from autograder.submissions.archive import scan
from autograder.submissions.collection import collect_items, expected_files
from autograder.submissions.delivery import Collected
from autograder.submissions.export_names import Names, is_archive, is_notebook, stem_of
from autograder.submissions.identity import open_archive
from autograder.submissions.lms import PART, Item, find_items
from autograder.submissions.members import ArchiveLimits, Member, submission_limits
from autograder.submissions.notebook_inspection import marks_of, read_cells
from autograder.submissions.registered_sources import file_member
from autograder.term.people import load_roster


def collect_upload(course: Course, assignment: str, path: Path, beside: Iterable[str] = ()) -> tuple[Collected, ...]:
    """Put one student's upload into submitted/.

    An archive holds one submission, with the limits of one: the names in it are names of files, and nobody's.

    Args:
        course: the course.
        assignment: the assignment's name.
        path: a notebook or an archive.
        beside: the names of all uploads in the inbox. Together they tell a title that names begin with, and which
            uploads would become one student only because they begin alike.

    Returns:
        One entry; none if the learning system itself put the file there.

    Raises:
        HostError: the course cannot be written.
    """
    expected = expected_files(course, assignment)
    title = course.assignments[assignment].title
    limits = submission_limits(course.assignments[assignment].limits.file_mib)

    def find(names: Iterable[Member]) -> tuple[Item, ...]:
        return find_items(names, assignment, course.assignments, title, expected, limits=limits)

    def read(_: Path) -> tuple[Path, tuple[Item, ...]]:
        try:
            upload = file_member(path)
        except OSError as error:
            raise SubmissionError(f"It cannot be read: {error.strerror}.") from error
        together = find([*(Member(name, 0) for name in beside if name != path.name), upload])
        item = next((item for item in together if item.name == path.name), None)
        if not (is_archive(path.name) or is_notebook(path.name) or _is_whole(course, assignment, expected)):
            return path.parent, tuple(replace(each, problem=each.problem or PART) for each in find([upload]))
        if item is None or (item.is_guessed and load_roster(course).find(item.student or "") is not None):
            return path.parent, find([upload])  # one of several uploads of a student who is known
        if item.is_archive and not item.problem and _holds_a_class(path, assignment, title, limits):
            item = replace(item, problem="it holds uploads of several people: use `autograder collect` for it")
        return path.parent, (item,)

    return collect_items(course, assignment, expected, path.name, read)


def _is_whole(course: Course, assignment: str, expected: tuple[str, ...]) -> bool:
    """Tell whether one loose module can be all that students write: no other, and no cell of a notebook."""
    notebooks = [course.release(assignment) / name for name in expected if is_notebook(name)]
    cells = [cell for path in notebooks if path.is_file() for cell in read_cells(path.name, path.read_bytes())[0]]
    is_written_in = any(marks.get("solution") or marks.get("task") for marks in map(marks_of, cells))
    return len(expected) == len(notebooks) + 1 and not is_written_in


def _holds_a_class(path: Path, assignment: str, title: str, limits: ArchiveLimits) -> bool:
    """Tell whether a learning system named files in an archive after several students."""
    try:
        with open_archive(path.parent, path.name, limits) as file:
            tops = {member.name.split("/")[0]: "/" in member.name for member in scan(file, limits)}
    except SubmissionError:
        return False  # it is refused for its own reason when it is opened
    names = Names(assignment, title, [top for top in tops if not tops[top]], {top: [] for top in tops if tops[top]})
    readings = [names.system(top if is_folder else stem_of(top), folder=is_folder) for top, is_folder in tops.items()]
    return len({(reading.student, reading.key) for each in readings if each for reading in each[1:]}) > 1
