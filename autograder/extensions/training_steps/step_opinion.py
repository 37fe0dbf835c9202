"""What steps are that are not the asked ones: a slip, or another way to descend, which a person decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from autograder.extensions.training_steps.step_descents import DescentSearch
from autograder.extensions.training_steps.step_fitting import StepFitting
from autograder.extensions.training_steps.step_slips import LoopSlip, SlipCondition, SlipSearch

REMEMBERS = "The same steps come out otherwise when they are taken again: the function keeps or draws something itself."
_NO_OPTIMIZER_NAMED = "The test names no optimizer."
_FIRST_STEP = "The first step is right, and the next is another one, such as a step with another learning rate."


@dataclass(frozen=True)
class StepOpinion:
    """What explains the weights that came."""

    sentence: str
    """For the student; a whole sentence with its full stop if a person decides."""
    is_wrong: bool
    """Whether the steps are wrong; otherwise a person decides."""


def opinion(fitting: StepFitting, *, names_optimizer: bool, repeats: Callable[[], bool]) -> StepOpinion | None:
    """Explain weights that are not those of the right steps.

    Args:
        fitting: the weights.
        names_optimizer: whether the test names the optimizer; otherwise a student may have chosen another.
        repeats: lets the function take the same steps again, and returns whether they come out as before.

    Returns:
        What explains them; None if nothing does.

    Raises:
        LostError: the kernel is gone, or did not answer in time.
    """
    descents = DescentSearch(fitting)
    if sentence := descents.second_pass():
        return StepOpinion(sentence, is_wrong=False)
    if slip := SlipSearch(fitting).slip():
        return _of_slip(slip, names_optimizer=names_optimizer, repeats=repeats)
    sentence = descents.sentence() or (_FIRST_STEP if _is_first_right(fitting) else "")
    return StepOpinion(sentence, is_wrong=False) if sentence else None


def _of_slip(slip: LoopSlip, *, names_optimizer: bool, repeats: Callable[[], bool]) -> StepOpinion:
    """Return a slip as one, unless its condition does not hold."""
    if slip.condition is SlipCondition.OPTIMIZER_NAMED and not names_optimizer:
        sentence = f"{slip.sentence[0].upper()}{slip.sentence[1:]}. {_NO_OPTIMIZER_NAMED}"
        return StepOpinion(sentence, is_wrong=False)
    if slip.condition is SlipCondition.REPEATED and not repeats():
        return StepOpinion(REMEMBERS, is_wrong=False)
    return StepOpinion(slip.sentence, is_wrong=True)


def _is_first_right(fitting: StepFitting) -> bool:
    is_told = len(fitting.answer) > 1
    return is_told and fitting.expected(fitting.right, fitting.batches[:1]).fits(fitting.answer[:1])
