"""The command line: parses, calls one library function, shows the result, translates errors to exit codes.

Exit codes: 0 done · 1 the course or the input is wrong · 2 usage · 3 some submissions could not be graded.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autograder import __version__
from autograder.errors import AutograderError, HostError, UsageError

if TYPE_CHECKING:
    from autograder.batch import Batch, NotGraded
    from autograder.records import Assignment, Course, Grade

DONE, WRONG, USAGE, NOT_GRADED = 0, 1, 2, 3


class _Group(click.Group):
    """Shows the kit's errors as messages and leaves tracebacks to bugs."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            _complain(error)
            ctx.exit(USAGE)
        except HostError as error:
            _complain(error)
            ctx.exit(NOT_GRADED)
        except AutograderError as error:
            _complain(error)
            ctx.exit(WRONG)
        except KeyboardInterrupt:
            click.echo("\nStopped. What is graded stays graded; the same command goes on from here.", err=True)
            ctx.exit(130)


def _complain(error: Exception) -> None:
    click.echo(click.style("error: ", fg="red", bold=True) + str(error), err=True)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 the course or the input is wrong, 2 usage, 3 some submissions could not be graded.",
)
@click.version_option(__version__, prog_name="autograder")
def main() -> None:
    """Release notebooks, collect submissions, grade them from outside the student's process.

    \b
    A course is a folder:        A term with it:
      course.yaml                  autograder release keras-fully-connected
      source/<assignment>/         autograder collect keras-fully-connected downloads.zip
      release/<assignment>/        autograder grade keras-fully-connected
      submitted/<student>/…        autograder report keras-fully-connected
    """


_course_option = click.option(
    "--course",
    "course_folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    metavar="DIR",
    help="The course folder (default: here).",
)


def _open(folder: Path, name: str) -> tuple[Course, Assignment]:
    from autograder.course import assignment, load_course

    course = load_course(folder.resolve())
    return course, assignment(course, name)


@main.command()
@click.argument("assignment")
@_course_option
@click.option("--no-prove", is_flag=True, help="Write the release without grading the solution and the blank first.")
def release(assignment: str, course_folder: Path, no_prove: bool) -> None:
    """Make what students get from source/ASSIGNMENT.

    Before anything is written, the instructor's own solution must get full marks and the unchanged release none of the
    points that need work, both through the pipeline that grades students.
    """
    from autograder import release as releasing

    course, wanted = _open(course_folder, assignment)
    built = releasing.build(course, wanted)
    if not no_prove:
        from autograder.batch import exclusive
        from autograder.prove import prove

        _require_sandbox(wanted)
        with exclusive(course), _status(f"Proving {wanted.name}: the solution and the unchanged release…"):
            prove(course, built)
    releasing.write(course, wanted, built)
    points = sum(notebook.exam.max_score for notebook in built.notebooks)
    proved = "not proved" if no_prove else "proved: the solution gets full marks, the unchanged notebook none"
    click.echo(f"{course.release(wanted.name)}  ({points:g} points; {proved})")


