"""The graph of an exported PyTorch module as plain records. Runs inside the student's kernel; a claim.

A record names operators of :mod:`torch_operators` and holds numbers, sizes and references. Its values are numbered:
the inputs first, then the module's tensors, then the results of the operators in their order.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

from .torch_modules import module_claims
from .torch_operators import MAX_NODES, OPERATORS, SIZES, VIEWS

MAX_NUMBERS = 240 * 2**20 // 4
"""Most numbers in all tensors together: those of the largest file of weights, with four bytes each."""
_DROPPED = ("_assert_", "sym_constrain_range")
"""Beginnings of the names of nodes that compute nothing."""
_LEFT_OUT = frozenset(["device", "layout", "pin_memory", "memory_format", "non_blocking", "copy", "implicit"])
"""Arguments that say where and how tensors are kept."""
_EMPTY = frozenset(["empty.memory_format", "empty_permuted.default"])
_MODULES = {
    "Linear": ("linear", "bias"),
    "Bilinear": ("linear", "bias"),
    "Embedding": ("embedding", "own"),
    "EmbeddingBag": ("embedding", "own"),
    "MultiheadAttention": ("xavier", "zeros"),
    "NonDynamicallyQuantizableLinear": ("linear", "zeros"),
    **dict.fromkeys(("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"), ("recurrent", "recurrent")),
    **{f"Conv{turn}{rank}d": ("linear", "bias") for turn in ("", "Transpose") for rank in (1, 2, 3)},
    **{f"BatchNorm{rank}d": ("ones", "zeros") for rank in (1, 2, 3)},
    **{f"InstanceNorm{rank}d": ("ones", "zeros") for rank in (1, 2, 3)},
    **dict.fromkeys(("LayerNorm", "GroupNorm", "RMSNorm"), ("ones", "zeros")),
}
"""Class of ``torch.nn`` → the initializers of its weights and of its biases."""


_COMPUTED = ("_g", "_v", "_orig")
"""Ends of the names of parameters from which ``torch.nn.utils`` computes a weight, for a norm or to prune it."""


class UnknownError(Exception):
    """Something in a graph that has no record; ``reason`` is one of :data:`keras_unrolling.REASONS`.

    ``operator`` is the name of the operator that is not in the list, if that is the reason.
    """

    def __init__(self, reason: str, operator: str = "") -> None:
        super().__init__(reason)
        self.reason, self.operator = reason, operator


def is_recordable(program: Any) -> bool:
    """Return whether all operators of a program are in the list, or change a tensor that nothing else uses."""
    return all(_name(node) in OPERATORS | SIZES or _plain_form(node) for node in _calls(program))


def record(program: Any, module: Any, names: list[str]) -> tuple[dict[str, Any], list[Any]]:
    """Describe an exported program.

    Args:
        program: a result of ``torch.export``.
        module: the module that it was exported from.
        names: the names of its inputs, if they have any.

    Returns:
        The record and the arrays of its tensors.

    Raises:
        UnknownError: there is no record of something in it.
    """
    return _Recorder(program, module, names).recorded()


class _Recorder:
    def __init__(self, program: Any, module: Any, names: list[str]) -> None:
        self.torch = sys.modules["torch"]
        self.program, self.module, self.names = program, module, names
        self.numbers: dict[str, int] = {}
        """Name of a node → the number of its value."""
        self.tensors: list[dict[str, Any]] = []
        self.arrays: list[Any] = []

    def recorded(self) -> tuple[dict[str, Any], list[Any]]:
        placeholders = [node for node in self.program.graph.nodes if node.op == "placeholder"]
        targets = {spec.arg.name: spec.target for spec in self.program.graph_signature.input_specs}
        inputs = [node for node in placeholders if targets[node.name] is None]
        for number, node in enumerate(inputs):
            self.numbers[node.name] = number
        self._tensors([node for node in placeholders if targets[node.name] is not None], targets, len(inputs))
        nodes: list[Any] = []
        for node in _calls(self.program):
            entry = self._node(node)
            self.numbers[node.name] = len(inputs) + len(self.tensors) + len(nodes)
            nodes.append(entry)
            if _is_in_place(node):
                self.numbers[node.args[0].name] = self.numbers[node.name]
        if len(nodes) > MAX_NODES:
            raise UnknownError("large")
        (end,) = [node for node in self.program.graph.nodes if node.op == "output"]
        described = [
            {"shape": [int(size) for size in node.meta["val"].shape[1:]], "dtype": _dtype(node.meta["val"])}
            for node in inputs
        ]
        graph = {"inputs": described, "names": self.names, "tensors": self.tensors, "nodes": nodes}
        graph["modules"] = module_claims(self.program, self.module, self.numbers)
        return {**graph, "outputs": self._outputs(end.args[0])}, self.arrays

    # --- tensors

    def _tensors(self, nodes: list[Any], targets: Any, first: int) -> None:
        parameters = dict(self.module.named_parameters(remove_duplicate=False))
        buffers = dict(self.module.named_buffers(remove_duplicate=False))
        state = {**self.program.constants, **buffers, **parameters}
        kinds = _initializers(self.module)
        numbers_of: dict[int, int] = {}
        for node in nodes:
            tensor, target = state[targets[node.name]], targets[node.name]
            if target not in parameters and not node.users:
                continue
            if id(tensor) not in numbers_of:
                numbers_of[id(tensor)] = first + len(self.tensors)
                kind, weight = kinds.get(id(tensor), ("own", None))
                drawn = {"initializer": kind, "of": numbers_of.get(id(weight), -1)}
                trained = {"parameter": target in parameters, "trainable": bool(tensor.requires_grad)}
                self.tensors.append({"name": target, **trained, "dtype": _dtype(tensor), **drawn})
                self.arrays.append(numpy(tensor))
            self.numbers[node.name] = numbers_of[id(tensor)]
        if sum(array.size for array in self.arrays) > MAX_NUMBERS:
            raise UnknownError("large")

    # --- nodes

    def _node(self, node: Any) -> list[Any]:
        name = _plain_form(node) or _name(node)
        if name.startswith("to."):
            return ["_to_copy.default", [self._argument(node.args[0])], {"dtype": {"dtype": _dtype(node.meta["val"])}}]
        if name in _EMPTY:  # a draw fills it; memory as it is would show what lies there
            return ["zeros.default", [self._argument(node.args[0])], {"dtype": {"dtype": _dtype(node.meta["val"])}}]
        if name not in OPERATORS | SIZES:
            raise UnknownError("library", name)
        keywords = {key: self._argument(value) for key, value in node.kwargs.items() if key not in _LEFT_OUT}
        return [name, [self._argument(value) for value in node.args], keywords]

    def _argument(self, value: Any) -> Any:
        if isinstance(value, self.torch.fx.Node):
            if value.name not in self.numbers:
                raise UnknownError("library")
            return {"value": self.numbers[value.name]}
        if isinstance(value, (list, tuple)):
            return [self._argument(item) for item in value]
        if isinstance(value, self.torch.dtype):
            return {"dtype": str(value).replace("torch.", "")}
        if isinstance(value, float) and not math.isfinite(value):
            return {"number": repr(value)}
        if value is None or type(value) in (bool, int, float, str):
            return value
        raise UnknownError("library")

    def _outputs(self, results: Any) -> list[int]:
        nodes = [node for node in results if node is not None]
        if not nodes or not all(getattr(node, "name", "") in self.numbers for node in nodes):
            raise UnknownError("outputs")
        for node in nodes:
            sizes = getattr(node.meta.get("val"), "shape", ())
            if not sizes or isinstance(sizes[0], int):
                raise UnknownError("outputs")
        return [self.numbers[node.name] for node in nodes]


def _calls(program: Any) -> Iterator[Any]:
    """Yield the nodes that compute something."""
    for node in program.graph.nodes:
        if node.op in ("placeholder", "output"):
            continue
        if node.op != "call_function":
            raise UnknownError("library")
        if not _name(node).startswith(_DROPPED):
            yield node


def _name(node: Any) -> str:
    """Return ``relu.default`` for an operator of ATen, and ``mul`` for a function of Python's."""
    text = str(node.target)
    return text[len("aten.") :] if text.startswith("aten.") else str(getattr(node.target, "__name__", text))


