"""Hidden data: files that only the examiner can open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePosixPath
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from autograder._util.files import version
from autograder.errors import CourseError

_folder: ContextVar[Path | None] = ContextVar("autograder_hidden_data", default=None)
_before: ContextVar[Callable[[], None] | None] = ContextVar("autograder_before_hidden_data", default=None)


@contextmanager
def serving_hidden_data(folder: Path, before: Callable[[], None] | None = None) -> Iterator[None]:
    """Make :func:`hidden_data` read from this folder inside the block; the examiner does so for each test cell.

    Args:
        folder: the folder of the hidden files.
        before: is called before each file is handed out.
    """
    token, noted = _folder.set(Path(folder)), _before.set(before)
    try:
        yield
    finally:
        _folder.reset(token)
        _before.reset(noted)


def hidden_data(name: str) -> dict[str, np.ndarray] | Path:
    """Return a file of the assignment's hidden folder.

    Outside the examiner the folder is ``hidden/`` beside the notebook.

    Args:
        name: path relative to the folder, such as ``"holdout.npz"``.

    Returns:
        For an .npz file a dict of its arrays; for any other file its path.

    Raises:
        CourseError: there is no such file, or the name leads out of the folder.
    """
    folder = _folder.get() or Path("hidden")
    parts = PurePosixPath(name) if isinstance(name, str) else PurePosixPath()
    if not parts.parts or parts.is_absolute() or ".." in parts.parts or "\\" in name:
        raise CourseError(f"check.hidden_data: {name!r} must be the name of a file inside {folder.name}/.")
    if (before := _before.get()) is not None:
        before()
    _served.append(name)
    path = folder / parts
    if not path.is_file():
        raise CourseError(f"check.hidden_data: there is no {name!r} in {folder}/. Put it there.")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise CourseError(f"check.hidden_data: {name!r} leads out of {folder.name}/.")
    if path.suffix != ".npz":
        return path
    arrays = _read(name, path)
    _handed_out.update({id(array): array for array in arrays.values()})
    _names.update({id(array): (name, key) for key, array in arrays.items()})
    return arrays


def hand_outs() -> int:
    """Return how often this process has asked for hidden data."""
    return len(_served)


_served: list[str] = []


def is_hidden(value: Any, depth: int = 5) -> bool:
    """Return whether the value is an array of :func:`hidden_data`, a view of one, or a container of such arrays."""
    return any(True for _ in hidden_names(value, depth))


def shares_hidden(array: np.ndarray) -> bool:
    """Return whether an array lies in the memory of one of :func:`hidden_data`."""
    return any(np.may_share_memory(array, hidden) for hidden in list(_handed_out.values()))


def hidden_names(value: Any, depth: int = 5) -> Iterator[tuple[str, str]]:
    """Yield the file and the name of each array of :func:`hidden_data` that a value is, or holds."""
    if type(value) in (list, tuple, dict):
        for item in value.values() if type(value) is dict else value:
            yield from hidden_names(item, depth - 1) if depth > 0 else ()
    while issubclass(type(value), np.ndarray):
        if _handed_out.get(id(value)) is value:
            yield _names[id(value)]
            return
        value = value.base


_handed_out: WeakValueDictionary[int, np.ndarray] = WeakValueDictionary()
"""The arrays that tests hold now, by ``id``; a call of a student's code must not change them."""
_names: dict[int, tuple[str, str]] = {}
"""Their files, and their names in these, also of arrays that nobody holds any more."""


def _read(name: str, path: Path) -> dict[str, np.ndarray]:
    try:
        now = version(path)
        if _kept_arrays.get(path, (None, {}))[0] != now:
            _kept_arrays.pop(path, None)
            arrays = _arrays(path)
            if sum(array.nbytes for array in arrays.values()) > KEPT_BYTES:
                return arrays
            while len(_kept_arrays) >= KEPT_FILES:
                _kept_arrays.pop(next(iter(_kept_arrays)))
            _kept_arrays[path] = now, arrays
        return {key: array.copy(order="K") for key, array in _kept_arrays[path][1].items()}
    except (ValueError, OSError) as error:
        raise CourseError(f"check.hidden_data: {name!r} cannot be read without pickle: {error}") from error


KEPT_BYTES = 16 * 1024 * 1024
"""Arrays of a file up to this size are read once, because the next test cell and the next submission ask for them
again."""
KEPT_FILES = 4
_kept_arrays: dict[Path, tuple[tuple[int, ...], dict[str, np.ndarray]]] = {}
"""File → its version and its arrays."""


def _arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return {key: archive[key] for key in archive.files}
