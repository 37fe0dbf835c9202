"""The memory limit of one test cell, since answers can make ``"*" * f(x)`` arbitrarily large."""

from __future__ import annotations

import contextlib
import re
import resource
from collections.abc import Iterator
from pathlib import Path

MAX_CELL_BYTES = 3 << 30
"""Bytes that a cell may allocate. The limit is below that of the sandbox, so that one question fails instead of all of
them. Libraries reserve more than they use."""


@contextlib.contextmanager
def limit_memory(room: int = MAX_CELL_BYTES) -> Iterator[None]:
    """Raise :class:`MemoryError` for allocations beyond ``room`` bytes inside the block."""
    kind = resource.RLIMIT_DATA
    soft, hard = resource.getrlimit(kind)
    try:
        size = re.search(r"VmData:\s*(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        size = None
    limits = [int(size[1]) * 1024 + room if size else soft, soft, hard]
    limits = [limit for limit in limits if limit != resource.RLIM_INFINITY]
    if limits:
        resource.setrlimit(kind, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))
