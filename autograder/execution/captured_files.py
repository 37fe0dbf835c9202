"""The files that a notebook wrote, as its kernel reports them: bytes, and only under acceptable names."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.errors import BusyError
from autograder.execution.link import REPLY_SECONDS
from autograder.kernel.workfiles import MAX_BYTES, MAX_FILES
from autograder.submissions.members import collision_key, is_junk, name_problem


@dataclass(frozen=True)
class CapturedFiles:
    """The files that a notebook had written at the position of a test cell."""

    contents: Mapping[str, bytes]
    gone: frozenset[str] = frozenset()
    """Files that existed at the start and no longer do."""
    refused: str = ""
    """Why there is nothing: ``more than 64 MiB of files``."""


class TooManyFiles(Exception):
    """An error for files past the limits, or of a kind that is refused; its message is for the student."""


@dataclass
class FolderCopy:
    """The files of a kernel's folder that differ from its start, as far as the kernel has reported them."""

    contents: dict[str, bytes] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    refused: str = ""
    last: CapturedFiles | None = None
    """The state after the notebook's last cell; None while nothing has changed it since."""

    @classmethod
    def holding(cls, files: Mapping[str, bytes], ask: Callable[..., Any]) -> FolderCopy:
        """Lay files into the kernel's folder before its first cell; they count as the notebook's own.

        A kernel that does not take them is gone, and the run says so.
        """
        if not files:
            return cls()
        try:
            ask("operate", "push_files", (dict(files), []), timeout=REPLY_SECONDS)
        except BusyError:
            raise
        except Exception:  # the kernel is gone, or its disk is full
            return cls()
        return cls(dict(files))

    def left(self, ask: Callable[..., Any]) -> dict[str, bytes]:
        """Return what the notebook leaves to the hand-in's later ones: at most 64 MiB, small files first.

        If the kernel tells nothing, that is what was known before.
        """
        try:
            self.pull(ask, fitting=True, timeout=REPLY_SECONDS)
        except BusyError:
            raise
        except Exception:  # the student's code decides what the kernel answers or raises
            pass
        sizes = sorted((len(data), path) for path, data in self.contents.items())
        totals = itertools.accumulate(size for size, _ in sizes)
        fitting = {path for total, (_, path) in zip(totals, sizes, strict=True) if total <= MAX_BYTES}
        return {path: data for path, data in self.contents.items() if path in fitting}

    def pull(
        self, ask: Callable[..., Any], *, fitting: bool = False, **options: Any
    ) -> tuple[dict[str, bytes], list[str]]:
        """Ask for changed files, and keep those whose names and sizes are acceptable.

        The answer is untrusted.
        """
        answer = ask("operate", "pull_files", (True,) if fitting else (), **options)
        if type(answer) is str:
            self.refused = answer[:200]
            return {}, []
        contents, gone = _checked(answer)
        self.refused = ""
        self.contents.update(contents)
        self.gone -= set(contents)
        for path in gone:
            if self.contents.pop(path, None) is None:
                self.gone.add(path)
        return contents, gone

    def capture(self) -> CapturedFiles:
        """Return the state that is known now."""
        return CapturedFiles(dict(self.contents), frozenset(self.gone), self.refused)


def _checked(answer: Any) -> tuple[dict[str, bytes], list[str]]:
    if type(answer) is not tuple or len(answer) != 2 or type(answer[0]) is not dict or type(answer[1]) is not list:
        return {}, []
    contents: dict[str, bytes] = {}
    keys: set[str] = set()
    bytes_left = MAX_BYTES
    for path, data in list(answer[0].items())[:MAX_FILES]:
        if type(path) is not str or type(data) is not bytes or not is_good(path) or collision_key(path) in keys:
            continue
        bytes_left -= len(data)
        if bytes_left < 0:
            break
        keys.add(collision_key(path))
        contents[path] = data
    return contents, [path for path in answer[1][:MAX_FILES] if type(path) is str and is_good(path)]


_LIBRARY_SETTINGS = frozenset({"matplotlibrc"})
"""Names that a library reads by itself from the working folder."""


def is_good(path: str) -> bool:
    """Return whether a student's file of this name may lie in the working folder."""
    return not name_problem(path) and not is_junk(path) and path not in _LIBRARY_SETTINGS
