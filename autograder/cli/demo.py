"""``autograder demo``: a course and a class to try, graded from end to end."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.output import DONE, NOT_GRADED, WRONG, examples, open_course, workers_option
from autograder.cli.release import release
from autograder.cli.requirements import GradingCommand


@click.command(
    cls=GradingCommand,
    short_help="Make a course with a class, and grade it.",
    epilog=examples("""
autograder demo
autograder demo --course /tmp/demo --workers 2
autograder demo small-gpt                       # needs PyTorch, and no TensorFlow
"""),
)
@click.argument("lesson", required=False)
@click.option(
    "--course",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo"),
    metavar="DIR",
    help="Where to make the demo course (default: ./demo).",
)
@workers_option
@click.option("--no-prove", is_flag=True, help="Skip the proof of the release.")
def demo(lesson: str | None, folder: Path, workers: int | None, no_prove: bool) -> None:
    """Make a course, a class of honest and dishonest submissions, and grade it.

    LESSON is keras-fully-connected unless you name another: backpropagation, pytorch-fully-connected or small-gpt.

    The right score of every student is known; exit code 1 means that a student got another one.
    """
    from autograder import demo as demonstration
    from autograder.cli.batch_display import BatchDisplay, Publication, show_graded
    from autograder.coordinator.assignment import Options, run_assignment

    name = lesson or demonstration.ASSIGNMENT
    demonstration.class_of(name)
    demonstration.check_library(name)
    demonstration.make_course(folder.resolve())
    course, wanted = open_course(folder, name)
    click.echo(f"Releasing {wanted.name} …")
    click.get_current_context().invoke(release, assignment=wanted.name, course_folder=folder, no_prove=no_prove)
    students = demonstration.make_class(course.root, wanted.name)
    click.echo(f"Made {len(students)} submissions. Grading …")
    display = BatchDisplay(quiet=False)
    graded = run_assignment(course, wanted, Options(workers=workers, force=True), display, Publication())
    right = {student: demonstration.expected(student, name) for student in students}
    show_graded(graded, quiet=False, log=display.log, expected={who: _span(*ends) for who, ends in right.items()})
    wrong = [
        f"{grade.student} expected {_span(*right[grade.student])}, got {grade.score:.4g}"
        for grade in graded.batch.grades
        if not right[grade.student][0] - 1e-6 <= grade.score <= right[grade.student][1] + 1e-6
    ]
    count = len(graded.batch.grades)
    click.echo(f"\n{count - len(wrong)} of {len(students)} are the expected ones.")
    if wrong:
        click.echo("Not what the demo expects: " + "; ".join(wrong), err=True)
    for title, todo in demonstration.next_steps(folder, name):
        click.echo(f"{title:14} {todo}")
    sys.exit(NOT_GRADED if graded.batch.not_graded else WRONG if wrong else DONE)


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
