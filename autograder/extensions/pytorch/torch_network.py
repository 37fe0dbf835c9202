"""A PyTorch module in the examiner: a graph with its numbers, computed by PyTorch."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.check.fresh_model import NotTrainable
from autograder.extensions.pytorch import graph_numbers
from autograder.extensions.pytorch.computation import compute, dtype_named, preserved_draws
from autograder.extensions.pytorch.graph_costs import measured, require_linear_growth
from autograder.extensions.pytorch.kernel_side.torch_graph import MAX_NUMBERS
from autograder.extensions.pytorch.kernel_side.torch_operators import MAX_NODES
from autograder.extensions.pytorch.operator_graph import FLOATS, Graph, Tensor, read_graph
from autograder.kernel import probe_rows
from autograder.models.argument_values import RefusedModel, integer, mapping, one_of
from autograder.models.network import ChainLayer, Network, NetworkTrainer, NumberCounts, TrainingSettings
from autograder.models.step_calculus import StepCalculus
from autograder.models.unrolled import agree

TOLERANCE = 1e-5
"""Accepted relative difference of predictions; those of half precision have more."""


IN_EVALUATION = "in evaluation mode, though the module was left in training mode"
_REASONS: Mapping[str, str] = {
    "shapes": "the shape of its input is not known. Call it before it is tested",
    "flow": "its forward decides by the values of its data (if, while, for over a tensor): use torch.where",
    "values": "its forward turns tensors into numbers or arrays (item, numpy, float)",
    "library": "its forward runs an operator that the grader does not compute, or changes a tensor that has other uses",
    "large": f"it has more than {MAX_NUMBERS:,} numbers, or more than {MAX_NODES:,} operators",
    "rows": "its forward depends on the number of rows",
    "outputs": "its forward gives something other than tensors with one row for each row of its input",
    "raised": "torch.export cannot trace its forward",
}
"""Why a kernel has no graph of a module, by its word."""
_SEED = 0
"""Of a network that draws in evaluation mode, too: a grade can be given again."""
_OPERATOR = re.compile(r"[A-Za-z_]\w{0,60}(\.\w{1,60})?", re.ASCII)
_DRAWING = ("rand", "bernoulli", "multinomial", "normal", "uniform", "exponential", "poisson")
"""Beginnings of the operators that draw at random."""


def rebuild(claim: Mapping[str, Any], arrays: Sequence[Any], *, max_parameters: int = 50_000_000) -> TorchNetwork:
    """Read the graph that a student's kernel describes, and measure it.

    Args:
        claim: result of :func:`autograder.extensions.pytorch.kernel_side.torch_model.claim`.
        arrays: the module's tensors, then its outputs for all probe rows, then those for the rows in batches.
        max_parameters: a module with more numbers is refused.

    Raises:
        RefusedModel: the claim is not a graph that the examiner computes; the text is for the student.
    """
    claim = mapping(claim, "The module")
    if claim.get("unread"):
        raise _without_graph(claim)
    graph = mapping(claim.get("graph"), "The module's graph")
    entries = graph.get("tensors")
    count = len(entries) if type(entries) is list else 0
    if type(arrays) not in (list, tuple):
        raise RefusedModel("The module's arrays are not a list.")
    network = TorchNetwork(read_graph(graph, arrays[:count]), max_parameters)
    _require_same_predictions(network, claim.get("probe"), arrays[count:])
    network.remark = IN_EVALUATION if claim.get("training") is True else ""
    return network


def _without_graph(claim: Mapping[str, Any]) -> RefusedModel:
    """Return the refusal of a module of which the kernel has no graph."""
    reason, operator = claim.get("unread"), claim.get("operator")
    cause = _REASONS.get(reason, "") if type(reason) is str else ""
    if reason == "library" and type(operator) is str and _OPERATOR.fullmatch(operator):
        draws = operator.startswith(_DRAWING)
        unknown = f"its forward runs an operator that the grader does not compute: {operator}"
        cause = "its forward draws at random in evaluation mode, too" if draws else unknown
    text = f"The module is only asked: {cause or _REASONS['raised']}."
    return RefusedModel(text, kind_refused=True, wants_shapes=reason == "shapes")


class TorchNetwork(Network):
    """A graph with its numbers."""

    def __init__(self, graph: Graph, max_parameters: int = 50_000_000) -> None:
        measure = measured(graph, max_parameters)
        self.graph = graph
        self.measure = measure
        shapes = [(None, *held.shape) for held in graph.inputs]
        names = graph.names
        self.input_shape = dict(zip(names, shapes, strict=True)) if names else shapes if len(shapes) > 1 else shapes[0]
        outputs = [(None, *shape) for shape in measure.outputs]
        self.output_shape = outputs if len(outputs) > 1 else outputs[0]
        self.numbers_per_row = math.ceil(measure.elements + measure.largest) + 1
        self.multiplications_per_row = measure.work
        self._tensors: list[Any] | None = None
        self._row_counts: set[int] = set()
        """Numbers of rows of which it is known that they are not too large."""

    @property
    def tensors(self) -> list[Any]:
        """The module's tensors, as tensors of PyTorch."""
        if self._tensors is None:
            self._tensors = [torch_tensor(held) for held in self.graph.tensors]
        return self._tensors

    def outputs(self, rows: Any) -> list[np.ndarray]:
        """Compute the outputs; see :class:`autograder.models.network.Network`."""
        return self._outputs(rows, by_chance=True)

    def _outputs(self, rows: Any, *, by_chance: bool) -> list[np.ndarray]:
        import torch

        inputs = self.inputs(rows)
        self.require_linear_growth(len(inputs[0]))
        with torch.no_grad(), preserved_draws():
            torch.default_generator.manual_seed(_SEED)
            results = compute(self.graph, inputs, self.tensors, by_chance=by_chance)
        return [result.float().numpy() for result in results]

    def require_linear_growth(self, rows: int) -> None:
        """Require that a batch of so many rows is no larger than its rows.

        Raises:
            RefusedModel: it is.
        """
        if rows not in self._row_counts:
            require_linear_growth(self.graph, self.measure, rows)
            self._row_counts.add(rows)

    def inputs(self, rows: Any) -> list[Any]:
        """Return rows as the tensors that the graph takes.

        Raises:
            ValueError: they have other shapes or names.
        """
        if isinstance(rows, dict):
            if set(rows) != set(self.graph.names):
                raise ValueError("the names of the inputs differ")
            rows = [rows[name] for name in self.graph.names]
        arrays = list(rows) if isinstance(rows, (list, tuple)) else [rows]
        shapes = [tuple(np.shape(array)[1:]) for array in arrays]
        if shapes != [held.shape for held in self.graph.inputs]:
            raise ValueError("the shapes of the inputs differ")
        return [_input_tensor(array, held.dtype) for array, held in zip(arrays, self.graph.inputs, strict=True)]

    def counts(self) -> NumberCounts:
        """Count the numbers as PyTorch does; constants that could hold knowledge count, too."""
        return graph_numbers.counts(self.graph)

    def excess(self) -> str:
        """Say why the graph may hold too much knowledge beside its weights."""
        return graph_numbers.excess(self.graph)

    @property
    def is_unusual(self) -> bool:
        """Whether the graph has more numbers or connections than a plain chain of layers."""
        return graph_numbers.is_unusual(self.graph)

    def steps(self, vocabulary: str, *, own: bool = False, asked: Collection[str] = ()) -> Sequence[Any]:
        """Return the layers in the words of Keras or of ``torch.nn``."""
        from autograder.extensions.pytorch.graph_layers import steps

        return steps(self.graph, self.measure.shapes, vocabulary, own=own, asked=asked)

    def activations(self, vocabulary: str) -> frozenset[str]:
        """Return the classes of activations."""
        from autograder.extensions.pytorch.graph_layers import activations

        return activations(vocabulary)

    def known_kinds(self, vocabulary: str) -> frozenset[str]:
        """Return the classes of layers that the steps can show."""
        from autograder.extensions.pytorch.graph_layers import known_kinds

        return known_kinds(vocabulary)

    def has_own_products(self) -> bool:
        """Tell whether a product with weights may be a layer of the student's own."""
        from autograder.extensions.pytorch.graph_layers import has_own_products

        return has_own_products(self.graph, self.measure.shapes)

    def trainer(self, rows: Any, labels: np.ndarray, settings: TrainingSettings) -> NetworkTrainer:
        """Prepare trainings from PyTorch's own initializers."""
        from autograder.extensions.pytorch.torch_training import TorchTrainer

        return TorchTrainer(self, rows, labels, settings)

    def chain(self) -> Sequence[ChainLayer] | None:
        """Return the layers of a plain chain."""
        from autograder.extensions.pytorch.plain_chain import plain_chain

        return plain_chain(self.graph, self.measure.shapes)

    def ending(self) -> tuple[str, Network]:
        """Return the activation at the end, and the same graph up to it."""
        from autograder.extensions.pytorch.plain_chain import ending

        name, graph = ending(self.graph, self.measure.shapes)
        return name, self.changed(graph=graph)

    def training_steps(self) -> StepCalculus:
        """Return what computes steps of a training."""
        from autograder.extensions.pytorch.torch_steps import TorchSteps

        if self.graph.draws:
            raise NotTrainable("This network draws at random, so that its steps cannot be taken again.")
        return TorchSteps(self)

    def with_tensors(self, tensors: list[Any]) -> TorchNetwork:
        """Return the same graph with other numbers."""
        return self.changed(_tensors=tensors)

    def changed(self, **attributes: Any) -> TorchNetwork:
        """Return a copy that differs in these attributes."""
        twin = object.__new__(TorchNetwork)
        twin.__dict__.update(self.__dict__ | attributes)
        return twin


