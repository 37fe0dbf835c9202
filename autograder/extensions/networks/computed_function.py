"""A network as a function of its numbers, where strangers' networks are computed and where it is asked from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from autograder.extensions.networks.step_calculus import NetworkPass
from autograder.extensions.networks.weight_function import FunctionPass, WeightFunction
from autograder.models.computing_process import ENDED, Computed, EndedComputation

_Pass = TypeVar("_Pass")
_KEPT_PASSES = 4


class KeptPasses:
    """The last passes in the process that computes, by number, for their gradients."""

    def __init__(self) -> None:
        self._passes: dict[int, FunctionPass | NetworkPass] = {}
        self._count = 0

    def add(self, computed: FunctionPass | NetworkPass) -> int:
        """Keep a pass, and return its number."""
        self._count += 1
        self._passes[self._count] = computed
        self._passes.pop(self._count - _KEPT_PASSES, None)
        return self._count

    def gradients(self, number: int, of_outputs: Any) -> Any:
        """Return the gradients of a pass; None if it is no longer known."""
        return self._passes[number].gradients(of_outputs) if number in self._passes else None


def asked_pass(
    part: Computed, request: Sequence[Any], checked: Callable[[Any], tuple[int, _Pass]]
) -> tuple[_Pass, Callable[[Any], Any]]:
    """Return what a pass gives, and what asks for its gradients; a forgotten pass is computed again.

    Args:
        part: what keeps its passes where strangers' networks are computed, see :class:`KeptPasses`.
        request: the arguments of its method ``forward``.
        checked: checks the answer, and returns the number of the pass and what it gives.
    """
    number, computed = checked(part.ask("forward", *request))

    def gradients(of_outputs: Any) -> Any:
        nonlocal number
        answer = part.ask("gradients", number, of_outputs)
        if answer is None:
            number, _ = checked(part.ask("forward", *request))
            answer = part.ask("gradients", number, of_outputs)
        return answer

    return computed, gradients


class ServedFunction:
    """A function in the process that computes; it keeps its last passes for their gradients."""

    def __init__(self, function: WeightFunction) -> None:
        self.function = function
        self.passes = KeptPasses()

    def outputs(self, arrays: Sequence[np.ndarray], rows: Any) -> list[np.ndarray]:
        """See :class:`WeightFunction`."""
        return self.function.outputs(arrays, rows)

    def forward(self, arrays: Sequence[np.ndarray], rows: Any) -> list[Any]:
        """Return the number of a pass, and its outputs."""
        computed = self.function.forward(arrays, rows)
        return [self.passes.add(computed), computed.outputs]

    def gradients(self, number: int, of_outputs: Sequence[np.ndarray]) -> Any:
        """See :class:`KeptPasses`."""
        return self.passes.gradients(number, of_outputs)


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

        def read(answer: Any) -> tuple[int, list[np.ndarray]]:
            if type(answer) is not list or len(answer) != 2 or type(answer[0]) is not int:
                raise EndedComputation(ENDED)
            return answer[0], _doubles(answer[1])

        outputs, ask_gradients = asked_pass(self.part, (list(arrays), self.plain(rows)), read)

        def gradients(of_outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
            derivatives = _doubles(ask_gradients(list(of_outputs)))
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
