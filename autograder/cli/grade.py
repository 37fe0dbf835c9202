"""``autograder grade``: grades submissions without a current grade, or shows which grades would change."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from autograder.cli.output import (
    DONE,
    NOT_GRADED,
    WRONG,
    complain_of,
    course_option,
    examples,
    open_course,
    say_unanswered,
    workers_option,
)
from autograder.cli.requirements import GradingCommand

if TYPE_CHECKING:
    from autograder.coordinator.assignment import Options
    from autograder.coordinator.batch import Execute
    from autograder.records.course import Assignment, Course
    from autograder.records.grade import Batch


@click.command(
    cls=GradingCommand,
    short_help="Grade, record and report an assignment.",
    epilog=examples("""
autograder grade keras-fully-connected                      # what is new or changed
autograder grade keras-fully-connected --student ada --student bob
autograder grade keras-fully-connected --force --workers 4  # everything, again
autograder grade keras-fully-connected --dry-run            # which grades would change; none is written
autograder grade keras-fully-connected --watch              # each submission as it arrives
autograder grade keras-fully-connected --quiet --json grades.json
autograder grade keras-fully-connected --scheduler tls://cluster.example:8786
"""),
)
@click.argument("assignment")
@course_option
@click.option("--student", "only", multiple=True, help="Only this student; may be given more than once.")
@workers_option
@click.option(
    "--start",
    type=click.Choice(["warm", "cold"]),
    metavar="WAY",
    default="warm",
    show_default=True,
    help="warm: fork kernels from a process that has imported the libraries; cold: start each on its own.",
)
@click.option("--force", is_flag=True, help="Execute all notebooks again, even with a current grade or a recording.")
@click.option("--dry-run", is_flag=True, help="Say which grades would change, and write none.")
@click.option("--watch", "watching", is_flag=True, help="Grade what arrives in submitted/ at once, until Ctrl-C.")
@click.option(
    "--inbox", type=click.Path(path_type=Path), metavar="FOLDER", help="With --watch: collect what arrives there, too."
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all results to this file as well.")
@click.option("--quiet", is_flag=True, help="Show problems only, and the table of a dry run.")
@click.option("--scheduler", metavar="ADDRESS", help="Grade on the workers of this dask scheduler (tls://host:8786).")
@click.option("--insecure-scheduler", is_flag=True, help="Allow a scheduler without TLS (tcp://host:8786).")
def grade(
    assignment: str,
    course_folder: Path,
    only: tuple[str, ...],
    workers: int | None,
    start: str,
    force: bool,
    dry_run: bool,
    watching: bool,
    inbox: Path | None,
    json_path: Path | None,
    quiet: bool,
    scheduler: str | None,
    insecure_scheduler: bool,
) -> None:
    """Grade the submissions of ASSIGNMENT that have no current grade, then record and report all of them.

    A grade is current while all that it was made from is the same: submission, exam, hidden data, released files,
    limits, late policy, and the kit's versions. A batch that was stopped continues where it was. Where only tests,
    points or hidden data have changed, notebooks are not executed again: their recordings are replayed.
    """
    if watching:
        _watch(course_folder, assignment, workers, start == "warm", inbox, quiet)
        return
    if inbox is not None:
        raise click.UsageError("--inbox needs --watch; autograder collect collects without it")
    from autograder.cli.batch_display import BatchDisplay, Publication, show_graded
    from autograder.coordinator.assignment import Options, run_assignment

    course, wanted = open_course(course_folder, assignment)
    warm = start == "warm"
    cluster = None if dry_run else _cluster(course, scheduler, insecure_scheduler, warm)
    options = Options(only, workers, warm, force, cluster)
    if dry_run:
        _forecast(course, wanted, options, json_path, quiet)
    display = BatchDisplay(quiet)
    graded = run_assignment(course, wanted, options, display, Publication())
    show_graded(graded, quiet, display.log)
    if json_path:
        _write_json(json_path, graded.batch)
    wrong = WRONG if graded.published.page_faults else DONE
    sys.exit(NOT_GRADED if graded.batch.not_graded else wrong)


def _watch(
    course_folder: Path, assignment: str, workers: int | None, warm: bool, inbox: Path | None, quiet: bool
) -> None:
    """Grade what arrives; refuse the options of a batch."""
    parameters = click.get_current_context().params
    for name, option in _OF_A_BATCH.items():
        if parameters[name]:
            raise click.UsageError(f"{option} cannot be used with --watch")
    from autograder._util import registry
    from autograder.coordinator.assignment import Options

    watch = registry.load(registry.GRADING_MODES, "watch")
    watch(course_folder, assignment, Options(workers=workers, warm=warm), inbox=inbox, quiet=quiet)


_OF_A_BATCH = {
    "only": "--student",
    "force": "--force",
    "dry_run": "--dry-run",
    "json_path": "--json",
    "scheduler": "--scheduler",
}


def _forecast(
    course: Course, assignment: Assignment, options: Options, json_path: Path | None, quiet: bool
) -> NoReturn:
    """Show which grades would change, and exit."""
    from rich.console import Console

    from autograder._util.files import write_atomically
    from autograder.cli.batch_display import ForecastDisplay
    from autograder.cli.progress import show_forecast
    from autograder.coordinator import forecast
    from autograder.coordinator.assignment import forecast_assignment

    graded = forecast_assignment(course, assignment, options, ForecastDisplay(quiet))
    show_forecast(Console(), graded.published)  # with --quiet, too: it is what a dry run is for
    if not quiet:
        say_unanswered(graded.batch)
    if json_path:
        write_atomically(json_path, json.dumps(forecast.to_json(graded.published), indent=2) + "\n")
    complain_of(graded.batch)
    sys.exit(NOT_GRADED if graded.batch.not_graded else DONE)


def _cluster(course: Course, scheduler: str | None, insecure: bool, warm: bool) -> Execute | None:
    """Make what grades elsewhere; None: this machine grades."""
    from dataclasses import replace

    engine = course.engine if scheduler is None else replace(course.engine, kind="dask", scheduler=scheduler)
    if engine.kind == "local":
        return None
    from autograder._util import registry

    execute: Execute = registry.load(registry.EXECUTORS, engine.kind)(engine, course.root, insecure=insecure, warm=warm)
    return execute


def _write_json(path: Path, batch_result: Batch) -> None:
    from autograder._util.files import write_atomically
    from autograder.exchange.result_json import to_json

    content = {
        "grades": [to_json(grade) for grade in batch_result.grades],
        "graded": list(batch_result.graded),
        "not_graded": [{"student": n.student, "reason": n.reason} for n in batch_result.not_graded],
    }
    write_atomically(path, json.dumps(content, indent=2) + "\n")
