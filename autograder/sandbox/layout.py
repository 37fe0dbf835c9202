"""The files of a student's process: the system and one Python, read-only, and nothing else of the host.

:func:`plan` describes them for every backend. :func:`mounts` describes them for bwrap, as a list of arguments. A
:class:`Source` stands for a host path that may have to be staged first, a :class:`Data` for content that is passed by
descriptor.
"""

# pathlib would resolve what must stay as it is (links), hence paths as text and os calls.
# ruff: noqa: PTH100, PTH110, PTH112, PTH114, PTH115, PTH120
from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox.base import HOME, INCOMING, PLACES, SOCKETS, Job
from autograder.sandbox.interpreter import Interpreter, linked_library, links_on_the_way

MIB = 1024 * 1024
PAGE_BYTES = 4096
TEMPORARY = ("/tmp", "/dev/shm")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "alternatives", "fonts", "mime.types")
WRITTEN_ETC = {
    "passwd": b"root:x:0:0::/root:/bin/false\nstudent:x:1000:1000::/home/student:/bin/sh\n",
    "group": b"root:x:0:\nstudent:x:1000:\n",
    "hosts": b"127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": b"passwd: files\ngroup: files\nhosts: files\n",
}


@dataclass(frozen=True)
class Source:
    """A host path to bind. ``copy``: if the sandbox's user may not read it, root puts in a copy."""

    path: str
    copy: bool = False


@dataclass(frozen=True)
class Data:
    """The content of a file."""

    content: bytes


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True)
class Folder:
    """An empty folder in memory."""

    size: int
    """In bytes."""
    mode: str
    read_only: bool = False


Argument = str | Source | Data
Operation = Source | Data | Link | Folder
"""The content of one path inside; a source is bound there, read-only."""


@dataclass
class Mounts:
    """Mount operations by the path inside. Parents are applied first, so that the deeper path wins."""

    operations: dict[str, Operation] = field(default_factory=dict)
    trees: list[str] = field(default_factory=list)
    """Paths inside where a host folder is bound at its own path."""

    def bind(self, source: str, target: str | None = None, *, copy: bool = False) -> None:
        """Bind a host path, by default at its own path."""
        target = target or source
        self.operations[target] = Source(source, copy)
        if target == source:
            self.trees.append(target)

    def covers(self, path: str) -> bool:
        """Return whether ``path`` lies in a folder that is bound."""
        return any(path == tree or is_below(path, tree) for tree in self.trees)

    def shows(self, path: str) -> bool:
        """Return whether ``path`` is visible: in a folder that is bound, and in none that is hidden there."""
        above = (self.operations.get(str(place)) for place in (Path(path), *Path(path).parents))
        return isinstance(next(filter(None, above), None), Source)


def writable_folders(job: Job) -> list[tuple[str, int, str]]:
    """List the folders that can be written, each a tmpfs: path, bytes, mode.

    The work folder has room for the copies of files, too, so that they leave the student the whole limit.
    """
    disk = job.limits.disk_mib * MIB
    incoming = [path for path in (*job.files, *job.data) if Path(path).is_relative_to(INCOMING)]
    copied = sum(_pages(job.files[path]) for path in incoming if path in job.files)
    folders = [(HOME, disk + copied, "0755"), *((path, disk, "1777") for path in TEMPORARY)]
    return [*folders, (SOCKETS, MIB, "0755"), *([(INCOMING, MIB, "0755")] if incoming else [])]


