"""Where a test cell runs that looks at files: a private folder, in step with the kernel's, call by call."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from autograder.examiner.file_paths import relative
from autograder.examiner.test_environment.guard import guarding
from autograder.examiner.test_environment.kernel_text import MAX_FILE_BYTES
from autograder.examiner.test_environment.taint import heard_file
from autograder.execution.captured_files import CapturedFiles, FolderCopy, TooManyFiles, is_good
from autograder.kernel.workfiles import Folder


@dataclass(frozen=True)
class Workspace:
    """Where test cells that look at files run."""

    given: Mapping[str, Path] = field(default_factory=dict)
    """Path → file of the release: the instructor's, whatever the notebook made of it."""
    handed_in: Mapping[str, Path] = field(default_factory=dict)
    """Path → file that the student handed in beside the notebook."""
    read_by_notebook: frozenset[str] = frozenset()
    """See :func:`paths_in`."""
    kept: FolderCopy = field(default_factory=FolderCopy)
    """What the kernel's folder holds."""

    @contextlib.contextmanager
    def prepared(self, capture: Any, remote: Any) -> Iterator[None]:
        """The working folder and the current figure of a cell that looks at them; for any other cell nothing changes.

        Args:
            capture: an :class:`autograder.execution.capture.Capture`.
            remote: an :class:`autograder.examiner.remote.proxy.Remote`.
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
            raise TooManyFiles(f"the notebook's files cannot be examined: {captured.refused}")
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
        handed_in = {path: source for path, source in self.workspace.handed_in.items() if is_good(path)}
        for files in (handed_in, self.workspace.given):
            for path, source in files.items():
                if path not in self.captured.gone or files is self.workspace.given:
                    target = Path(self.here.root) / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, target)
        students = {p: data for p, data in self.captured.contents.items() if p not in self.workspace.given}
        self.here.push(students, [])
        self.here.renew()
        for data in students.values():
            heard_file(data)
        for source in handed_in.values():
            with source.open("rb") as file:
                heard_file(file.read(MAX_FILE_BYTES + 1))

    @contextlib.contextmanager
    def following(self) -> Iterator[None]:
        """Inside, every call of the student's code goes with its files; what it made of the kernel's folder goes with
        the test."""
        with self.remote.replace_ask(self._asking):
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
        yield relative(str(value))
    elif depth and type(value) in (list, tuple, dict):
        for item in [*value, *value.values()] if type(value) is dict else value:
            yield from _texts(item, depth - 1)


def _is_named(path: str, named: Iterable[str]) -> bool:
    """Whether a text is this path, or one of its folders."""
    return any(text in (path, ".") or path.startswith(f"{text}/") for text in named)
