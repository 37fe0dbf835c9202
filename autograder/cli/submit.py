"""``autograder submit``: packs a notebook for handing in."""

from __future__ import annotations

from pathlib import Path

import click

from autograder.cli.output import examples


@click.command(
    epilog=examples("""
autograder submit network.ipynb --student ada
autograder submit network.ipynb --student ada --release release/keras-fully-connected
autograder submit network.ipynb --student ada --with bob
autograder submit . --student ada                      # the folder's notebook
autograder submit network.ipynb model.safetensors --student ada
""")
)
@click.argument("notebook", type=click.Path(path_type=Path, exists=True))
@click.argument("files", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1)
@click.option("--student", required=True, help="Your name or number, as your course knows you.")
@click.option(
    "--release",
    "released",
    type=click.Path(path_type=Path, exists=True),
    help="The released notebook, or its folder: then the receipt tells exactly which answers are missing.",
)
@click.option(
    "--with", "team", metavar="NAME", multiple=True, help="Who hands in with you; may be given more than once."
)
@click.option(
    "--assignment",
    help="The assignment's name (default: the one in the notebook, else that of the released notebook's folder).",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the package (default: beside the notebook).",
)
def submit(
    notebook: Path,
    files: tuple[Path, ...],
    student: str,
    team: tuple[str, ...],
    released: Path | None,
    assignment: str | None,
    out: Path | None,
) -> None:
    """Check NOTEBOOK and pack it for handing in, with the files that its code names and with FILES.

    NOTEBOOK may be the folder that it lies in. Prints a receipt: the package's content, time and hash, and the answers
    that are still missing. Hand in the package as your course tells you.
    """
    from autograder.submission import pack

    receipt = pack(
        notebook, release=released, assignment=assignment, student=student, out=out, team=team, more_files=files
    )
    click.echo(receipt.text())
