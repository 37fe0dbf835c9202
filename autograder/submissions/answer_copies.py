"""Copies of an answer file that does not lie in its place: which file of a hand-in may be meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from autograder._util.text import is_same_text
from autograder.records.limits import MAX_ANSWER_BYTES
from autograder.submissions.export_names import COPY_SUFFIX


def is_copy(name: str, answer: str) -> bool:
    """Tell whether a file has an answer file's last name, but for capitals, a copy's number, an editor's ``.txt``."""
    path = PurePosixPath(answer)
    pattern = rf"{re.escape(path.stem)}{COPY_SUFFIX}{re.escape(path.suffix)}(?:\.txt)?"
    return re.fullmatch(pattern, PurePosixPath(name).name, re.IGNORECASE) is not None


def copies(answer: str, files: Mapping[str, Path], released: str, reserved: Collection[str] = ()) -> list[str]:
    """Return the files that may be an answer file, one of each content; those in its own folder before others.

    What is as it was released is nobody's answer, and a package's ``__init__.py`` is found in its place alone.

    Args:
        answer: path of the answer file, which is not among the results.
        files: path beside the notebook → file that was handed in.
        released: the answer file's text as students got it.
        reserved: paths that are other files' places.
    """
    if PurePosixPath(answer).stem == "__init__":
        return []
    names = [name for name in files if name != answer and name not in reserved and is_copy(name, answer)]
    names = [name for name in names if not is_released(files[name], released)]
    folder = _folder(answer)
    beside = [name for name in names if _folder(name) == folder]
    return sorted({_content(files[name]) or name: name for name in sorted(beside or names)}.values())


def is_released(path: Path, released: str) -> bool:
    """Tell whether a file has this text, but for line endings and spaces before them."""
    return path.lstat().st_size <= MAX_ANSWER_BYTES and is_same_text(path.read_bytes(), released.encode())


def _folder(name: str) -> str:
    return str(PurePosixPath(name).parent).casefold()


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.lstat().st_size <= MAX_ANSWER_BYTES else None
