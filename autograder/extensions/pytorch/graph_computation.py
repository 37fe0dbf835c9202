"""A graph with its numbers, computed by PyTorch on rows that somebody gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.extensions.pytorch.computation import compute, dtype_named, preserved_draws
from autograder.extensions.pytorch.operator_graph import FLOATS, Graph, Tensor

if TYPE_CHECKING:
    from typing import Self

_SEED = 0
"""Seed for a network that draws in evaluation mode, too: a grade can be given again."""


class GraphComputation:
    """A graph with its numbers."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._arrays: list[np.ndarray] | None = None
        """Numbers in the place of the graph's."""
        self._tensors: list[Any] | None = None

    @property
    def tensors(self) -> list[Any]:
        """The module's tensors, as tensors of PyTorch."""
        if self._tensors is None:
            arrays = self._arrays or [held.array for held in self.graph.tensors]
            self._tensors = [torch_tensor(*pair) for pair in zip(arrays, self.graph.tensors, strict=True)]
        return self._tensors

    def computed(self, rows: Any, *, by_chance: bool) -> list[np.ndarray]:
        """Compute the outputs in this process."""
        import torch

        inputs = self.inputs(rows)
        with torch.no_grad(), preserved_draws(_SEED):
            results = compute(self.graph, inputs, self.tensors, by_chance=by_chance)
        return [result.float().numpy() for result in results]

    def require_linear_growth(self, rows: int) -> None:
        """Require that a batch of so many rows is not too large; the examiner looks before it asks."""

    def inputs(self, rows: Any) -> list[Any]:
        """Return rows as the tensors that the graph takes.

        Raises:
            ValueError: they have other shapes or names, or are of another kind.
        """
        pairs = zip(self.arrays(rows), self.graph.inputs, strict=True)
        return [_input_tensor(array, held.dtype) for array, held in pairs]

    def arrays(self, rows: Any) -> list[np.ndarray]:
        """Return rows as arrays in the order of the graph's inputs.

        Raises:
            ValueError: they have other shapes or names, or are of another kind.
        """
        if isinstance(rows, dict):
            if set(rows) != set(self.graph.names):
                raise ValueError("the names of the inputs differ")
            rows = [rows[name] for name in self.graph.names]
        arrays = list(rows) if isinstance(rows, (list, tuple)) else [rows]
        shapes = [tuple(np.shape(array)[1:]) for array in arrays]
        if shapes != [held.shape for held in self.graph.inputs]:
            raise ValueError("the shapes of the inputs differ")
        return [_input_array(array, held.dtype) for array, held in zip(arrays, self.graph.inputs, strict=True)]

    def named(self, arrays: list[np.ndarray]) -> Any:
        """Return the arrays of the inputs by their names, if they have any."""
        return dict(zip(self.graph.names, arrays, strict=True)) if self.graph.names else arrays

    def with_tensors(self, tensors: list[Any]) -> Self:
        """Return the same graph with other numbers."""
        return self.changed(_tensors=tensors, _arrays=None)

    def with_arrays(self, arrays: list[np.ndarray]) -> Self:
        """Return the same graph with other numbers, as arrays."""
        return self.changed(_tensors=None, _arrays=arrays)

    def changed(self, **attributes: Any) -> Self:
        """Return a copy that differs in these attributes."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__ | attributes)
        return twin


def torch_tensor(array: np.ndarray, held: Tensor) -> Any:
    """Return an array as a tensor of the graph, with memory of its own."""
    import torch

    return torch.from_numpy(array.copy()).to(dtype_named(held.dtype))


def torch_array(tensor: Any) -> np.ndarray:
    """Return a tensor of a graph as the array that stands for it in a claim."""
    tensor = tensor.detach()
    return np.asarray((tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy())


def _input_array(array: Any, dtype: str) -> np.ndarray:
    """Return rows for an input; fractions for an input of whole numbers are an error.

    Raises:
        ValueError: the rows are of another kind.
    """
    array = np.asarray(array)
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and dtype not in FLOATS):
        raise ValueError("the inputs are of another kind")
    is_taken = array.dtype.kind in "bif" and array.dtype.itemsize <= 8
    return np.asarray(array if is_taken else array.astype(np.int64))


def _input_tensor(array: np.ndarray, dtype: str) -> Any:
    import torch

    copied = np.array(array, order="C")  # of a moved axis of size 1, the strides would stay, and a view could fail
    return torch.from_numpy(copied).to(dtype_named(dtype))
