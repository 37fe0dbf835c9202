"""``autograder grade --watch``: grades submissions as they arrive, until it is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from datetime import datetime
from pathlib import Path

import click

from autograder._util.text import one_line
from autograder.cli.output import complain, open_course, warn, warn_each
from autograder.coordinator import tally
from autograder.coordinator.assignment import Options
from autograder.coordinator.service import Result, Service
from autograder.coordinator.submission_grading import ending_of
from autograder.errors import AutograderError
from autograder.extensions.watch.arrivals import RETRY_SECONDS, Arrivals, Inbox
from autograder.records.ending import Whose
from autograder.records.grade import NotGraded
from autograder.results.report.status_words import points
from autograder.submissions.delivery import CollectStatus

LOOK_SECONDS = 0.25
"""Seconds between two looks at ``submitted/`` and the inbox; a submission that was still for one look is graded."""
MAX_SHARE = 0.1
"""Largest share of the time that is spent looking."""


def watch(
    course_folder: Path, assignment: str, options: Options, *, inbox: Path | None = None, quiet: bool = False
) -> None:
    """Grade what arrives until Ctrl-C or SIGTERM; after a change of the source, continue with the new exam.

    Args:
        course_folder: the course.
        assignment: the assignment's name.
        options: ``workers`` and ``warm`` count.
        inbox: a folder whose files are collected into submitted/ as they arrive.
        quiet: show problems only.

    Raises:
        The same errors as :class:`~autograder.coordinator.service.Service`, at the first start only.
    """
    first = True
    try:
        while True:
            try:
                _serve(course_folder, assignment, options, inbox, quiet=quiet)
            except AutograderError as error:
                if first:
                    raise
                complain(error)
                time.sleep(2)
            first = False
    except KeyboardInterrupt:
        if not quiet:
            warn("stopped; grades so far are kept")


def _serve(course_folder: Path, assignment: str, options: Options, inbox: Path | None, *, quiet: bool) -> None:
    """Grade what arrives until a source of the exam changes."""
    course, wanted = open_course(course_folder, assignment)
    incoming = Inbox(course, wanted, inbox) if inbox is not None else None
    if incoming is not None:
        incoming.look()  # an inbox that cannot be made is told at once
    with Service(course, wanted, options, warn) as service:
        warn_each(service.notes)
        arrivals = Arrivals(course, wanted)
        if not quiet:
            places = " and ".join(str(place) for place in (course.directory("submitted"), inbox) if place)
            warn(f"grading what arrives in {places} for {assignment}; Ctrl-C ends it")
        while not service.changed():
            began = time.monotonic()
            for collected in incoming.look() if incoming is not None else ():
                if collected.status in (CollectStatus.REFUSED, CollectStatus.OLDER) or not quiet:
                    warn(str(collected))
            for student in arrivals.look():
                service.submit(student).add_done_callback(_teller(student, arrivals, quiet))
            time.sleep(max(LOOK_SECONDS, (time.monotonic() - began) / MAX_SHARE))
    if not quiet:
        warn("the assignment has changed: it is read again")


def _teller(student: str, arrivals: Arrivals, quiet: bool) -> Callable[[Result], None]:
    """Return a function that prints how a submission ended, and lets it be tried again where it may end otherwise."""
    began = time.monotonic()

    def tell(future: Result) -> None:
        name = one_line(student)
        try:
            outcome = future.result()
        except CancelledError:
            return
        except Exception as error:
            warn(f"{name}: graded, but not recorded: {error}{again(ending_of(error).whose)}")
            return
        if isinstance(outcome, NotGraded):
            warn(f"not graded: {name}: {outcome.reason}{again(outcome.ending.whose)}")
        elif not quiet:
            score = f"{points(outcome.score)} / {points(outcome.max_score)}"
            seconds = time.monotonic() - began
            line = f"{datetime.now():%H:%M:%S}  {name:20}  {score:>11}  {tally.status_of(outcome):12}  {seconds:5.1f} s"
            click.echo(line)

    def again(whose: Whose) -> str:
        return f"; it is tried again in {RETRY_SECONDS:g} s" if arrivals.try_again(student, whose) else ""

    return tell
