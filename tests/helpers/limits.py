"""Kernels in sandboxes with small limits."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

from autograder.execution.client import SandboxedKernel, sandboxed_kernel
from autograder.records import Limits
from autograder.sandbox import default_sandbox

LIMITS = Limits(memory_mib=512, processes=64, disk_mib=16, output_mib=2)


@contextlib.contextmanager
def kernel(**limits: float) -> Iterator[SandboxedKernel]:
    made = sandboxed_kernel(default_sandbox(), {}, dataclasses.replace(LIMITS, **limits))
    try:
        yield made
    finally:
        made.close()
