"""Fixtures that several of the examiner's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.kernels import codec_of_agent
from helpers.workspaces import Kernel

from autograder import codec


@pytest.fixture
def kernel(tmp_path: Path) -> type[Kernel]:
    """Return a kernel that runs in a folder of its own."""
    folder = tmp_path / "home"
    folder.mkdir()
    return type("KernelHere", (Kernel,), {"folder": folder})


@pytest.fixture
def few_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no value have more than a thousand items: a million takes a quarter of a minute."""
    for module in (codec, codec_of_agent):
        monkeypatch.setattr(module, "MAX_ITEMS", 1000)
