"""Operations of PyTorch's exported graphs, written as those of Keras. Runs inside the student's kernel.

Each function takes the graph, the node, and the node's arguments. What is not in the table is not read.
"""

from __future__ import annotations

from typing import Any

from .torch_graph import ROWS, Graph, Value
from .torch_layers import LAYERS, Function, HiddenState, Zeros, require


def _unary(class_name: str, **config: Any) -> Function:
    return lambda graph, node, x: graph.operation(node, class_name, [x], config, last=x.last)


def _binary(class_name: str) -> Function:
    def apply(graph: Graph, node: Any, a: Any, b: Any, alpha: Any = 1) -> Value:
        require(alpha == 1)
        values = [one for one in (a, b) if isinstance(one, Value)]
        numbers = [one for one in (a, b) if isinstance(one, (int, float))]
        last = bool(values) and all(one.last for one in values) and len(values) + len(numbers) == 2
        last = last and len({len(one.shape) for one in values}) == 1
        pair = [a, b] if last else [graph.first(a), graph.first(b)]
        return graph.operation(node, class_name, pair, last=last)

    return apply


def _swapped(function: Function) -> Function:
    return lambda graph, node, a, b, alpha=1: function(graph, node, b, a, alpha)


def _over_axis(class_name: str) -> Function:
    def apply(graph: Graph, node: Any, x: Value, dim: int, *arguments: Any) -> Value:
        require(dim % len(x.shape))
        return graph.operation(node, class_name, [graph.first(x)], {"axis": dim})

    return apply


def _reduction(class_name: str) -> Function:
    def apply(graph: Graph, node: Any, x: Value, dim: Any = None, keepdim: bool = False, **options: Any) -> Value:
        dims = dim if isinstance(dim, list) else [dim]
        require(dims and None not in dims)
        rank = len(x.shape)
        axes = sorted(axis % rank for axis in dims)
        require(0 not in axes)
        if x.last and 1 not in axes and (keepdim or len(axes) == rank - 2):
            config = {"axis": [axis - 1 for axis in axes], "keepdims": keepdim}
            return graph.operation(node, class_name, [x], config, last=keepdim)
        return graph.operation(node, class_name, [graph.first(x)], {"axis": axes, "keepdims": keepdim})

    return apply


def _largest(class_name: str) -> Function:
    def apply(graph: Graph, node: Any, x: Value, dim: Any = None, keepdim: bool = False) -> Value:
        require(isinstance(dim, int) and dim % len(x.shape))
        return graph.operation(node, class_name, [graph.first(x)], {"axis": dim, "keepdims": keepdim})

    return apply


def _reshaped(graph: Graph, node: Any, x: Any, *arguments: Any, **options: Any) -> Any:
    """Write what keeps the order of a row's numbers: view, flatten, squeeze and the like."""
    if isinstance(x, HiddenState):
        require(node.meta["val"].ndim == 2 and x.layers == 1)
        return x.value
    shape = graph.shape_of(node)
    require(isinstance(x, Value) and shape[:1] == (None,))
    if shape == x.shape:
        return x
    return graph.operation(node, "Reshape", [graph.first(x)], {"newshape": [-1, *shape[1:]]})


def _same(graph: Graph, node: Any, x: Any, *arguments: Any, **options: Any) -> Any:
    if not isinstance(x, Value):
        return x
    dtype = str(node.meta["val"].dtype).replace("torch.", "")
    return x if dtype == x.dtype else graph.operation(node, "Cast", [x], {"dtype": dtype}, last=x.last)


def _permuted(graph: Graph, node: Any, x: Value, dims: Any) -> Value:
    axes = [dim % len(x.shape) for dim in dims]
    require(axes[0] == 0)
    return graph.operation(node, "Transpose", [graph.first(x)], {"axes": axes})


def _transposed(graph: Graph, node: Any, x: Value, first: int, second: int) -> Value:
    axes = list(range(len(x.shape)))
    axes[first], axes[second] = axes[second], axes[first]
    return _permuted(graph, node, x, axes)


