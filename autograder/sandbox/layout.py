"""The files of a student's process: the system and one Python, read-only, and nothing else of the host.

:func:`plan` describes them for every backend. :func:`mounts` describes them for bwrap, as a list of arguments: a
:class:`Source` stands for a host path that may have to be staged first, a :class:`Data` for content that is passed by
descriptor.
"""

# pathlib would resolve what must stay as it is (links), hence paths as text and os calls.
# ruff: noqa: PTH100, PTH110, PTH112, PTH114, PTH115
from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox.base import HOME, INCOMING, SOCKETS, Job, own_python

MIB = 1024 * 1024
PAGE_BYTES = 4096
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


@dataclass(frozen=True)
class Interpreter:
    """A Python and the folders that it needs."""

    executable: str
    prefix: str
    base_prefix: str
    library: str
    """The shared libpython; empty if there is none."""

    @classmethod
    def current(cls) -> Interpreter:
        """Describe the kit's own Python."""
        return cls(own_python(), sys.prefix, sys.base_prefix, _shared_library())

    @classmethod
    def of(cls, executable: str | None) -> Interpreter:
        """Describe the Python at ``executable``, which is asked in a child process; None: the kit's own."""
        return cls.current() if executable in (None, sys.executable, own_python()) else _ask(str(executable))

    @property
    def folders(self) -> tuple[str, ...]:
        """List the folders to bind, each at its own path."""
        library = (self.library,) if self.library else ()
        return tuple(dict.fromkeys((os.path.realpath(self.base_prefix), self.prefix, *library)))


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
        """Return whether ``path`` is visible through a folder that is bound."""
        return any(Path(path).is_relative_to(tree) for tree in self.trees)


def writable_folders(job: Job) -> list[tuple[str, int, str]]:
    """List the folders that can be written, each a tmpfs: path, bytes, mode.

    The work folder has room for the copies of files, too, so that they leave the student the whole limit.
    """
    disk = job.limits.disk_mib * MIB
    incoming = [path for path in (*job.files, *job.data) if Path(path).is_relative_to(INCOMING)]
    copied = sum(_pages(job.files[path]) for path in incoming if path in job.files)
    folders = [(HOME, disk + copied, "0755"), ("/tmp", disk, "1777"), ("/dev/shm", disk, "1777")]
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
    made = Mounts()
    _add_system(made)
    _add_python(made, interpreter)
    for folder in job.hidden_paths:
        path = os.path.realpath(folder)
        if made.covers(path) and os.path.isdir(path):
            made.operations[path] = Folder(4096, "0755", read_only=True)
    for target, source in job.files.items():
        refuse_links(source)
        made.bind(os.path.abspath(source), inside(target), copy=True)
    for target, content in job.data.items():
        made.operations[inside(target)] = Data(content)
    for path, size, mode in writable_folders(job):
        made.operations[path] = Folder(size, mode)
    return {path: made.operations[path] for path in sorted(made.operations, key=_depth)}


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
    operations = {path: _for_bwrap(path, operation) for path, operation in plan(job, interpreter).items()}
    operations["/proc"] = ("--proc", "/proc")
    if not for_template:
        operations["/proc/sys"] = ("--ro-bind", "/proc/sys", "/proc/sys")
    operations["/dev"] = ("--dev", "/dev")
    arguments = [argument for path in sorted(operations, key=_depth) for argument in operations[path]]
    # bwrap's own root and /dev stay writable until they are sealed here, after the last mount point was made.
    return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/"]


def _for_bwrap(path: str, operation: Operation) -> tuple[Argument, ...]:
    match operation:
        case Source():
            return ("--ro-bind", operation, path)
        case Data():
            return ("--perms", "0444", "--ro-bind-data", operation, path)
        case Link(target):
            return ("--symlink", target, path)
        case Folder(size, mode, read_only):
            sealed = ("--remount-ro", path) if read_only else ()
            return ("--perms", mode, "--size", str(size), "--tmpfs", path, *sealed)


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


def _add_system(made: Mounts) -> None:
    for path in SYSTEM:
        if os.path.islink(path):
            made.operations[path] = Link(os.readlink(path))
        elif os.path.isdir(path):
            made.bind(path)
    for name in ETC:
        path = f"/etc/{name}"
        if os.path.islink(path):
            made.operations[path] = Link(os.readlink(path))
        elif os.path.exists(path):
            made.bind(path)
    for name, content in WRITTEN_ETC.items():
        path = f"/etc/{name}"
        made.operations[path] = Data(content)


def _add_python(made: Mounts, interpreter: Interpreter) -> None:
    for folder in (*interpreter.folders, package_folder()):
        if not made.covers(folder) and folder != "/":
            made.bind(folder)
    # A virtual environment names its Python through links (bin/python, a folder "3.11" for "3.11.7"): keep these links.
    for start in (interpreter.executable, interpreter.base_prefix):
        for link, target in links_on_the_way(start):
            if not made.covers(link) and link not in made.operations:
                made.operations[link] = Link(target)


def package_folder() -> str:
    """Return the folder of the ``autograder`` package: all that an editable checkout shows of itself."""
    return str(Path(__file__).resolve().parent.parent)


def links_on_the_way(path: str) -> list[tuple[str, str]]:
    """List every symbolic link that resolving the absolute ``path`` passes, with its target, in order."""
    found: dict[str, str] = {}
    todo = list(Path(os.path.abspath(path)).parts[1:])
    done = Path("/")
    while todo:
        step = todo.pop(0)
        if step == "..":
            done = done.parent
            continue
        here = done / step
        if here.is_symlink() and str(here) not in found:
            target = os.readlink(here)
            found[str(here)] = target
            todo[:0] = [part for part in Path(target).parts if part != "/"]
            done = Path("/") if target.startswith("/") else done
        else:
            done = here
    return list(found.items())


def _shared_library() -> str:
    library = Path(sysconfig.get_config_var("LIBDIR") or "/", sysconfig.get_config_var("INSTSONAME") or "")
    return str(library) if library.suffix != ".a" and library.is_file() else ""


_QUESTION = """
import json, os, sys, sysconfig
config = sysconfig.get_config_var
library = os.path.join(config("LIBDIR") or "/", config("INSTSONAME") or "")
found = library if os.path.isfile(library) and not library.endswith(".a") else ""
print(json.dumps([sys.executable, sys.prefix, sys.base_prefix, found]))
"""


@cache
def _ask(executable: str) -> Interpreter:
    command = [executable, "-I", "-c", _QUESTION]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        return Interpreter(*json.loads(answer))
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        raise SandboxError(
            f"{executable} does not run as a Python interpreter ({error}). "
            "Name the environment's own python in course.yaml."
        ) from error
