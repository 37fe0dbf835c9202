"""``autograder grade --watch``: grades submissions as they arrive, until it is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from datetime import datetime
from pathlib import Path

import click

from autograder._util.text import one_line
from autograder.cli.output import complain, open_course, warn
from autograder.errors import AutograderError
from autograder.grading import tally
from autograder.grading.arrivals import Arrivals
from autograder.grading.assignment import Options
from autograder.grading.service import Result, Service
from autograder.records import NotGraded
from autograder.results.report.words import points

LOOK_SECONDS = 0.25
"""Seconds between two looks at ``submitted/``; a submission that was still for one look is graded."""
MAX_SHARE = 0.1
"""Largest share of the time that is spent looking."""


def watch(course_folder: Path, assignment: str, options: Options, *, quiet: bool) -> None:
    """Grade what arrives until Ctrl-C or SIGTERM; after a change of the source, continue with the new exam.

    Raises:
        The same errors as :class:`~autograder.grading.service.Service`, at the first start only.
    """
    first = True
    try:
        while True:
            try:
                _serve(course_folder, assignment, options, quiet=quiet)
            except AutograderError as error:
                if first:
                    raise
                complain(error)
                time.sleep(2)
            first = False
    except KeyboardInterrupt:
        if not quiet:
            warn("stopped; grades so far are kept")


def _serve(course_folder: Path, assignment: str, options: Options, *, quiet: bool) -> None:
    """Grade what arrives until a source of the exam changes."""
    course, wanted = open_course(course_folder, assignment)
    with Service(course, wanted, options) as service:
        arrivals = Arrivals(course, wanted)
        if not quiet:
            warn(f"grading what arrives in {course.directory('submitted')} for {assignment}; Ctrl-C ends it")
        while not service.changed():
            began = time.monotonic()
            for student in arrivals.look():
                service.submit(student).add_done_callback(_teller(student, quiet))
            time.sleep(max(LOOK_SECONDS, (time.monotonic() - began) / MAX_SHARE))
    if not quiet:
        warn("the assignment has changed: it is read again")


def _teller(student: str, quiet: bool) -> Callable[[Result], None]:
    """Return a function that prints how a submission ended."""
    began = time.monotonic()

    def tell(done: Result) -> None:
        name = one_line(student)
        try:
            outcome = done.result()
        except CancelledError:
            return
        except Exception as error:
            warn(f"{name}: graded, but not recorded: {error}")
            return
        if isinstance(outcome, NotGraded):
            warn(f"not graded: {name}: {outcome.reason}")
        elif not quiet:
            score = f"{points(outcome.score)} / {points(outcome.max_score)}"
            seconds = time.monotonic() - began
            line = f"{datetime.now():%H:%M:%S}  {name:20}  {score:>11}  {tally.status_of(outcome):12}  {seconds:5.1f} s"
            click.echo(line)

    return tell