def _pages(path: Path) -> int:
    """Return the bytes that a copy takes in memory; 0 for a file that is missing, which is refused elsewhere."""
    try:
        return -(-path.stat().st_size // PAGE_BYTES) * PAGE_BYTES
    except OSError:
        return 0


def plan(job: Job, interpreter: Interpreter) -> dict[str, Operation]:
    """Plan the content of a sandbox: path inside → what is there, parents first.

    Each backend adds /proc and /dev itself.

    Raises:
        SandboxError: a source is missing or refused.
    """
    mounts = environment(interpreter, job.hidden_paths)
    for target, source in job.files.items():
        refuse_links(source)
        mounts.bind(os.path.abspath(source), inside(target), copy=True)
    for target, content in job.data.items():
        mounts.operations[inside(target)] = Data(content)
    for path, size, mode in writable_folders(job):
        mounts.operations[path] = Folder(size, mode)
    return {path: mounts.operations[path] for path in sorted(mounts.operations, key=_depth)}


def environment(interpreter: Interpreter, hidden_paths: tuple[Path, ...] = ()) -> Mounts:
    """Plan what each job with this Python sees of the host, wherever it lies there.

    Raises:
        SandboxError: Python lies where a sandbox has folders of its own, or in a folder that is to be hidden.
    """
    mounts = Mounts()
    _add_system(mounts)
    folders = [folder for folder in (*interpreter.folders, package_folder()) if folder != "/"]
    for folder in folders:
        _refuse_own_places(folder)
        if not mounts.covers(folder):
            mounts.bind(folder)
    library = linked_library(interpreter.prefix)
    if library and not mounts.covers(library):
        raise SandboxError(
            f"The libraries in {interpreter.prefix} are links to files such as {library}, which notebooks cannot see. "
            "Install copies of them: UV_LINK_MODE=copy uv pip install --reinstall …"
        )
    hidden = [path for path in map(os.path.realpath, hidden_paths) if mounts.covers(path) and os.path.isdir(path)]
    for path in hidden:
        if path in folders:
            raise SandboxError(
                f"{path} is the course and holds its Python, too, so that it cannot be hidden from notebooks. "
                f"Make the environment in a folder of its own: python3 -m venv {path}/.venv"
            )
        mounts.operations[path] = Folder(4096, "0755", read_only=True)
    for folder in folders:  # what is needed of a hidden folder: a course below /usr with the environment in it
        if any(is_below(folder, path) for path in hidden):
            mounts.bind(folder)
    # A virtual environment names its Python through links (bin/python, a folder "3.11" for "3.11.7"): keep these links.
    for start in (*interpreter.names, os.path.dirname(os.path.dirname(os.path.abspath(__file__)))):
        for link, target in links_on_the_way(start):
            if not mounts.shows(link) and link not in mounts.operations:
                mounts.operations[link] = Link(target)
    return mounts


def _refuse_own_places(folder: str) -> None:
    """Refuse a folder of Python's in which a sandbox needs a folder of its own: it is bound read-only."""
    for reserved in (*PLACES, *TEMPORARY):
        if Path(reserved).is_relative_to(folder):
            raise SandboxError(
                f"The Python in {folder} cannot be shown to notebooks: {reserved} lies in that folder, and each "
                "notebook has one for itself. Make the environment in another folder."
            )


def is_below(path: str, folder: str) -> bool:
    """Return whether ``path`` lies in ``folder`` and is not the folder itself; both are absolute and normalized."""
    return path != folder and path.startswith(folder.rstrip("/") + "/")


def _depth(path: str) -> tuple[int, str]:
    return len(Path(path).parts), path


def mounts(job: Job, interpreter: Interpreter, *, for_template: bool = False) -> list[Argument]:
    """Make all of bwrap's mount arguments for ``job``.

    Args:
        job: what to run.
        interpreter: the Python inside.
        for_template: mount nothing over /proc, or Linux would refuse to mount another /proc in a fork.

    Raises:
        SandboxError: as for :func:`plan`.
    """
    planned = plan(job, interpreter)
    operations = {path: _for_bwrap(path, operation) for path, operation in planned.items()}
    operations["/proc"] = ("--proc", "/proc")
    if not for_template:
        operations["/proc/sys"] = ("--ro-bind", "/proc/sys", "/proc/sys")
    operations["/dev"] = ("--dev", "/dev")
    arguments = [argument for path in sorted(operations, key=_depth) for argument in operations[path]]
    # Everything stays writable until it is sealed here, after the last mount point was made.
    hidden = [path for path, operation in planned.items() if isinstance(operation, Folder) and operation.read_only]
    return [*arguments, *(word for path in (*hidden, "/dev", "/") for word in ("--remount-ro", path))]


def _for_bwrap(path: str, operation: Operation) -> tuple[Argument, ...]:
    match operation:
        case Source():
            return ("--ro-bind", operation, path)
        case Data():
            return ("--perms", "0444", "--ro-bind-data", operation, path)
        case Link(target):
            return ("--symlink", target, path)
        case Folder(size, mode):
            return ("--perms", mode, "--size", str(size), "--tmpfs", path)


def refuse_links(source: Path) -> None:
    """Refuse a source that is not a plain file or a folder of plain files and folders.

    Raises:
        SandboxError: it holds something else, or is missing.
    """
    for path in (source, *_walk(source)):
        try:
            mode = path.lstat().st_mode
        except OSError as error:
            raise SandboxError(
                f"{path} cannot be put into the sandbox: {error.strerror}. Check that it is there."
            ) from error
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            kind = "a symbolic link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
            raise SandboxError(f"{path} is {kind}: only plain files go into the sandbox. Put a copy of the file there.")


def _walk(source: Path) -> Iterator[Path]:
    """List everything below ``source`` without following links."""
    if source.is_symlink():
        return
    for folder, folders, files in os.walk(source, followlinks=False):
        yield from (Path(folder, name) for name in (*folders, *files))


def inside(target: str) -> str:
    """Return ``target`` if it is a path inside a sandbox.

    Raises:
        SandboxError: it is not absolute and normalized.
    """
    if not target.startswith("/") or os.path.normpath(target) != target or target == "/":
        raise SandboxError(f"{target!r} is not a path inside the sandbox: it must be absolute and without '..'.")
    return target


def _add_system(mounts: Mounts) -> None:
    for path in SYSTEM:
        if os.path.islink(path):
            mounts.operations[path] = Link(os.readlink(path))
        elif os.path.isdir(path):
            mounts.bind(path)
    for name in ETC:
        path = f"/etc/{name}"
        if os.path.islink(path):
            mounts.operations[path] = Link(os.readlink(path))
        elif os.path.exists(path):
            mounts.bind(path)
    for name, content in WRITTEN_ETC.items():
        path = f"/etc/{name}"
        mounts.operations[path] = Data(content)


def package_folder() -> str:
    """Return the folder of the ``autograder`` package: all that an editable checkout shows of itself."""
    return str(Path(__file__).resolve().parent.parent)
