"""``autograder try``: runs a notebook as the grader will, before it is handed in."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from autograder.cli.output import DONE, WRONG, examples


@click.command(
    "try",
    short_help="Run a notebook as grading does.",
    epilog=examples("""
autograder try network.ipynb
autograder try .                                       # the folder's notebook
autograder try network.ipynb --release original/keras-fully-connected
autograder try network.ipynb --json result.json
"""),
)
@click.argument("notebook", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--release",
    "released",
    type=click.Path(path_type=Path, exists=True),
    help="The released notebook, or its folder: then your instructor's cells and files are those of the release.",
)
@click.option(
    "--plain",
    is_flag=True,
    help="Run it in a plain kernel of this Python, even where there is a sandbox. Only for a notebook that you trust.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 86_400),
    help="Time for the whole notebook (default: 600, as in a course that says nothing else).",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the result to this file as well.")
def trial(notebook: Path, released: Path | None, plain: bool, seconds: float | None, json_path: Path | None) -> None:
    """Try NOTEBOOK before you hand it in: restart, run all cells from the top, and check.

    NOTEBOOK may be the folder that it lies in. Says which cells raise, which visible tests pass, which answers the
    grader will find, which are missing, and which a person grades. Warns of what works on your computer only:
    questions with input(), downloads, paths of your own computer, and installations.

    It runs in the sandbox where the packages for grading are installed on Linux; elsewhere in a fresh kernel of this
    Python, as in Jupyter. Nothing is changed and nothing is handed in. Exit code 1: something is missing or fails.
    """
    from dataclasses import replace

    from autograder._util.files import write_atomically
    from autograder._util.plain_records import to_plain
    from autograder.errors import SandboxError
    from autograder.execution import rehearsal
    from autograder.records.limits import Limits

    limits = Limits() if seconds is None else replace(Limits(), notebook_seconds=seconds, cell_seconds=seconds)
    walled = rehearsal.can_sandbox() and not plain
    start = rehearsal.in_sandbox if walled else rehearsal.plainly
    sandbox_label = rehearsal.IN_SANDBOX if walled else rehearsal.WITHOUT_SANDBOX
    try:
        trial_result = rehearsal.rehearse(notebook, start, sandbox_label, release=released, limits=limits)
    except SandboxError as error:
        raise SandboxError(f"{error}\nIf the notebook is your own, `--plain` runs it without the sandbox.") from error
    if json_path is not None:
        content = {**to_plain(trial_result), "is_ready": trial_result.is_ready}
        write_atomically(json_path, json.dumps(content, indent=2) + "\n")
    click.echo(trial_result.text())
    sys.exit(DONE if trial_result.is_ready else WRONG)
