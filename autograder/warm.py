"""A template for each assignment of a batch, so that its kernels are forked and not started."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox import default_sandbox, require
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
    """A template for each assignment in ``due`` that has :data:`FEW` kernels to start, and those that run already (see
    :func:`ahead`), ready to be forked. They end with the context that they were started in.

    A template that can not be forked, or whose forks do not hold what a sandbox must, is not used: its kernels are
    started as ever, and the batch's log says why.
    """
    with ahead(due):
        executed = dict.fromkeys(_key(work) for work in due if not work.kept)
        started = {key: template for key in executed if (template := _running.get(key))}
        addresses = {key: template.address for key, template in started.items()}
        yield lambda work: dataclasses.replace(work, template=addresses.get(_key(work)))


@contextlib.contextmanager
def ahead(due: Sequence[Work]) -> Iterator[None]:
    """Start the templates that :func:`templates` asks for until this context ends: they import while the caller goes
    on."""
    with contextlib.ExitStack() as stack:
        for key in dict.fromkeys(map(_key, due)):
            works = [work for work in due if _key(work) == key and not work.kept]
            if key not in _running and sum(len(work.exams) for work in works) >= FEW:
                _running[key] = None
                stack.callback(_running.pop, key)
                with _logged(works[0]):
                    _running[key] = stack.enter_context(_start(works[0]))
        yield


def _key(work: Work) -> tuple[Path, str]:
    return work.course, work.assignment.name


class _Started:
    """A template that imports, or runs."""

    def __init__(self, work: Work, sandbox: BubblewrapSandbox, template: Template) -> None:
        self._work, self._sandbox, self._template = work, sandbox, template

    @functools.cached_property
    def address(self) -> Address | None:
        """When everything is imported and a fork has passed the self-test; None where it can not be used."""
        with _logged(self._work):
            self._template.wait_until_ready()
            require(WarmSandbox(self._sandbox, self._template.address, strict=True))
            return self._template.address
        return None


_running: dict[tuple[Path, str], _Started | None] = {}
"""By course and assignment: those of the contexts that are open; None where none could be started."""


@contextlib.contextmanager
def _logged(work: Work) -> Iterator[None]:
    try:
        yield
    except SandboxError as error:
        with contextlib.suppress(OSError), work.batch_log.open("a") as log:
            log.write(f"Kernels of {work.assignment.name} are not forked from a template: {error}\n")


@contextlib.contextmanager
def _start(work: Work) -> Iterator[_Started]:
    from autograder.sandbox import kernel  # it imports what a batch without executions does without

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
        yield _Started(work, sandbox, started)
