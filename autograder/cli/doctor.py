"""``autograder doctor``: checks whether this machine can grade."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.output import DONE, NOT_GRADED, examples
from autograder.cli.requirements import require_packages

if TYPE_CHECKING:
    from autograder.sandbox import Finding


@click.command(
    epilog=examples("""
autograder doctor
autograder doctor --course .      # and the environments that its assignments name
""")
)
@click.option(
    "--course",
    "course_folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Also check the environments and the sandboxes that the assignments of this course name.",
)
def doctor(course_folder: Path | None) -> None:
    """Check whether this machine can grade.

    Tries to break out of both sandboxes, of students' kernels and of the examiner. Where an attempt succeeds, it prints
    the remedy for this system. Checks that the packages are installed, without importing them. Exit code 3: this
    machine cannot grade.
    """
    from autograder.cli import installation
    from autograder.course.sandboxes import sandboxes
    from autograder.records.course import DEFAULT_SANDBOX
    from autograder.sandbox.remedies import INSTALL

    course = None
    if course_folder:
        require_packages(click.get_current_context())
        from autograder.course.configuration import load_course

        course = load_course(course_folder.resolve())
    assignments = course.assignments.values() if course else ()
    needed = [name for name in sandboxes() if name in {a.sandbox for a in assignments}] or [DEFAULT_SANDBOX]
    tested = [finding for name in needed for finding in installation.sandbox(None, name)]
    examiner = installation.examiner_sandbox(needed[0])
    installed = installation.packages()
    _print_findings("the wall around students' kernels", tested)
    _print_findings("the wall around the examiner", examiner)
    _print_findings("packages", installed)
    findings = [*tested, *examiner, *installed]
    optional = [name for name in sandboxes() if name in INSTALL and name not in needed]
    _print_findings("other sandboxes, none of which is needed", map(installation.optional_sandbox, optional))
    for python in sorted({a.environment for a in assignments if a.environment}):
        of_environment = [*installation.environment(python)]
        for name in sorted({a.sandbox for a in assignments if a.environment == python}):
            of_environment += installation.sandbox(python, name)
        _print_findings(python, of_environment)
        findings += of_environment
    click.echo(
        "Not checked: whether what a lesson imports is installed. `autograder release` proves that, by grading it."
    )
    holds, slow = all(f.ok for f in findings), installation.is_slow(findings)
    able = "This machine can grade, but slowly: see `warm start` above." if slow else "This machine can grade."
    click.echo(able if holds else "Something is missing: nothing is graded until it is fixed.")
    sys.exit(DONE if holds else NOT_GRADED)


def _print_findings(title: str, findings: Iterable[Finding]) -> None:
    click.echo(click.style(title, bold=True))
    for finding in findings:
        mark = click.style("ok  ", fg="green") if finding.ok else click.style("FAIL", fg="red", bold=True)
        click.echo(f"{mark} {finding.name:28} {finding.detail}")
        if finding.remedy:
            first, *lines = finding.remedy.splitlines()
            click.echo("\n       ".join([f"     → {first}", *lines]))
