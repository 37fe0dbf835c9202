"""The computation of a graph by PyTorch, one operator after the other; no code is generated from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from autograder.extensions.networks.dropped import DropoutFactors
from autograder.extensions.networks.torch_precision import drawn_again
from autograder.extensions.pytorch.kernel_side.torch_operators import DRAWN, DRAWS, SIZES, SOURCES
from autograder.extensions.pytorch.operator_graph import DType, Graph, Node, ValueRef, overload
from autograder.models.argument_values import RefusedModel

_LIKE = ("zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full")
"""Operators that take the device of their argument."""
_PLACED = frozenset(name for name in SOURCES if not name.startswith(_LIKE)).union(
    ["rand.default", "randn.default", "normal.float_float"]
)
"""Operators that have no such argument."""
DROPS = frozenset(["dropout.default", "feature_dropout.default"])
DROPOUT = DROPS.union(["alpha_dropout.default"])
RECURRENT = {"lstm.input": 4, "gru.input": 3, "rnn_tanh.input": 1, "rnn_relu.input": 1}
"""Recurrent layer → the number of its gates."""
_ALONG_AXIS = frozenset([
    "gather.default", "index_select.default", "index_add.default", "scatter.src", "scatter.value",
    "scatter_add.default", "scatter_reduce.two",
])  # fmt: skip
"""Operators that take an axis, and indices along it."""
_VIEWS = {
    "view.default": "reshape.default",
    "_unsafe_view.default": "reshape.default",
    "view_as.default": "reshape_as.default",
}
"""Operator that needs numbers which lie in order → one that gives the same numbers in any order.

The result of an attention lies in an order that depends on the device and on training. An export leaves out a
``contiguous`` that did nothing."""
_MAX_SIZE = 2**40

Watch = Callable[[int, Sequence[Any], Any], None]
"""``watch(number, arguments, result)`` sees what the operator of a number takes and gives."""


def compute(
    graph: Graph,
    inputs: Sequence[Any],
    tensors: Sequence[Any],
    *,
    training: bool = False,
    by_chance: bool = True,
    draw_seed: int | None = None,
    factors: DropoutFactors | None = None,
    watch: Watch | None = None,
) -> list[Any]:
    """Compute the outputs of a graph.

    Args:
        graph: what to compute.
        inputs: tensors of PyTorch, rows first.
        tensors: the tensors of the module; in a training, running averages among them change.
        training: whether dropout drops, and normalizations use the rows of the batch.
        by_chance: whether random operators draw; else each gives :data:`DRAWN`.
        draw_seed: what determines a draw, with the count of its numbers.
        factors: what stands for numbers that are dropped in a training.
        watch: sees each operator.

    Raises:
        Exception: shapes or types do not fit, or an index is out of range.
    """
    values: dict[int, Any] = dict(enumerate([*inputs, *tensors]))
    device = inputs[0].device
    last = _last_uses(graph)
    for number, node in graph.needed_nodes():
        args = [_argument(value, values) for value in node.args]
        values[number] = _result(node, args, values, device, training)
        if node.operator in DRAWS and draw_seed is not None:
            draw = partial(_result, node, args, values, device, training)
            values[number] = drawn_again(draw, values[number], draw_seed)
        elif node.operator in DRAWS and not by_chance:
            values[number] = values[number].new_full(values[number].shape, DRAWN)
        elif factors is not None and node.operator in DROPS:
            values[number] = args[0] * _factor(node.operator, args, factors)
        if watch is not None:
            watch(number, args, values[number])
        for unused in last.get(number, ()):
            values.pop(unused, None)
    outputs = [values[number] for number in graph.outputs]
    if not all(_is_tensor(output) for output in outputs):
        raise RefusedModel("The module's graph gives something other than tensors.")
    return outputs


def _factor(operator: str, args: Sequence[Any], factors: DropoutFactors) -> Any:
    """Return what a dropout multiplies its numbers by."""
    import torch

    factor = factors.factor(args[1], args[0].shape[1:], of_features=operator.startswith("feature"))
    return torch.from_numpy(factor).to(args[0].dtype)


def call_operator(node: Node, values: Mapping[int, Any]) -> Any:
    """Compute one operator from the values that it takes, as :func:`compute` does.

    Raises:
        Exception: shapes or types do not fit.
    """
    import torch

    args = [_argument(value, values) for value in node.args]
    return _result(node, args, values, torch.device("cpu"), training=False)


def _last_uses(graph: Graph) -> Mapping[int, list[int]]:
    """Map a node to the results of earlier ones that no later one takes."""
    last: dict[int, int] = {}
    for number, node in graph.needed_nodes():
        last.update(dict.fromkeys(node.refs, number))
    uses: dict[int, list[int]] = {}
    for value, number in last.items():
        if value >= graph.first_node and value not in graph.outputs:
            uses.setdefault(number, []).append(value)
    return uses


def _argument(value: Any, values: Mapping[int, Any]) -> Any:
    if isinstance(value, ValueRef):
        return values[value.value]
    if isinstance(value, list):
        return [_argument(item, values) for item in value]
    return dtype_named(value.name) if isinstance(value, DType) else value


def dtype_named(name: str) -> Any:
    """Return PyTorch's number type of one of the names of :data:`operator_graph.TYPES`."""
    import torch

    return getattr(torch, name)


