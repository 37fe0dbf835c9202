"""Libraries that test modules name and only their tests import."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
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


@contextlib.contextmanager
def eagerly() -> Iterator[None]:
    """Run TensorFlow's functions step by step: to compile one takes longer than the few steps of a test."""
    config = importlib.import_module("tensorflow").config
    config.run_functions_eagerly(True)
    try:
        yield
    finally:
        config.run_functions_eagerly(False)
