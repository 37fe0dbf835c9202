"""The private folder for test cells that look at files, synchronized with the kernel's folder at every call."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from autograder.check.shared_folder import sharing_folder
from autograder.examiner.remote.tensor_twins import OPERATIONS as OF_TENSORS
from autograder.examiner.student_text.allowed_paths import is_temporary
from autograder.examiner.student_text.guard import guard_folder
from autograder.examiner.student_text.hdf5_references import outside_reference
from autograder.examiner.student_text.kernel_text import MAX_FILE_BYTES
from autograder.examiner.student_text.taint import is_students_path, record_file
from autograder.execution.captured_files import CapturedFiles, FolderCopy, TooManyFiles, is_good
from autograder.kernel.workfiles import WatchedFolder
from autograder.syntax.course_modules import tests_data
from autograder.syntax.file_paths import relative


@dataclass(frozen=True)
class Workspace:
    """The files that such test cells may need."""

    given: Mapping[str, Path] = field(default_factory=dict)
    """Path → file of the release."""
    handed_in: Mapping[str, Path] = field(default_factory=dict)
    """Path → file that the student handed in beside the notebook."""
    read_by_notebook: frozenset[str] = frozenset()
    """Result of :func:`paths_in`."""
    kept: FolderCopy = field(default_factory=FolderCopy)
    """The contents of the kernel's folder."""
    outputs: frozenset[str] = frozenset()
    """Paths that the instructor's own cells write. Of other files of the release, tests have the instructor's: what a
    student writes over them cannot change what a test expects.
    """
    tests: Path | None = None
    """The folder of the assignment's test files."""

    @functools.cached_property
    def withheld(self) -> Mapping[str, Path]:
        """Return the files beside the tests that were not released: the kernel gets one that a call is given."""
        data = tests_data(self.tests.parent) if self.tests is not None else {}
        return {path: file for path, file in data.items() if path not in self.given}

    @functools.cached_property
    def fixed(self) -> Mapping[str, Path]:
        """Return the files that tests have as the instructor has them."""
        return {**{path: file for path, file in self.given.items() if path not in self.outputs}, **self.withheld}

    @contextlib.contextmanager
    def prepared(self, capture: Any, remote: Any) -> Iterator[None]:
        """Set up the working folder and the current figure inside the block, for a cell that looks at them.

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
    def released(self, files: Mapping[str, Path]) -> Iterator[None]:
        """Make a private folder with copies of these released files alone the working folder inside the block."""
        before = Path.cwd()
        with tempfile.TemporaryDirectory(prefix="autograder-", ignore_cleanup_errors=True) as name:
            folder = Path(name).resolve()
            for path, source in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, folder / path)
            os.chdir(folder)
            try:
                with guard_folder(folder):
                    yield
            finally:
                os.chdir(before)

    @contextlib.contextmanager
    def entered(self, captured: CapturedFiles, remote: Any) -> Iterator[None]:
        """Make a private folder with these files the working folder inside the block.

        Calls of ``remote`` synchronize it with the kernel's folder.

        Raises:
            TooManyFiles: the files exceeded the limits and were not captured.
        """
        if captured.refused:
            raise TooManyFiles(f"the notebook's files cannot be examined: {captured.refused}")
        before = Path.cwd()
        with _folder_of_a_test() as folder:
            files = Files(folder, self, captured, remote)
            files.fill()
            os.chdir(folder)
            try:
                with guard_folder(folder, self.fixed), sharing_folder(folder), files.follow_calls():
                    yield
            finally:
                os.chdir(before)


@contextlib.contextmanager
def _folder_of_a_test() -> Iterator[Path]:
    """Make a private folder in which temporary files of the test lie, too: so the student's code has them.

    Those that the test leaves stay where they are, for later tests.
    """
    folder = Path(tempfile.mkdtemp(prefix="autograder-")).resolve()
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield folder
    finally:
        tempfile.tempdir = before
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink() and not is_temporary(str(path)):
                shutil.rmtree(path, ignore_errors=True)
            elif not is_temporary(str(path)):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # something was left
            folder.rmdir()


class Files:
    """The synchronization of a test's working folder with the kernel's folder."""

    def __init__(self, folder: Path, workspace: Workspace, captured: CapturedFiles, remote: Any) -> None:
        self.here = WatchedFolder(str(folder))
        self.workspace = workspace
        self.captured = captured
        self.remote = remote
        self.ask = remote.ask
        self.unsent: dict[str, bytes] = {}
        """Files that the test wrote and that no call has named yet."""
        self.own: dict[str, bytes] = {}
        """Files that the test wrote, as it wrote them last."""
        self.named: set[str] = set()
        """Paths in the arguments of the test's calls so far."""
        self.folders: set[str] = set()
        """Folders that the kernel has: those of the notebook's files, and those that were sent."""
        self.made: list[str] = []
        """Folders among them that the test made, in the order in which they were sent."""
        self.is_linked = False
        """Whether the folder's absolute path leads to the kernel's folder there."""
        self.entered = False
        """Whether the kernel's folder has the state of the test's cell, which it has from the first call on."""

    def fill(self) -> None:
        """Copy the notebook's files as they were, and of the release what the notebook is not to write."""
        folders = {str(parent) for path in self.workspace.withheld for parent in PurePath(path).parents}
        handed_in = {p: source for p, source in self.workspace.handed_in.items() if is_good(p) and p not in folders}
        for files in (handed_in, self.workspace.given, self.workspace.withheld):
            for path, source in files.items():
                if path not in self.captured.gone or path in self.workspace.fixed:
                    target = Path(self.here.root) / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, target)
        students = {p: data for p, data in self.captured.contents.items() if p not in self.workspace.fixed}
        _reject_references(itertools.chain(students.values(), (path.read_bytes() for path in handed_in.values())))
        self.here.renew()
        self.here.push(students, [])
        self.folders = set(_folders_in(self.here.root))
        for data in students.values():
            record_file(data)
        for source in handed_in.values():
            with source.open("rb") as file:
                record_file(file.read(MAX_FILE_BYTES + 1))

    @contextlib.contextmanager
    def follow_calls(self) -> Iterator[None]:
        """Synchronize both folders before and after every call of the student's code inside the block."""
        with self.remote.replace_ask(self._ask_with_files):
            yield
        last = self.workspace.kept.last
        if self.entered and last is not None:
            self._send(self._state(last))
            if self.made and not self.remote.lost:
                self.ask("operate", "push_files", ({}, [f"{path}/" for path in reversed(self.made)]))

    def _ask_with_files(self, verb: str, *arguments: Any, **options: Any) -> Any:
        if verb not in ("call", "operate") or (verb == "operate" and arguments[0] in OF_TENSORS):
            return self.ask(verb, *arguments, **options)
        if verb == "call":
            function, args, kwargs, *further = arguments
            args, kwargs = tuple(map(self._in_folder, args)), {k: self._in_folder(v) for k, v in kwargs.items()}
            arguments = (function, args, kwargs, *further)
        self.push(arguments)
        try:
            return self.ask(verb, *arguments, **options)
        finally:
            self.pull()

    def _in_folder(self, value: Any) -> Any:
        """Return the path of a file beside the tests as that in the working folder; other values stay."""
        tests = self.workspace.tests
        if tests is None or not isinstance(value, str | PurePath) or not PurePath(value).is_relative_to(tests):
            return value
        return type(value)(PurePath(value).relative_to(tests.parent))

    def push(self, arguments: Iterable[Any]) -> None:
        """Send files that the test wrote to the kernel, if the call or the notebook's own cells name them."""
        wanted: dict[str, bytes | None] = {}
        if not self.entered and not self.remote.lost:  # at the first call, restore the folder's state at the cell
            folder = self.workspace.kept
            folder.pull(self.ask)
            folder.last = folder.last or folder.capture()
            wanted = self._state(self.captured)
            self.entered = True
        changed, removed = self.here.pull()
        changed = {path: data for path, data in changed.items() if path not in self.workspace.withheld}
        self.unsent.update(changed)
        self.own.update(changed)
        for path in removed:
            self.unsent.pop(path, None)
            self.own.pop(path, None)
            wanted[path] = None
        paths = {self._relative(path) for path in _argument_paths(arguments)}
        self.named |= paths
        # A path that the student's code gave to the test gets it nothing.
        withheld = self.workspace.withheld
        texts = [text for text in _texts(arguments) if withheld and self._relative(relative(text)) in withheld]
        passed = {self._relative(relative(text)) for text in texts if not is_students_path(text)}
        wanted.update({path: withheld[path].read_bytes() for path in passed})
        paths |= self.workspace.read_by_notebook
        for path in [p for p in self.unsent if _is_named(p, paths)]:
            wanted[path] = self.unsent.pop(path)
        self._send_folders(paths)
        self._send(wanted)

    def _relative(self, path: str) -> str:
        """Return a path in the folder relative to it; let its absolute path lead to the kernel's folder there."""
        if path != self.here.root and not path.startswith(f"{self.here.root}/"):
            return path
        if not self.is_linked and not self.remote.lost:
            self.ask("operate", "stand_for", (self.here.root,))
            self.is_linked = True
        return path[len(self.here.root) + 1 :] or "."

    def _send_folders(self, paths: Iterable[str]) -> None:
        """Make a test's folders in the kernel: each named one, those above it, and those in it."""
        new = [path for path in _folders_in(self.here.root) if path not in self.folders]
        new = [path for path in new if _is_named(path, paths) or any(text.startswith(f"{path}/") for text in paths)]
        if new and not self.remote.lost:
            self.ask("operate", "push_files", ({f"{path}/": b"" for path in new}, []))
            self.folders.update(new)
            self.made += new

    def _state(self, captured: CapturedFiles) -> dict[str, bytes | None]:
        """Return the files that restore the kernel's folder; None for a path that did not exist."""
        folder = self.workspace.kept
        originals = {**self.workspace.handed_in, **self.workspace.given}
        state: dict[str, bytes | None] = {}
        for path in {*folder.contents, *folder.gone, *captured.contents, *captured.gone}:
            if path in captured.contents:
                state[path] = captured.contents[path]
            else:
                was_there = path in originals and path not in captured.gone
                state[path] = originals[path].read_bytes() if was_there else None
        return state

    def _send(self, wanted: Mapping[str, bytes | None]) -> None:
        folder = self.workspace.kept
        contents = {p: data for p, data in wanted.items() if data is not None and folder.contents.get(p) != data}
        gone = [path for path, data in wanted.items() if data is None and path not in folder.gone]
        if (contents or gone) and not self.remote.lost:
            self.ask("operate", "push_files", (contents, gone))
            folder.contents.update(contents)
            folder.gone -= set(contents)
            for path in gone:
                folder.contents.pop(path, None)

    def pull(self) -> None:
        """Fetch the files that the student's code changed."""
        if self.remote.lost:
            return
        contents, gone = self.workspace.kept.pull(self.ask)
        for path in (*contents, *gone):
            self.unsent.pop(path, None)
        changed = {**contents, **dict.fromkeys(gone)}
        protected = self._kept_as_released(changed) | self._kept_as_written(changed)
        _reject_references(data for path, data in contents.items() if path not in protected)
        self.here.push(
            {p: d for p, d in contents.items() if p not in protected}, [p for p in gone if p not in protected]
        )

    def _kept_as_released(self, changed: Mapping[str, bytes | None]) -> Set[str]:
        """Return the changed files of the release that tests have as they were released.

        A call writes one of them for the test where the solution was seen to do so: a function that adds to a database.
        """
        permissions = self.remote.permissions
        position = permissions.place()
        fixed = sorted(self.workspace.fixed.keys() & changed.keys())
        withheld = self.workspace.withheld
        return {
            path
            for path in fixed
            if path in withheld or not permissions.writes(path, position, by_name=_is_named(path, self.named))
        }

    def _kept_as_written(self, changed: Mapping[str, bytes | None]) -> Set[str]:
        """Return the files of the test's that stay as it wrote them, whatever the call did to its copies.

        The next call that names such a file gets the test's again.
        """
        permissions, position = self.remote.permissions, self.remote.permissions.place()
        overwritten = sorted(path for path in changed.keys() & self.own.keys() if changed[path] != self.own[path])
        as_written = {p for p in overwritten if not permissions.writes(p, position, by_name=_is_named(p, self.named))}
        self.unsent.update((path, self.own[path]) for path in as_written)
        return as_written


