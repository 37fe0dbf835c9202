"""A Python that every user can read, where the checkout or its interpreter lies in a closed folder (/root)."""

from __future__ import annotations

import atexit
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

import autograder
from autograder.errors import SandboxError
from autograder.extensions.walls.user_sandbox import UserSandbox
from autograder.sandbox import Job
from autograder.sandbox.supervisor.launch import STAGING_PLACES


def closed_folder(path: Path) -> Path | None:
    """The uppermost folder on the way to ``path`` that not every user may enter; None if there is none."""
    ways = [folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001]
    return ways[0] if ways else None


def needed() -> list[Path]:
    """The folders without which no process of the kit runs: the interpreter, its libraries, the package, the helpers."""
    package, helpers = Path(autograder.__file__).resolve().parent, Path(__file__).resolve().parent
    folders = [Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), package, helpers]
    return [path for path in folders if not any(path != other and path.is_relative_to(other) for other in folders)]


def opening(program: str) -> str:
    """A shell script that becomes ``program``, with a view of the files in which every user reaches what is needed."""
    become = f'exec {shlex.quote(program)} "$@"'
    closed = {path: folder for path in dict.fromkeys(needed()) if (folder := closed_folder(path)) is not None}
    if not closed:
        return become
    aside = next(place for place in STAGING_PLACES if not any(path.is_relative_to(place) for path in closed))
    places = {f"{aside}/{number}": shlex.quote(str(path)) for number, path in enumerate(closed)}
    # Seen from here on: folders that can be entered, not listed, and hold nothing but what is needed.
    steps = [
        f"mount -t tmpfs -o mode=755 none {aside}",
        *(f"mkdir {place}; mount --bind {path} {place}" for place, path in places.items()),
        *(f"mount -t tmpfs -o mode=711 none {shlex.quote(str(f))}" for f in sorted(set(closed.values()))),
        *(f"mkdir -p {path}; mount --move {place} {path}" for place, path in places.items()),
        f"umount {aside}",
        become,
    ]
    return f'exec unshare --mount -- /bin/sh -ec {shlex.quote("; ".join(steps))} sh "$@"'


def user_sandbox(*, use_cgroup: bool) -> UserSandbox:
    """The sandbox ``user`` with a supervisor that reaches the interpreter; skips the test where nobody is root."""
    assert not use_cgroup
    try:
        sandbox = UserSandbox()
    except SandboxError as error:
        pytest.skip(str(error))
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    script = folder / "python"
    script.write_text(f"#!/bin/sh\n{opening(sys.executable)}\n")
    script.chmod(0o755)
    sandbox.supervisor = str(script)
    try:
        sandbox.start(Job(("/bin/true",))).close()
    except SandboxError as error:
        if "other users cannot" not in str(error):
            raise
        pytest.skip(str(error))
    return sandbox
