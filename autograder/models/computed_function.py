"""A network as a function of its numbers, where strangers' networks are computed and where it is asked from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.models.computing_process import ENDED, Computed, EndedComputation
from autograder.models.weight_function import FunctionPass, WeightFunction

_KEPT_PASSES = 4


class ServedFunction:
    """A function in the process that computes; it keeps its last passes for their gradients."""

    def __init__(self, function: WeightFunction) -> None:
        self.function = function
        self.passes: dict[int, FunctionPass] = {}
        self.count = 0

    def outputs(self, arrays: Sequence[np.ndarray], rows: Any) -> list[np.ndarray]:
        """See :class:`WeightFunction`."""
        return self.function.outputs(arrays, rows)

    def forward(self, arrays: Sequence[np.ndarray], rows: Any) -> list[Any]:
        """Return the number of a pass, and its outputs."""
        self.count += 1
        self.passes[self.count] = self.function.forward(arrays, rows)
        self.passes.pop(self.count - _KEPT_PASSES, None)
        return [self.count, self.passes[self.count].outputs]

    def gradients(self, number: int, of_outputs: Sequence[np.ndarray]) -> list[np.ndarray] | None:
        """Return the gradients of a pass; None if it is no longer known."""
        return self.passes[number].gradients(of_outputs) if number in self.passes else None


class ApartFunction(WeightFunction):
    """A function that is computed in the process that computes.

    Args:
        part: its :class:`ServedFunction` there.
        function: the same function here, of which the numbers and their kinds are taken, and which computes nothing.
        plain: returns rows as plain arrays; it raises what the function raises for rows that do not fit.
    """

    def __init__(self, part: Computed, function: WeightFunction, plain: Callable[[Any], Any] = lambda rows: rows):
        self.part, self.plain = part, plain
        self.arrays, self.kinds, self.rounding = function.arrays, function.kinds, function.rounding

    def outputs(self, arrays: Sequence[np.ndarray], rows: Any) -> list[np.ndarray]:
        """See :class:`WeightFunction`."""
        return _doubles(self.part.ask("outputs", list(arrays), self.plain(rows)))

    def forward(self, arrays: Sequence[np.ndarray], rows: Any) -> FunctionPass:
        """See :class:`WeightFunction`."""
        request = (list(arrays), self.plain(rows))

        def computed_pass() -> tuple[int, list[np.ndarray]]:
            answer = self.part.ask("forward", *request)
            if type(answer) is not list or len(answer) != 2 or type(answer[0]) is not int:
                raise EndedComputation(ENDED)
            return answer[0], _doubles(answer[1])

        number, outputs = computed_pass()

        def gradients(of_outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
            nonlocal number
            answer = self.part.ask("gradients", number, list(of_outputs))
            if answer is None:
                number, _ = computed_pass()
                answer = self.part.ask("gradients", number, list(of_outputs))
            derivatives = _doubles(answer)
            if [array.shape for array in derivatives] != [array.shape for array in self.arrays]:
                raise EndedComputation(ENDED)
            return derivatives

        return FunctionPass(outputs, gradients)


def _doubles(answer: Any) -> list[np.ndarray]:
    """Return an answer that is a list of arrays in double precision.

    Raises:
        EndedComputation: it is something else, as the kit's own code never gives.
    """
    if type(answer) is not list or not all(type(a) is np.ndarray and a.dtype == np.float64 for a in answer):
        raise EndedComputation(ENDED)
    return answer
