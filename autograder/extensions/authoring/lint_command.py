"""``autograder lint``: what a release would refuse before it runs anything."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from autograder.cli.output import DONE, WRONG, course_option, examples
from autograder.cli.requirements import InstructorCommand


@click.command(
    cls=InstructorCommand,
    short_help="Check sources without running them.",
    epilog=examples("""
autograder lint                # all assignments
autograder lint hw1 hw2
autograder lint --json -       # for a program, on standard output
"""),
)
@click.argument("assignments", nargs=-1)
@course_option
@click.option(
    "--json",
    "json_path",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write the result to this file as well; with -, alone to standard output.",
)
def lint(assignments: tuple[str, ...], course_folder: Path, json_path: Path | None) -> None:
    """Check the sources of ASSIGNMENTS (default: all) as a release does before it runs anything.

    It reads course.yaml, marks, markers, tests and files, takes seconds and needs no sandbox. It does not see whether
    the solution passes its tests: `autograder release` does. Exit code 1: a release would be refused.
    """
    from autograder._util.files import write_atomically
    from autograder.course.configuration import assignment, load_course
    from autograder.extensions.authoring.source_findings import findings_of

    course = load_course(course_folder)
    findings = {name: findings_of(course, assignment(course, name)) for name in assignments or course.assignments}
    text = json.dumps({"assignments": findings}, indent=2, ensure_ascii=False) + "\n"
    if json_path is not None and str(json_path) != "-":
        write_atomically(json_path, text)
    if json_path is not None and str(json_path) == "-":
        click.echo(text, nl=False)
    else:
        _show(findings)
    sys.exit(WRONG if any(kinds["errors"] for kinds in findings.values()) else DONE)


def _show(findings: dict[str, dict[str, list[str]]]) -> None:
    """Print the findings of each assignment."""
    from autograder._util.text import visible

    for name, kinds in findings.items():
        for kind, color in (("errors", "red"), ("warnings", "yellow")):
            for text in kinds[kind]:
                click.echo(click.style(f"{kind[:-1]}: ", fg=color, bold=True) + visible(text))
        if not any(kinds.values()):
            click.echo(f"{name}: nothing to mend")
