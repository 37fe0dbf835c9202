"""The tensors of a test that the student's code keeps or changes, each with a twin in the kernel.

``o = Adam([w], lr=0.1); w.grad = …; o.step()`` steps the test's own ``w``. What the test changes goes to the twin
before the next call. What a call changes, in its values or in its gradient, comes back where the solution was seen to
change tensors, and nowhere else. Gradients go along only there: elsewhere, the gradient of a test's tensor may be the
right answer. Where the solution answers with a test's gradient, or leaves that very gradient, it was no change.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.check.data import is_hidden, shares_hidden
from autograder.codec import Reference
from autograder.examiner.remote.changes import TestedCall
from autograder.kernel.passed_tensors import MAX_TENSORS, tensors_in, values_in
from autograder.records.observations import TENSORS

OPERATIONS = ("fill_tensor", "keep_tensor", "kept_tensors", "tensors")
"""Requests to the kernel about tensors; nothing of the student's runs for them."""
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
        self.origins: dict[int, tuple[Any, str]] = {}
        """Number of a tensor → a weak reference, and the place at which the test passed it first."""

    def begin(self) -> None:
        """Forget all twins: the next cell has tensors of its own."""
        for number in self.twins:
            self.remote.callbacks.rebuilt.pop(number, None)
        self.remote.callbacks.twins.clear()
        self.twins, self.origins = {}, {}

    def send(self, call: TestedCall, arguments: Any) -> None:
        """Tell the kernel what the test has changed, before a call."""
        if "torch" not in sys.modules:
            return
        passed = tensors_in(arguments)
        self._note_origins(call, passed)
        may_change = self._changeable(call, (*passed, *(twin.own for twin in self.twins.values())))
        self._register([one for one in passed if self._origin(one) in may_change and _gradient(one) is not None])
        for twin in self.twins.values():
            gradient = _gradient(twin.own) if self._origin(twin.own) in may_change else twin.gradient
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
        self._note_origins(call, passed)
        self._register(passed, self.remote.ask("operate", "kept_tensors", ()) if passed else [])
        held = list(self.twins.values())
        answer = self.remote.ask("operate", "tensors", ([self._handle(twin) for twin in held],)) if held else []
        values = answer if type(answer) is list and len(answer) == len(held) else []
        changed = [
            (twin, value)
            for twin, value in zip(held, values, strict=False)
            if _fits(value, twin.own) and not (_equal(value, twin.values) and _equal(value.grad, twin.gradient))
        ]
        acts = [t.own for t, v in changed if not (_equal(v, t.values) and _answers(t.gradient, v.grad, result))]
        may_change = self._changeable(call, [twin.own for twin, _ in changed], acts) if changed else frozenset()
        for twin, value in changed:
            twin.values, twin.gradient = _copy(value), _copy(value.grad)
            if self._origin(twin.own) in may_change and not _is_hidden(twin.own):
                twin.own.data.copy_(value.detach())
                if twin.own.requires_grad:
                    twin.own.grad = None if value.grad is None else _copy(value.grad).to(twin.own.dtype)

    def _note_origins(self, call: TestedCall, tensors: Iterable[Any]) -> None:
        for index, tensor in enumerate(tensors):
            if not self._origin(tensor):
                self.origins[id(tensor)] = (weakref.ref(tensor), f"{TENSORS}{call.place.line}.{index}")

    def _origin(self, tensor: Any) -> str:
        reference, origin = self.origins.get(id(tensor), (None, ""))
        return origin if reference is not None and reference() is tensor else ""

    def _changeable(self, call: TestedCall, tensors: Iterable[Any], changed: Iterable[Any] = ()) -> Set[str]:
        """Return the origins of the tensors that a call may change; ``changed`` are those that it has changed."""
        keys, changes = (frozenset(filter(None, map(self._origin, part))) for part in (tensors, changed))
        allowed: Set[str] = self.remote.permissions.changes(call.place, call.names, keys, changes)
        return allowed

    def _register(self, tensors: list[Any], numbers: Any = None) -> None:
        """Remember the twins of tensors: those whose numbers the kernel gives, in the tensors' order, or new ones."""
        for index, tensor in enumerate(tensors):
            if id(tensor) in self.twins or not tensor.is_leaf or _is_hidden(tensor):
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


def _is_hidden(tensor: Any) -> bool:
    """Tell whether a tensor is hidden data, or another view of its memory: ``torch.from_numpy(h["X"])``."""
    torch: Any = sys.modules["torch"]
    if tensor.layout is not torch.strided or tensor.device.type != "cpu" or tensor.dtype is torch.bfloat16:
        return is_hidden(tensor)
    return is_hidden(tensor) or shares_hidden(tensor.detach().resolve_conj().resolve_neg().numpy())


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
    """Tell whether a call leaves a gradient as it was, or gives all its numbers, old or new."""
    gradients = [one for one in (gradient, now) if one is not None]
    if not gradients or any(one.is_complex() for one in gradients):
        return True
    wanted, present = (np.zeros(0) if one is None else one.detach().double().numpy() for one in (gradient, now))
    if wanted.shape == present.shape and np.allclose(present, wanted, rtol=_ROUNDING):
        return True
    tensors = (tensor.detach().double().numpy() for tensor in tensors_in(result))
    numbers = (np.asarray(one, dtype=float) for one in values_in(result, (np.ndarray, float, int)) if _is_real(one))
    answered = np.sort(np.concatenate([np.zeros(0), *(one.ravel() for one in (*tensors, *numbers))]))
    return bool(answered.size) and any(one.size and _are_among(one, answered) for one in (wanted, present))


def _are_among(numbers: np.ndarray, answered: np.ndarray) -> bool:
    """Tell whether all numbers are among these, which are sorted, but for rounding."""
    above = np.searchsorted(answered, numbers).clip(0, answered.size - 1)
    near = (answered[above], answered[(above - 1).clip(0)])
    return bool(np.all(np.any([np.isclose(one, numbers, rtol=_ROUNDING) for one in near], axis=0)))


def _is_real(value: Any) -> bool:
    return not isinstance(value, np.ndarray) or value.dtype.kind in "iuf"


def _equal(first: Any, second: Any) -> bool:
    torch: Any = sys.modules["torch"]
    if first is None or second is None:
        return first is second
    same = first.shape == second.shape
    return same and bool(torch.equal(first.detach().to(second.dtype), second.detach()))
