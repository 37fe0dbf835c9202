"""The tensors of a test that the student's code keeps or changes, each with a twin in the kernel.

``o = Adam([w], lr=0.1); w.grad = …; o.step()`` steps the test's own ``w``. What the test changes goes to the twin
before the next call. What a call changes, in its values or in its gradient, comes back where the solution was seen to
change tensors, and nowhere else. Gradients go along only there: elsewhere, the gradient of a test's tensor may be the
right answer. Where the solution answers with a test's gradient, or leaves that very gradient, it was no change.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.check.data import is_hidden
from autograder.codec import Reference
from autograder.examiner.remote.changes import TestedCall
from autograder.kernel.passed_tensors import MAX_TENSORS, tensors_in, values_in
from autograder.records.observations import TENSORS

OPERATIONS = ("fill_tensor", "keep_tensor", "kept_tensors", "tensors")
"""What the kernel is asked about tensors; nothing of the student's runs for it."""
_ROUNDING = 1e-4
"""Relative difference of two ways to one gradient."""


@dataclass
class _Twin:
    own: Any
    reference: Reference
    values: Any
    """The numbers that the kernel has."""
    gradient: Any
    """The gradient that the kernel has."""


class TensorTwins:
    """The twins of one test cell."""

    def __init__(self, remote: Any) -> None:
        self.remote = remote
        self.twins: dict[int, _Twin] = {}

    def begin(self) -> None:
        """Forget all twins: the next cell has tensors of its own."""
        for number in self.twins:
            self.remote.callbacks.rebuilt.pop(number, None)
        self.remote.callbacks.twins.clear()
        self.twins = {}

    def send(self, call: TestedCall, arguments: Any) -> None:
        """Tell the kernel what the test has changed, before a call."""
        if "torch" not in sys.modules:
            return
        changes = self._may_change(call, False)
        if changes:
            self._register([tensor for tensor in tensors_in(arguments) if _gradient(tensor) is not None])
        for twin in self.twins.values():
            gradient = _gradient(twin.own) if changes else twin.gradient
            if not _equal(twin.own, twin.values) or not _equal(gradient, twin.gradient):
                twin.values, twin.gradient = _copy(twin.own), _copy(gradient)
                self.remote.ask("operate", "fill_tensor", (self._handle(twin), twin.own.detach(), twin.gradient))

    def lend(self, call: TestedCall, value: Any) -> None:
        """Keep the parameters that a generator or function of the test's gives to a call: ``net.parameters()``."""
        parameters = [tensor for tensor in tensors_in(value) if tensor.requires_grad]
        if parameters and len(self.twins) < MAX_TENSORS:
            self._register(parameters)
            self.send(call, parameters)

    def receive(self, call: TestedCall, arguments: Any, result: Any = None) -> None:
        """Find what a call keeps or has changed, and take the changes over where they may be."""
        passed = tensors_in(arguments)
        if not passed and not self.twins:
            return
        self._register(passed, self.remote.ask("operate", "kept_tensors", ()) if passed else [])
        held = list(self.twins.values())
        answer = self.remote.ask("operate", "tensors", ([self._handle(twin) for twin in held],)) if held else []
        values = answer if type(answer) is list and len(answer) == len(held) else []
        changed = [
            (twin, value)
            for twin, value in zip(held, values, strict=False)
            if _fits(value, twin.own) and not (_equal(value, twin.values) and _equal(value.grad, twin.gradient))
        ]
        acts = [(t, v) for t, v in changed if not (_equal(v, t.values) and _answers(t.gradient, v.grad, result))]
        may_change = bool(changed) and self._may_change(call, bool(acts))
        for twin, value in changed:
            twin.values, twin.gradient = _copy(value), _copy(value.grad)
            if may_change and not is_hidden(twin.own):
                twin.own.data.copy_(value.detach())
                if twin.own.requires_grad:
                    twin.own.grad = None if value.grad is None else _copy(value.grad).to(twin.own.dtype)

    def _may_change(self, call: TestedCall, changed: bool) -> bool:
        keys = frozenset([TENSORS])
        return bool(self.remote.permissions.changes(call.place, call.names, keys, keys if changed else frozenset()))

    def _register(self, tensors: list[Any], numbers: Any = None) -> None:
        """Remember the twins of tensors: those whose numbers the kernel gives, in the tensors' order, or new ones."""
        for index, tensor in enumerate(tensors):
            if id(tensor) in self.twins or not tensor.is_leaf or is_hidden(tensor):
                continue
            if numbers is None:
                number = self.remote.ask("operate", "keep_tensor", (tensor,))
            else:
                number = numbers[index] if type(numbers) is list and index < len(numbers) else None
            if type(number) is not int or number <= 0:
                continue
            self.remote.require_here(number)
            reference = Reference(number, "object", "torch.Tensor")
            self.twins[id(tensor)] = _Twin(tensor, reference, _copy(tensor), None)  # no gradient has gone there
            self.remote.callbacks.rebuilt[id(tensor)] = (tensor, reference)
            self.remote.callbacks.twins.add(id(tensor))

    def _handle(self, twin: _Twin) -> Any:
        return self.remote.plain(twin.reference)


def _gradient(tensor: Any) -> Any:
    """Return the gradient of a leaf, if it has one that can travel."""
    torch: Any = sys.modules["torch"]
    gradient = tensor.grad if tensor.is_leaf else None
    return gradient if gradient is not None and gradient.layout is torch.strided else None


def _copy(tensor: Any) -> Any:
    return None if tensor is None else tensor.detach().clone()


def _fits(value: Any, tensor: Any) -> bool:
    """Tell whether what the kernel gives can be a tensor's values; PyTorch has compared its gradient with them."""
    torch: Any = sys.modules["torch"]
    is_tensor = isinstance(value, torch.Tensor) and value.shape == tensor.shape
    return is_tensor and bool(torch.can_cast(value.dtype, tensor.dtype))


def _answers(gradient: Any, now: Any, result: Any) -> bool:
    """Tell whether a call leaves the gradient that was there, or gives all of its numbers, but for rounding."""
    if gradient is None or gradient.is_complex():
        return gradient is not None
    wanted, present = (np.zeros(0) if one is None else one.detach().double().numpy() for one in (gradient, now))
    if wanted.shape == present.shape and np.allclose(present, wanted, rtol=_ROUNDING):
        return True
    tensors = (tensor.detach().double().numpy() for tensor in tensors_in(result))
    numbers = (np.asarray(one, dtype=float) for one in values_in(result, (np.ndarray, float, int)) if _is_real(one))
    answered = np.sort(np.concatenate([np.zeros(0), *(one.ravel() for one in (*tensors, *numbers))]))
    if not answered.size:
        return False
    above = np.searchsorted(answered, wanted).clip(0, answered.size - 1)
    near = (answered[above], answered[(above - 1).clip(0)])
    return bool(np.all(np.any([np.isclose(one, wanted, rtol=_ROUNDING) for one in near], axis=0)))


def _is_real(value: Any) -> bool:
    return not isinstance(value, np.ndarray) or value.dtype.kind in "iuf"


def _equal(first: Any, second: Any) -> bool:
    torch: Any = sys.modules["torch"]
    if first is None or second is None:
        return first is second
    same = first.shape == second.shape
    return same and bool(torch.equal(first.detach().to(second.dtype), second.detach()))