def _is_in_place(node: Any) -> bool:
    operator, _, overload = _name(node).partition(".")
    return operator.endswith("_") and bool(overload)


def _plain_form(node: Any) -> str:
    """Return the operator that computes the same and changes nothing; empty if it may not be put in its place.

    An operator that changes its first argument has no such form if the argument shares its memory with another value.
    """
    name = _name(node)
    if name.startswith("to."):
        return name
    operator, _, overload = name.partition(".")
    plain = f"{operator[:-1]}.{overload}"
    if not _is_in_place(node) or plain not in OPERATORS:
        return ""
    changed = node.args[0]
    if changed.op == "placeholder" and changed.name.startswith(("p_", "b_", "c_")):
        return ""
    shares = [changed, *(user for user in changed.users if user is not node)]
    return (
        "" if any(_name(other).partition(".")[0] in VIEWS for other in shares if other.op == "call_function") else plain
    )


def _initializers(module: Any) -> dict[int, tuple[str, Any]]:
    """Map the ``id`` of each parameter to its initializer, and for a bias to the weight beside it."""
    kinds: dict[int, tuple[str, Any]] = {}
    for part in module.modules():
        is_own = not type(part).__module__.startswith("torch.nn.")
        weights, biases = ("own", "own") if is_own else _MODULES.get(type(part).__name__, ("own", "own"))
        held = dict(part.named_parameters(recurse=False))
        weight = held.get("weight")
        for name, parameter in held.items():
            kind = biases if "bias" in name else weights
            if type(part).__name__ == "ParametrizationList" or (not is_own and name.endswith(_COMPUTED)):
                kind = "parametrized"
            kinds.setdefault(id(parameter), (kind, weight))
    return kinds


def numpy(tensor: Any) -> Any:
    """Return the numbers of a tensor; bfloat16 as float32, which holds them exactly."""
    plain = tensor.detach()
    return plain.float().numpy() if _dtype(plain) == "bfloat16" else plain.contiguous().numpy()


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).replace("torch.", "")
