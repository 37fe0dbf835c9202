"""Fixtures that several of the examiner's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.workspaces import Kernel


@pytest.fixture
def kernel(tmp_path: Path) -> type[Kernel]:
    """Return a kernel that runs in a folder of its own."""
    folder = tmp_path / "home"
    folder.mkdir()
    return type("KernelHere", (Kernel,), {"folder": folder})
