"""The files of a student's notebook, for the test cells that look at files.

At the position of such a cell what the notebook wrote is copied out as bytes. While the cell is examined those bytes
lie in a private folder, which is the working folder. What the student's code writes during a call of the test appears
there, and what the test wrote reaches the student's code where the call names it.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from autograder.examiner.following import asking_through
from autograder.examiner.guard import guarding
from autograder.members import collision_key, is_junk, name_problem
from autograder.probe.workfiles import MAX_BYTES, MAX_FILES, Folder
from autograder.records import Exam, Role

_OPENERS = frozenset(
    "open Path os glob shutil zipfile tarfile gzip sqlite3 csv pathlib h5py loadtxt genfromtxt fromfile".split()  # noqa: SIM905
)
_PATH = re.compile(
    r"[\w./-]+\.[A-Za-z]\w{0,7}|(?:\./)?[\w-]+(?:/[\w.-]+)+/?"
    r"|[\w ./-]+\.(?:csv|tsv|txt|json|npy|npz|png|jpe?g|svg|pdf|xlsx|db|zip|html|md|parquet|log|dat)"
)
_OTHERS = frozenset({"hidden_data", "events", "log_dir"})
"""Calls whose paths are not the working folder's."""


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
    found: set[str] = set()
    for cell in exam.cells:
        if cell.cell_type == "code" and cell.role is not Role.TEST:
            with contextlib.suppress(SyntaxError, ValueError):
                texts = [n.value for n in ast.walk(ast.parse(cell.source)) if isinstance(n, ast.Constant)]
                found |= {_relative(text) for text in texts if isinstance(text, str) and _PATH.fullmatch(text)}
    return frozenset(found)


def _relative(path: str) -> str:
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
        if type(path) is not str or type(data) is not bytes or not _good(path) or collision_key(path) in keys:
            continue
        left -= len(data)
        if left < 0:
            break
        keys.add(collision_key(path))
        contents[path] = data
    return contents, [path for path in answer[1][:MAX_FILES] if type(path) is str and _good(path)]


_CONFIGURING = frozenset({"matplotlibrc"})
"""Names that a library reads of itself where it finds them in the working folder."""


def _good(path: str) -> bool:
    return not name_problem(path) and not is_junk(path) and path not in _CONFIGURING


# --- the working folder --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Workspace:
    """Where test cells that look at files run."""

    given: Mapping[str, Path] = field(default_factory=dict)
    """Path → file of the release: the instructor's, whatever the notebook made of it."""
    handed_in: Mapping[str, Path] = field(default_factory=dict)
    """Path → file that the student handed in beside the notebook."""
    read_by_notebook: frozenset[str] = frozenset()
    """See :func:`paths_in`."""
    kept: Kept = field(default_factory=Kept)
    """What the kernel's folder holds."""

    @contextlib.contextmanager
    def prepared(self, capture: Any, remote: Any) -> Iterator[None]:
        """The working folder and the current figure of a cell that looks at them; for any other cell nothing changes.

        Args:
            capture: an :class:`autograder.examiner.namespace.Capture`.
            remote: an :class:`autograder.examiner.remote.Remote`.
        """
        with contextlib.ExitStack() as stack:
            if capture.figures is not None:
                stack.enter_context(remote.figures.current(remote, capture.figures))
            if capture.files is not None:
                stack.enter_context(self.entered(capture.files, remote))
            yield

    @contextlib.contextmanager
    def entered(self, captured: CapturedFiles, remote: Any) -> Iterator[None]:
        """The working folder is a private one with these files, and follows the calls of ``remote``.

        Raises:
            TooManyFiles: there are none, since they were past the limits.
        """
        if captured.refused:
            raise TooManyFiles(f"the notebook's files can not be examined: {captured.refused}")
        before = Path.cwd()
        with tempfile.TemporaryDirectory(prefix="autograder-", ignore_cleanup_errors=True) as name:
            folder = Path(name).resolve()
            files = Files(folder, self, captured, remote)
            files.fill()
            os.chdir(folder)
            try:
                with guarding(folder), files.following():
                    yield
            finally:
                os.chdir(before)


