"""An instructor's PyTorch module, in this process, as a function of its rows and its numbers.

It is called as it stands. An export, as of a student's module, would compile texts, which an examiner refuses.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograder.extensions.networks.dropped import DropoutFactors
from autograder.extensions.networks.torch_precision import double_by_default, drawn_again, seed_of
from autograder.extensions.networks.weight_function import FunctionPass, NumberKind, WeightFunction
from autograder.kernel.random_state import preserve_random_state

_STATISTICS: dict[str, NumberKind] = {"running_mean": "mean", "running_var": "variance"}
_DRAWING = ("rand", "bernoulli", "normal", "uniform", "exponential")
"""Beginnings of the names of functions that draw at random."""
_DROPS = ("dropout", "dropout1d", "dropout2d", "dropout3d")


class ModuleFunction(WeightFunction):
    """The computation of a module, by a copy of it in double precision."""

    def __init__(self, module: Any, factors: DropoutFactors | None = None) -> None:
        self.factors = factors
        self.module = copy.deepcopy(module).double().eval()
        for part in self.module.modules():
            for name, value in list(vars(part).items()):
                if _is_float(value):  # a constant like any buffer
                    delattr(part, name)
                    part.register_buffer(name, value.detach().double())
        held = {
            **dict(self.module.named_parameters()),
            **{name: tensor for name, tensor in self.module.named_buffers() if _is_float(tensor)},
        }
        self.names = list(held)
        self.arrays = [tensor.detach().numpy().copy() for tensor in held.values()]
        self.kinds = [_kind(name, tensor) for name, tensor in held.items()]

    def outputs(self, arrays: Sequence[np.ndarray], rows: Any) -> list[np.ndarray]:
        """Compute the outputs."""
        import torch

        with torch.no_grad():
            return [output.double().numpy() for output in self._outputs(self._tensors(arrays), rows)]

    def forward(self, arrays: Sequence[np.ndarray], rows: Any) -> FunctionPass:
        """Compute the outputs, and what their gradients need."""
        import torch

        tensors = self._tensors(arrays)
        trained = [
            tensor.requires_grad_(True)
            for tensor, kind in zip(tensors, self.kinds, strict=True)
            if kind not in ("mean", "variance")
        ]
        with torch.enable_grad():
            outputs = self._outputs(tensors, rows)

        def gradients(of_outputs: Sequence[np.ndarray]) -> list[np.ndarray]:
            pairs = [
                (output, torch.from_numpy(np.ascontiguousarray(array)))
                for output, array in zip(outputs, of_outputs, strict=True)
                if output.requires_grad
            ]
            if not pairs:
                return [np.zeros(array.shape) for array in self.arrays]
            chosen, weights = zip(*pairs, strict=True)
            derivatives = torch.autograd.grad(chosen, trained, weights, allow_unused=True, retain_graph=True)
            by_tensor = {id(tensor): gradient for tensor, gradient in zip(trained, derivatives, strict=True)}
            results = [by_tensor.get(id(tensor)) for tensor in tensors]
            return [
                np.zeros(array.shape) if gradient is None else gradient.to_dense().numpy()
                for gradient, array in zip(results, self.arrays, strict=True)
            ]

        return FunctionPass([output.detach().double().numpy() for output in outputs], gradients)

    def _tensors(self, arrays: Sequence[np.ndarray]) -> list[Any]:
        import torch

        return [torch.from_numpy(np.array(array, dtype=np.float64, order="C")) for array in arrays]

    def _outputs(self, tensors: Sequence[Any], rows: Any) -> list[Any]:
        import torch

        inputs = {name: _input(array) for name, array in rows.items()} if isinstance(rows, dict) else {}
        arrays = rows if isinstance(rows, list) else [rows]
        positional = () if inputs else tuple(map(_input, arrays))
        held = dict(zip(self.names, tensors, strict=True))
        seed = seed_of([*inputs.values()] or positional)
        with double_by_default(), preserve_random_state(), _in_double(self.factors, seed):
            return list(_tensors_in(torch.func.functional_call(self.module, held, positional, inputs)))


def _multiplied(name: str, factors: DropoutFactors, input: Any, p: float = 0.5, *_: Any, **__: Any) -> Any:
    """Compute a dropout of PyTorch, called by its own names, whose numbers are multiplied by factors."""
    import torch

    return input * torch.from_numpy(factors.factor(p, input.shape[1:], of_features=name != "dropout"))


def _kind(name: str, tensor: Any) -> NumberKind:
    import torch

    if isinstance(tensor, torch.nn.Parameter):
        return "weight" if tensor.requires_grad else "frozen"
    return _STATISTICS.get(name.rpartition(".")[2], "constant")


def _is_float(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _input(array: Any) -> Any:
    import torch

    plain = np.asarray(array)
    return torch.from_numpy(np.array(plain, dtype=np.float64 if plain.dtype.kind == "f" else np.int64, order="C"))


def _tensors_in(value: Any) -> Iterator[Any]:
    """Yield the tensors of an answer in their order."""
    import torch

    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _tensors_in(part)


def _in_double(factors: DropoutFactors | None, seed: int) -> Any:
    """Return a mode in which PyTorch takes double precision for any other, and draws from a seed."""
    import torch
    from torch.overrides import TorchFunctionMode

    fractions = (torch.float32, torch.float16, torch.bfloat16)

    def wide(value: Any) -> Any:
        return torch.float64 if value in fractions else value

    class InDouble(TorchFunctionMode):
        """The mode."""

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = getattr(func, "__name__", "")
            if name in ("float", "half", "bfloat16"):
                return args[0].double()
            if factors is not None and name in _DROPS:
                return _multiplied(name, factors, *args, **(kwargs or {}))
            plain = [wide(value) if isinstance(value, torch.dtype) else value for value in args]
            keywords = {
                key: wide(value) if isinstance(value, torch.dtype) else value for key, value in (kwargs or {}).items()
            }
            result = func(*plain, **keywords)
            if name in ("max", "min") and not isinstance(result, torch.Tensor):
                shared = getattr(torch, f"a{name}")(*plain, **keywords)  # equal numbers share its gradient
                return type(result)((shared, result[1]))
            if name.startswith(_DRAWING) and _is_float(result):
                return drawn_again(lambda: func(*plain, **keywords), result, seed)
            return result

    return InDouble()
