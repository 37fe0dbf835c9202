"""Rules for sharing a cell's points among its checks, beyond weights.

>>> with check.all_or_nothing():                                    # doctest: +SKIP
...     check.architecture(model, [...])
...     check.parameters(model, at_most=100_000)
>>> with check.bonus(1):                                            # doctest: +SKIP
...     check.loss(model, on=(X, y), below=0.55)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from autograder.check.properties import demanding
from autograder.check.results import CheckRecorder, current
from autograder.errors import CourseError
from autograder.records.checks import LEADERBOARD, ORDER, CheckResult, Outcome


@contextmanager
def all_or_nothing() -> Iterator[None]:
    """Give credit for the checks inside only if all of them get full credit; each reports its own finding."""
    with _inside(_only_together):
        yield


@contextmanager
def only_if(*results: CheckResult) -> Iterator[None]:
    """Give credit for the checks inside only if the given results, made before, have full credit.

    A property that such a check looked for, as :func:`check.causal` does, is measured once more where the same model is
    scored inside.

    Args:
        results: what checks returned: ``layers = check.architecture(...)``.

    Raises:
        CourseError: an argument is not the result of a check.
    """
    if not results or not all(isinstance(result, CheckResult) for result in results):
        raise CourseError("check.only_if takes what checks return: layers = check.architecture(...), and so on.")
    unmet = [result.name for result in results if result.outcome is not Outcome.PASSED]

    def settle(inner: list[CheckResult]) -> list[CheckResult]:
        return (
            [_worthless(result, f"counts only when {_names(unmet)} is right") for result in inner] if unmet else inner
        )

    with _inside(settle), demanding(results):
        yield


@contextmanager
def bonus(points: float) -> Iterator[None]:
    """Let the checks inside earn extra points beyond the cell's own, shared by their weights.

    Args:
        points: the most that they can earn together.

    Raises:
        CourseError: ``points`` is not a number above 0.
    """
    if type(points) not in (int, float) or not 0 < points < math.inf:
        raise CourseError(f"check.bonus: points is {points!r}; give a number greater than 0.")

    def settle(inner: list[CheckResult]) -> list[CheckResult]:
        total = sum(result.weight for result in inner) or 1.0
        return [replace(result, bonus=points * result.weight / total) for result in inner]

    with _inside(settle):
        yield


@contextmanager
def leaderboard(name: str, of: str = "loss", *, order: str = "asc") -> Iterator[None]:
    """Put a number that the checks inside measure on the platform's leaderboard, where there is one (Gradescope).

    Args:
        name: what the leaderboard calls it.
        of: which evidence of the check it is: ``loss``, ``accuracy``, ``parameters``, or what ``check.report`` gives.
        order: ``asc`` if smaller is better, ``desc`` if larger is.

    Raises:
        CourseError: the name is empty or longer than 100 characters, or the order is another word.

    >>> with check.leaderboard("holdout accuracy", of="accuracy", order="desc"):  # doctest: +SKIP
    ...     check.accuracy(model, on=(X, y), above=0.75)
    """
    if type(name) is not str or not 0 < len(name) <= 100 or type(of) is not str or order not in ("asc", "desc"):
        raise CourseError('check.leaderboard: give a name, the evidence that counts, and order="asc" or "desc".')

    def settle(inner: list[CheckResult]) -> list[CheckResult]:
        entry = {LEADERBOARD: name, f"{LEADERBOARD} of": of, ORDER: order}
        return [replace(one, evidence={**one.evidence, **entry}) if of in one.evidence else one for one in inner]

    with _inside(settle):
        yield


def requires(*questions: str, at_least: float = 1.0) -> None:
    """Give this cell points only if the named earlier test cells earned enough of theirs.

    The cell's checks still run and report. In a student's own notebook this function does nothing.

    Args:
        questions: grade_ids of earlier test cells of the same notebook.
        at_least: share of their points that they need, above 0 and up to 1.

    Raises:
        CourseError: no such test cell stands before this one, or ``at_least`` is out of range.

    >>> check.requires("layers", at_least=0.5)
    """
    if not questions or type(at_least) not in (int, float) or not 0 < at_least <= 1:
        raise CourseError("check.requires: give the ids of test cells, and at_least= above 0 and up to 1.")
    recorder = current()
    if recorder is None:
        return
    for question in questions:
        if question not in recorder.earned:
            question_ids = ", ".join(recorder.earned) or "none"
            raise CourseError(
                f"check.requires: no test cell {question!r} stands before this one (there are: {question_ids})."
            )
        if recorder.earned[question] < at_least - 1e-9:
            share = "is right" if at_least == 1 else f"has at least {at_least:.0%} of its points"
            recorder.unmet.append(f"This counts only when `{question}` {share}.")


@contextmanager
def _inside(settle: Callable[[list[CheckResult]], list[CheckResult]]) -> Iterator[None]:
    """Apply ``settle`` to the results that are made in the block, even if an exception ends it."""
    recorder = current()
    start = len(recorder or ())
    try:
        yield
    finally:
        if isinstance(recorder, CheckRecorder) and len(recorder) > start:
            recorder[start:] = settle(recorder[start:])


def _only_together(results: list[CheckResult]) -> list[CheckResult]:
    short = [result.name for result in results if result.fraction < 1]
    if not short:
        return results
    return [_worthless(result, f"counts only together with {_names(short)}") for result in results]


def _worthless(result: CheckResult, reason: str) -> CheckResult:
    """Take a check's credit; its outcome stays, because a right answer is not shown as a wrong one."""
    if result.fraction == 0:
        return result
    return replace(result, fraction=0.0, message=f"{result.message} ({reason})")


def _names(names: list[str]) -> str:
    return " and ".join(dict.fromkeys(f"`{name}`" for name in names))
