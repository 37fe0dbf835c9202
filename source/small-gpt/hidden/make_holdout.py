"""Makes holdout.npz beside this file: tales that no student has, drawn by the lesson's own program.

    make_holdout.py --seed N [--rows N] ASSIGNMENT

    rows  uint8 (rows, 57): a tale's first characters, as the lesson numbers them

The seed is the secret: everyone who knows it can make the tales.
"""

from __future__ import annotations

import argparse
import io
import random
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

from autograder._util.files import write_atomically

CELLS = ("write-tales", "number")
"""Cells of the lesson that write tales, and number their characters."""
VALIDATION = {"count": 500, "seed": 2}
"""The tales that the lesson validates on."""


def lesson_names(assignment: str) -> dict[str, Any]:
    """What the lesson's own cells define."""
    notebook = nbformat.read(Path(__file__).parents[1] / f"{assignment}.ipynb", as_version=4)
    names: dict[str, Any] = {"random": random, "print": lambda *_: None}
    for cell in notebook.cells:
        if cell.get("id") in CELLS:
            exec(cell.source, names)
    return names


def hidden_rows(names: dict[str, Any], count: int, seed: int) -> Any:
    """Rows of tales that the lesson does not show: uint8 (count, 57)."""
    shown = {*names["training_tales"], *names["tales"](**VALIDATION)}
    tales = [tale for tale in names["tales"](3 * count, seed) if tale not in shown]
    return np.array(names["numbered"](tales[:count]), dtype=np.uint8)


def is_same(path: Path, rows: Any) -> bool:
    """Whether the file has these rows already."""
    if not path.is_file():
        return False
    with np.load(path, allow_pickle=False) as old:
        return np.array_equal(old["rows"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make_holdout.py", allow_abbrev=False)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("assignment")
    options = parser.parse_args()
    rows = hidden_rows(lesson_names(options.assignment), options.rows, options.seed)
    path = Path(__file__).with_name("holdout.npz")
    same = is_same(path, rows)
    if not same:
        file = io.BytesIO()
        np.savez_compressed(file, rows=rows)
        write_atomically(path, file.getvalue())
    print(f"{options.assignment}: {'the holdout is as it was' if same else 'a new holdout'}, {len(rows)} tales")


if __name__ == "__main__":
    main()
