"""A Python that every user can read, where the interpreter of the tests lies below a folder of root's (/root)."""

from __future__ import annotations

import atexit
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.sandbox.user import UserSandbox


def closed_folder(path: Path) -> Path | None:
    """The uppermost folder on the way to ``path`` that not every user may enter; None if there is none."""
    ways = [folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001]
    return ways[0] if ways else None


def opening(program: str) -> str:
    """A shell script that becomes ``program``, with a view of the files in which every user reaches the interpreter."""
    become = f'exec {shlex.quote(program)} "$@"'
    base = Path(sys.base_prefix).resolve()
    closed = closed_folder(base)
    if closed is None:
        return become
    # Seen from here on: an open folder, which holds nothing but the interpreter.
    steps = [
        f"mount --bind {shlex.quote(str(base))} /mnt",
        f"mount -t tmpfs -o mode=755 none {shlex.quote(str(closed))}",
        f"mkdir -p {shlex.quote(str(base))}",
        f"mount --move /mnt {shlex.quote(str(base))}",
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
    return sandbox
