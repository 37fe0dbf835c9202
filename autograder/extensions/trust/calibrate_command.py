"""``autograder calibrate``: reruns the solution, and says how often chance costs points."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.output import course_option, examples, open_course, warn, warn_each, workers_option
from autograder.cli.requirements import GradingCommand

if TYPE_CHECKING:
    from autograder.extensions.trust.calibration_runs import CalibrationRuns, Candidate
    from autograder.records.course import Assignment, Course
    from autograder.release.calibration_record import Calibration, Share
    from autograder.release.record import Release

SEEDS = 20
"""Runs where the command says nothing of them."""
MIN_RATE, MAX_RATE = 0.001, 0.5


def _share(context: click.Context, option: click.Parameter, value: str | None) -> float | None:
    """Read a share, written as ``1%`` or ``0.01``."""
    if value is None:
        return None
    try:
        share = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        share = math.nan
    if not MIN_RATE <= share <= MAX_RATE:
        raise click.BadParameter(f"{value!r} is no share from 0.1% to 50%.", context, option)
    return share


@click.command(
    cls=GradingCommand,
    short_help="Rerun the solution, and choose thresholds by evidence.",
    epilog=examples("""
autograder calibrate keras-fully-connected
autograder calibrate keras-fully-connected --seeds 8 --minutes 10
autograder calibrate keras-fully-connected --until 1%     # as many runs as show that at most 1 % lose
"""),
)
@click.argument("assignment")
@course_option
@click.option("--seeds", type=click.IntRange(2, 1000), help=f"Runs of each notebook (default: {SEEDS}).")
@click.option(
    "--until",
    metavar="PERCENT",
    callback=_share,
    help="Run the solution as often as it takes, without a loss, to show that at most so many lose, such as 1%.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which seeds are drawn.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Stop when so much time is used.")
@workers_option
@click.option("--quiet", is_flag=True, help="Show the result only, no progress.")
def calibrate(
    assignment: str,
    course_folder: Path,
    seeds: int | None,
    until: float | None,
    seed: int,
    minutes: float | None,
    workers: int | None,
    quiet: bool,
) -> None:
    """Run the solution of ASSIGNMENT from fresh seeds, and say for each threshold how often it misses it.

    Integers in known seeding calls are drawn anew; nothing else changes. Notebooks in source/ASSIGNMENT/answers/ run
    beside it: answers that should pass (their names begin with `good`) or should not (all others). Writes
    source/ASSIGNMENT/calibration.json, which a release and the class report cite, and a page in reports/. All is
    recorded: the same command goes on where it was stopped.
    """
    if seeds is not None and until is not None:
        raise click.UsageError("--seeds and --until both say how many runs there are: give one of them.")
    course, wanted = open_course(course_folder, assignment)
    from autograder.coordinator.assignment import observed_release
    from autograder.extensions.trust.calibration import calibration
    from autograder.extensions.trust.calibration_runs import CalibrationError, CalibrationRuns, candidates
    from autograder.extensions.trust.calibration_statistics import runs_needed
    from autograder.release.preparation import check_hidden_data

    release, notes = observed_release(course, wanted)
    warn_each(notes)
    check_hidden_data(course, wanted, release.exams)
    runs = CalibrationRuns(seeds or (runs_needed(until) if until is not None else SEEDS), 0)
    stop: KeyboardInterrupt | None = None
    try:
        _run(course, release, candidates(course, release), runs, seed, minutes, workers, quiet)
    except KeyboardInterrupt as interrupt:
        stop = interrupt
    hidden = course.hidden(wanted.name)
    try:
        result = calibration(runs, release.exams, hidden, seed=seed)
    except CalibrationError as error:
        if stop is None:
            raise
        stop.add_note(str(error))
        raise stop from None
    _publish(course, wanted, result)
    if stop is not None:
        raise stop
    if until is not None and result.lost.hits and result.lost.at_most > until:
        warn(_not_shown(result.lost, until))


def _not_shown(lost: Share, until: float) -> str:
    """Say that losses keep the runs from showing the wanted rate.

    To go on until they do would be no fair count.
    """
    from autograder.extensions.trust.calibration_findings import counted, percent

    return f"note: at most {percent(until)} is not shown, as the solution lost points in {counted(lost)}"


def _run(
    course: Course,
    release: Release,
    wanted: list[Candidate],
    runs: CalibrationRuns,
    seed: int,
    minutes: float | None,
    workers: int | None,
    quiet: bool,
) -> None:
    from rich.console import Console

    from autograder.cli.output import say_reduced
    from autograder.cli.progress import BatchProgress
    from autograder.coordinator import batch
    from autograder.coordinator.grading_sandboxes import require_walls
    from autograder.extensions.trust.calibration_runs import execute_runs, plan_runs, working_folder

    name = release.assignment.name
    if reduced := require_walls(release.assignment):
        say_reduced()
    with working_folder(course) as folder:
        planned = plan_runs(course, release, wanted, runs, seed, folder)
        count = 1 if reduced else workers or batch.worker_count([run.work for run in planned])
        labels = [run.label for run in planned]
        with BatchProgress(labels, f"calibrate {name}", Console(stderr=True), workers=count, quiet=quiet) as progress:
            seconds = None if minutes is None else 60 * minutes
            execute_runs(planned, runs, workers=count, seconds=seconds, advance=progress.advance)


def _publish(course: Course, assignment: Assignment, result: Calibration) -> None:
    """Write the record and the page, and show the table and what was found."""
    from rich.console import Console

    from autograder._util.text import one_line
    from autograder.cli.output import MAX_PATH
    from autograder.cli.progress import show_columns
    from autograder.extensions.trust.calibration_findings import at_most, summary
    from autograder.extensions.trust.calibration_report import table, write_page
    from autograder.release import calibration_record

    path = calibration_record.calibration_path(course, assignment.name)
    calibration_record.save(path, result)
    page = write_page(course, assignment, result)
    if result.checks:
        column = f"met by all ({at_most(result.shown)} miss it)"
        titles = ("question", "check", "measured", "threshold", "solution loses", column, "passes")
        show_columns(Console(), titles, table(result), right=("threshold",))
        click.echo()
    for text in result.findings:
        click.echo(f"- {one_line(text, 2000)}")
    click.echo(f"{summary(result)}\n")
    for title, target in (("calibration", path), ("page", page)):
        click.echo(f"{title:14} {one_line(str(target), MAX_PATH)}")
    if result.runs < result.planned:
        warn(f"note: {result.runs} of {result.planned} runs of the solution; the same command goes on with the others")
