"""Health of the door: whether the worker lives, how long the queue is, how much disk is left."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from django.db.models import Count, Min

from autograder.extensions.serve import course_tables, jobs, state_folder
from autograder.extensions.serve.course_keys import header_fault
from autograder.extensions.serve.models import FINAL, Job, JobState
from autograder.records.course import Course
from autograder.records.ending import Whose
from autograder.submissions.choices import choice_faults
from autograder.submissions.members import MIB

MAX_SILENT_SECONDS = 30.0
"""Seconds after which a worker that said nothing counts as dead."""
MAX_WAIT_SECONDS = 900.0
"""Seconds after which a job without an end is a fault, whatever the reason."""
MIN_FREE_BYTES = 512 * MIB
MAX_LOG_LINES = 200
_WAITS = {
    Whose.COURSE: "cannot be graded now, by a fault of the course's own files",
    Whose.HOST: "cannot be graded now, by a fault of this machine",
    Whose.KIT: "could not be graded, and a person looks at it after the last try",
}


def beat(course: Course) -> None:
    """Note that the worker lives."""
    now = datetime.now(UTC).timestamp()
    _beat_file(course).touch()
    os.utime(_beat_file(course), (now, now))  # by this machine's clock, and not by a file server's


def fault(course: Course) -> str:
    """Say what is wrong with the door; empty if nothing is."""
    seconds = _silent_seconds(course)
    if seconds > MAX_SILENT_SECONDS:
        return "No worker grades: nothing is lost, and hand-ins wait in line."
    if _free_bytes(course) < MIN_FREE_BYTES:
        return "The disk is nearly full."
    if course_fault(course):
        return "A file of the course has a fault: what it said before counts. Staff's overview names it."
    if counts := dict(Job.objects.filter(jobs.NOT_YET).values_list("whose").annotate(Count("number"))):
        parts = " ".join(f"{counts[whose]} in line {words}." for whose, words in _WAITS.items() if whose in counts)
        return f"{parts} Nothing is lost: all are tried again."
    if _longest_wait() > MAX_WAIT_SECONDS:
        return f"The oldest job in line has waited for more than {MAX_WAIT_SECONDS / 60:.0f} minutes."
    return ""


def course_fault(course: Course) -> str:
    """Say what is wrong with the newest tables, and with people's choices of attempts; empty if nothing is."""
    reading = course_tables.read(course.root)
    return "\n".join(filter(None, (reading.fault, header_fault(reading.course), *choice_faults(course))))


def faults() -> dict[str, str]:
    """Return for each assignment of which a job is to be tried again: why."""
    return dict(Job.objects.filter(jobs.NOT_YET).order_by("number").values_list("assignment", "detail"))


def numbers(course: Course) -> dict[str, float]:
    """Return the numbers for Prometheus, by name."""
    counted = dict(jobs.hand_ins().values_list("state").annotate(Count("number")))
    return {
        **{f"hand_ins_{state}": float(counted.get(state, 0)) for state in (JobState.WAITING, JobState.BEGUN)},
        **{f"hand_ins_{name.replace(' ', '_')}": float(jobs.hand_ins(name).count()) for name in jobs.LISTS},
        "oldest_waiting_seconds": _longest_wait(),
        "worker_silent_seconds": _silent_seconds(course),
        "assignments_with_fault": float(len(faults())),
        "course_with_fault": float(bool(course_fault(course))),
        "free_disk_bytes": float(_free_bytes(course)),
    }


def log_file(course: Course) -> Path:
    """Return the path of the worker's log."""
    return state_folder.folder(course) / "worker.log"


def log_lines(course: Course) -> list[str]:
    """Read the last lines of the worker's log, the newest first."""
    try:
        text = log_file(course).read_text("utf-8", "replace")
    except OSError:
        return []
    return text.splitlines()[: -MAX_LOG_LINES - 1 : -1]


def _beat_file(course: Course) -> Path:
    return state_folder.folder(course) / "worker.beat"


def _silent_seconds(course: Course) -> float:
    try:
        return datetime.now(UTC).timestamp() - _beat_file(course).stat().st_mtime
    except OSError:
        return 1e9


def _longest_wait() -> float:
    """Return the seconds since the oldest job without an end came; 0 if there is none."""
    oldest = Job.objects.exclude(state__in=FINAL).aggregate(Min("received"))["received__min"]
    return (datetime.now(UTC) - oldest).total_seconds() if oldest is not None else 0.0


def _free_bytes(course: Course) -> int:
    return shutil.disk_usage(state_folder.folder(course)).free