def torch_tensor(held: Tensor) -> Any:
    """Return a tensor of the graph as PyTorch's, with memory of its own."""
    import torch

    return torch.from_numpy(held.array.copy()).to(dtype_named(held.dtype))


def _input_tensor(array: Any, dtype: str) -> Any:
    """Return rows in the type of an input; fractions for an input of whole numbers are an error.

    Raises:
        ValueError: the rows are of another kind.
    """
    import torch

    array = np.asarray(array)
    if array.dtype.kind not in "biuf" or (array.dtype.kind == "f" and dtype not in FLOATS):
        raise ValueError("the inputs are of another kind")
    plain = array if array.dtype.kind in "bif" and array.dtype.itemsize <= 8 else array.astype(np.int64)
    copied = np.array(plain, order="C")  # of a moved axis of size 1, the strides would stay, and a view could fail
    return torch.from_numpy(copied).to(dtype_named(dtype))


def _require_same_predictions(network: TorchNetwork, probe: Any, answers: Sequence[Any]) -> None:
    """Compare the outputs of a network with those that the notebook's module gave, at once and in other batches.

    Raises:
        RefusedModel: they differ, so the module may only be asked.
    """
    probe = mapping(probe, "The rows")
    graph = network.graph
    number = probe_rows.count([(None, *held.shape) for held in graph.inputs])
    kind = one_of(*probe_rows.KINDS)(probe.get("kind"), "The rows' kind")
    integer(number, number)(probe.get("number"), "The number of rows")
    rows = [
        probe_rows.rows((None, *held.shape), "int64" if held.dtype not in FLOATS else "float32", kind, position, number)
        for position, held in enumerate(graph.inputs)
    ]
    try:
        once, *parts = [
            network._outputs(_by_input(graph, [array[batch] for array in rows]), by_chance=False)
            for batch in (slice(None), *probe_rows.batches(number))
        ]
    except Exception as error:
        raise RefusedModel("The module's graph cannot be computed.", kind_refused=True) from error
    joined = [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
    order = np.concatenate(probe_rows.batches(number))
    if len(answers) != 2 * len(once):
        raise RefusedModel("The module's outputs did not come with its graph.")
    types = [held.dtype for held in graph.tensors] + [held.dtype for held in graph.inputs]
    tolerance = max(_TOLERANCES.get(dtype, TOLERANCE) for dtype in types)
    pairs = zip([*once, *joined, *(array[order] for array in once)], [*answers, *answers[len(once) :]], strict=True)
    if not all(agree(expected, answer, tolerance) for expected, answer in pairs):
        raise RefusedModel(
            "The module is only asked: its graph predicts something else than the module, or its predictions depend on "
            "the other rows of a batch.",
            kind_refused=True,
        )


_TOLERANCES = {"float16": 2e-2, "bfloat16": 1e-1}


def _by_input(graph: Graph, rows: list[Any]) -> Any:
    return dict(zip(graph.names, rows, strict=True)) if graph.names else rows
