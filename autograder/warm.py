"""A template for each assignment of a batch, so that its kernels are forked and not started."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence

from autograder.errors import SandboxError
from autograder.sandbox import default_sandbox, kernel, require
from autograder.sandbox.base import HOME
from autograder.sandbox.bubblewrap import BubblewrapSandbox
from autograder.sandbox.warm import Address, Template, WarmSandbox
from autograder.worker import Work, masked, released_modules, shared_files

FEW = 2
"""Kernels for which a template is worth its start."""

Warmed = Callable[[Work], Work]
"""The work with the address of its assignment's template, where there is one."""


@contextlib.contextmanager
def templates(due: Sequence[Work]) -> Iterator[Warmed]:
    """Start a template for each assignment in ``due`` that has :data:`FEW` kernels to start; they end with the context.

    A template that can not be forked, or whose forks do not hold what a sandbox must, is not used: its kernels are
    started as ever, and the batch's log says why.
    """
    with contextlib.ExitStack() as stack:
        started = {}
        for name in dict.fromkeys(work.assignment.name for work in due):
            works = [work for work in due if work.assignment.name == name and not work.kept]
            if sum(len(work.exams) for work in works) >= FEW:
                with _logged(works[0]):
                    started[name] = works[0], *stack.enter_context(_start(works[0]))
        proved: dict[str, Address] = {}
        for name, (work, sandbox, template) in started.items():
            with _logged(work):
                proved[name] = _proved(sandbox, template)
        yield lambda work: dataclasses.replace(work, template=proved.get(work.assignment.name))


@contextlib.contextmanager
def _logged(work: Work) -> Iterator[None]:
    try:
        yield
    except SandboxError as error:
        with contextlib.suppress(OSError), work.batch_log.open("a") as log:
            log.write(f"Kernels of {work.assignment.name} are not forked from a template: {error}\n")


@contextlib.contextmanager
def _start(work: Work) -> Iterator[tuple[BubblewrapSandbox, Template]]:
    sandbox = default_sandbox(work.assignment.environment, work.assignment.sandbox)
    if not isinstance(sandbox, BubblewrapSandbox):
        raise SandboxError(f"{sandbox.name} has no templates")
    files = {f"{HOME}/{name}": path for name, path in shared_files(work).items()}
    with kernel.template(
        sandbox,
        files,
        work.assignment.limits,
        python=work.assignment.environment,
        masked=masked(work),
        modules=released_modules(work),
    ) as started:
        yield sandbox, started


def _proved(sandbox: BubblewrapSandbox, started: Template) -> Address:
    """The address, when everything is imported and a fork has passed the self-test."""
    started.wait_until_ready()
    require(WarmSandbox(sandbox, started.address, strict=True))
    return started.address
