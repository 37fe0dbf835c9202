"""The files of a student's notebook, for the test cells that look at files.

At the position of such a cell what the notebook wrote is copied out as bytes. While the cell is examined those bytes
lie in a private folder, which is the working folder. What the student's code writes during a call of the test appears
there, and what the test wrote reaches the student's code where the call names it.
"""

from __future__ import annotations

import ast
import functools
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.examiner.names import SAME
from autograder.members import collision_key, is_junk, name_problem
from autograder.probe.workfiles import MAX_BYTES, MAX_FILES
from autograder.records import Exam, Role

_READERS = "loadtxt genfromtxt fromfile imread read_csv read_table read_json read_excel read_parquet read_html read_xml"
_METHODS_OF_PATHS = "read_text read_bytes write_text write_bytes exists is_file is_dir iterdir unlink"
_MODULES = "open Path os glob shutil zipfile tarfile gzip sqlite3 csv pathlib h5py"
_OPENERS = frozenset(f"{_MODULES} {_READERS} {_METHODS_OF_PATHS}".split())
_PATH = re.compile(
    r"[\w./-]+\.[A-Za-z]\w{0,7}|(?:\./)?[\w-]+(?:/[\w.-]+)+/?"
    r"|[\w ./-]+\.(?:csv|tsv|txt|json|npy|npz|png|jpe?g|svg|pdf|xlsx|db|zip|html|md|parquet|log|dat)"
)
_OTHERS = frozenset({"hidden_data", "events", "log_dir"})
"""Calls whose paths are not the working folder's."""


@functools.lru_cache(maxsize=SAME)
def looks_at_files(source: str) -> bool:
    """Whether a test cell may look at files: it opens some, or a text in it looks like a path. One too many does no
    harm."""
    tree = ast.parse(source)
    elsewhere: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) in _OTHERS:
            elsewhere |= set(ast.walk(node))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and _last_name(node) in _OPENERS:
            return True
        text = node.value if isinstance(node, ast.Constant) and node not in elsewhere else None
        if isinstance(text, str) and len(text) < 200 and _PATH.fullmatch(text):
            return True
    return False


def _last_name(node: ast.AST) -> str:
    return str(getattr(node, "attr", getattr(node, "id", "")))


def paths_in(exam: Exam) -> frozenset[str]:
    """The texts in the notebook's own cells that look like paths: files that the student's code may read by itself."""
    own = [cell.source for cell in exam.cells if cell.cell_type == "code" and cell.role is not Role.TEST]
    return frozenset().union(*map(_paths, own))


@functools.lru_cache(maxsize=SAME)
def _paths(source: str) -> frozenset[str]:
    try:
        texts = [n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant)]
    except (SyntaxError, ValueError):
        return frozenset()
    return frozenset(relative(text) for text in texts if isinstance(text, str) and _PATH.fullmatch(text))


def relative(path: str) -> str:
    return os.path.normpath(path).replace(os.sep, "/")


# --- what the kernel says ------------------------------------------------------------------------------


@dataclass(frozen=True)
class CapturedFiles:
    """The files that a notebook had written at the position of a test cell."""

    contents: Mapping[str, bytes]
    gone: frozenset[str] = frozenset()
    """Files that were there at the start and were not there any more."""
    refused: str = ""
    """Why there is nothing: ``more than 64 MiB of files``."""


class TooManyFiles(Exception):
    """The files of a notebook are past the limits; the message is the student's."""


@dataclass
class Kept:
    """The files of one kernel's folder that are not as they were at its start, as far as they were told."""

    contents: dict[str, bytes] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    refused: str = ""
    last: CapturedFiles | None = None
    """After the notebook's last cell; None as long as nobody changed it since."""

    def pull(self, ask: Callable[..., Any], **options: Any) -> tuple[dict[str, bytes], list[str]]:
        """Ask for what changed; what comes is a stranger's, and only names and sizes that are fine are kept."""
        answer = ask("operate", "pull_files", (), **options)
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
        """What is known now."""
        return CapturedFiles(dict(self.contents), frozenset(self.gone), self.refused)


def _checked(answer: Any) -> tuple[dict[str, bytes], list[str]]:
    if type(answer) is not tuple or len(answer) != 2 or type(answer[0]) is not dict or type(answer[1]) is not list:
        return {}, []
    contents: dict[str, bytes] = {}
    keys: set[str] = set()
    left = MAX_BYTES
    for path, data in list(answer[0].items())[:MAX_FILES]:
        if type(path) is not str or type(data) is not bytes or not is_good(path) or collision_key(path) in keys:
            continue
        left -= len(data)
        if left < 0:
            break
        keys.add(collision_key(path))
        contents[path] = data
    return contents, [path for path in answer[1][:MAX_FILES] if type(path) is str and is_good(path)]


_CONFIGURING = frozenset({"matplotlibrc"})
"""Names that a library reads of itself where it finds them in the working folder."""


def is_good(path: str) -> bool:
    """Whether a file of the student's with this name may lie in the working folder, handed in or written."""
    return not name_problem(path) and not is_junk(path) and path not in _CONFIGURING
