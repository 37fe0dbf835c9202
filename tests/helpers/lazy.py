"""Libraries that test modules name and only their tests import."""

from __future__ import annotations

import importlib
from typing import Any

import pytest


class Library:
    """A module that is imported when a test first asks for one of its names; without it, that test is skipped."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("_", "pytest")):
            raise AttributeError(name)  # pytest looks for marks of its own while it collects
        pytest.importorskip(self._name.partition(".")[0])
        return getattr(importlib.import_module(self._name), name)


keras = Library("keras")
layers = Library("keras.layers")
operations = Library("keras.ops")
