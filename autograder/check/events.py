"""The check of what a notebook wrote for TensorBoard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from autograder.check.eventfile import MAX_BYTES, EventFileError, Events, Histograms, Scalars, parse, tags_of
from autograder.check.results import report
from autograder.errors import CourseError, LostError

MAX_FILES = 100
IN_NAMES = "tfevents"
"""What the name of an event file contains; TensorBoard finds them by it."""

_REFUSALS = {
    "missing": "there is no such folder",
    "link": "the folder is reached through a link",
    "many": f"the folder holds more than {MAX_FILES} event files, or too much else",
    "large": f"the event files are larger than {MAX_BYTES >> 20} MiB together",
}
_remote: ContextVar[Any] = ContextVar("autograder_event_files", default=None)


@contextmanager
def asking_kernel(remote: Any) -> Iterator[None]:
    """Inside, :func:`events` gets the files from the student's kernel (the examiner's, around each test cell).

    Args:
        remote: an :class:`autograder.examiner.remote.proxy.Remote`.
    """
    token = _remote.set(remote)
    try:
        yield
    finally:
        _remote.reset(token)


def events(
    log_dir: Any,
    *,
    scalars: Sequence[str] = (),
    histograms: Sequence[str] = (),
    steps: int = 1,
    name: str = "event files",
    weight: float = 1.0,
) -> Events:
    """Reads what a notebook wrote for TensorBoard, and checks that the series asked for are there.

    The credit is the share of the series that have enough steps; nothing if a file cannot be read. In the examiner the
    files are those that are there after the notebook's last cell. They are the student's word: compare their numbers
    with what you compute.

    Args:
        log_dir: the folder that holds the files themselves, from the notebook's own: ``"logs/yours"``.
        scalars, histograms: tags that have to be there.
        steps: how many steps each of them must have, at least.

    Returns:
        All series by tag. Those asked for are always in it, empty where they are missing.

    Raises:
        CourseError: the arguments are wrong, or TensorBoard is not installed where the test runs.
        AssertionError: nothing that was asked for is there, and nothing records.
    """
    if isinstance(scalars, str) or isinstance(histograms, str) or type(steps) is not int or steps < 1:
        raise CourseError("check.events: scalars and histograms are lists of tags, and steps is a number from 1.")
    found, problem = _read(log_dir)
    asked: list[tuple[str, Scalars | Histograms]] = [
        *((tag, found.scalars.setdefault(tag, Scalars(np.zeros(0, np.int64), np.zeros(0)))) for tag in scalars),
        *((tag, found.histograms.setdefault(tag, Histograms(np.zeros(0, np.int64), ()))) for tag in histograms),
    ]
    enough = [len(series) >= steps for _, series in asked]
    fraction = 0.0 if problem else sum(enough) / len(enough) if enough else 1.0
    counts = ", ".join(f"{tag} {len(series)}" for tag, series in asked)
    detail = problem or (f"steps found: {counts}; {steps} asked of each" if asked else "read")
    if not problem and not all(enough):
        detail += f"; the files have {found!r}"
    message = detail
    if _remote.get() is not None:  # the files were read after the last cell: no text or number of theirs is told
        short = ", ".join(tag for (tag, _), long in zip(asked, enough, strict=True) if not long)
        message = "all that is asked" if not short else f"not enough of: {short} ({steps} asked of each)"
        message = _public_problem(problem) if problem else message
    report(name, fraction, message, weight=weight, detail=f"{detail}; scalars: {tags_of(found.scalars)}")
    return found


def _public_problem(problem: str) -> str:
    """The problem as a sentence that says nothing of what is in the files."""
    return problem if problem in _SENTENCES else "the event files cannot be read"


def _read(log_dir: Any) -> tuple[Events, str]:
    """What the folder's files hold, and what is wrong with them."""
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
    """The contents of the folder's event files in the order of their names, from here or from the kernel."""
    remote = _remote.get()
    if remote is None:
        from autograder.kernel.operations import files

        answer: Any = files(folder, IN_NAMES, MAX_FILES, MAX_BYTES)
    else:
        try:
            answer = remote.ask("operate", "files", (folder, IN_NAMES, MAX_FILES, MAX_BYTES))
        except LostError:
            return [], _GONE
        except Exception:  # whatever a notebook makes its kernel answer is a failed check
            answer = None
    if type(answer) is str:
        return [], _REFUSALS.get(answer, _UNREADABLE)
    if type(answer) is not list or len(answer) > MAX_FILES or not all(type(data) is bytes for data in answer):
        return [], _UNREADABLE
    return (answer, "") if sum(map(len, answer)) <= MAX_BYTES else ([], _REFUSALS["large"])


_UNREADABLE = "the notebook's kernel gave an answer that cannot be read"
_NO_NAME, _OUTSIDE = "this is not the name of a folder", "the folder is not inside the notebook's own"
_GONE, _EMPTY = "the notebook's kernel is gone, or did not answer in time", "the folder holds no event file"
_SENTENCES = frozenset([*_REFUSALS.values(), _UNREADABLE, _NO_NAME, _OUTSIDE, _GONE, _EMPTY])
