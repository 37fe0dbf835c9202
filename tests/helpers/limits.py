"""Kernels in sandboxes with limits; they end with the block."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator

from autograder.execution.client import SandboxedKernel
from autograder.execution.own_kernel import sandboxed_kernel
from autograder.records.limits import Limits
from autograder.sandbox import default_sandbox
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from helpers import warmed

LIMITS = Limits(memory_mib=512, processes=64, disk_mib=16, output_mib=2)
ROOMY = Limits(memory_mib=768, processes=64, disk_mib=32, output_mib=2)


@contextlib.contextmanager
def starting(limits: Limits) -> Iterator[Callable[[], SandboxedKernel]]:
    """Give a function that starts a kernel."""
    kernels: list[SandboxedKernel] = []

    def start() -> SandboxedKernel:
        kernels.append(sandboxed_kernel(default_sandbox(), {}, limits))
        return kernels[-1]

    try:
        yield start
    finally:
        for made in kernels:
            made.close()


def fork(limits: Limits = ROOMY) -> SandboxedKernel:
    """Fork a kernel from a template, in a tenth of a start's time; start it where this machine's sandbox cannot."""
    sandbox = default_sandbox()
    return sandboxed_kernel(warmed.sandbox() if isinstance(sandbox, BubblewrapSandbox) else sandbox, {}, limits)


def forked(limits: Limits = ROOMY) -> contextlib.closing[SandboxedKernel]:
    """Give a forked kernel, which ends with the block."""
    return contextlib.closing(fork(limits))


@contextlib.contextmanager
def started(limits: Limits = ROOMY) -> Iterator[SandboxedKernel]:
    with starting(limits) as start:
        yield start()


def kernel(**limits: float) -> contextlib.AbstractContextManager[SandboxedKernel]:
    return started(dataclasses.replace(LIMITS, **limits))
