"""The numbers that the tutorial of 2017 printed, beside those of today's libraries and of this course's lessons.

    benchmarks/tutorial_numbers.py                                  on the synthetic stand-in
    benchmarks/tutorial_numbers.py --train data/otto/train.csv      and on the competition's own data
    benchmarks/tutorial_numbers.py --spread 10                      and how far chance moves a validation loss

The table goes to standard output, as Markdown; progress goes to standard error. Each row is computed twice for each set
of data: by the tutorial's own protocol on all rows (the same model, optimizer, rate, batches and epochs, in today's
Keras or NumPy), and by the course's lesson, whose solution is executed and whose printed number is taken. Lessons use
fewer rows and other trainings, so only the protocols compare with the tutorial. Every number is one run with one seed.

No row of the data is written anywhere but to a temporary folder, in which the lessons run.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
BEGAN = perf_counter()
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from helpers.lessons import cell_of, lesson_exam, printed  # noqa: E402
from tutorial_protocols import PROTOCOLS, SEED, Numbers, Rows, read_rows, spread  # noqa: E402

from autograder.release.exam_construction import solution_notebook  # noqa: E402
from kaggle_data import COURSE_ROWS, load_data  # noqa: E402

# --- the rows of the table ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    key: str
    what: str
    tutorial: str
    """What the tutorial printed."""
    lesson: str = ""
    cells: tuple[tuple[str, str], ...] = ()
    """Where the lesson prints its numbers: grade_id of a code cell, and a pattern with one group."""


TABLE = (
    Row(
        "theano-random",
        "one category against the rest, ten steps from random weights: accuracy",
        "0.54",
        "logistic-regression-theano",
        (("ten", r"random weights .*accuracy ([\d.]+)"),),
    ),
    Row(
        "theano-zero",
        "the same from weights 0",
        "–",
        "logistic-regression-theano",
        (("ten", r"weights 0 .*accuracy ([\d.]+)"),),
    ),
    Row(
        "theano-no",
        'the same, always "no"',
        "–",
        "logistic-regression-theano",
        (("ten", r"always no .*accuracy ([\d.]+)"),),
    ),
    Row(
        "steps",
        "softmax regression, 25 steps on all rows, rate 0.01: accuracy after the first and the last",
        "0.6649536 → 0.6716927",
        "logistic-regression-tensorflow",
        (
            ("plot-curves", r"accuracy ([\d.]+) at step 1,"),
            ("plot-curves", r"accuracy .* ([\d.]+) at step 25"),
        ),
    ),
    Row(
        "small-size",
        "softmax regression: parameters",
        "846",
        "logistic-regression-keras",
        (("compare", r"first .* ([\d,]+) parameters"),),
    ),
    Row(
        "sigmoid",
        "sigmoid, then softmax, SGD, batches of 32, 10 epochs: loss in the first and the last",
        "1.9845 → 1.6560",
        "logistic-regression-keras",
        (("first-fit", r"in epoch 1: ([\d.]+)"), ("first-fit", r"in epoch 10: ([\d.]+)")),
    ),
    Row(
        "sigmoid-split",
        "the same model trained on with a split, batches of 128, 50 epochs: validation loss",
        "1.6513 → 1.6134",
    ),
    Row(
        "wide-size",
        "100 linear units, then softmax: parameters",
        "10,309",
        "keras-fully-connected",
        (("worked-fit", r"worked .* ([\d,]+) parameters"),),
    ),
    Row(
        "wide",
        "the same, SGD, batches of 128, 20 epochs: validation loss in the first and the last",
        "0.8824 → 0.6571; again: 0.6539",
        "keras-fully-connected",
        (("worked-fit", r"worked .*validation loss ([\d.]+)"),),
    ),
)


# --- the two ways to fill it --------------------------------------------------------------------------


def by_protocol(rows: Rows, name: str) -> Numbers:
    found: dict[str, str] = {}
    for protocol in PROTOCOLS:
        say(f"{name}: {protocol.__name__}")
        found |= protocol(rows)
    return found


def by_lesson(train: Path | None, name: str) -> Numbers:
    """Run the solution of each lesson that the table names, and read what it prints."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        shutil.copy(ROOT / "kaggle_data.py", place)
        if train is not None:
            write_course_rows(train, place / COURSE_ROWS)
        for lesson in dict.fromkeys(row.lesson for row in TABLE if row.lesson):
            say(f"{name}: the lesson {lesson}")
            notebook = executed(lesson, place)
            for row in TABLE:
                if row.lesson == lesson:
                    found[row.key] = " → ".join(read(notebook, *cell) for cell in row.cells)
    return found


def write_course_rows(train: Path, target: Path) -> None:
    """The competition's rows in the form in which load_data() looks for them beside kaggle_data.py."""
    counts, labels = load_data(train)
    np.savez(target, counts=counts.astype(np.uint16), labels=labels.astype("U7"))


def executed(lesson: str, folder: Path) -> Any:
    """The lesson's solution, run in this folder by an ordinary kernel: it is the instructor's own."""
    from nbclient import NotebookClient

    notebook = solution_notebook(lesson_exam(lesson))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def read(notebook: Any, grade_id: str, pattern: str) -> str:
    """LookupError: the cell does not print that."""
    match = re.search(pattern, printed(cell_of(notebook, grade_id)))
    if match is None:
        raise LookupError(f"{grade_id} prints nothing like {pattern}")
    return match[1]


# --- the output -----------------------------------------------------------------------------------------


def say(what: str) -> None:
    """A line on standard error, with the seconds since the start."""
    print(f"{perf_counter() - BEGAN:4.0f} s  {what}", file=sys.stderr, flush=True)


def table(columns: Mapping[str, Numbers]) -> Iterator[str]:
    """The lines of the table; a number that a column does not have is a dash."""
    yield "| | tutorial, 2017 | " + " | ".join(columns) + " |"
    yield "|---|---|" + "---|" * len(columns)
    for row in TABLE:
        cells = [numbers.get(row.key, "–") for numbers in columns.values()]
        yield f"| {row.what} | {row.tutorial} | " + " | ".join(cells) + " |"


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "--train", type=Path, help="the competition's train.csv (docs/how-to/real-data.md says how to get it)"
    )
    parser.add_argument(
        "--spread", type=int, default=0, metavar="N", help="train two of the models N times more, to see chance"
    )
    parser.add_argument("--no-lessons", action="store_true", help="only the tutorial's protocols")
    options = parser.parse_args(words)
    if options.train and not options.train.is_file():
        parser.error(f"--train {options.train}: there is no such file")
    if options.spread == 1 or options.spread < 0:
        parser.error(f"--spread {options.spread}: at least 2, or 0 for none")
    return options


def main(options: argparse.Namespace) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sources = ([("real", options.train)] if options.train else []) + [("stand-in", None)]
    columns, notes = {}, []
    for name, train in sources:
        rows = read_rows(train)
        columns[f"its protocol, {name}"] = by_protocol(rows, name)
        if options.spread:
            say(f"{name}: {3 * options.spread} trainings")
            notes += [f"- {name}: {line}" for line in spread(rows, options.spread)]
    for name, train in [] if options.no_lessons else reversed(sources):
        columns[f"the lesson, {name}"] = by_lesson(train, name)
    print("\n".join(table(columns)))
    print(f"\nOne run for each number, seed {SEED}; {versions()}.\n", *notes, sep="\n")


def versions() -> str:
    import keras
    import tensorflow as tf

    return f"Python {platform.python_version()}, TensorFlow {tf.__version__}, Keras {keras.__version__}"


if __name__ == "__main__":
    main(arguments(sys.argv[1:]))
