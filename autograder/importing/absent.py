"""Modules that are not there for a moment: what would be imported where they are installed takes long."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def absent(*names: str) -> Iterator[None]:
    """Meanwhile, who imports one of ``names`` is told that it is not installed; what is imported already stays."""
    modules: dict[str, Any] = sys.modules
    hidden = [name for name in names if name not in modules]
    modules |= dict.fromkeys(hidden)
    try:
        yield
    finally:
        for name in hidden:
            del modules[name]
