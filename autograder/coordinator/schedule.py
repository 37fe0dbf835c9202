"""Schedule of a batch: replays first; of several identical submissions, only one is executed."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from autograder.coordinator.recordings import are_kept
from autograder.exchange.work import Endings, Work
from autograder.records.ending import Ending, EndingKind

Execute = Callable[[Sequence[Work], int], Endings]
"""A function that grades so many at a time; :func:`autograder.coordinator.pool.in_processes` is the real one."""
MAX_IN_A_ROW = 3
"""Submissions that fail at each of their tries until the fault is everybody's: the next batch tries the others."""
_ADVICE = "it was tried twice, the second time alone; end what else keeps this machine busy, and grade again"


def once_each(due: Sequence[Work], workers: int, execute: Execute, unanswered: list[str] | None = None) -> Endings:
    """Grade the submissions, and execute identical ones only once.

    First, every submission with a recording is replayed, which costs little. Of those that have to be executed and
    would be the same run, the first one is; the others are replayed from its recording once it has ended. If it could
    not be graded, the next one is executed. A failed replay is never a submission's result: it is executed then.

    Args:
        due: the submissions.
        workers: how many at a time.
        execute: grades them.
        unanswered: gets the students whose recording has no answer to what is asked now.

    Yields:
        Each submission as it ends, with its ending.
    """
    ready = [work for work in due if are_kept(work)]
    missing: list[Work] = []
    yield from _replayed(ready, workers, execute, missing, unanswered)
    rank = {id(work): number for number, work in enumerate(due)}
    missing += [work for work in due if id(work) not in {id(one) for one in ready}]
    missing.sort(key=lambda work: rank[id(work)])
    alone: list[Work] = []
    while missing:
        leaders: dict[tuple[str, ...], Work] = {}
        first = [work for work in missing if _leads(work, leaders)]
        same = [work for work in missing if not any(work is one for one in first)]
        succeeded: set[tuple[str, ...]] = set()
        for work, ending in _outcomes(execute, first, workers):
            if ending.is_done:
                succeeded.add(work.recording_keys)
            yield work, ending
        yield from _replayed([work for work in same if work.recording_keys in succeeded], workers, execute, alone)
        missing = [work for work in same if work.recording_keys not in succeeded]
    yield from _outcomes(execute, alone, workers)


def alone_at_the_end(outcomes: Endings, execute: Execute) -> Endings:
    """Pass results on, and grade again what has a try left, after all others and one at a time.

    Yields:
        Each submission as it ends, with its ending; if the machine was too busy again, with advice.
    """
    unfinished: list[tuple[Work, Ending]] = []
    for work, ending in outcomes:
        if _tries(ending) > 1:
            unfinished.append((work, ending))
        else:
            yield work, ending
    in_a_row = 0
    for work, ending in unfinished:
        tries = 1
        while in_a_row < MAX_IN_A_ROW and tries < _tries(ending):
            tries += 1
            for _, again in _outcomes(execute, [work], 1):  # an executor whose time is over yields none
                ending = again
        in_a_row = 0 if ending.is_done else in_a_row + 1
        yield work, after_second_try(ending) if tries > 1 else ending


def _tries(ending: Ending) -> float:
    """Return how often a batch tries at most: it waits for no course and no machine."""
    if ending.is_done or ending.kind is EndingKind.UNRECORDED:
        return 1
    if ending.kind is EndingKind.BUSY:
        return 2
    return 1 if math.isinf(ending.whose.tries) else ending.whose.tries


def after_second_try(ending: Ending) -> Ending:
    """Add advice to the ending of a submission that was tried alone, if the machine was too busy again."""
    return (
        replace(ending, text=f"not the submission's fault: {ending.text}; {_ADVICE}")
        if ending.kind is EndingKind.BUSY
        else ending
    )


def _leads(work: Work, leaders: dict[tuple[str, ...], Work]) -> bool:
    """Tell whether no earlier submission has the same run; one without a key equals no other."""
    keys = work.recording_keys
    return work.runs is None or not keys or not all(keys) or leaders.setdefault(keys, work) is work


def _replayed(
    works: Sequence[Work], workers: int, execute: Execute, missing: list[Work], unanswered: list[str] | None = None
) -> Endings:
    """Replay submissions; those that have to be executed are added to ``missing``."""
    by_student = {work.student: work for work in works}
    for tried, ending in _outcomes(execute, [replace(work, replay_only=True) for work in works], workers):
        work = by_student[tried.student]
        if ending.is_done:
            yield work, ending
        else:
            missing.append(work)
            if unanswered is not None and ending.kind is EndingKind.UNRECORDED:
                unanswered.append(work.student)


def _outcomes(execute: Execute, works: Sequence[Work], workers: int) -> Endings:
    if works:
        with contextlib.closing(execute(works, workers)) as outcomes:
            yield from outcomes
