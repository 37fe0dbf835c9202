"""``autograder similar``: lists pairs of students whose answers are more alike than the class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.output import course_option, examples, open_course, warn, warn_each
from autograder.cli.requirements import InstructorCommand

if TYPE_CHECKING:
    from autograder.extensions.insight.likeness import ComparedClass
    from autograder.extensions.insight.similar_page import SharedTraces

MIN_WORKS = 8
"""Fewest works among which something can be unusual."""


@click.command(
    cls=InstructorCommand,
    short_help="List pairs that are more alike than the class.",
    epilog=examples("""
autograder similar keras-fully-connected
autograder similar keras-fully-connected --top 40
autograder similar keras-fully-connected --old ../2025/submitted     # and with the notebooks of an earlier term
"""),
)
@click.argument("assignment")
@course_option
@click.option(
    "--old",
    "old_folders",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    multiple=True,
    metavar="DIR",
    help="A folder with notebooks of an earlier term, in any layout; may be given more than once.",
)
@click.option("--top", type=click.IntRange(1, 200), default=20, show_default=True, help="Pairs to list.")
def similar(assignment: str, course_folder: Path, old_folders: tuple[Path, ...], top: int) -> None:
    """List the pairs of students whose answers to ASSIGNMENT are more alike than the class, for a person to read.

    Code is compared as it stands and with every name replaced, in its order and in any, and so are texts. What you
    released and your solution is subtracted, and what many students wrote counts little. The page in reports/ says
    first what is equal, in lines, and shows both texts side by side. Identical works stand first.
    It also shows what few others share: ids of cells, losses to the last digit, weights, the same rare wrong value.

    A list always has pairs: where nobody copied, they are alike by chance. A fixed seed in the lesson makes equal
    weights and losses of equal networks: honest twins. Short answers with one natural form are equal everywhere. Two
    who learn together, or ask the same assistant, write alike.

    It takes no points and changes no grade: read both, and talk with both. It runs nothing. Members of a team are one.
    Exit codes: 0 the list is written, also if it is empty; 1 the course is wrong; 2 there are fewer than 8 works.
    """
    course, wanted = open_course(course_folder, assignment)
    from autograder._util.text import one_line
    from autograder.coordinator.assignment import load_release
    from autograder.errors import UsageError
    from autograder.extensions.insight.likeness import compared_class
    from autograder.extensions.insight.similar_page import write_similar_page
    from autograder.extensions.insight.traces import shared_traces
    from autograder.extensions.insight.work_collection import current_works, old_works

    release = load_release(course, wanted)
    works, unread = current_works(course, wanted, release)
    works += [work for folder in old_folders for work in old_works(release.exams, folder)]
    if len(works) < MIN_WORKS or all(work.old for work in works):
        raise UsageError(
            f"{len(works)} works of {wanted.name} can be read; among fewer than {MIN_WORKS}, nothing is unusual"
        )
    compared = compared_class(release.exams, works, top)
    traces = shared_traces(release.exams, works)
    path = write_similar_page(course, wanted, compared, traces)
    _show(compared, traces)
    warn_each(f"{one_line(student)}: no notebook that can be read" for student in unread)
    warn("Read both texts, and talk with both, before you think of copying: the page says what is no evidence.")
    click.echo(path)


def _show(compared: ComparedClass, traces: SharedTraces) -> None:
    """Print the list: who, what is equal, how far above chance that is, and what else they share."""
    from rich.console import Console

    from autograder.cli.progress import show_columns
    from autograder.extensions.insight.likeness import ORDERS

    rows = [
        (
            compared.works[pair.first].label,
            compared.works[pair.second].label,
            pair.evidence.words,
            f"{pair.height:.1f}",
            ORDERS[pair.heights.index(pair.height)],
            "; ".join(traces.get((pair.first, pair.second), {})),
        )
        for pair in compared.pairs
    ]
    titles = ("student", "and", "what is equal", "1 = chance", "most in", "also")
    show_columns(Console(), titles, rows, right=("1 = chance",))
