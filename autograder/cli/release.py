"""``autograder release``: makes the students' version of an assignment."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from autograder._util.time_zones import in_words
from autograder.cli.output import course_option, examples, open_course, require_sandbox, status
from autograder.cli.requirements import InstructorCommand

if TYPE_CHECKING:
    from autograder.records.course import Assignment, Course
    from autograder.release.record import Release


LARGE_MIB = 10
"""Size from which a released file is listed with it: each student downloads it."""


@click.command(
    cls=InstructorCommand,
    short_help="Make what students get from source/.",
    epilog=examples("""
autograder release keras-fully-connected
autograder release keras-fully-connected --no-prove    # while you are writing
autograder release keras-fully-connected --explain     # what your tests let answers do
autograder release hw1 --leave-out                     # without drafts and files that would give something away
autograder release hw1 --update-outputs                # an otter notebook whose saved outputs are stale
"""),
)
@click.argument("assignment")
@course_option
@click.option("--no-prove", is_flag=True, help="Write the release without grading the solution and the blank first.")
@click.option(
    "--leave-out",
    is_flag=True,
    help="Leave out files that would give something away and draft notebooks; prove and release the rest.",
)
@click.option(
    "--explain", is_flag=True, help="Also list what each test lets an answer do: what the solution did there."
)
@click.option(
    "--update-outputs",
    is_flag=True,
    help="Of otter notebooks: first save in the source what its doctests give with the solution.",
)
def release(
    assignment: str, course_folder: Path, no_prove: bool, leave_out: bool, explain: bool, update_outputs: bool
) -> None:
    """Make the release, which students get, from source/ASSIGNMENT.

    A `prepare` command in course.yaml runs first: it makes files such as a holdout. Then the linter reads the tests
    and names, with its line, each part that cannot be examined outside the student's process. The release stops if
    it would give solutions or hidden tests away. The cause may be a misspelled marker, a file with a marker in it,
    or a file of an unusual kind that course.yaml does not list. With --leave-out, such files and draft notebooks
    are left out of the release and of grading instead, until the next release. Before the release is written, the
    proof runs, through the pipeline that grades students. The instructor's solution must get full marks, and the
    unchanged release none of the points that need work. It also observes the solution: what the solution does to a
    test, an answer may do, and nothing else. A cell that raises or is stopped is a warning if no question loses
    points by it. At the end, all released files are listed.
    """
    course, wanted = open_course(course_folder, assignment)
    from autograder.coordinator.batch import exclusive
    from autograder.release import build, leaks
    from autograder.release.drafts import drafts
    from autograder.release.fault_list import FaultList
    from autograder.release.left_out import decided_anew
    from autograder.release.preparation import prepare

    if wanted.prepare is not None:
        with (
            exclusive(course, reads_submissions=False),
            status(f"Preparing {wanted.name}: {wanted.prepare.split()[0]}…"),
        ):
            output = prepare(course, wanted)
        click.echo(output, err=True, nl=bool(output))
    with decided_anew(course, wanted.name):
        if leave_out:
            _leave_out(course, wanted, drafts(course, wanted))
            _leave_out(course, wanted, leaks.leaking_files(course, build.build(course, wanted, FaultList())))
        built = _checked(course, wanted)
        if update_outputs:
            built = _with_current_outputs(course, wanted, built)
            leaks.check_files(course, built)
            build.check(built)
        proved = "not proved"
        if not no_prove:
            built, proved = _proved(course, wanted, built)
        build.write(course, wanted, built)
    if explain:
        _explain(course, built)
    _list(course, built, proved)


def _leave_out(course: Course, assignment: Assignment, places: Iterable[str]) -> None:
    """Leave out these files, too."""
    from autograder.release import left_out

    left_out.leave_out(course, assignment.name, left_out.left_out(course, assignment.name).union(places))


def _checked(course: Course, assignment: Assignment) -> Release:
    """Build the release; print the warnings, and stop with the faults of its sources, files and tests at once."""
    from autograder.course.configuration import without_effect
    from autograder.release import build
    from autograder.release.fault_list import all_at_once
    from autograder.release.preparation import check_hidden_data, unread_hidden_data
    from autograder.release.source_checks import checked
    from autograder.results import gradebook

    with all_at_once() as faults:
        needed = (  # by grading
            lambda _: gradebook.load().database_of(course),
            lambda release: check_hidden_data(course, assignment, release.exams),
        )
        built = checked(course, assignment, faults, *needed)
        errors, warnings = build.linted(built)
        _warn(filter(None, [without_effect(course.root), *warnings]))
        build.refuse(errors)
    _warn([*build.without_points(built), *unread_hidden_data(assignment, built.exams), *_over(assignment)])
    for note in build.shown_tests(built):
        click.echo(f"note: {note}", err=True)
    return built


def _over(assignment: Assignment) -> list[str]:
    """Warn of a due date that is over before anybody has the notebook."""
    if assignment.due is None or assignment.due > datetime.now(UTC):
        return []
    due = f"{assignment.name} was due at {in_words(assignment.due)}"
    return [f"{due}: what is handed in from now on is late, but for extensions"]


def _warn(warnings: Iterable[str]) -> None:
    """Print warnings on standard error."""
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)


def _proved(course: Course, assignment: Assignment, built: Release) -> tuple[Release, str]:
    """Prove a release; return it with what was observed, and the result in words."""
    from autograder.coordinator import locks
    from autograder.coordinator.proof import prove

    require_sandbox(assignment)
    with locks.held(course, locks.RELEASING), status(f"Proving {assignment.name}…") as spinner:
        began = time.monotonic()
        proof = prove(course, built, say=lambda step: _say(spinner, assignment.name, step, time.monotonic() - began))
    for warning in proof.warnings:
        click.echo(f"Warning: {warning}", err=True)
    unchanged = "some points" if proof.has_gifts else "none"
    return proof.release, f"proved: the solution gets full marks, the unchanged notebook {unchanged}"


def _list(course: Course, built: Release, proved: str) -> None:
    """List the released files, those that were left out, and the points."""
    from autograder._util.text import one_line
    from autograder.release import calibration_record
    from autograder.release.student_bundle import FOLDER as BUNDLE

    assignment = built.assignment.name
    notebook_files = [path for notebook in built.notebooks for path in (f"{notebook.name}.ipynb", *notebook.tests)]
    for name in sorted([*built.files, *notebook_files]):
        mib = built.files[name].stat().st_size >> 20 if name in built.files else 0
        click.echo(f"  {one_line(name, 500)}" + (f"  ({mib} MiB)" if mib >= LARGE_MIB else ""))
    for cell in {cell.file: cell for exam in built.exams for cell in exam.answer_files}.values():
        state = "without its solution" if cell.source != cell.released else "as it stands"
        click.echo(f"  {one_line(cell.file, 500)}  (students write in it; {state})")
    if built.bundle:
        click.echo(f"  {BUNDLE}/  ({len(built.bundle)} files of nbexaminer, so that students need no installation)")
    for name, reason in sorted(built.left_out.items()):
        click.echo(f"  left out: {one_line(name, 500)}  ({reason})")
    points = sum(notebook.exam.max_score for notebook in built.notebooks)
    calibrated, changed = calibration_record.standing(course, assignment, built.exams)
    for text in changed:
        click.echo(f"Warning: {text}; run `autograder calibrate {assignment}` again", err=True)
    remarks = (f"{points:g} points", proved, calibrated)
    click.echo(f"{course.release(assignment)}  ({'; '.join(filter(None, remarks))})")


def _say(spinner: Any, assignment: str, step: str, seconds: float) -> None:
    """Show a step of the proof and the time so far; without a terminal, as a line of its own."""
    text = f"Proving {assignment}{f', after {seconds:.0f} s' if seconds >= 1 else ''}: {step}…"
    spinner.update(text)
    if not sys.stderr.isatty():
        click.echo(text, err=True)


def _explain(course: Course, built: Release) -> None:
    """List what the solution was seen to do in each test; run it first if that is not known."""
    from autograder.coordinator import observation
    from autograder.coordinator.assignment import observe
    from autograder.coordinator.batch import exclusive
    from autograder.release.explanation import explained

    built = observation.with_kept(course, built)
    if not observation.is_observed(built.exams):
        require_sandbox(built.assignment)
        with exclusive(course, reads_submissions=False), status(f"Running the solution of {built.assignment.name}…"):
            built, note = observe(course, built)
        click.echo(f"note: {note}", err=True)
    for exam in built.exams:
        click.echo(f"What an answer may do in {exam.notebook}.ipynb, because the solution does it:")
        for line in explained(exam):
            click.echo(f"  {line}")


def _with_current_outputs(course: Course, assignment: Assignment, built: Release) -> Release:
    """Save in the source what doctests give, say so, and build again."""
    from autograder.coordinator.batch import exclusive
    from autograder.release import build
    from autograder.release.formats import formats

    require_sandbox(assignment)
    with exclusive(course, reads_submissions=False), status(f"Running the solution of {assignment.name}…"):
        updates = {name: stale for each in formats() for name, stale in each.update_outputs(course, built).items()}
    if not updates:
        click.echo(f"--update-outputs: source/{assignment.name} has no otter notebook with doctests", err=True)
    for notebook, changed in updates.items():
        for update in changed:
            click.echo(f"  source/{assignment.name}/{notebook}.ipynb: {update}")
        if not changed:
            click.echo(f"  source/{assignment.name}/{notebook}.ipynb: all saved outputs are right")
    return build.build(course, assignment)