def _result(node: Node, args: list[Any], values: Mapping[int, Any], device: Any, training: bool) -> Any:
    if node.operator in SIZES:
        return _size(node.operator, args)
    keywords = {name: _argument(value, values) for name, value in node.keywords.items()}
    return _call(node.operator, args, keywords, device, training)


def _call(operator: str, args: list[Any], keywords: dict[str, Any], device: Any, training: bool) -> Any:
    if operator in _PLACED:
        keywords["device"] = device
    _require_safe(operator, args, keywords)
    if training:
        if operator in DROPOUT:
            args[2] = True
        elif operator == "batch_norm.default":
            args[5] = True
        elif operator in RECURRENT:
            args[6] = True
        elif operator == "_native_batch_norm_legit_no_training.default":
            x, weight, bias, mean, variance, momentum, epsilon = args
            return [overload("batch_norm.default")(x, weight, bias, mean, variance, True, momentum, epsilon, False)]
    return overload(_VIEWS.get(operator, operator))(*args, **keywords)


def _require_safe(operator: str, args: list[Any], keywords: Mapping[str, Any]) -> None:
    """Require what PyTorch itself does not check, and would end this process or read memory of something else.

    Indices are required to be within their axis for each operator that takes some, whatever PyTorch checks itself.

    Raises:
        ValueError: the arguments do not fit together.
        IndexError: an index is out of range.
    """
    if operator in _ALONG_AXIS:
        sizes = args[0].shape or (1,)
        _require_within(args[2], sizes[args[1]] if -len(sizes) <= args[1] < len(sizes) else 0)
    elif operator in ("index.Tensor", "index_put.default"):
        _require_places(args[0], args[1])
    elif operator == "embedding.default":
        _require_within(args[1], args[0].shape[0])
    elif operator == "embedding_bag.padding_idx":
        _require_bags(*args[:3])
    elif operator.startswith("grid_sampler"):
        if not (args[2] in (0, 1, 2) and args[3] in (0, 1, 2)):
            raise ValueError("an unknown kind of interpolation")  # its result would be memory as it was left
    elif operator.startswith("upsample") and operator.endswith(".default"):
        scales = [scale for scale in args[2:] if type(scale) is not bool]
        for scale, wanted, size in zip(scales, args[1], args[0].shape[2:], strict=False):
            if scale is not None and not abs(size * scale - wanted) <= 1:
                raise ValueError("a scale that is not the sizes'")  # places would be computed with it
    elif operator == "_native_batch_norm_legit_no_training.default":
        counts = {held.numel() for held in args[1:5] if held is not None}
        if counts != {args[0].shape[1]}:
            raise ValueError("statistics of another size")
    elif operator in RECURRENT:
        _require_recurrent(RECURRENT[operator], *args[:5], is_two_way=args[7])
    elif operator in ("div.Tensor_mode", "div.Scalar_mode") and keywords.get("rounding_mode") == "trunc":
        dividend, divisor = args
        is_whole = not any(_is_tensor(held) and held.is_floating_point() for held in args)
        is_there = not (_is_tensor(dividend) and dividend.is_meta)
        if is_whole and is_there and bool((divisor == -1).any() if _is_tensor(divisor) else divisor == -1):
            raise ValueError("the quotient of the lowest number and -1 has no place")  # the processor ends the process


