"""The check of the files that a notebook wrote for TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from autograder.check.asking import asked_kernel
from autograder.check.results import report
from autograder.errors import CourseError, LostError
from autograder.extensions.tensorboard.eventfile import (
    MAX_BYTES,
    EventFileError,
    Events,
    Histograms,
    Scalars,
    parse,
    tags_of,
)

MAX_FILES = 100
IN_NAMES = "tfevents"
"""Part of every event file's name; TensorBoard finds the files by it."""

_REFUSALS = {
    "missing": "there is no such folder",
    "link": "the folder is reached through a link",
    "many": f"the folder holds more than {MAX_FILES} event files, or too much else",
    "large": f"the event files are larger than {MAX_BYTES >> 20} MiB together",
}


def events(
    log_dir: Any,
    *,
    scalars: Sequence[str] = (),
    histograms: Sequence[str] = (),
    steps: int = 1,
    name: str = "event files",
    weight: float = 1.0,
) -> Events:
    """Read the files that a notebook wrote for TensorBoard, and check that the named series are there.

    The credit is the share of the series that have enough steps, and 0 if a file cannot be read. In the examiner these
    are the files that exist after the notebook's last cell. Their contents are claims of the student's code: compare
    the numbers with values that you compute.

    Args:
        log_dir: the folder that holds the files themselves, relative to the notebook's folder: ``"logs/yours"``.
        scalars: tags of scalars that must be there.
        histograms: tags of histograms that must be there.
        steps: the minimum number of steps of each series.
        name: the check's name in reports.
        weight: the check's share among the checks of its cell.

    Returns:
        All series by tag. The named ones are always present, and empty if the files lack them.

    Raises:
        CourseError: the arguments are wrong, or TensorBoard is not installed where the test runs.
        AssertionError: none of the named series is there, and no examiner records the check.

    >>> logs = check.events("logs/yours", scalars=["epoch_loss"], steps=5)  # doctest: +SKIP
    """
    if isinstance(scalars, str) or isinstance(histograms, str) or type(steps) is not int or steps < 1:
        raise CourseError("check.events: scalars and histograms are lists of tags, and steps is a number from 1.")
    series_read, problem = _read(log_dir)
    required: list[tuple[str, Scalars | Histograms]] = [
        *((tag, series_read.scalars.setdefault(tag, Scalars(np.zeros(0, np.int64), np.zeros(0)))) for tag in scalars),
        *((tag, series_read.histograms.setdefault(tag, Histograms(np.zeros(0, np.int64), ()))) for tag in histograms),
    ]
    enough = [len(series) >= steps for _, series in required]
    fraction = 0.0 if problem else sum(enough) / len(enough) if enough else 1.0
    counts = ", ".join(f"{tag} {len(series)}" for tag, series in required)
    detail = problem or (f"steps found: {counts}; {steps} asked of each" if required else "read")
    if not problem and not all(enough):
        detail += f"; the files have {series_read!r}"
    message = detail
    # The kernel sent the files after the last cell: show none of their texts and numbers.
    if asked_kernel() is not None:
        short = ", ".join(tag for (tag, _), long in zip(required, enough, strict=True) if not long)
        message = "all that is asked" if not short else f"not enough of: {short} ({steps} asked of each)"
        message = _public_problem(problem) if problem else message
    report(name, fraction, message, weight=weight, detail=f"{detail}; scalars: {tags_of(series_read.scalars)}")
    return series_read


def _public_problem(problem: str) -> str:
    """Return the problem as a sentence that reveals nothing of the files' contents."""
    return problem if problem in _SENTENCES else "the event files cannot be read"


def _read(log_dir: Any) -> tuple[Events, str]:
    """Return the contents of the folder's files, and what is wrong with them."""
    nothing = Events({}, {})
    if type(log_dir) is not str or not log_dir or "\0" in log_dir:
        return nothing, _NO_NAME
    folder = PurePosixPath(log_dir.replace("\\", "/"))
    if folder.is_absolute() or ".." in folder.parts:
        return nothing, _OUTSIDE
    files, problem = _files(str(folder))
    if problem:
        return nothing, problem
    if not files:
        return nothing, _EMPTY
    try:
        return parse(files), ""
    except EventFileError as error:
        return nothing, str(error)
    except ImportError as error:
        raise CourseError("check.events needs TensorBoard: `pip install tensorboard`.") from error


def _files(folder: str) -> tuple[list[bytes], str]:
    """Return the contents of the folder's event files in the order of their names, from here or from the kernel."""
    remote = asked_kernel()
    if remote is None:
        from autograder.kernel.operations import files

        answer: Any = files(folder, IN_NAMES, MAX_FILES, MAX_BYTES)
    else:
        try:
            answer = remote.ask("operate", "files", (folder, IN_NAMES, MAX_FILES, MAX_BYTES))
        except LostError:
            return [], _GONE
        except Exception:  # student code answers: whatever it raises makes the check fail
            answer = None
    if type(answer) is str:
        return [], _REFUSALS.get(answer, _UNREADABLE)
    if type(answer) is not list or len(answer) > MAX_FILES or not all(type(data) is bytes for data in answer):
        return [], _UNREADABLE
    return (answer, "") if sum(map(len, answer)) <= MAX_BYTES else ([], _REFUSALS["large"])


_UNREADABLE = "the notebook's kernel gave an answer that cannot be read"
_NO_NAME, _OUTSIDE = "this is not the name of a folder", "the folder is not inside the notebook's folder"
_GONE, _EMPTY = "the notebook's kernel is gone, or did not answer in time", "the folder holds no event file"
_SENTENCES = frozenset([*_REFUSALS.values(), _UNREADABLE, _NO_NAME, _OUTSIDE, _GONE, _EMPTY])
