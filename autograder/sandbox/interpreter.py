"""A Python that runs inside a sandbox: its folders, and the symbolic links that name it."""

# pathlib would resolve what must stay as it is (links), hence paths as text and os calls.
# ruff: noqa: PTH100, PTH114, PTH115, PTH207
from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox.base import own_python


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
        """List the folders to bind, each at its own path, which no symbolic link leads to."""
        library = (self.library,) if self.library else ()
        return tuple(dict.fromkeys(map(os.path.realpath, (self.base_prefix, self.prefix, *library))))

    @property
    def names(self) -> tuple[str, ...]:
        """List the paths by which Python calls itself; links may lead from them to :attr:`folders`."""
        return (self.executable, self.prefix, self.base_prefix, *([self.library] if self.library else []))


@cache
def linked_library(prefix: str) -> str:
    """Return where a library leads without which no kernel starts, if it is a link; else empty.

    uv with the link mode `symlink` makes such environments, and conda with soft links.
    """
    pattern = f"{glob.escape(prefix)}/lib/python*/site-packages/ipykernel-*.dist-info/METADATA"
    return next((os.path.realpath(path) for path in glob.glob(pattern) if os.path.islink(path)), "")


def links_on_the_way(path: str) -> list[tuple[str, str]]:
    """List every symbolic link that resolving the absolute ``path`` passes, with its target, in order."""
    links: dict[str, str] = {}
    todo = list(Path(os.path.abspath(path)).parts[1:])
    resolved = Path("/")
    while todo:
        step = todo.pop(0)
        if step == "..":
            resolved = resolved.parent
            continue
        position = resolved / step
        if position.is_symlink() and str(position) not in links:
            target = os.readlink(position)
            links[str(position)] = target
            todo[:0] = [part for part in Path(target).parts if part != "/"]
            resolved = Path("/") if target.startswith("/") else resolved
        else:
            resolved = position
    return list(links.items())


def _shared_library() -> str:
    library = Path(sysconfig.get_config_var("LIBDIR") or "/", sysconfig.get_config_var("INSTSONAME") or "")
    return str(library) if library.suffix != ".a" and library.is_file() else ""


_QUESTION = """
import json, os, sys, sysconfig
config = sysconfig.get_config_var
library = os.path.join(config("LIBDIR") or "/", config("INSTSONAME") or "")
found = library if os.path.isfile(library) and not library.endswith(".a") else ""
print(json.dumps([list(sys.version_info[:2]), sys.executable, sys.prefix, sys.base_prefix, found]))
"""
MIN_PYTHON = (3, 9)
"""The oldest Python that the agent in a kernel runs in."""


@cache
def _ask(executable: str) -> Interpreter:
    command = [executable, "-I", "-c", _QUESTION]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
        version, *paths = json.loads(answer)
        interpreter = Interpreter(*paths)
    except (OSError, subprocess.SubprocessError, ValueError, TypeError) as error:
        raise SandboxError(
            f"{executable} does not run as a Python interpreter ({error}). "
            "Name the environment's own python in course.yaml."
        ) from error
    if tuple(version) < MIN_PYTHON:
        current, oldest = (".".join(map(str, number)) for number in (version, MIN_PYTHON))
        raise SandboxError(f"{executable} is Python {current}; make an environment of Python {oldest} or later")
    return interpreter
