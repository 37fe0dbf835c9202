"""The queue: jobs are added, taken in their order, and finished once."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Sum
from django.utils.translation import gettext_noop as noop

from autograder.extensions.serve.models import FINAL, Job, JobState, Kind

MAX_TRIES = 3
"""Tries of a job after which a person looks at it: one that kills the worker would be taken for ever."""
FOR_A_PERSON = noop("It could not be graded. This is not your fault, and costs no points: a person looks at it.")


def new_receipt() -> str:
    """Make a receipt's number, which nobody can guess."""
    return secrets.token_hex(8)


def add(kind: Kind, student: str, assignment: str, by: str, *, receipt: str = "", **values: Any) -> Job:
    """Add a job at the end of the queue; it is on the disk when this returns."""
    job: Job = Job.objects.create(
        receipt=receipt or new_receipt(),
        kind=kind,
        student=student,
        assignment=assignment,
        by=by,
        **{"received": datetime.now(UTC), **values},
    )
    return job


def of_assignment(assignment: str, student: str = "", kind: str = Kind.HAND_IN) -> Any:
    """Return the jobs of a kind, the newest first: a student's, or an assignment's as a whole."""
    return Job.objects.filter(kind=kind, student=student, assignment=assignment).order_by("-number")


def command(kind: Kind, assignment: str, by: str) -> Job:
    """Add a command for an assignment, unless it is in the queue; return the one that is."""
    newest: Job | None = of_assignment(assignment, kind=kind).first()
    return newest if newest is not None and not newest.is_final else add(kind, "", assignment, by)


def hand_ins_of_day(student: str) -> int:
    """Count what a student handed in during the last 24 hours, with what was refused."""
    return int(_of_day(student).count())


def bytes_of_day(student: str) -> int:
    """Sum the bytes that a student handed in during the last 24 hours, without what was refused."""
    return int(_of_day(student).exclude(file="").aggregate(Sum("size"))["size__sum"] or 0)


def _of_day(student: str) -> Any:
    since = datetime.now(UTC) - timedelta(days=1)
    return Job.objects.filter(kind=Kind.HAND_IN, student=student, received__gt=since)


def takeable(after: int, busy: Collection[str], resting: Collection[str]) -> Job | None:
    """Return the first waiting job that may be taken; None if there is none.

    Args:
        after: jobs up to this number were looked at already.
        busy: students with a job under way: their next one waits until it is done.
        resting: assignments that cannot be graded now.
    """
    waiting = Job.objects.filter(state=JobState.WAITING, number__gt=after).exclude(assignment__in=list(resting))
    first: Job | None = waiting.exclude(student__in=list(busy)).order_by("number").first()
    return first


def begin(job: Job) -> None:
    """Note that the worker has taken a job."""
    job.state, job.begun, job.tries = JobState.BEGUN, datetime.now(UTC), job.tries + 1
    job.save(update_fields=["state", "begun", "tries"])


def put_back(job: Job, detail: str = "") -> None:
    """Let a job wait again that could not be done now for no reason of its own.

    The try does not count.
    """
    begun = Job.objects.filter(pk=job.pk, state=JobState.BEGUN)
    begun.update(state=JobState.WAITING, detail=detail, tries=F("tries") - 1)


def try_again(job: Job, detail: str) -> None:
    """Let a job wait again that failed, perhaps by a fault of its own.

    After its last try it is for a person.
    """
    if job.tries >= MAX_TRIES:
        finish(job, JobState.NOT_GRADED, note=FOR_A_PERSON, detail=f"{MAX_TRIES} tries failed; the last: {detail}")
    else:
        Job.objects.filter(pk=job.pk, state=JobState.BEGUN).update(state=JobState.WAITING, detail=detail)


def put_all_back(*, is_stop: bool = False) -> int:
    """Let all jobs wait again that a worker had taken before it ended; return their number.

    Args:
        is_stop: the worker was stopped: the jobs have no part in it, and their tries do not count.
    """
    begun = list(Job.objects.filter(state=JobState.BEGUN))
    for job in begun:
        if is_stop:
            put_back(job)
        else:
            try_again(job, "the worker ended")
    return len(begun)


def finish(job: Job, state: JobState, **values: Any) -> None:
    """Give a job its final state, unless it has one."""
    unfinished = Job.objects.filter(pk=job.pk).exclude(state__in=FINAL)
    unfinished.update(state=state, published=datetime.now(UTC), **values)