def _reject_references(contents: Iterable[bytes]) -> None:
    """Refuse files that a library would follow to others, among them hidden data.

    Raises:
        TooManyFiles: there is one. Its name is not told: the code that wrote it may have seen hidden inputs.
    """
    for data in contents:
        if kind := outside_reference(data):
            raise TooManyFiles(
                f"a file of the notebook's cannot be examined, because its data may be in other files ({kind}): "
                "write all data into the file itself"
            )


def _folders_in(root: str) -> list[str]:
    """Return the paths of all folders in a folder, each before those in it."""
    folders = (Path(parent, name) for parent, folders, _ in os.walk(root) for name in folders)
    return [path.relative_to(root).as_posix() for path in folders]


def _texts(value: Any, depth: int = 4) -> Iterator[str]:
    """Yield the texts and paths among the arguments of a call, as they are written."""
    if isinstance(value, str | PurePath):
        yield str(value)
    elif depth and type(value) in (list, tuple, dict):
        for item in [*value, *value.values()] if type(value) is dict else value:
            yield from _texts(item, depth - 1)


def _argument_paths(value: Any) -> Iterator[str]:
    """Yield the paths among the arguments of a call."""
    return map(relative, _texts(value))


def _is_named(path: str, paths: Iterable[str]) -> bool:
    """Return whether a text is this path or one of its folders."""
    return any(text in (path, ".") or path.startswith(f"{text}/") for text in paths)
