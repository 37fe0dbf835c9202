"""``autograder replay``: makes grades anew, and says which differ."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from autograder.cli.output import (
    DONE,
    NOT_GRADED,
    NOT_VERIFIED,
    WRONG,
    course_option,
    examples,
    open_course,
    warn_each,
    workers_option,
)
from autograder.cli.requirements import GradingCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from autograder.extensions.trust.replay import ReplayCase, ReplayReport, Second


@click.command(
    cls=GradingCommand,
    short_help="Make grades anew, and say which differ.",
    epilog=examples("""
autograder replay ada-keras-fully-connected.bundle.zip
autograder replay keras-fully-connected --student ada
autograder replay keras-fully-connected --sample 20         # how flaky is the assignment?
"""),
)
@click.argument("target", metavar="BUNDLE|ASSIGNMENT")
@course_option
@click.option("--student", "only", multiple=True, help="Only this student; may be given more than once.")
@click.option("--sample", type=click.IntRange(1), help="Draw so many of the graded submissions (default: all).")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which are drawn.")
@click.option(
    "--signed-by",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Require of a bundle that somebody in this file of allowed signers signed it.",
)
@workers_option
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the result to this file as well.")
@click.option("--quiet", is_flag=True, help="Show the result only, no progress.")
def replay(
    target: str,
    course_folder: Path,
    only: tuple[str, ...],
    sample: int | None,
    seed: int,
    signed_by: Path | None,
    workers: int | None,
    json_path: Path | None,
    quiet: bool,
) -> None:
    """Make the grades of a BUNDLE or of an ASSIGNMENT's submissions anew, and compare them with the given ones.

    Each recording is examined anew, and all of the grade is compared but times: a recording has no chance in it. Each
    notebook is executed anew, and points, outcomes and the late penalty are compared. What differs in the environment
    is named. Nothing of the results, the gradebook or the recordings is changed. Exit code 1: a grade differs. Exit
    code 4: none does, but something could not be verified.
    """
    if Path(target).suffix == ".zip":
        if only or sample is not None:
            raise click.UsageError("--student and --sample are for an assignment; a bundle has one submission")
        if signed_by is not None:
            from autograder.extensions.trust.bundle_signature import signer

            click.echo(_plain(f"signed by {signer(Path(target), signed_by)}"))
        report = _of_bundle(Path(target), course_folder, workers, quiet)
    else:
        if signed_by is not None:
            raise click.UsageError("--signed-by is for a bundle")
        report = _of_course(target, course_folder, only, sample, seed, workers, quiet)
    _show(report)
    if json_path:
        from autograder._util.files import write_atomically
        from autograder.extensions.trust.replay_report import to_json

        write_atomically(json_path, json.dumps(to_json(report), indent=2) + "\n")
    if report.differing:
        sys.exit(WRONG)
    sys.exit(NOT_GRADED if report.not_executed else NOT_VERIFIED if report.not_verified else DONE)


def _of_bundle(path: Path, course_folder: Path, workers: int | None, quiet: bool) -> ReplayReport:
    from autograder.course.configuration import load_course
    from autograder.extensions.trust.bundle_reading import read_bundle
    from autograder.extensions.trust.replay import bundle_case

    is_named = click.get_current_context().get_parameter_source("course_folder") is ParameterSource.COMMANDLINE
    course = load_course(course_folder.resolve()) if is_named else None
    with tempfile.TemporaryDirectory(prefix="second-look-") as folder:
        scratch = Path(folder)
        (scratch / "bundle").mkdir()
        bundle = read_bundle(path, scratch / "bundle", course)
        warn_each(bundle.notes)
        for request in bundle.requests:
            about = request.question or "the whole submission"
            click.echo(_plain(f"the student asks about {about}: {request.request}"))
            if request.answer:
                click.echo(_plain(f"the answer was: {request.answer}"))
        settings = course.assignments.get(bundle.manifest.assignment) if course else None
        return _run([bundle_case(bundle, settings)], bundle.work.course / ".autograder" / "replay", workers, quiet)


def _of_course(
    name: str,
    course_folder: Path,
    only: tuple[str, ...],
    sample: int | None,
    seed: int,
    workers: int | None,
    quiet: bool,
) -> ReplayReport:
    from autograder.extensions.trust.replay import FOLDER, course_cases
    from autograder.extensions.trust.work_folder import work_folder

    course, assignment = open_course(course_folder, name)
    with course_cases(course, assignment, only, sample, seed) as cases, work_folder(course, FOLDER) as folder:
        return _run(cases, folder, workers, quiet)


def _run(cases: Sequence[ReplayCase], folder: Path, workers: int | None, quiet: bool) -> ReplayReport:
    from rich.console import Console

    from autograder.cli.output import say_reduced
    from autograder.cli.progress import BatchProgress
    from autograder.coordinator import batch
    from autograder.coordinator.grading_sandboxes import require_walls
    from autograder.extensions.trust.replay import replay as make_anew
    from autograder.records.ending import failed
    from autograder.records.grade import NotGraded

    work = cases[0].work
    if reduced := require_walls(work.assignment):
        say_reduced()
    count = 1 if reduced else workers or batch.worker_count([case.work for case in cases])
    due = [_label(case.work.student, "recording") for case in cases if case.is_recorded]
    due += [_label(case.work.student, "execution") for case in cases]
    title = f"replay {work.assignment.name}"
    with BatchProgress(due, title, Console(stderr=True), workers=count, quiet=quiet) as progress:

        def advance(student: str, part: str, second: Second) -> None:
            outcome = second.grade or NotGraded(student, work.assignment.name, failed(second.reason))
            progress.advance(_label(student, part), outcome)

        return make_anew(cases, folder, workers=count, advance=advance)


def _label(student: str, part: str) -> str:
    return f"{student} ({part})"


def _show(report: ReplayReport) -> None:
    from rich.console import Console

    from autograder.cli.progress import show_columns
    from autograder.extensions.trust.replay_report import rows, sentences

    console = Console()
    titles = ("student", "grade", "recording", "executed", "what differs")
    show_columns(console, titles, rows(report), right=("grade", "recording", "executed"))
    console.print()
    for sentence in sentences(report):
        console.print(_plain(sentence), highlight=False, markup=False, soft_wrap=True)


def _plain(text: str) -> str:
    from autograder._util.text import one_line

    return one_line(text, 2000)
