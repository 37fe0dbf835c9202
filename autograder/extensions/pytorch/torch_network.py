"""A PyTorch module in the examiner: a graph with its numbers, computed by PyTorch."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograder.extensions.networks.bounds import agree
from autograder.extensions.networks.computed_function import ApartFunction
from autograder.extensions.networks.dropped import DropoutFactors, plain_factors
from autograder.extensions.networks.fresh_model import NotTrainable
from autograder.extensions.networks.network import (
    NO_FORWARD,
    NO_TENSOR,
    OTHER_INPUTS,
    RAISES,
    ChainLayer,
    InTraining,
    Network,
    NetworkTrainer,
    NumberCounts,
    TrainingSettings,
)
from autograder.extensions.networks.step_calculus import StepCalculus
from autograder.extensions.networks.weight_function import WeightFunction
from autograder.extensions.pytorch import graph_numbers
from autograder.extensions.pytorch.computation import DROPOUT
from autograder.extensions.pytorch.computed_layers import read_chain, read_ending, read_flow, read_names, read_steps
from autograder.extensions.pytorch.computed_network import (
    ApartTrainer,
    ComputedNetwork,
    apart_pair,
    apart_steps,
    claim_of,
)
from autograder.extensions.pytorch.graph_computation import GraphComputation
from autograder.extensions.pytorch.graph_costs import GraphCosts, measured, require_linear_growth
from autograder.extensions.pytorch.kernel_side.torch_graph import MAX_NUMBERS
from autograder.extensions.pytorch.kernel_side.torch_operators import MAX_NODES
from autograder.extensions.pytorch.operator_graph import FLOATS, Graph, read_graph
from autograder.extensions.pytorch.torch_steps import TorchPair, TorchSteps
from autograder.extensions.pytorch.torch_training import TorchTrainer
from autograder.kernel import probe_rows
from autograder.models.argument_values import RefusedModel, integer, mapping, one_of
from autograder.models.computing_process import Computed, EndedComputation, is_apart, require_arrays

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
    NO_FORWARD: "it has no method forward",
    NO_TENSOR: "its forward returns no tensor",
    OTHER_INPUTS: "its forward does not take its inputs alone",
    RAISES: "it raises on rows of this shape",
}
"""Why a kernel has no graph of a module, by its word."""
_UNLISTED = "layers stand in a Python list or dict, where PyTorch does not find their weights; use nn.ModuleList"
_OPERATOR = re.compile(r"[A-Za-z_]\w{0,60}(\.\w{1,60})?", re.ASCII)
_FEW, _ROWS, _LARGE = 3, 16, 1e7
"""Rows on which layers are looked for whose results change nothing: few for a network with so many multiplications."""
_SIZES = (1, 1, 3, 10)
"""Factors of those rows, so that gates open in some."""
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
    network.slip = _UNLISTED if claim.get("unlisted") is True and network.counts().constants else ""
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
    fault = reason if reason in (NO_FORWARD, NO_TENSOR, OTHER_INPUTS, RAISES) else ""
    return RefusedModel(text, kind_refused=True, wants_shapes=reason == "shapes", fault=fault)


class TorchNetwork(GraphComputation, Network):
    """A graph with its numbers."""

    library = "torch"

    def __init__(self, graph: Graph, max_parameters: int = 50_000_000) -> None:
        measure = measured(graph, max_parameters)
        super().__init__(graph)
        self.measure: GraphCosts = measure
        self._part: Computed | None = None
        self.row_kind = "real"
        """The kind of the rows that its module was seen to take, see :mod:`autograder.kernel.probe_rows`."""
        self._row_counts: set[int] = set()
        """Numbers of rows of which it is known that they are not too large."""
        shapes = [(None, *held.shape) for held in graph.inputs]
        names = graph.names
        self.input_shape = dict(zip(names, shapes, strict=True)) if names else shapes if len(shapes) > 1 else shapes[0]
        outputs = [(None, *shape) for shape in measure.outputs]
        self.output_shape = outputs if len(outputs) > 1 else outputs[0]
        self.numbers_per_row = math.ceil(measure.elements + measure.largest) + 1
        self.multiplications_per_row = measure.work

    @property
    def part(self) -> Computed:
        """The graph where strangers' networks are computed."""
        if self._part is None:
            self._part = Computed(ComputedNetwork, *claim_of(self.graph))
        return self._part

    def outputs(self, rows: Any) -> list[np.ndarray]:
        """Compute the outputs; see :class:`autograder.extensions.networks.network.Network`."""
        return self._outputs(rows, by_chance=True)

    def _outputs(self, rows: Any, *, by_chance: bool) -> list[np.ndarray]:
        arrays = self.arrays(rows)
        self.require_linear_growth(len(arrays[0]))
        if not is_apart():
            return self.computed(rows, by_chance=by_chance)
        return require_arrays(
            self.part.ask("outputs", self.named(arrays), by_chance, self._arrays), len(arrays[0]), "float32"
        )

    def require_linear_growth(self, rows: int) -> None:
        """Require that a batch of so many rows is no larger than its rows.

        Raises:
            RefusedModel: it is.
        """
        if rows not in self._row_counts:
            require_linear_growth(self.graph, self.measure, rows)
            self._row_counts.add(rows)

    def counts(self) -> NumberCounts:
        """Count the numbers as PyTorch does; constants that could hold knowledge count, too."""
        return graph_numbers.counts(self.graph)

    def numbers_beside(self) -> int:
        """Count the numbers beside the weights that stay in a training."""
        return graph_numbers.numbers_beside(self.graph)

    def excess(self, allowed: int = 0) -> str:
        """Say why the graph may hold too much knowledge beside its weights."""
        return graph_numbers.excess(self.graph, allowed)

    @property
    def is_unusual(self) -> bool:
        """Whether the graph has more numbers or connections than a plain chain of layers."""
        return graph_numbers.is_unusual(self.graph)

    def steps(self, vocabulary: str, *, with_own: bool = False, asked_kinds: Collection[str] = ()) -> Sequence[Any]:
        """Return the layers in the words of Keras or of ``torch.nn``."""
        return read_steps(self.part.ask("steps", vocabulary, with_own, sorted(asked_kinds)))

    def activations(self, vocabulary: str) -> frozenset[str]:
        """Return the classes of layers that an own element-wise operation may be."""
        from autograder.extensions.pytorch.graph_layers import activations

        return activations(vocabulary)

    def flow(self, vocabulary: str, asked_kinds: Collection[str] = ()) -> Any:
        """Return the layers with what each depends on."""
        return read_flow(self.part.ask("flow", vocabulary, sorted(asked_kinds)))

    def known_kinds(self, vocabulary: str) -> frozenset[str]:
        """Return the classes of layers that the steps can show."""
        from autograder.extensions.pytorch.graph_layers import known_kinds

        kinds = known_kinds(vocabulary)
        return frozenset(kind for kind in kinds if "Dropout" not in kind) if self.graph.decomposed else kinds

    def description(self) -> str:
        """Return what the graph computes, without its weights."""
        from autograder.extensions.pytorch.described_network import description

        return description(self.graph, self.row_kind)

    def in_training(self) -> InTraining:
        """Return what the graph does in a training alone."""
        from autograder.extensions.pytorch.described_network import in_training

        return in_training(self.graph)

    def has_idle(self, vocabulary: str, kinds: Collection[str]) -> bool:
        """Return whether the result of a layer changes nothing."""
        from autograder.extensions.pytorch.described_network import drawn_rows

        seed = self._digest()  # the rows follow from all that the author of the network could write rows into
        count = _FEW if self.multiplications_per_row > _LARGE else _ROWS
        drawn = drawn_rows(self.graph, self.row_kind, count, np.random.default_rng(seed))
        sizes = np.resize(_SIZES, count).astype("float32") if self.row_kind == "real" else np.ones(count, "float32")
        arrays = [
            array * sizes.reshape(-1, *[1] * (array.ndim - 1)) if array.dtype.kind == "f" else array for array in drawn
        ]
        try:
            self.require_linear_growth(count)
            idle = self.part.ask("idle", self.named(arrays), vocabulary, sorted(kinds), seed % 2**31)
        except (RefusedModel, EndedComputation):
            return True  # it was computed before, and is not with other weights: a person looks
        return bool(idle != [])  # whatever else comes back of a process that computes

    def _digest(self) -> int:
        """Return a number that follows from the graph and all its numbers."""
        plain, arrays = claim_of(self.graph)
        hasher = hashlib.sha256(repr(plain).encode())
        for array in arrays:
            hasher.update(np.ascontiguousarray(array).data)
        return int.from_bytes(hasher.digest()[:8], "little")

    def own_computations(self) -> frozenset[str]:
        """Return what is computed beside the layers."""
        return read_names(self.part.ask("own_computations"))

    def trainer(self, rows: Any, labels: np.ndarray, settings: TrainingSettings) -> NetworkTrainer:
        """Prepare trainings from PyTorch's own initializers."""
        return (ApartTrainer if is_apart() else TorchTrainer)(self, rows, labels, settings)

    def chain(self) -> Sequence[ChainLayer] | None:
        """Return the layers of a plain chain."""
        return read_chain(self.part.ask("chain"))

    def ending(self) -> tuple[str, Network]:
        """Return the activation at the end, and the same graph up to it."""
        name, outputs = read_ending(self.part.ask("ending"), self.graph)
        return name, self.changed(graph=replace(self.graph, outputs=outputs), _part=None)

    def training_steps(self, *, drops: bool = True) -> StepCalculus:
        """Return what computes steps of a training."""
        if self.graph.draws:
            raise NotTrainable("This network draws at random, so that its steps cannot be taken again.")
        network = self if drops else self._still()
        return apart_steps(network) if is_apart() else TorchSteps(network)

    def steps_against(self, discriminator: Network) -> StepCalculus:
        """Return what computes steps of this network and of one that gets what it makes, where nothing is dropped."""
        if not isinstance(discriminator, TorchNetwork) or self.graph.draws or discriminator.graph.draws:
            raise NotTrainable("These networks draw at random, or are not both of PyTorch's.")
        pair = self._still(), discriminator._still()
        return apart_pair(*pair) if is_apart() else TorchPair(*pair)

    def _still(self) -> TorchNetwork:
        return self.changed(graph=_without_dropout(self.graph), _part=None)

    def function(self, factors: DropoutFactors | None = None) -> WeightFunction:
        """Return what computes the graph with given numbers."""
        from autograder.extensions.pytorch.torch_function import ComputedFunction, TorchFunction

        function = TorchFunction(self, factors)
        if not is_apart():
            return function
        part = Computed(ComputedFunction, *claim_of(self.graph), plain_factors(factors))
        return ApartFunction(part, function, self._fitting)

    def _fitting(self, rows: Any) -> Any:
        """Return rows as plain arrays that are not too many."""
        arrays = self.arrays(rows)
        self.require_linear_growth(len(arrays[0]))
        return self.named(arrays)