@main.command()
@click.argument("notebook", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--student", required=True, help="Your name or number, as your course knows you.")
@click.option("--release", "released", type=click.Path(path_type=Path, exists=True), help="The released notebook.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the package (default: here).")
def submit(notebook: Path, student: str, released: Path | None, out: Path | None) -> None:
    """Check NOTEBOOK and pack it for handing in. Prints a receipt."""
    from autograder.submission import pack

    receipt = pack(notebook, release=released, student=student, out=out)
    click.echo(receipt.text())


@main.command()
@click.argument("assignment")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@_course_option
def collect(assignment: str, source: Path, course_folder: Path) -> None:
    """Put the submissions in SOURCE (a folder or an archive) into submitted/."""
    from autograder.submission import CollectStatus
    from autograder.submission import collect as collecting

    course, wanted = _open(course_folder, assignment)
    collected = collecting(course, wanted.name, source)
    for item in collected:
        click.echo(str(item))
    if not collected:
        raise UsageError(f"there is no submission in {source}")
    sys.exit(WRONG if any(item.status is CollectStatus.REFUSED for item in collected) else DONE)


@main.command()
@click.argument("assignment")
@_course_option
@click.option("--student", "only", multiple=True, help="Only this student; may be given more than once.")
@click.option("--workers", type=click.IntRange(1, 256), help="Submissions at a time (default: the number of cores).")
@click.option("--force", is_flag=True, help="Grade anew what has a current grade.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write all results to this file as well.")
@click.option("--quiet", is_flag=True, help="No progress bar, no table.")
def grade(
    assignment: str,
    course_folder: Path,
    only: tuple[str, ...],
    workers: int | None,
    force: bool,
    json_path: Path | None,
    quiet: bool,
) -> None:
    """Grade the submissions of ASSIGNMENT that have no current grade, then record and report all of them."""
    course, wanted = _open(course_folder, assignment)
    done = _grade(course, wanted, only=only, workers=workers, force=force, quiet=quiet)
    if json_path:
        _write_json(json_path, done)
    sys.exit(NOT_GRADED if done.not_graded else DONE)


def _grade(
    course: Course,
    assignment: Assignment,
    *,
    only: Sequence[str] = (),
    workers: int | None = None,
    force: bool = False,
    quiet: bool = False,
) -> Batch:
    from autograder import batch, record
    from autograder.release import build

    release = build(course, assignment)
    works = batch.plan(course, release, only)
    if not works:
        raise UsageError(f"there is no submission of {assignment.name} in {course.root / 'submitted'}")
    reduced = _require_sandbox(assignment)
    count = 1 if reduced else workers or _cores()
    with batch.exclusive(course), _Progress(len(works), assignment.name, quiet) as progress:
        progress.skip(sum(not force and batch.current(work) is not None for work in works))
        done = batch.run(works, workers=count, force=force, progress=progress.advance)
    exams = [notebook.exam for notebook in release.notebooks]
    paths = record.record(course, assignment, exams, done.grades)
    if not quiet:
        _show(done, paths)
    return done


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0))


def _require_sandbox(assignment: Assignment) -> bool:
    """Refuse to go on where the sandbox does not hold; says whether its limits are reduced."""
    from autograder.sandbox import default_sandbox, require

    sandbox = default_sandbox(assignment.environment)
    require(sandbox)
    if sandbox.reduced:
        click.echo("No cgroup can be had here: limits are reduced and runs go one at a time.", err=True)
    return sandbox.reduced


class _Progress:
    """A bar on a terminal, a line for each submission elsewhere."""

    def __init__(self, total: int, title: str, quiet: bool) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True)
        self.quiet = quiet
        self.lines = not quiet and not console.is_terminal
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[last]}", markup=False),
            console=console,
            disable=quiet or self.lines,
        )
        self.task = self.bar.add_task(title, total=total, last="")
        self.total, self.count = total, 0

    def __enter__(self) -> _Progress:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def skip(self, current: int) -> None:
        self.count += current
        self.bar.advance(self.task, current)
        if current and not self.quiet:
            self.bar.console.print(f"{current} of {self.total} have a current grade.")

    def advance(self, student: str, outcome: Grade | NotGraded) -> None:
        from autograder.records import Grade
        from autograder.text import visible

        if isinstance(outcome, Grade):
            said = f"{student}: {outcome.score:.4g}/{outcome.max_score:g} {outcome.status}"
        else:
            said = f"{student}: not graded"
        self.count += 1
        self.bar.update(self.task, advance=1, last=visible(said))
        if self.lines:
            click.echo(f"[{self.count}/{self.total}] {visible(said)}", err=True)


