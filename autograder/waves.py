"""What has to be executed, and once: kept runs first, then one of each kind, then those that are the same."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from autograder.worker import NEEDED, Work

Execute = Callable[[Sequence[Work], int], Generator[tuple[Work, str], None, None]]
"""Does the work, so many at a time; see :func:`autograder.processes.in_processes`, which is the real one."""
Outcomes = Generator[tuple[Work, str], None, None]


@dataclass(frozen=True)
class _Missing:
    """A submission that has to be executed."""

    work: Work
    key: str
    """Of its run; empty: nobody knows, and so nobody's else."""


def once_each(due: Sequence[Work], workers: int, execute: Execute) -> Outcomes:
    """Do the work; gives each one as it ends, with the reason why it did not succeed.

    First everything is tried from kept runs, which costs little. Of those that have to be executed and would be the
    same run, the first one is; the others are graded from its run once it has ended. Where it could not be graded, the
    next one is executed. That a work could not be done from a kept run is never its outcome: it is executed then.
    """
    missing: list[_Missing] = []
    if len(due) == 1 and not has_runs(due[0]):  # nothing to look up, and nobody else to be equal to
        missing = [_Missing(due[0], "")]
    else:
        yield from _from_runs([work for work in due if work.runs is not None], workers, execute, missing)
        missing += [_Missing(work, "") for work in due if work.runs is None]
    alone: list[_Missing] = []
    while missing:
        keys: dict[str, _Missing] = {}
        first = [one for one in missing if not one.key or keys.setdefault(one.key, one) is one]
        same = [one for one in missing if not any(one is other for other in first)]
        succeeded: set[str] = set()
        keyed = {one.work.student: one.key for one in first}
        for work, reason in _done(execute, [one.work for one in first], workers):
            if not reason:
                succeeded.add(keyed[work.student])
            yield work, reason
        ready = [one.work for one in same if one.key in succeeded]
        yield from _from_runs(ready, workers, execute, alone)
        missing = [one for one in same if one.key not in succeeded]
    yield from _done(execute, [one.work for one in alone], workers)


def has_runs(work: Work) -> bool:
    """Whether it may be graded from kept runs: there are some at all."""
    return work.runs is not None and work.runs.is_dir() and any(work.runs.iterdir())


def _from_runs(works: Sequence[Work], workers: int, execute: Execute, missing: list[_Missing]) -> Outcomes:
    """Try works from kept runs; those that have to be executed are added to ``missing``, in the order of ``works``."""
    found: dict[str, _Missing] = {}
    by_student = {work.student: work for work in works}
    for tried, reason in _done(execute, [replace(work, kept=True) for work in works], workers):
        work = by_student[tried.student]
        if reason:
            found[work.student] = _Missing(work, reason.removeprefix(NEEDED) if reason.startswith(NEEDED) else "")
        else:
            yield work, reason
    missing += [found[work.student] for work in works if work.student in found]


def _done(execute: Execute, works: Sequence[Work], workers: int) -> Outcomes:
    if works:
        with contextlib.closing(execute(works, workers)) as outcomes:
            yield from outcomes
