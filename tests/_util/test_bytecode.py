"""Byte code that others cannot read is not written."""

from __future__ import annotations

import os
import sys

import pytest

from autograder._util.bytecode import write_no_closed_bytecode


@pytest.mark.parametrize(
    ("uid", "mask", "written"), [(0, 0o077, False), (0, 0o027, False), (0, 0o022, True), (1000, 0o077, True)]
)
def test_only_root_with_a_tight_mask_writes_none(
    uid: int, mask: int, written: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ordinary user's notebooks run as that user."""
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "")
    before = os.umask(mask)
    try:
        write_no_closed_bytecode()
        assert os.umask(before) == mask
    finally:
        os.umask(before)
    assert sys.dont_write_bytecode is not written
    assert bool(os.environ["PYTHONDONTWRITEBYTECODE"]) is not written