class Files:
    """Keeps a test's working folder and the kernel's folder in step, call by call."""

    def __init__(self, folder: Path, workspace: Workspace, captured: CapturedFiles, remote: Any) -> None:
        self.here = Folder(str(folder))
        self.workspace = workspace
        self.captured = captured
        self.remote = remote
        self.ask = remote.ask
        self.waiting: dict[str, bytes] = {}
        """What the test wrote and no call has named yet."""
        self.entered = False
        """Whether the kernel's folder is what it was at the test's cell: from the first call on."""

    def fill(self) -> None:
        """The notebook's files as they were, and the release's as they are."""
        for files in (self.workspace.handed_in, self.workspace.given):
            for path, source in files.items():
                if path not in self.captured.gone or files is self.workspace.given:
                    target = Path(self.here.root) / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, target)
        students = {p: data for p, data in self.captured.contents.items() if p not in self.workspace.given}
        self.here.push(students, [])
        self.here.renew()

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """Inside, every call of the student's code goes with its files; what it made of the kernel's folder goes with
        the test."""
        with asking_through(self.remote, self._asking):
            yield
        last = self.workspace.kept.last
        if self.entered and last is not None:
            self._let_kernel_have(self._state(last))

    def _asking(self, verb: str, *arguments: Any, **options: Any) -> Any:
        if verb not in ("call", "operate"):
            return self.ask(verb, *arguments, **options)
        self.push(arguments)
        try:
            return self.ask(verb, *arguments, **options)
        finally:
            self.pull()

    def push(self, arguments: Iterable[Any]) -> None:
        """Let the kernel's folder have what the test wrote, where the call or the notebook's own cells name it."""
        wanted: dict[str, bytes | None] = {}
        if not self.entered and not self.remote.lost:  # the first call: the folder as it was at the cell
            kept = self.workspace.kept
            kept.pull(self.ask)
            kept.last = kept.last or kept.capture()
            wanted = self._state(self.captured)
            self.entered = True
        changed, removed = self.here.pull()
        self.waiting.update(changed)
        for path in removed:
            self.waiting.pop(path, None)
            wanted[path] = None
        named = self.workspace.read_by_notebook | set(_texts(arguments))
        for path in [p for p in self.waiting if _is_named(p, named)]:
            wanted[path] = self.waiting.pop(path)
        self._let_kernel_have(wanted)

    def _state(self, captured: CapturedFiles) -> dict[str, bytes | None]:
        """What makes the kernel's folder what it was then; None for what was not there."""
        kept = self.workspace.kept
        originals = {**self.workspace.handed_in, **self.workspace.given}
        state: dict[str, bytes | None] = {}
        for path in {*kept.contents, *kept.gone, *captured.contents, *captured.gone}:
            if path in captured.contents:
                state[path] = captured.contents[path]
            else:
                was_there = path in originals and path not in captured.gone
                state[path] = originals[path].read_bytes() if was_there else None
        return state

    def _let_kernel_have(self, wanted: Mapping[str, bytes | None]) -> None:
        kept = self.workspace.kept
        contents = {p: data for p, data in wanted.items() if data is not None and kept.contents.get(p) != data}
        gone = [path for path, data in wanted.items() if data is None and path not in kept.gone]
        if (contents or gone) and not self.remote.lost:
            self.ask("operate", "push_files", (contents, gone))
            kept.contents.update(contents)
            kept.gone -= set(contents)
            for path in gone:
                kept.contents.pop(path, None)

    def pull(self) -> None:
        """Bring what the student's code changed."""
        if self.remote.lost:
            return
        contents, gone = self.workspace.kept.pull(self.ask)
        for path in (*contents, *gone):
            self.waiting.pop(path, None)
        given = self.workspace.given
        self.here.push({p: d for p, d in contents.items() if p not in given}, [p for p in gone if p not in given])


def _texts(value: Any, depth: int = 4) -> Iterator[str]:
    """The paths among the arguments of a call."""
    if isinstance(value, str | PurePath):
        yield _relative(str(value))
    elif depth and type(value) in (list, tuple, dict):
        for item in [*value, *value.values()] if type(value) is dict else value:
            yield from _texts(item, depth - 1)


def _is_named(path: str, named: Iterable[str]) -> bool:
    """Whether a text is this path, or one of its folders."""
    return any(text in (path, ".") or path.startswith(f"{text}/") for text in named)
