"""``autograder audit``: finds out whether the tests of an assignment catch wrong answers and spare right ones."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.output import (
    DONE,
    UNSOUND,
    WRONG,
    course_option,
    examples,
    open_course,
    say_reduced,
    warn_each,
    workers_option,
)
from autograder.cli.requirements import GradingCommand

if TYPE_CHECKING:
    from autograder.extensions.trust.audit_records import Audit, Result

FAMILIES = ("honest", "code", "network", "data", "cheat")


@click.command(
    cls=GradingCommand,
    short_help="Test an assignment's tests.",
    epilog=examples("""
autograder audit keras-fully-connected
autograder audit keras-fully-connected --minutes 30
autograder audit keras-fully-connected --family network --question test-loss
autograder audit keras-fully-connected --check --quiet --json audit.json
"""),
)
@click.argument("assignment")
@course_option
@click.option(
    "--minutes",
    type=click.FloatRange(0.01, 10_000),
    help="Time for it (default: 10 for networks, 2 without; a longer audit tries more).",
)
@click.option(
    "--family",
    "families",
    multiple=True,
    type=click.Choice(FAMILIES),
    metavar="NAME",
    help="Only this family (honest, code, network, data or cheat); may be given more than once.",
)
@click.option("--question", "questions", multiple=True, help="Only this question; may be given more than once.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which answers are tried first.")
@workers_option
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all results to this file as well.")
@click.option("--check", is_flag=True, help="End with exit code 5 if a test is weak or strict.")
@click.option("--quiet", is_flag=True, help="Show problems only.")
def audit(
    assignment: str,
    course_folder: Path,
    minutes: float | None,
    families: tuple[str, ...],
    questions: tuple[str, ...],
    seed: int,
    workers: int | None,
    json_path: Path | None,
    check: bool,
    quiet: bool,
) -> None:
    """Test the tests of ASSIGNMENT: do they catch wrong answers, and spare right ones?

    Makes other answers from your solution, a small change in each: code slips, network slips, data slips, cheats, and
    honest rewrites. They are graded as students' notebooks are. A wrong answer that keeps all its points survives; the
    page in reports/ shows it with the question that should have seen it. Answers that behave as your solution does
    count nowhere. An audit that was stopped goes on where it was.

    Exit code 1: the solution loses points, there is nothing to audit, nothing was tried, or fewer wrong answers are
    caught than `audit` in course.yaml wants. With --check, exit code 5: no floor is set there, and a test is weak or
    costs a right answer points.
    """
    course, wanted = open_course(course_folder, assignment)
    from autograder.coordinator.assignment import observed_release
    from autograder.coordinator.grading_sandboxes import require_walls as is_reduced
    from autograder.extensions.trust import audit as auditing
    from autograder.extensions.trust.audit_page import write_page
    from autograder.extensions.trust.audit_runs import AuditOptions
    from autograder.release.preparation import check_hidden_data

    if is_reduced(wanted):
        say_reduced()
        workers = 1
    release, notes = observed_release(course, wanted)
    warn_each(notes)
    check_hidden_data(course, wanted, release.exams)
    options = AuditOptions(minutes, families or FAMILIES, questions, seed, workers)
    with _kept_on_interrupt():
        outcome = auditing.audit(course, release, options, _Display(wanted.name, quiet))
    page = write_page(course, wanted, outcome)
    if json_path:
        _write_json(json_path, outcome)
    _show(outcome, quiet)
    if not quiet:
        click.echo(page)
    if outcome.is_below_floor or outcome.nothing_tried:
        sys.exit(WRONG)
    sys.exit(UNSOUND if check and outcome.floor is None and outcome.is_unsound else DONE)


@contextlib.contextmanager
def _kept_on_interrupt() -> Iterator[None]:
    """Say to whom stops an audit that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note("Answers that were graded are kept: the same command goes on from there.")
        raise


class _Display:
    """Progress of an audit."""

    def __init__(self, title: str, quiet: bool) -> None:
        self._title, self._quiet = title, quiet

    def says(self, text: str) -> None:
        """Say what happens now."""
        if not self._quiet:
            click.echo(text, err=True)

    @contextlib.contextmanager
    def running(self, names: Sequence[str], workers: int, seconds: float) -> Iterator[Callable[[str, Result], None]]:
        """Show the progress, as :class:`autograder.extensions.trust.audit_runs.AuditDisplay` defines."""
        from rich.console import Console

        from autograder.extensions.trust.audit_progress import AuditProgress

        console = Console(stderr=True)
        with AuditProgress(
            names, self._title, console, workers=workers, quiet=self._quiet, seconds=seconds
        ) as progress:
            yield progress.judge


def _write_json(path: Path, outcome: Audit) -> None:
    from autograder._util.files import write_atomically
    from autograder.extensions.trust.audit_records import to_json

    write_atomically(path, json.dumps(to_json(outcome), indent=2) + "\n")


def _lost(result: Result) -> str:
    return ", ".join(f"{loss.question} −{loss.points:g}" for loss in result.losses)


def _show(outcome: Audit, quiet: bool) -> None:
    """Print the questions, the wrong answers that survived, and first of all the right ones that lost points."""
    from autograder._util.text import one_line
    from autograder.extensions.trust.audit_page import interval
    from autograder.extensions.trust.audit_records import MutantVerdict

    for result in outcome.of(MutantVerdict.LOST):
        click.echo(
            f"right, and loses points: {result.mutant.cell}: {one_line(result.mutant.operator)} ({_lost(result)})"
        )
    for result in outcome.of(MutantVerdict.ASKED):
        form = one_line(result.mutant.operator)
        click.echo(f"{result.mutant.cell}: {result.reason} What loses points: {form} ({_lost(result)}).")
    if not quiet:
        for question in outcome.questions:
            caught = (
                f"{question.caught + question.by_others} of {question.mutants} caught"
                if question.mutants
                else "no wrong one tried"
            )
            line = f"{question.id:24} {caught:20} {interval(question.interval) if question.mutants else ''}".rstrip()
            click.secho(line, fg=None if question.mutants else "red")
            for remark in question.remarks:
                click.echo(f"  {remark}")
        same, missing = outcome.count(MutantVerdict.EQUIVALENT), outcome.count(MutantVerdict.MISSING)
        right = outcome.count(MutantVerdict.SPARED, MutantVerdict.LOST)
        click.echo(
            f"{outcome.caught} of {outcome.wrong} wrong answers caught ({interval(outcome.interval)}), "
            f"{outcome.count(MutantVerdict.LOST)} of {right} right ones lost points; "
            f"{same} behave as the solution does and count nowhere"
            + (f", and neither do {missing} that are caught only because a name is missing" if missing else "")
        )
    if outcome.nothing_tried:
        click.secho("Nothing was tried: nothing is known of these tests.", fg="red")
    if outcome.is_below_floor:
        click.echo(
            f"below the floor in course.yaml: {outcome.floor:.0%} must be caught, and no right answer lose points"
        )
    warn_each(outcome.notes)
