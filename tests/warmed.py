"""Sandboxes that are forks of a template, for the suites that every sandbox must pass."""

from __future__ import annotations

import atexit
from functools import cache

from autograder.records import Limits
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.kernel_job import template
from autograder.sandbox.warm import Address, WarmSandbox


def sandbox(*, use_cgroup: bool = True) -> WarmSandbox:
    """One whose template has nothing imported but the kernel; what a fork can not do is an error."""
    return WarmSandbox(BubblewrapSandbox(use_cgroup=use_cgroup), _address(use_cgroup), strict=True)


@cache
def _address(use_cgroup: bool) -> Address:
    """Of a template that lives as long as this process."""
    started = template(BubblewrapSandbox(use_cgroup=use_cgroup), {}, Limits())
    atexit.register(started.close)
    started.wait_until_ready()
    return started.address
