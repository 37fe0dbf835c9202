"""The queue: jobs are added, taken in their order, and finished once."""

from __future__ import annotations

import math
import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Q, Sum
from django.utils.translation import gettext_noop as noop

from autograder.extensions.serve.models import FINAL, GRADED, Job, JobState, Kind, LaunchedLink
from autograder.records.course import Course
from autograder.records.ending import Ending, EndingKind, Whose, failed
from autograder.results import held_grades

MAX_TRIES = int(Whose.KIT.tries)
"""Tries of a job after which a person looks at it: one that kills the worker would be taken for ever."""
NOT_YET = Q(state__in=(JobState.WAITING, JobState.BEGUN)) & ~Q(whose="")
"""Jobs of which a try failed, and that are tried again."""
LISTS = {
    "graded": Q(state=JobState.DONE),
    "for a person": Q(state=JobState.PERSON),
    "refused": Q(state=JobState.REFUSED),
    "not graded yet": NOT_YET,
}
"""Four lists of hand-ins, of which each is in one at most; in none while it waits for its first try."""
SEND_SECONDS = 60.0
"""Seconds until scores go to the learning system: those of many hand-ins go at once."""
FOR_A_PERSON = noop("It could not be graded. This is not your fault, and costs no points: a person looks at it.")


def new_receipt() -> str:
    """Make a receipt's number, which nobody can guess."""
    return secrets.token_hex(8)


def add(kind: Kind, student: str, assignment: str, by: str, *, receipt: str = "", **values: Any) -> Job:
    """Add a job at the end of the queue; it is on the disk when this returns."""
    values = {"receipt": receipt or new_receipt(), "received": datetime.now(UTC), **values}
    job: Job = Job.objects.create(kind=kind, student=student, assignment=assignment, by=by, **values)
    return job


def of_assignment(assignment: str, student: str = "", kind: str = Kind.HAND_IN) -> Any:
    """Return the jobs of a kind, the newest first: a student's, or an assignment's as a whole."""
    return Job.objects.filter(kind=kind, student=student, assignment=assignment).order_by("-number")


def command(kind: Kind, assignment: str, by: str, **values: Any) -> Job:
    """Add a command for an assignment, unless it is in the queue; return the one that is."""
    newest: Job | None = of_assignment(assignment, kind=kind).first()
    is_new = newest is None or newest.is_final or kind == Kind.PUBLISH  # what was held back since is to be published
    return newest if newest is not None and not is_new else add(kind, "", assignment, by, **values)


def is_held(course: Course, assignment: str) -> bool:
    """Tell whether staff hold an assignment's grades back from students, or have just pending for it."""
    pending = of_assignment(assignment, kind=Kind.HOLD).exclude(state__in=FINAL)
    return held_grades.is_held(course, assignment) or bool(pending.exists())


def send_soon(course: Course, assignment: str) -> None:
    """Have scores sent to the learning system in a while, with those that are made until then."""
    is_linked = LaunchedLink.objects.filter(assignment=assignment).exclude(line_item="").exists()
    waiting = of_assignment(assignment, kind=Kind.POST).filter(state=JobState.WAITING)
    if is_linked and not is_held(course, assignment) and not waiting.exists():
        add(Kind.POST, "", assignment, "", next_try=datetime.now(UTC) + timedelta(seconds=SEND_SECONDS))


def of_day(student: str, kind: str = Kind.HAND_IN) -> Any:
    """Return what a student pending for during the last 24 hours, with what was refused."""
    return Job.objects.filter(
        kind=kind, by=student, student=student, received__gt=datetime.now(UTC) - timedelta(days=1)
    )


def bytes_of_day(student: str) -> int:
    """Sum the bytes that a student handed in during the last 24 hours, without what was refused."""
    return int(of_day(student).exclude(file="").aggregate(Sum("size"))["size__sum"] or 0)


def takeable(after: int, busy: Collection[str], resting: Collection[str], without: Collection[str] = ()) -> Job | None:
    """Return the first waiting job that may be taken; None if there is none.

    Args:
        after: jobs up to this number were looked at already.
        busy: students with a job under way: their next one waits until it is done.
        resting: assignments of which nothing is taken now.
        without: kinds that are left alone now.
    """
    waiting = Job.objects.filter(state=JobState.WAITING, number__gt=after).exclude(assignment__in=list(resting))
    waiting = (
        waiting.exclude(student__in=list(busy)).exclude(kind__in=list(without)).exclude(next_try__gt=datetime.now(UTC))
    )
    first: Job | None = waiting.order_by("number").first()
    return first


def begin(job: Job) -> None:
    """Note that the worker has taken a job."""
    job.state, job.begun, job.tries = JobState.BEGUN, datetime.now(UTC), job.tries + 1
    job.save(update_fields=["state", "begun", "tries"])


def hand_ins(name: str = "") -> Any:
    """Return all that was handed in, with what is run again; or one of :data:`LISTS`."""
    return Job.objects.filter(LISTS.get(name, Q()), kind__in=GRADED)


def put_back(job: Job) -> None:
    """Let a job wait again that was stopped: it has no part in it, and its try does not count."""
    begun = Job.objects.filter(pk=job.pk, state=JobState.BEGUN)
    begun.update(state=JobState.WAITING, detail="", whose="", next_try=None, tries=F("tries") - 1)


def try_again(job: Job, ending: Ending, seconds: float = 0.0) -> None:
    """Let a job wait for another try, or for a person where whoever is at fault has none left.

    Args:
        job: the job, with the try that failed.
        ending: how that try ended; a fault of the course or the machine uses up none.
        seconds: time until the next try.
    """
    if job.tries >= ending.whose.tries:
        failures = f"{MAX_TRIES} tries failed; the last: " if ending.whose is Whose.KIT else ""
        finish(job, JobState.PERSON, note=FOR_A_PERSON, detail=failures + ending.text)
        return
    after = datetime.now(UTC) + timedelta(seconds=seconds)
    Job.objects.filter(pk=job.pk, state=JobState.BEGUN).update(
        state=JobState.WAITING,
        detail=ending.text,
        whose=ending.whose,
        next_try=after,
        tries=F("tries") - int(math.isinf(ending.whose.tries)),
    )


def put_all_back(*, is_stop: bool = False, but: Sequence[int] = ()) -> int:
    """Let all jobs wait again that a worker had taken before it ended; return their number.

    Args:
        is_stop: the worker was stopped: the jobs have no part in it, and their tries do not count.
        but: the numbers of those that are under way.
    """
    begun = list(Job.objects.filter(state=JobState.BEGUN).exclude(pk__in=but))
    for job in begun:
        if is_stop:
            put_back(job)
        else:
            try_again(job, failed("the worker ended", kind=EndingKind.LOST))
    return len(begun)


def finish(job: Job, state: JobState, **values: Any) -> None:
    """Give a job its final state, unless it has one."""
    unfinished = Job.objects.filter(pk=job.pk).exclude(state__in=FINAL)
    unfinished.update(state=state, published=datetime.now(UTC), whose="", next_try=None, **values)
