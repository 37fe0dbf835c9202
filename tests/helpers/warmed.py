"""Sandboxes that are forks of a template, for the suites that every sandbox must pass."""

from __future__ import annotations

import atexit
import contextlib
import tempfile
from functools import cache
from pathlib import Path

from autograder.coordinator import batch
from autograder.coordinator.templates import Templates
from autograder.records.limits import Limits
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.kernel_template import template
from autograder.sandbox.warm_start import Address, WarmSandbox
from helpers.tiny import submit, tiny_course, tiny_release


def examiner_sandbox() -> WarmSandbox:
    """The wall around examiners, forked from their own template; what a fork cannot do is an error."""
    forks = _examiners().examiner()[0]
    assert isinstance(forks, WarmSandbox)
    return WarmSandbox(forks.cold, forks.address, strict=True)


@cache
def _examiners() -> Templates:
    """Of a tiny course; they live as long as this process."""
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    course = tiny_course(root)
    submit(course, "ada")
    (work,) = batch.plan(course, tiny_release(course))
    return stack.enter_context(Templates(work, kernels=0, executed=True))


def sandbox(*, use_cgroup: bool = True) -> WarmSandbox:
    """One whose template has nothing imported but the kernel; what a fork cannot do is an error."""
    return WarmSandbox(BubblewrapSandbox(use_cgroup=use_cgroup), _address(use_cgroup), strict=True)


@cache
def _address(use_cgroup: bool) -> Address:
    """Of a template that lives as long as this process."""
    started = template(BubblewrapSandbox(use_cgroup=use_cgroup), {}, Limits())
    atexit.register(started.close)
    started.wait_until_ready()
    return started.address
