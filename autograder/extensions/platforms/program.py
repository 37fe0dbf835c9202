"""The program on a platform: it grades the one submission there, and writes the results. Run by ``run_autograder``.

    python -I -B -m autograder.extensions.platforms.program gradescope /autograder

It reads the package and the submission below its second argument, and writes the results: at first that nothing was
graded, at the end the grade. Reasons for staff go to standard output, where the platform shows that to staff alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from autograder._util.files import write_atomically
from autograder.coordinator.examiner import Examiners
from autograder.coordinator.grading_sandboxes import require_walls
from autograder.coordinator.student_files import student_files
from autograder.coordinator.submission_grading import attempt
from autograder.coordinator.templates import Templates
from autograder.errors import AutograderError, SubmissionError
from autograder.exchange import result_json
from autograder.exchange.parcel import unpack_common, work_in
from autograder.exchange.work import Work
from autograder.extensions.platforms import conclusion, gradescope_results, package_settings, student_texts
from autograder.extensions.platforms.conclusion import Conclusion
from autograder.extensions.platforms.package_settings import PackageSettings
from autograder.extensions.platforms.platform_table import PLATFORMS, Platform
from autograder.extensions.platforms.submitted import STUDENT, take
from autograder.records.checks import MAX_BITS
from autograder.records.ending import Ending, Whose
from autograder.records.grade import Grade
from autograder.submissions.members import submission_limits

GIVE_UP_SECONDS = 5.0
"""How long after the deadline an examination may take to end by itself."""
WORK_FOLDER = "/var/tmp"
COMMON, UNIT = "course", "unit"


class Deadline:
    """The time for one submission: at its end the examination is stopped, and soon after it the program ends.

    Args:
        platform: the platform.
        root: folder that its paths are relative to.
        seconds: how long it may take from now.
        allowed: seconds that the platform allows, for people.
    """

    def __init__(self, platform: Platform, root: Path, seconds: float, allowed: float) -> None:
        self.seconds = seconds
        self.began = time.monotonic()
        self.passed = False
        self._platform, self._results, self._allowed = platform, root / platform.results, allowed
        self._lock = threading.Lock()
        self._written = False
        self._stop = threading.Event()
        self.on_end: Callable[[], None] = lambda: None
        threading.Thread(target=self._watch, daemon=True).start()

    def spent(self) -> float:
        """Return the seconds so far."""
        return time.monotonic() - self.began

    def write(self, final: Conclusion) -> None:
        """Write the final results, and what the log says, once."""
        with self._lock:
            if not self._written:
                try:
                    conclusion.write(self._results, final.results)
                except OSError as error:  # a full disk: the earlier sentence stays, that nothing was graded
                    _tell_staff(self._platform, str(error))
                print(final.log, end="\n" if final.log else "", flush=True)
                self._written = True
        self._stop.set()

    def too_late(self) -> Conclusion:
        """Describe a submission that was not done in time."""
        return self._platform.format.not_graded(conclusion.TOO_LATE.format(seconds=self._allowed), self.spent())

    def without_grade(self) -> Conclusion:
        """Describe a submission that was not done in time, or could not be examined."""
        not_graded = self._platform.format.not_graded
        return self.too_late() if self.passed else not_graded(conclusion.NOT_GRADED, self.spent())

    def _watch(self) -> None:
        if self._stop.wait(self.seconds):
            return
        self.passed = True
        with contextlib.suppress(Exception):
            self.on_end()
        if not self._stop.wait(GIVE_UP_SECONDS):
            self.write(self.too_late())
            os._exit(0)  # its supervisors see that, and end what runs


def main(platform: Platform, root: Path) -> None:
    """Grade the submission below ``root``."""
    with contextlib.suppress(OSError):  # a full disk: the script that starts this has written the same
        conclusion.write(root / platform.results, platform.format.not_graded(conclusion.STOPPED).results)
    allowed = _allowed_seconds(platform, root)
    deadline = Deadline(platform, root, package_settings.program_seconds(allowed), allowed)
    deadline.write(_graded(platform, root, deadline))


def _allowed_seconds(platform: Platform, root: Path) -> float:
    """Return the platform's limit; a damaged package is a fault that is found later."""
    try:
        otherwise = package_settings.load(root / platform.source / package_settings.SETTINGS).seconds
    except AutograderError:
        otherwise = platform.seconds
    return package_settings.platform_seconds(os.environ, otherwise)