def described(plain: Mapping[str, Any], seed: int) -> tuple[TorchNetwork, Any]:
    """Return the network of a :meth:`TorchNetwork.description`, and rows that it takes, which a seed determines."""
    from autograder.extensions.pytorch.described_network import read_description

    graph, arrays = read_description(plain, seed)
    network = TorchNetwork(graph)
    network.row_kind = plain["rows"]
    return network, network.named(arrays) if graph.names or len(arrays) > 1 else arrays[0]


def _without_dropout(graph: Graph) -> Graph:
    """Return the same graph with rates of dropout that are 0."""
    nodes = (
        replace(node, args=(node.args[0], 0.0, *node.args[2:])) if node.operator in DROPOUT else node
        for node in graph.nodes
    )
    return replace(graph, nodes=tuple(nodes))


def _require_same_predictions(network: TorchNetwork, probe: Any, answers: Sequence[Any]) -> None:
    """Compare the outputs of a network with those that the notebook's module gave, at once and in other batches.

    Raises:
        RefusedModel: they differ, so the module may only be asked.
    """
    probe = mapping(probe, "The rows")
    graph = network.graph
    number = probe_rows.count([(None, *held.shape) for held in graph.inputs])
    kind = network.row_kind = one_of(*probe_rows.KINDS)(probe.get("kind"), "The rows' kind")
    integer(number, number)(probe.get("number"), "The number of rows")
    rows = [
        probe_rows.rows((None, *held.shape), "int64" if held.dtype not in FLOATS else "float32", kind, position, number)
        for position, held in enumerate(graph.inputs)
    ]
    try:
        once, *parts = [
            network._outputs(network.named([array[batch] for array in rows]), by_chance=False)
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
    if not _agree([*once, *joined], answers, tolerance):
        text = "The module is only asked: its graph predicts something else than the module."
        raise RefusedModel(text, kind_refused=True)
    if not _agree([array[order] for array in once], answers[len(once) :], tolerance):
        text = "The module is only asked: its predictions for a row depend on the other rows of a batch."
        raise RefusedModel(text, kind_refused=True)


def _agree(outputs: Sequence[np.ndarray], answers: Sequence[Any], tolerance: float) -> bool:
    return all(agree(*pair, tolerance) for pair in zip(outputs, answers, strict=True))


_TOLERANCES = {"float16": 2e-2, "bfloat16": 1e-1}
