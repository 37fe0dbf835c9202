"""Results to a learning system by its API: first a plan, then one student after the other.

What a person changed there is kept (:func:`~autograder.extensions.lms.point_scale.why_kept`). A second run sends
nothing again.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.extensions.lms.account import Account, Delivery, System
from autograder.extensions.lms.entries import ResultEntry
from autograder.extensions.lms.matching import PersonNames, match
from autograder.extensions.lms.point_scale import SystemStanding, factor, is_same, why_kept
from autograder.extensions.lms.sent_memory import Memory, digest


class Handover(enum.StrEnum):
    """What happens to one student's result."""

    SEND = "send"
    SAME = "same"
    KEPT = "kept"
    """Another score stands there, which this course did not send."""
    WAITS = "waits"
    """The result is not to be handed over yet."""
    UNCLEAR = "unclear"
    """Nobody knows whose result it is there."""


@dataclass(frozen=True)
class PostingStep:
    """The plan for one student."""

    student: str
    act: Handover
    note: str = ""
    account: Account | None = None
    delivery: Delivery | None = None


def plan(
    system: System,
    assignment: str,
    entries: Sequence[ResultEntry],
    students: Mapping[str, PersonNames],
    memory: Memory,
    *,
    comments: bool = True,
    pages: bool = True,
    overwrite: Callable[[str], bool] = lambda student: False,
    scale: bool = False,
) -> list[PostingStep]:
    """Compare the results with what stands in the learning system; changes nothing.

    Args:
        system: the assignment there.
        assignment: its name here.
        entries: the results.
        students: all names of each student in ``entries``.
        memory: what was sent before.
        comments: whether the summary of the questions goes along.
        pages: whether the feedback page goes along.
        overwrite: whose scores there may be replaced although a person gave them.
        scale: whether points are scaled where the assignment counts other points there.

    Raises:
        UsageError: the assignment counts other points there, and ``scale`` is false.
    """
    points_there = system.points()
    accounts = system.accounts()
    pages = pages and system.takes_pages
    matched = match({entry.student: students[entry.student] for entry in entries}, [a.known for a in accounts])
    steps = []
    for entry in entries:
        if entry.student not in matched.pairs:
            steps.append(PostingStep(entry.student, Handover.UNCLEAR, matched.unclear[entry.student]))
            continue
        account = accounts[matched.pairs[entry.student]]
        note = "found by the full name" if entry.student in matched.by_name else ""
        note = "the upload's name alone told whose it is" if entry.student in matched.unsure else note
        counts = factor(system.name, points_there, entry.max_score, scale=scale)
        if entry.score is None:
            steps.append(PostingStep(entry.student, Handover.WAITS, entry.waits, account))
            continue
        score = entry.score * counts
        before = memory[entry.student]
        stands = _standing(account)
        if reason := why_kept(stands, before.score, score, f"{score:g}", overwrite=overwrite(entry.student)):
            steps.append(PostingStep(entry.student, Handover.KEPT, reason, account))
            continue
        comment = entry.comment if comments and digest(entry.comment) != before.comment else None
        page = entry.page if pages and entry.page and digest(entry.page.read_bytes()) != before.page else None
        changed = None if is_same(account.score, score) else score
        summary = entry.comment if comments else ""
        delivery = Delivery(changed, comment, page, f"{assignment}.html", summary)
        same = changed is None and comment is None and page is None
        steps.append(PostingStep(entry.student, Handover.SAME if same else Handover.SEND, note, account, delivery))
    return steps


def _standing(account: Account) -> SystemStanding:
    number_text = "" if account.score is None else f"{account.score:g}"
    return SystemStanding(account.score, number_text, "excused there" if account.excused else "")


def send(system: System, steps: Sequence[PostingStep], memory: Memory) -> Iterator[tuple[PostingStep, list[str]]]:
    """Carry out a plan; yields each step after it is done and remembered, with notes for a person."""
    for step in steps:
        if step.act is Handover.SEND and step.account is not None and step.delivery is not None:
            now, notes = system.deliver(step.account, step.delivery, memory[step.student])
            memory.remember(step.student, now)
            yield step, notes
