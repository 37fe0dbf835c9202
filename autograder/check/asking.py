"""The question whose test runs, the kernel that it asks, and what its answers may hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from autograder._util.kernel_side import question_in_kernel
from autograder.check.handle import reference_of
from autograder.kernel import model_questions
from autograder.records.mistakes import ModelMistakes

_kernel: ContextVar[Any] = ContextVar("autograder_asked_kernel", default=None)
_question: ContextVar[str] = ContextVar("autograder_asking_question", default="")
_constants: ContextVar[Callable[[str, int], int]] = ContextVar("autograder_constants", default=lambda check, count: 0)
Networks = Callable[[str, Callable[[], str]], Collection[str]]
Measured = tuple[Any, str, str, float]
"""A model, the grade_id of a test, the name of a loss, and its mean."""
_losses: ContextVar[list[Measured] | None] = ContextVar("autograder_losses", default=None)
_networks: ContextVar[Networks] = ContextVar("autograder_networks", default=lambda check, describe: ())


@contextmanager
def asking_kernel(remote: Any) -> Iterator[None]:
    """Make checks get the files that a notebook wrote from the student's kernel inside the block.

    The examiner does so for each test cell.

    Args:
        remote: an :class:`autograder.examiner.remote.proxy.Remote`.
    """
    token = _kernel.set(remote)
    try:
        yield
    finally:
        _kernel.reset(token)


def asked_kernel() -> Any:
    """Return the student's kernel, which the test that runs asks; None where no examiner runs it."""
    return _kernel.get()


def ask(question: str | Callable[..., Any], obj: Any, *arguments: Any) -> Any:
    """Ask about a model, an optimizer or a function: in its kernel, or in this process if it is here.

    Args:
        question: a key of :data:`autograder.kernel.model_questions.QUESTIONS`, or a function of an extension's folder
            ``kernel_side``.
        obj: the object, or a handle of it.
        arguments: what else the question takes.

    Returns:
        The untrusted answer, an object of any kind.

    Raises:
        LostError: the kernel is gone, or did not answer in time.
        Exception: raised by the student's code.
    """
    if reference_of(obj) is None:
        answer = model_questions.QUESTIONS[question] if isinstance(question, str) else question
        return answer(obj, *arguments)
    name = question if isinstance(question, str) else question_in_kernel(question)
    return object.__getattribute__(obj, "_remote").ask("ask_model", name, obj, *arguments)


def kernel_ended() -> BaseException | None:
    """Return what ended the student's kernel while a test asked it; None if it lives, or nobody asks."""
    ending: BaseException | None = getattr(_kernel.get(), "ending", None)
    return ending


@contextmanager
def asked_by(
    question: str,
    constants: Callable[[str, int], int] = lambda check, count: 0,
    networks: Networks = lambda check, describe: (),
) -> Iterator[None]:
    """Note which question the checks inside the block belong to.

    Args:
        question: its grade_id.
        constants: see :func:`constants_allowed`.
        networks: see :func:`solution_networks`.
    """
    tokens = _question.set(question), _constants.set(constants), _networks.set(networks)
    try:
        yield
    finally:
        _question.reset(tokens[0])
        _constants.reset(tokens[1])
        _networks.reset(tokens[2])


def asking_question() -> str:
    """Return the grade_id of the question whose test runs; empty outside of one."""
    return _question.get()


def constants_allowed(check: str, count: int) -> int:
    """Return how many numbers beside its weights the network of a check may hold, because the solution's held them.

    Args:
        check: the check's name in reports.
        count: the numbers that the network holds.
    """
    return _constants.get()(check, count) if count else 0


def solution_networks(check: str, describe: Callable[[], str]) -> Collection[str]:
    """Return descriptions of the networks with which the solution passed a check.

    Args:
        check: the check's name in reports, and its pattern.
        describe: describes the network that passes now, which is noted while the solution itself is examined; returns
            an empty text where none passes.
    """
    return _networks.get()(check, describe)


def examines_solution() -> bool:
    """Tell whether the solution's networks are described here, as they are in a proof."""
    described: list[str] = []
    solution_networks("", lambda: described.append("") or "")  # type: ignore[func-returns-value]
    return bool(described)


@contextmanager
def collecting_losses() -> Iterator[list[Measured]]:
    """Collect the losses that checks measure inside the block; outside of one, they are dropped."""
    losses: list[Measured] = []
    token = _losses.set(losses)
    try:
        yield losses
    finally:
        _losses.reset(token)


def note_loss(model: Any, name: str, value: float) -> None:
    """Note a loss that a check measured, for the diagnosis of the same model."""
    if (losses := _losses.get()) is not None:
        losses.append((model, asking_question(), name, value))


@dataclass(frozen=True)
class MistakesTold:
    """Collected mistakes of models, as the checks of a test tell them."""

    is_hidden: Callable[[], bool]
    """Tells whether the labels of a check may be hidden ones when it is made."""
    notes: list[ModelMistakes] = field(default_factory=list)
    counted: set[bytes] = field(default_factory=set)
    """Digests of the predictions that were counted."""


_mistakes: ContextVar[MistakesTold | None] = ContextVar("autograder_mistakes", default=None)


@contextmanager
def collecting_mistakes(is_hidden: Callable[[], bool] = lambda: False) -> Iterator[list[ModelMistakes]]:
    """Collect what models get wrong in the tests inside the block; outside of one, nothing is counted.

    Args:
        is_hidden: see :class:`MistakesTold`.
    """
    noted = MistakesTold(is_hidden)
    token = _mistakes.set(noted)
    try:
        yield noted.notes
    finally:
        _mistakes.reset(token)


def mistakes_told() -> MistakesTold | None:
    """Return what the checks of the test that runs have told; None where nobody collects it."""
    return _mistakes.get()