def _show(done: Batch, paths: dict[str, Path]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from autograder.report.table import TEXT_COLUMNS, text_table
    from autograder.text import visible

    console = Console() if sys.stdout.isatty() else Console(width=120)
    table = Table(*TEXT_COLUMNS, box=None, header_style="bold", pad_edge=False)
    for row in text_table(done.grades):
        table.add_row(*map(Text, row))
    console.print(table)
    for failure in done.not_graded:
        click.echo(visible(f"not graded: {failure.student}: {failure.reason}"), err=True)
    click.echo()
    for what, path in paths.items():
        click.echo(f"{what:14} {path}")


def _write_json(path: Path, done: Batch) -> None:
    from autograder.files import write_atomically
    from autograder.result import to_json

    content = {
        "grades": [to_json(grade) for grade in done.grades],
        "graded": list(done.graded),
        "not_graded": [{"student": n.student, "reason": n.reason} for n in done.not_graded],
    }
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def _status(text: str) -> Any:
    from rich.console import Console

    return Console(stderr=True).status(text)


@main.command()
@click.argument("assignment")
@_course_option
@click.option("--student", "only", multiple=True, help="Only this student; may be given more than once.")
def feedback(assignment: str, course_folder: Path, only: tuple[str, ...]) -> None:
    """Write the students' feedback pages from what is graded."""
    from autograder import record

    course, wanted = _open(course_folder, assignment)
    for path in record.write_feedback(course, wanted, record.grades(course, wanted.name, only)):
        click.echo(path)


@main.command()
@click.argument("assignment")
@_course_option
def report(assignment: str, course_folder: Path) -> None:
    """Write the class report from what is graded."""
    from autograder import record

    course, wanted = _open(course_folder, assignment)
    click.echo(record.write_report(course, wanted, record.grades(course, wanted.name)))


@main.command()
@_course_option
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="The file (default: grades.csv).")
def export(course_folder: Path, to: Path | None) -> None:
    """Write the grades of all assignments as CSV, points given by hand in the gradebook included."""
    from autograder import record
    from autograder.course import load_course

    course = load_course(course_folder.resolve())
    click.echo(record.write_csv(course, to))


@main.command()
def doctor() -> None:
    """Say whether this machine can grade: tries, inside the sandbox, what must fail there."""
    from autograder.sandbox import default_sandbox

    sandbox = default_sandbox()
    findings = sandbox.self_test()
    for finding in findings:
        mark = click.style("ok  ", fg="green") if finding.ok else click.style("FAIL", fg="red", bold=True)
        click.echo(f"{mark} {finding.name:28} {finding.detail}")
        if finding.remedy:
            click.echo(f"     → {finding.remedy}")
    holds = all(f.ok for f in findings)
    click.echo(
        "The sandbox holds: this machine can grade." if holds else "The sandbox does not hold: nothing is graded."
    )
    sys.exit(DONE if holds else NOT_GRADED)


@main.command()
@click.option(
    "--course",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    metavar="DIR",
    help="Where to make the demo course (default: ./demo).",
)
@click.option("--workers", type=click.IntRange(1, 256), help="Submissions at a time (default: the number of cores).")
@click.option("--no-prove", is_flag=True, help="Skip the proof of the release.")
def demo(folder: Path, workers: int | None, no_prove: bool) -> None:
    """Make a course, a class of honest and dishonest submissions, and grade it."""
    from autograder import demo as demonstration
    from autograder.course import load_course

    demonstration.make_course(folder.resolve())
    course = load_course(folder.resolve())
    wanted = next(iter(course.assignments.values()))
    click.echo(f"Releasing {wanted.name} …")
    ctx = click.get_current_context()
    ctx.invoke(release, assignment=wanted.name, course_folder=folder, no_prove=no_prove)
    made = demonstration.make_class(course.root, wanted.name)
    click.echo(f"Made {len(made)} submissions. Grading …")
    done = _grade(course, wanted, workers=workers, force=True)
    sys.exit(NOT_GRADED if done.not_graded else DONE)