def _graded(platform: Platform, root: Path, deadline: Deadline) -> Conclusion:
    """Grade the submission, and describe whatever comes of it."""
    try:
        with _work_folder() as folder:
            return _grade(platform, root, folder, deadline)
    except SubmissionError as error:
        sentence = str(error)
        return platform.format.not_graded(sentence[:1].upper() + sentence[1:], deadline.spent())
    except AutograderError as error:
        _tell_staff(platform, str(error))
    except Exception:
        _tell_staff(platform, traceback.format_exc())
    return deadline.without_grade()


def _grade(platform: Platform, root: Path, folder: Path, deadline: Deadline) -> Conclusion:
    source = root / platform.source
    chosen = package_settings.load(source / package_settings.SETTINGS)
    if chosen.keras_backend:
        os.environ["KERAS_BACKEND"] = chosen.keras_backend
    common = unpack_common((source / package_settings.EXAM).read_bytes(), folder / COMMON)
    course = common.assignment.limits
    limits = package_settings.fitting(course, deadline.seconds, package_settings.container_mib())
    common = replace(common, assignment=replace(common.assignment, limits=limits))
    unit = folder / COMMON / UNIT
    unit.mkdir()
    work = work_in(common, unit)
    (folder / "unpacked").mkdir()
    expected = [f"{exam.notebook}.ipynb" for exam in common.exams]
    expected += dict.fromkeys(cell.file for exam in common.exams for cell in exam.answer_files)
    unpacked, bounds = folder / "unpacked", submission_limits(course.file_mib)
    notes = take(root / platform.submission, work.assignment.name, expected, unpacked, work.submission, bounds)
    beside = student_files(work.submission, common.files, common.exams, common.assignment.answers)
    skeletons = {name: unit / "skeletons" / name for name in beside.skeletons}
    for name, path in skeletons.items():
        write_atomically(path, beside.skeletons[name])
    files = {**common.files, **beside.files, **skeletons}
    work = replace(work, student=STUDENT, files=files, carried=unit / "skeletons", said=beside.said)
    require_walls(work.assignment)
    ending = _examined(work, deadline)
    if not ending.is_done:
        _tell_staff(platform, ending.text)
        return deadline.without_grade()
    grade = result_json.read(work.target / result_json.NAME, work.details)
    require_notebook(grade)
    if any(package_settings.is_cut_short(book, course, limits) for book in grade.notebooks):
        _tell_staff(platform, "the platform's time-out is too short for a time limit of the course")
        return deadline.too_late()
    grade, chosen = as_told(platform, root, grade, chosen)
    return platform.format.graded(grade, chosen, notes, deadline.spent(), work.assignment.decimals)


def as_told(platform: Platform, root: Path, grade: Grade, chosen: PackageSettings) -> tuple[Grade, PackageSettings]:
    """Tell less of hidden data once earlier hand-ins told enough, and always where nobody knows; points stay exact."""
    if platform.history:
        with contextlib.suppress(OSError, ValueError):
            history = gradescope_results.told_before((root / platform.history).read_bytes())
            chosen = replace(chosen, last_told=history.last)
            if history.bits < MAX_BITS:
                return grade, chosen
            chosen = replace(chosen, closed_until=history.later)
    return student_texts.without_numbers(grade), chosen


def require_notebook(grade: Grade) -> None:
    """Refuse files of which none is a notebook of this assignment: no platform then counts an attempt or points.

    Raises:
        SubmissionError: there is none; a sentence for the student.
    """
    unread = [book.message for book in grade.notebooks if book.status == "invalid"]
    if unread and len(unread) == len(grade.notebooks):
        raise SubmissionError(unread[0])


def _tell_staff(platform: Platform, reason: str) -> None:
    """Print why nothing was graded, where no student reads it."""
    if platform.is_log_hidden:
        print(f"not graded: {reason}")


def _examined(work: Work, deadline: Deadline) -> Ending:
    """Grade the submission, up to three times where it is not at fault; return how that ended."""
    with Templates(work, submissions=1, kernels=0, executed=True) as templates:
        examiners = Examiners(templates)
        deadline.on_end = examiners.stop
        if deadline.passed:
            examiners.stop()
        for tried in range(1, int(Whose.KIT.tries) + 1):
            ending = attempt(work, examiners.examine)
            if ending.is_done or tried >= ending.whose.tries or deadline.passed:
                break
        return ending


@contextlib.contextmanager
def _work_folder() -> Iterator[Path]:
    """Make a folder that root alone may enter; temporary files lie in it, too."""
    folder = Path(tempfile.mkdtemp(prefix="work-", dir=WORK_FOLDER))
    (folder / COMMON).mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os.umask(0o077)  # of this process: whatever it writes is nobody else's
    main(PLATFORMS[sys.argv[1]], Path(sys.argv[2]))