def _require_within(index: Any, size: int, lowest: int = 0) -> None:
    """Require that all numbers of an index are from ``lowest`` on and below ``size``; shapes alone hold none."""
    if not _is_tensor(index) or index.is_meta or not index.numel() or index.is_floating_point():
        return
    least, most = index.aminmax() if index.ndim else (index, index)
    if int(least) < lowest or int(most) >= size:
        raise IndexError("index out of range")


def _require_places(tensor: Any, indices: Any) -> None:
    """Require that the indices of a Python-like indexing are within their axes; masks choose by themselves."""
    import torch

    axis = 0
    for index in indices:
        is_mask = _is_tensor(index) and index.dtype in (torch.bool, torch.uint8)
        if _is_tensor(index) and not is_mask and axis < tensor.ndim:
            _require_within(index, tensor.shape[axis], -tensor.shape[axis])
        axis += index.ndim if is_mask else 1


def _require_bags(weight: Any, indices: Any, offsets: Any) -> None:
    """Require that bags lie one behind the other among their indices: PyTorch looks at the ends of the offsets only."""
    if weight.ndim != 2 or indices.ndim != 1 or offsets.ndim != 1:
        raise ValueError("bags are a table, indices and offsets")
    _require_within(indices, weight.shape[0])
    _require_within(offsets, indices.shape[0] + 1)
    if not offsets.is_meta and bool((offsets[1:] < offsets[:-1]).any()):
        raise IndexError("offsets that fall")


def _require_recurrent(
    gates: int, x: Any, states: Any, weights: Any, has_biases: bool, layers: int, *, is_two_way: bool
) -> None:
    """Require the shapes of a recurrent layer's weights: one way of computing it takes them for granted."""
    directions, states = 2 if is_two_way else 1, states if isinstance(states, list) else [states]
    size = states[0].shape[-1]
    shapes = [
        shape
        for layer in range(min(layers, len(weights)))
        for _ in range(directions)
        for shape in [
            (gates * size, directions * size if layer else x.shape[-1]),
            (gates * size, size),
            *([(gates * size,)] * 2 if has_biases else []),
        ]
    ]
    if layers > len(weights) or [tuple(held.shape) for held in weights] != shapes:
        raise ValueError("weights of another shape")
    if any(held.shape[-1] != size or held.shape[0] != layers * directions for held in states):
        raise ValueError("states of another shape")


def _size(operator: str, args: list[Any]) -> Any:
    """Compute with sizes, or choose one of several results.

    Raises:
        RefusedModel: the arguments are something else.
    """
    if operator == "getitem" and isinstance(args[0], (list, tuple)) and type(args[1]) is int:
        return args[0][args[1]]
    if operator == "sym_size.int" and _is_tensor(args[0]) and type(args[1]) is int:
        return int(args[0].shape[args[1]])
    if len(args) == 2 and all(type(value) is int and abs(value) <= _MAX_SIZE for value in args):
        left, right = args
        if operator in ("floordiv", "mod"):
            return (left // right if operator == "floordiv" else left % right) if right else 0
        if operator in ("add", "sub", "mul"):
            return left + right if operator == "add" else left - right if operator == "sub" else left * right
    raise RefusedModel("A size of the module's graph is computed from something else than sizes.")


def _is_tensor(value: Any) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def tensors_in(value: Any) -> Iterator[Any]:
    """Yield the tensors among arguments or results."""
    if _is_tensor(value):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from tensors_in(item)


def gradients_of(outputs: Any, of_outputs: Any, tensors: Sequence[Any]) -> list[Any]:
    """Return the gradient of each tensor; None for one that has none.

    Args:
        outputs: one or several results.
        of_outputs: a gradient of each.
        tensors: those that the results may be computed from.
    """
    import torch

    wanted = [tensor for tensor in tensors if tensor.requires_grad]
    gradients = iter(torch.autograd.grad(outputs, wanted, of_outputs, allow_unused=True, retain_graph=True))
    return [next(gradients) if tensor.requires_grad else None for tensor in tensors]


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread in the block.

    Threads that wait keep a core busy, so that on a busy machine a training would count ten times its processor time.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def preserved_draws(seed: int | None = None) -> Iterator[None]:
    """Restore PyTorch's random state after the block, in which a seed determines the draws if there is one."""
    import torch

    with torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.default_generator.manual_seed(seed)
        yield