def _joined(class_name: str) -> Function:
    def apply(graph: Graph, node: Any, values: Any, dim: int = 0) -> Value:
        rank = node.meta["val"].ndim
        require(dim % rank)
        if all(isinstance(one, Value) and one.last for one in values) and class_name == "Concatenate":
            places = [0, rank - 1, *range(1, rank - 1)]
            return graph.operation(node, class_name, [values], {"axis": places[dim % rank]}, last=True)
        return graph.operation(node, class_name, [[graph.first(one) for one in values]], {"axis": dim})

    return apply


def _sliced(
    graph: Graph, node: Any, x: Value, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Value:
    dim %= len(x.shape)
    end = None if end is None or (isinstance(end, int) and end > 2**31) else end
    if dim == 0 or ROWS in (start, end):
        require(dim == 0 and start in (None, 0) and end in (None, ROWS) and step == 1)
        return x
    key = [*([slice(None)] * dim), slice(start, end, step)]
    return graph.operation(node, "GetItem", [graph.first(x), key])


def _selected(graph: Graph, node: Any, x: Any, dim: int, index: int) -> Value:
    if isinstance(x, HiddenState):
        require(dim == 0 and index in (-1, x.layers - 1))
        return x.value
    require(dim % len(x.shape))
    return graph.operation(node, "GetItem", [graph.first(x), [*([slice(None)] * (dim % len(x.shape))), index]])


def _split(graph: Graph, node: Any, x: Value, size: Any, dim: int = 0) -> list[Value]:
    sizes = [tensor.shape[dim] for tensor in node.meta["val"]]
    dim %= len(x.shape)
    require(dim)
    parts, start, plain = [], 0, graph.first(x)
    for count in sizes:
        key = [*([slice(None)] * dim), slice(start, start + count)]
        shape = (*x.shape[:dim], count, *x.shape[dim + 1 :])
        parts.append(graph.operation(None, "GetItem", [plain, key], shape=shape, dtype=x.dtype))
        start += count
    return parts


def _getitem(graph: Graph, node: Any, values: Any, index: int) -> Any:
    require(isinstance(values, list) and index < len(values))
    return values[index]


def _matmul(graph: Graph, node: Any, a: Any, b: Any) -> Value:
    return graph.operation(node, "Matmul", [graph.first(a), graph.first(b)])


def _attention(graph: Graph, node: Any, q: Value, k: Value, v: Value, mask: Any = None, dropout: float = 0.0,
               causal: bool = False, **options: Any) -> Value:  # fmt: skip
    require(mask is None and not causal and set(options) <= {"scale"} and options.get("scale") is None)
    rank = len(q.shape)
    shape = {"shape": (*q.shape[:-1], k.shape[-2]), "dtype": q.dtype}
    axes = [*range(rank - 2), rank - 1, rank - 2]
    turned = {"shape": (*k.shape[:-2], k.shape[-1], k.shape[-2]), "dtype": k.dtype}
    keys = graph.operation(None, "Transpose", [graph.first(k)], {"axes": axes}, **turned)
    scores = graph.operation(None, "Matmul", [graph.first(q), keys], **shape)
    scaled = graph.operation(None, "Multiply", [scores, q.shape[-1] ** -0.5], **shape)
    return graph.operation(
        node, "Matmul", [graph.operation(None, "Softmax", [scaled], {"axis": -1}, **shape), graph.first(v)]
    )


def _clipped(graph: Graph, node: Any, x: Value, low: Any = None, high: Any = None) -> Value:
    if low is None or high is None:
        name, edge = ("Minimum", high) if low is None else ("Maximum", low)
        return graph.operation(node, name, [x, edge], last=x.last)
    return graph.operation(node, "Clip", [x], {"x_min": low, "x_max": high}, last=x.last)


def _hard_tanh(graph: Graph, node: Any, x: Value, low: float = -1.0, high: float = 1.0) -> Value:
    return (
        graph.operation(node, "Relu6", [x], last=x.last)
        if (low, high) == (0, 6)
        else _clipped(graph, node, x, low, high)
    )


def _where(graph: Graph, node: Any, condition: Any, x: Any, y: Any) -> Value:
    return graph.operation(node, "Where", [graph.first(condition), graph.first(x), graph.first(y)])


def _elu(graph: Graph, node: Any, x: Value, alpha: float = 1.0, *arguments: Any) -> Value:
    require(not arguments or set(arguments) == {1})
    return graph.operation(node, "Elu", [x], {"alpha": float(alpha)}, last=x.last)


def _gelu(graph: Graph, node: Any, x: Value, approximate: str = "none") -> Value:
    return graph.operation(node, "Gelu", [x], {"approximate": approximate == "tanh"}, last=x.last)


def _leaky(graph: Graph, node: Any, x: Value, slope: float = 0.01) -> Value:
    return graph.operation(node, "LeakyRelu", [x], {"negative_slope": float(slope)}, last=x.last)


def _softplus(graph: Graph, node: Any, x: Value, beta: float = 1, threshold: float = 20) -> Value:
    require(beta == 1)
    return graph.operation(node, "Softplus", [x], last=x.last)


def _filled(graph: Graph, node: Any, sizes: Any, *arguments: Any, **options: Any) -> Zeros:
    """Return zeros for each row; those for a known number of rows are a constant."""
    return Zeros()


_RENAMED = {
    "neg": "Negative", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "rsqrt": "Rsqrt", "abs": "Abs", "sin": "Sin",
    "cos": "Cos", "tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "Relu", "relu6": "Relu6", "silu": "Silu",
    "selu": "Selu",
    "log_sigmoid": "LogSigmoid", "hardswish": "HardSilu", "hardsigmoid": "HardSigmoid", "square": "Square",
    "reciprocal": "Reciprocal", "sign": "Sign", "floor": "Floor", "erf": "Erf", "log1p": "Log1p", "expm1": "Expm1",
    "logical_not": "LogicalNot", "mish": "Mish", "softsign": "Softsign",
}  # fmt: skip
_PAIRS = {
    "add": "Add", "sub": "Subtract", "mul": "Multiply", "div": "Divide", "pow": "Power", "maximum": "Maximum",
    "minimum": "Minimum", "gt": "Greater", "lt": "Less", "ge": "GreaterEqual", "le": "LessEqual", "eq": "Equal",
    "ne": "NotEqual", "logical_and": "LogicalAnd", "logical_or": "LogicalOr",
}  # fmt: skip

FUNCTIONS: dict[str, Function] = {
    **LAYERS,
    **{name: _unary(class_name) for name, class_name in _RENAMED.items()},
    **{name: _binary(class_name) for name, class_name in _PAIRS.items()},
    **dict.fromkeys(("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "_unsafe_view"), _reshaped),
    **dict.fromkeys(("clone", "contiguous", "detach", "alias", "to", "_to_copy", "lift_fresh_copy", "type_as"), _same),
    **dict.fromkeys(("matmul", "mm", "bmm"), _matmul),
    "zeros": _filled,
    "rsub": _swapped(_binary("Subtract")),
    "softmax": _over_axis("Softmax"),
    "log_softmax": _over_axis("LogSoftmax"),
    "mean": _reduction("Mean"),
    "sum": _reduction("Sum"),
    "amax": _reduction("Max"),
    "amin": _reduction("Min"),
    "argmax": _largest("Argmax"),
    "argmin": _largest("Argmin"),
    "permute": _permuted,
    "transpose": _transposed,
    "cat": _joined("Concatenate"),
    "stack": _joined("Stack"),
    "slice": _sliced,
    "select": _selected,
    "split": _split,
    "split_with_sizes": _split,
    "chunk": _split,
    "getitem": _getitem,
    "scaled_dot_product_attention": _attention,
    "clamp": _clipped,
    "hardtanh": _hard_tanh,
    "where": _where,
    "masked_fill": lambda graph, node, x, mask, value: _where(graph, node, mask, value, x),
    "elu": _elu,
    "gelu": _gelu,
    "leaky_relu": _leaky,
    "softplus": _softplus,
    "sym_size": lambda graph, node, x, dim: ROWS if dim == 0 else x.shape[dim],
}
"""Name in ``torch.ops.aten``, without its overload → what writes it."""
