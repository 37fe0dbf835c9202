"""The steps of a generator and a discriminator that a student's function takes, compared with the examiner's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograder.check.error_place import described
from autograder.errors import LostError
from autograder.extensions.networks.step_calculus import StepCalculus, Weights
from autograder.extensions.training_steps.pair_loops import (
    MISSING_STEPS,
    OTHER_LOSSES,
    PLAYERS,
    SLIPS,
    UNLIKE,
    Change,
    ExpectedPair,
    PairLoop,
    right_loops,
)
from autograder.extensions.training_steps.step_answers import UNKNOWN_PARAMETER, StepRequest, is_near, read_weights
from autograder.extensions.training_steps.step_loops import Batch
from autograder.records.checks import CheckResult

_RIGHT = "both networks move as they should"
_UNREAD = {
    "parameters": UNKNOWN_PARAMETER,
    "model": "The weights of generator and discriminator cannot be exchanged.",
}
_NO_ANSWER = "The weights after the step are not those of generator and discriminator."
_DOES_NOT_FIT = "These networks cannot be trained together with this loss: look at shapes, and at what they return."
_NO_CHANGE = "A right step of these networks changes nothing in one of them."
_OTHER_FIRST = "the {} takes its step first"
_OTHER_TRAINING = "In training mode, the networks compute something else than what was read of them."
_UNKNOWN = "The steps train both networks by another loss, another optimizer or in another way than was asked."


class CheckedPair:
    """The steps that a function should take with two networks, compared with what it does.

    Args:
        calculus: computes with both networks.
        batches: pairs of real rows and noise, one for each step.
        loop: right steps.
        first: the player that has to take its step first; None for any.
        seed: determines what is drawn.
    """

    def __init__(
        self,
        calculus: StepCalculus,
        batches: Sequence[tuple[np.ndarray, np.ndarray]],
        loop: PairLoop,
        first: str | None,
        seed: int,
    ) -> None:
        self.calculus, self.batches, self.loop, self.first, self.seed = calculus, batches, loop, first, seed
        self.start = calculus.draw(seed)

    def checked(self, request: StepRequest) -> CheckResult:
        """Take the steps here and there, and report whether the weights are equal."""
        try:
            rows = [*self.batches[0], False]
            outputs = self.calculus.forward(self.start, rows, training=True, seed=self.seed).outputs
            is_shown = self._tells(self._with_noise(None), MISSING_STEPS)
        except Exception as error:  # one network does not take what the other makes
            return request.for_a_person(_DOES_NOT_FIT, f"{type(error).__name__}: {error}")
        if not is_shown:
            return request.for_a_person(_NO_CHANGE)
        try:
            answer = self._answer(request)
        except LostError:
            raise
        except (Exception, SystemExit) as error:
            return request.report(0.0, f"the step raises {described(error)}")
        problem = answer.get("problem") if type(answer) is dict else None
        if sentence := _UNREAD.get(str(problem)):
            return request.for_a_person(sentence)
        weights = read_weights(answer, self.start, len(self.batches))
        if weights is None or len(weights) != len(self.batches):
            return request.report(0.0, _NO_ANSWER)
        is_known = is_near(answer.get("outputs"), outputs)
        return self._compared(request, weights, self._with_noise(answer.get("noise")), is_known=is_known)

    def _compared(
        self, request: StepRequest, weights: list[Weights], batches: list[Batch], *, is_known: bool
    ) -> CheckResult:
        def explain(loops: Iterable[PairLoop]) -> bool:
            return any(self._explains(loop, batches, weights) for loop in loops)

        if explain(self._right(self.first)):
            is_shown = self._tells(batches, OTHER_LOSSES)  # with this noise, which a student may have drawn
            return request.report(1.0, _RIGHT) if is_shown else request.for_a_person(_NO_CHANGE)
        other = next((player for player in PLAYERS if self.first and player != self.first), None)
        if other and explain(self._right(other)):
            return request.report(0.0, _OTHER_FIRST.format(other))
        for texts, report in ((SLIPS, lambda text: request.report(0.0, text)), (UNLIKE, request.for_a_person)):
            if text := next((text for text, change in texts if explain(self._changed(change))), ""):
                return report(text)
        return request.for_a_person(_UNKNOWN if is_known else _OTHER_TRAINING)

    def _right(self, first: str | None) -> Iterable[PairLoop]:
        has_statistics = not all(self.calculus.trained)
        return (loop for loop in right_loops(self.loop, first) if has_statistics or not loop.is_joined)

    def _changed(self, change: Change) -> Iterable[PairLoop]:
        return map(change, self._right(None))

    def _explains(self, loop: PairLoop, batches: list[Batch], weights: list[Weights]) -> bool:
        """Return whether a loop leads to the weights that came; the first step rules most loops out."""
        is_near = self._expected(loop, batches[:1]).is_near(weights[:1])
        return is_near and self._expected(loop, batches).fits(weights, trained_only=True)

    def _tells(self, batches: list[Batch], slips: Sequence[tuple[str, Change]]) -> bool:
        """Return whether right steps with these batches lead elsewhere than each of some slips."""
        expected = self._expected(self.loop, batches)
        runs = (expected.run(change(self.loop)) for _, change in slips)
        return not any(expected.fits(run, trained_only=True) for run in runs)

    def _expected(self, loop: PairLoop, batches: list[Batch]) -> ExpectedPair:
        return ExpectedPair(self.calculus, self.start, batches, loop, self.seed)  # type: ignore[arg-type]

    def _with_noise(self, noise: Any) -> list[Batch]:
        """Return the batches with the noise of each step: what the generator got, or was given."""
        notes = noise if type(noise) is list and len(noise) == len(self.batches) else [None] * len(self.batches)
        return [
            ((real, [note[0], note[-1]] if _is_noise(note, noise_rows) else [noise_rows, noise_rows]), np.zeros(0))
            for (real, noise_rows), note in zip(self.batches, notes, strict=True)
        ]

    def _answer(self, request: StepRequest) -> Any:
        """Ask for the steps, and once more with labels beside the real rows: a loader's batch has them."""
        try:
            return request.answer(self._asked())
        except LostError:
            raise
        except (Exception, SystemExit) as error:
            try:
                return request.answer({**self._asked(), "labels": True})
            except LostError:
                raise
            except (Exception, SystemExit):
                raise error from None

    def _asked(self) -> dict[str, Any]:
        """Return what the kernel gets."""
        objective = self.loop.objective
        return {
            "names": list(self.calculus.names),
            "weights": self.start,
            "batches": [([real, noise], None) for real, noise in self.batches],
            "loss": {"name": objective.loss, "from_logits": objective.from_logits},
            "optimizer": [
                {"kind": held.kind, "settings": dict(held.settings), "rate": held.rate} for held in self.loop.optimizers
            ],
            "seed": self.seed,
            "drops": False,
        }


def _is_noise(note: Any, noise_rows: np.ndarray) -> bool:
    """Return whether a note has the generator's inputs, of the shape that it was read with."""
    return (
        type(note) is list
        and 0 < len(note) <= 2
        and all(
            type(array) is np.ndarray
            and array.dtype == np.float32
            and array.shape[1:] == noise_rows.shape[1:]
            and 0 < len(array) <= _MAX_NOISE * len(noise_rows)
            for array in note
        )
    )


_MAX_NOISE = 4
"""The most rows that a step may generate for each real one."""
