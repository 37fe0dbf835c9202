"""A graph of PyTorch's operators, read strictly from a kernel's claim.

Every byte of the claim comes from the student. A name only chooses an operator of a closed list, whose own signature
says which arguments it takes. A value may be used only after it was computed, so a graph has no cycles. Nothing is
compiled, unpickled or looked up by a text of the claim.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.extensions.networks.vocabulary import known_names
from autograder.extensions.pytorch.kernel_side.torch_modules import MAX_MODULES
from autograder.extensions.pytorch.kernel_side.torch_operators import DRAWS, INITIALIZERS, MAX_NODES, OPERATORS, SIZES
from autograder.models.argument_values import RefusedModel, boolean, integer, listing, mapping, one_of

MAX_TENSORS = 2_000
MAX_INPUTS = 16
MAX_ITEMS = 4_096
"""Most items of a list in an argument."""
MAX_REFERENCES = 20_000
"""Most values that all operators together take."""
MAX_NAME = 300
"""Longest name of a tensor, in characters."""
Shapes = Mapping[int, tuple[int, ...]]
"""Number of a value → its shape, as it was measured."""
FLOATS = ("float32", "float64", "float16", "bfloat16")
TYPES = (*FLOATS, "int64", "int32", "int16", "int8", "uint8", "bool")
_TEXTS = frozenset([
    "none", "tanh", "same", "valid", "zeros", "border", "reflection", "nearest", "bilinear", "bicubic", "linear",
    "constant", "reflect", "replicate", "circular", "trunc", "floor", "mean", "sum", "max",
    "ortho", "forward", "backward",
])  # fmt: skip
"""Texts that operators take; an equation of ``einsum`` has a form of its own."""
_EQUATION = re.compile(r"[A-Za-z .,]{1,80}(->[A-Za-z .]{0,40})?")
_TRAINING = {
    "dropout.default": 2, "feature_dropout.default": 2, "alpha_dropout.default": 2, "batch_norm.default": 5,
    "lstm.input": 6, "gru.input": 6, "rnn_tanh.input": 6, "rnn_relu.input": 6,
}  # fmt: skip
"""Operator → the position of its flag for training, which is False in a claim."""
_DROPS = "In evaluation mode, too, the module drops numbers: give F.dropout training=self.training, or use nn.Dropout."
_AS_IN_TRAINING = "In evaluation mode, too, the module computes as in a training."


@dataclass(frozen=True)
class ValueRef:
    """The number of a value: an input, a tensor or the result of a node."""

    value: int


@dataclass(frozen=True)
class DType:
    """The name of a number type."""

    name: str


@dataclass(frozen=True)
class Input:
    """An input of the graph."""

    shape: tuple[int, ...]
    """The shape of one row."""
    dtype: str


@dataclass(frozen=True)
class Tensor:
    """A parameter, buffer or constant of the module."""

    array: np.ndarray
    dtype: str
    parameter: bool
    trainable: bool
    initializer: str
    of: int
    """The number of the weight that a bias belongs to; -1 for none."""
    name: str = ""
    """What the kernel knows it by. It goes to the kernel, and into no message."""


@dataclass(frozen=True)
class Node:
    """One operator."""

    operator: str
    args: tuple[Any, ...]
    keywords: Mapping[str, Any]

    @property
    def refs(self) -> list[int]:
        """The numbers of the values that it takes, in the order of its arguments."""
        return [ref.value for ref in _refs([*self.args, *self.keywords.values()])]

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """Return an argument that may be given by its position or by its name."""
        return self.args[position] if position < len(self.args) else self.keywords.get(name, default)


@dataclass(frozen=True)
class ModuleClaim:
    """A layer of ``torch.nn`` that computed some values, as the kernel says."""

    kind: str
    settings: Mapping[str, Any]
    """Plain values by name; a layer among them is its class and its settings."""
    name: str
    """The beginning of the names of its tensors."""
    values: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """The operators of a module in the order in which they are computed."""

    inputs: tuple[Input, ...]
    names: tuple[str, ...]
    """Names of the inputs, if they have any."""
    tensors: tuple[Tensor, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[int, ...]
    needed: frozenset[int] = field(default=frozenset())
    """The numbers of the values that an output depends on."""
    decomposed: bool = False
    """Whether operators were decomposed, which leaves no dropout."""
    modules: tuple[ModuleClaim, ...] = ()

    @property
    def draws(self) -> bool:
        """Whether an output depends on random draws."""
        return any(node.operator in DRAWS for _, node in self.needed_nodes())

    @property
    def first_tensor(self) -> int:
        """The number of the first tensor."""
        return len(self.inputs)

    @property
    def first_node(self) -> int:
        """The number of the first node."""
        return len(self.inputs) + len(self.tensors)

    def needed_nodes(self) -> Iterator[tuple[int, Node]]:
        """Yield the nodes that an output depends on, with the numbers of their values."""
        return ((number, node) for number, node in enumerate(self.nodes, self.first_node) if number in self.needed)

    def node(self, number: int) -> Node:
        """Return the operator that gives a value, which is no input and no tensor."""
        return self.nodes[number - self.first_node]

    def of_data(self) -> set[int]:
        """Return the numbers of the values that depend on an input; sizes are none of them."""
        numbers = set(range(self.first_tensor))
        for number, node in self.needed_nodes():
            if node.operator not in SIZES - {"getitem"} and not numbers.isdisjoint(node.refs):
                numbers.add(number)
        return numbers

    def tensor(self, number: Any) -> Tensor | None:
        """Return the tensor of a reference; None for any other value."""
        position = number.value - self.first_tensor if isinstance(number, ValueRef) else -1
        return self.tensors[position] if 0 <= position < len(self.tensors) else None


def read_graph(claim: Any, arrays: Sequence[Any]) -> Graph:
    """Read a claimed graph and the arrays of its tensors.

    Raises:
        RefusedModel: something in it is not as the kit's own agent writes it.
    """
    claim = mapping(claim, "The module's graph")
    inputs = tuple(_input(entry) for entry in listing(claim.get("inputs"), "The inputs", MAX_INPUTS))
    names = tuple(listing(claim.get("names"), "The inputs' names", MAX_INPUTS))
    if not inputs or not all(type(name) is str for name in names) or len(set(names)) != len(names):
        raise RefusedModel("The module's graph has no inputs, or their names are not texts.")
    if names and len(names) != len(inputs):
        raise RefusedModel("The module's graph does not name each of its inputs.")
    entries = listing(claim.get("tensors"), "The tensors", MAX_TENSORS)
    if type(arrays) not in (list, tuple) or len(arrays) != len(entries):
        raise RefusedModel(f"The module has {len(entries)} tensors, and another number of arrays came with it.")
    tensors = tuple(
        _tensor(entry, array, len(inputs), number)
        for number, (entry, array) in enumerate(zip(entries, arrays, strict=True))
    )
    first = len(inputs) + len(tensors)
    reader = _NodeReader(first)
    nodes = tuple(reader.node(entry) for entry in listing(claim.get("nodes"), "The operators", MAX_NODES))
    count = first + len(nodes)
    outputs = tuple(
        integer(0, count - 1)(number, "An output") for number in listing(claim.get("outputs"), "The outputs", 16)
    )
    if not outputs:
        raise RefusedModel("The module's graph has no outputs.")
    needed = _needed(nodes, outputs, first)
    claims = listing(claim.get("modules", []), "The modules", MAX_MODULES)
    modules = tuple(_module_claim(entry, first, count) for entry in claims)
    graph = Graph(inputs, names, tensors, nodes, outputs, needed, claim.get("decomposed") is True, modules)
    _require_sizes_as_sizes(graph)
    return graph


def _require_sizes_as_sizes(graph: Graph) -> None:
    """Require that no output is computed with the number of rows, which may be a size.

    A network could do something else where there are many rows, as in the batches of a loss.

    Raises:
        RefusedModel: one is.
    """
    sizes: set[int] = set()
    for number, node in graph.needed_nodes():
        if node.operator in SIZES:
            sizes |= set() if node.operator == "getitem" else {number}
        elif not node.operator.startswith("arange."):
            numbers = [value for _, kind, value in typed_arguments(node) if kind in ("Tensor", "number")]
            if any(isinstance(value, ValueRef) and value.value in sizes for value in numbers):
                raise RefusedModel(
                    "The module is only asked: its forward computes with the number of rows.", kind_refused=True
                )


def by_axis(value: Any, axes: int) -> tuple[Any, ...]:
    """Return a setting for each axis, where an argument may hold one for all."""
    values = list(value) if isinstance(value, list) else [value]
    return tuple(values * axes if len(values) == 1 else values)


def overload(operator: str) -> Any:
    """Return the function of ``torch.ops.aten`` for a name of the closed list; None if this PyTorch has none."""
    import torch

    assert operator in OPERATORS
    name, kind = operator.split(".")
    return getattr(getattr(torch.ops.aten, name, None), kind, None)


def _input(entry: Any) -> Input:
    entry = mapping(entry, "An input")
    sizes = listing(entry.get("shape"), "An input's shape", 6)
    shape = tuple(integer(1, 10_000_000)(size, "A size of an input") for size in sizes)
    return Input(shape, one_of(*TYPES)(entry.get("dtype"), "An input's type"))


def _tensor(entry: Any, array: Any, first: int, number: int) -> Tensor:
    entry = mapping(entry, "A tensor")
    dtype = one_of(*TYPES)(entry.get("dtype"), "A tensor's type")
    wanted = np.dtype("float32" if dtype == "bfloat16" else dtype)
    if type(array) is np.ndarray and array.dtype != wanted and np.can_cast(wanted, array.dtype):
        with np.errstate(over="ignore"):
            array = array.astype(wanted)  # the codec widens floats that are infinite, as those of a mask are
    if type(array) is not np.ndarray or array.dtype != wanted:
        raise RefusedModel(f"A tensor of the module is no array of the type {dtype}.")
    if array.ndim > 6:
        raise RefusedModel("A tensor of the module has more than 6 dimensions.")
    parameter = boolean(entry.get("parameter"), "Whether a tensor is a parameter")
    if parameter and dtype in FLOATS and not np.isfinite(array).all():
        raise RefusedModel(
            "Weights of the module are not finite (NaN or infinite): the training diverged. "
            "Try a smaller learning rate."
        )
    of, name = entry.get("of"), entry.get("name")
    return Tensor(
        array,
        dtype,
        parameter,
        boolean(entry.get("trainable"), "Whether a tensor is trained") and dtype in FLOATS,
        one_of(*INITIALIZERS)(entry.get("initializer"), "A tensor's initializer"),
        -1 if of == -1 and type(of) is int else integer(first, first + number)(of, "The weight of a bias"),
        name if type(name) is str and len(name) <= MAX_NAME else "",
    )


def _module_claim(entry: Any, first: int, count: int) -> ModuleClaim:
    entry = mapping(entry, "A module")
    kind, settings = _layer(entry)
    name = entry.get("name")
    if type(name) is not str or len(name) > MAX_NAME:
        raise RefusedModel("The name of a module is no text.")
    numbers = listing(entry.get("values"), "The values of a module", MAX_NODES)
    return ModuleClaim(
        kind, settings, name, tuple(integer(first, count - 1)(number, "A value of a module") for number in numbers)
    )


def _layer(entry: Any, depth: int = 0) -> tuple[str, dict[str, Any]]:
    """Read the class of a layer of ``torch.nn`` and its settings."""
    kind, settings = mapping(entry, "A layer").get("class"), mapping(entry.get("settings"), "The settings of a layer")
    if type(kind) is not str or kind not in known_names("torch") or depth > 2 or len(settings) > _MAX_SETTINGS:
        raise RefusedModel("The module's graph names a layer that torch.nn does not have.")
    return kind, {name: _setting(value, depth) for name, value in settings.items()}


def _setting(value: Any, depth: int) -> Any:
    if type(value) is dict:
        return _layer(value, depth + 1)
    if type(value) is list:
        return [_setting(item, depth) for item in listing(value, "A setting", 8)]
    is_number = type(value) in (int, float) and abs(value) <= 2**40
    if value is None or type(value) is bool or is_number or (type(value) is str and len(value) <= 40):
        return value
    raise RefusedModel("A setting of a layer is no plain value.")


_MAX_SETTINGS = 40


class _NodeReader:
    """A reader of nodes, which may take only values that came before."""

    def __init__(self, values: int) -> None:
        self.values = values
        self.references = 0

    def node(self, entry: Any) -> Node:
        entry = listing(entry, "An operator", 3)
        if len(entry) != 3 or type(entry[0]) is not str or entry[0] not in OPERATORS | SIZES:
            raise RefusedModel(
                "The module's graph has an operator that the grader does not compute.", kind_refused=True
            )
        operator = entry[0]
        args = tuple(self._value(value) for value in listing(entry[1], "The arguments of an operator", 32))
        keywords = {
            name: self._value(value) for name, value in mapping(entry[2], "The arguments of an operator").items()
        }
        node = Node(operator, args, keywords)
        _check_arguments(node)
        self.values += 1
        return _by_place(node)

    def _value(self, value: Any, depth: int = 0) -> Any:
        if type(value) is dict:
            return self._tagged(value)
        if type(value) is list and depth < 2:
            return [self._value(item, depth + 1) for item in listing(value, "A list of an operator", MAX_ITEMS)]
        if value is None or type(value) is bool:
            return value
        if type(value) is int and abs(value) <= 2**63:
            return min(value, 2**63 - 1)
        if type(value) is float and math.isfinite(value):
            return value
        if type(value) is str and (value in _TEXTS or _EQUATION.fullmatch(value)):
            return value
        raise _no_argument()

    def _tagged(self, value: dict[Any, Any]) -> Any:
        if list(value) == ["value"]:
            self.references += 1
            if self.references > MAX_REFERENCES:
                raise RefusedModel("The module's graph is too large to be graded.")
            return ValueRef(integer(0, self.values - 1)(value["value"], "A value of the graph"))
        if list(value) == ["dtype"]:
            return DType(one_of(*TYPES)(value["dtype"], "A number type"))
        if list(value) == ["number"]:
            return float(one_of("inf", "-inf", "nan")(value["number"], "A number"))
        raise _no_argument()


def _no_argument() -> RefusedModel:
    return RefusedModel("An argument of an operator is no number, list or value of the graph.")


def _refs(value: Any) -> Iterator[ValueRef]:
    if isinstance(value, ValueRef):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _refs(item)


def _needed(nodes: Sequence[Node], outputs: Sequence[int], first: int) -> frozenset[int]:
    needed = set(outputs)
    for number in range(len(nodes) - 1, -1, -1):
        if first + number in needed:
            needed.update(nodes[number].refs)
    return frozenset(needed)


def typed_arguments(node: Node) -> list[tuple[str, str, Any]]:
    """Return the name and the type of each parameter that a node gives, and its argument."""
    parameters = _parameters(node.operator) or {}
    by_name = {**dict(zip(parameters, node.args, strict=False)), **node.keywords}
    return [(name, parameters[name][0], value) for name, value in by_name.items()]


# --- signatures --------------------------------------------------------------------------------------


def _check_arguments(node: Node) -> None:
    """Require that arguments have the types of the operator's own signature.

    Raises:
        RefusedModel: one has not, or this PyTorch has no such operator.
    """
    if node.operator in SIZES:
        if node.keywords or not 1 <= len(node.args) <= 2:
            raise RefusedModel("A size of the module's graph is computed from something else than two numbers.")
        return
    parameters = _parameters(node.operator)
    if parameters is None:
        raise RefusedModel("This PyTorch does not have an operator of the module's graph.", kind_refused=True)
    arguments = {**dict(zip(parameters, node.args, strict=False)), **node.keywords}
    fits = len(node.args) <= len(parameters) and len(arguments) == len(node.args) + len(node.keywords)
    fits = fits and all(
        name in parameters and _fits(value, parameters[name][0]) and _is_choice(name, value)
        for name, value in arguments.items()
    )
    if not fits or any(required and name not in arguments for name, (_, required) in parameters.items()):
        raise RefusedModel("An operator of the module's graph has arguments that do not fit it.")
    flag = _TRAINING.get(node.operator)
    if flag is not None and node.args[flag : flag + 1] != (False,):
        raise RefusedModel(_DROPS if "dropout" in node.operator else _AS_IN_TRAINING, kind_refused=True)
    if node.operator == "instance_norm.default" and node.argument(5, "use_input_stats") is not True:
        raise RefusedModel(
            "The module's graph normalizes in a way that the grader does not compute.", kind_refused=True
        )
    if node.operator == "scaled_dot_product_attention.default" and node.argument(4, "dropout_p", 0.0) != 0:
        raise RefusedModel("The module's graph draws at random.", kind_refused=True)


def _is_choice(name: str, value: Any) -> bool:
    """Return whether an argument that PyTorch takes as the number of a choice, and does not check, is one."""
    if name == "dtype":
        return value is None or isinstance(value, DType)
    return name not in _CHOICES or value is None or (type(value) in (bool, int) and value in _CHOICES[name])


_CHOICES = {"memory_format": range(4), "layout": range(1), "pin_memory": range(1)}


def _by_place(node: Node) -> Node:
    """Return a node with its arguments by their places, as far as they have one: costs are read off these."""
    if node.operator in SIZES or not node.keywords:
        return node
    args, keywords = list(node.args), dict(node.keywords)
    for name in _places(node.operator)[len(args) :]:
        if name not in keywords:
            break
        args.append(keywords.pop(name))
    return Node(node.operator, tuple(args), keywords)


@functools.cache
def _places(operator: str) -> list[str]:
    return [argument.name for argument in overload(operator)._schema.arguments if not argument.kwarg_only]


@functools.cache
def _parameters(operator: str) -> dict[str, tuple[str, bool]] | None:
    """Return the parameters of an operator: name → its type, and whether it has to be given."""
    function = overload(operator)
    if function is None:
        return None
    return {
        argument.name: (str(argument.type), not argument.has_default_value()) for argument in function._schema.arguments
    }


def _fits(value: Any, kind: str) -> bool:
    """Return whether a value may be given for a parameter of a type, in the words of PyTorch's signatures."""
    if kind.startswith("Optional["):
        return value is None or _fits(value, kind[len("Optional[") : -1])
    if kind.startswith("List["):
        inner = kind[len("List[") : -1]
        return (type(value) is list and all(_fits(item, inner) for item in value)) or (
            inner in ("int", "float") and type(value) in (int, float)
        )
    if isinstance(value, ValueRef):
        return kind in ("Tensor", "int", "number")  # whether it is a tensor or a size is known when it is computed
    if isinstance(value, DType):
        return kind == "int"
    allowed = {
        "Tensor": (bool, int, float),
        "int": (int,),
        "float": (int, float),
        "number": (bool, int, float),
        "bool": (bool,),
        "str": (str,),
    }
    return type(value) in allowed.get(kind, ())
