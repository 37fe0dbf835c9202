"""``autograder import``: a source notebook from a solved one, with answers, marks and proposed tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.output import course_option, examples, status
from autograder.cli.requirements import InstructorCommand

if TYPE_CHECKING:
    from autograder.extensions.authoring.notebook_import import ImportedNotebook


@click.command(
    name="import",
    cls=InstructorCommand,
    short_help="Make source/ from solved notebooks.",
    epilog=examples("""
autograder import lab1.ipynb solutions/lab1_solution.ipynb
autograder import lab1_solution.ipynb --name lab1   # alone: with # TODO or YOUR CODE in it
autograder import labs labs/solutions --name labs   # folders: notebooks in pairs, by their names
"""),
)
@click.argument("notebooks", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@course_option
@click.option("--name", "assignment", default="", help="Name of the assignment (default: that of the notebook).")
@click.option("--no-run", is_flag=True, help="Do not run the solution: the assertions in it are the only tests.")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 86_400),
    default=60,
    show_default=True,
    help="Time of one cell of the solution.",
)
def import_notebooks(
    notebooks: tuple[Path, ...], course_folder: Path, assignment: str, no_run: bool, seconds: float
) -> None:
    """Make a source notebook from what students get and its solution, or from a solution alone.

    NOTEBOOKS are the students' notebook and the solved one, or two folders of such. A solution alone has to say where
    students write: # TODO, YOUR CODE HERE, START OF YOUR CODE. Cells are paired by content; what differs becomes an
    answer. The solution runs twice in the sandbox, with other seeds, and tests are proposed from what it gives both
    times. A proof as for a release withdraws tests that fail. An answer without a test waits for a person. Read the
    notebook that is written: a test asks for what your solution gives, so no other right answer may give another.
    """
    from autograder.extensions.authoring.course_import import import_assignment

    with status("Importing…") as spinner:
        imported = import_assignment(
            course_folder.resolve(), assignment, notebooks, seconds=seconds, run=not no_run, say=spinner.update
        )
    for path, notebook in imported.items():
        _show(path, notebook)
    click.echo(f"Next: read it in Jupyter, then autograder release {path.parent.name}")


def _show(path: Path, notebook: ImportedNotebook) -> None:
    """Say what became of the cells of a notebook."""
    from autograder._util.text import one_line

    tested = [name for name, question in notebook.questions.items() if question.test]
    by_hand = [*(name for name, question in notebook.questions.items() if not question.test), *notebook.texts]
    click.echo(f"{one_line(str(path), 500)}: {len(tested) + len(by_hand)} questions")
    for kind, names in (("with a test", tested), ("for a person", by_hand)):
        click.echo(f"  {len(names)} {kind}" + (f": {', '.join(names)}" if names else ""))
    for note in notebook.notes:
        click.echo(f"  {one_line(note, 300)}")
