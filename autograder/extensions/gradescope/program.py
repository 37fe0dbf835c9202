"""The program on the platform: it grades the one submission there, and writes results.json. Run by ``run_autograder``.

    python -I -B -m autograder.extensions.gradescope.program /autograder

It reads ``source/`` (the package) and ``submission/`` below its argument, and writes ``results/results.json``: at first
that nothing was graded, at the end the grade. What students must not see goes to standard output, which the platform
shows to the course's staff alone.
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
from typing import Any

from autograder.coordinator.batch import own_files
from autograder.coordinator.examiner import Examiners
from autograder.coordinator.grading_sandboxes import require_walls
from autograder.coordinator.submission_grading import attempt
from autograder.coordinator.templates import Templates
from autograder.errors import AutograderError, SubmissionError
from autograder.exchange import result_json
from autograder.exchange.parcel import unpack_common, work_in
from autograder.exchange.work import BUSY, Work
from autograder.extensions.gradescope import platform_settings, results_json
from autograder.extensions.gradescope.submitted import STUDENT, take

GIVE_UP_SECONDS = 5.0
"""How long after the deadline an examination may take to end by itself."""
WORK_FOLDER = "/var/tmp"
COMMON, UNIT = "course", "unit"


class Deadline:
    """The time for one submission: at its end the examination is stopped, and soon after it the program ends.

    Args:
        seconds: how long it may take from now.
        results: where the results are.
        allowed: seconds that the platform allows, for people.
    """

    def __init__(self, seconds: float, results: Path, allowed: float) -> None:
        self.seconds = seconds
        self.began = time.monotonic()
        self.passed = False
        self._results, self._allowed = results, allowed
        self._lock = threading.Lock()
        self._written = False
        self._stop = threading.Event()
        self.on_end: Callable[[], None] = lambda: None
        threading.Thread(target=self._watch, daemon=True).start()

    def spent(self) -> float:
        """Return the seconds so far."""
        return time.monotonic() - self.began

    def write(self, results: dict[str, Any]) -> None:
        """Write the final results, once."""
        with self._lock:
            if not self._written:
                results_json.write(self._results, results)
                self._written = True
        self._stop.set()

    def too_late(self) -> dict[str, Any]:
        """Describe a submission that was not done in time."""
        return results_json.not_graded(results_json.TOO_LATE.format(seconds=self._allowed), self.spent())

    def _watch(self) -> None:
        if self._stop.wait(self.seconds):
            return
        self.passed = True
        with contextlib.suppress(Exception):
            self.on_end()
        if not self._stop.wait(GIVE_UP_SECONDS):
            self.write(self.too_late())
            os._exit(0)  # its supervisors see that, and end what runs


def main(root: Path) -> int:
    """Grade the submission below ``root``; return the exit status."""
    results = root / "results" / "results.json"
    results_json.write(results, results_json.not_graded(results_json.STOPPED))
    allowed = platform_settings.platform_seconds(os.environ)
    deadline = Deadline(platform_settings.program_seconds(allowed), results, allowed)
    with _work_folder() as folder:
        final = _graded(root, folder, deadline)
    deadline.write(final)
    return 0


def _graded(root: Path, folder: Path, deadline: Deadline) -> dict[str, Any]:
    """Grade the submission, and describe whatever comes of it."""
    try:
        return _grade(root, folder, deadline)
    except SubmissionError as error:
        sentence = str(error)
        return results_json.refused(sentence[:1].upper() + sentence[1:], deadline.spent())
    except AutograderError as error:
        print(f"not graded: {error}")
    except Exception:
        traceback.print_exc(file=sys.stdout)
    return (
        deadline.too_late() if deadline.passed else results_json.not_graded(results_json.NOT_GRADED, deadline.spent())
    )


def _grade(root: Path, folder: Path, deadline: Deadline) -> dict[str, Any]:
    source = root / "source"
    chosen = platform_settings.load(source / platform_settings.SETTINGS)
    if chosen.keras_backend:
        os.environ["KERAS_BACKEND"] = chosen.keras_backend
    common = unpack_common((source / platform_settings.EXAM).read_bytes(), folder / COMMON)
    course = common.assignment.limits
    limits = platform_settings.fitting(course, deadline.seconds, platform_settings.container_mib())
    common = replace(common, assignment=replace(common.assignment, limits=limits))
    unit = folder / COMMON / UNIT
    unit.mkdir()
    work = work_in(common, unit)
    (folder / "unpacked").mkdir()
    notebooks = [f"{exam.notebook}.ipynb" for exam in common.exams]
    notes = take(root / "submission", work.assignment.name, notebooks, folder / "unpacked", work.submission)
    work = replace(work, student=STUDENT, files={**own_files(work.submission, common.files), **common.files})
    require_walls(work.assignment)
    if reason := _examined(work, deadline):
        print(f"not graded: {reason}")
        return (
            deadline.too_late()
            if deadline.passed
            else results_json.not_graded(results_json.NOT_GRADED, deadline.spent())
        )
    grade = result_json.read(work.target / result_json.NAME, work.details)
    if any(platform_settings.is_cut_short(book, course, limits) for book in grade.notebooks):
        print(
            "not graded: a time limit of the course's was not reached, and the platform's time-out is too short for it"
        )
        return deadline.too_late()
    return results_json.graded(grade, chosen, notes, deadline.spent(), work.assignment.decimals)


def _examined(work: Work, deadline: Deadline) -> str:
    """Grade the submission, once more if the machine was too busy; return the reason if it could not be graded."""
    with Templates(work, submissions=1, kernels=0, executed=True) as templates:
        examiners = Examiners(templates)
        deadline.on_end = examiners.stop
        if deadline.passed:
            examiners.stop()
        reason = attempt(work, examiners.examine)
        if reason.startswith(BUSY) and not deadline.passed:
            reason = attempt(work, examiners.examine)
        return reason


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
    sys.exit(main(Path(sys.argv[1])))
