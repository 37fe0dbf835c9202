"""Layers of ``torch.nn`` by name, where a kernel names one for some operators and the examiner's computes the same.

The name and the settings of a layer are claims. The examiner builds the layer with these settings and the graph's own
tensors, and compares it with the operators on rows that it draws. What differs has no such name.
"""

from __future__ import annotations

import inspect
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autograder.extensions.pytorch.computation import compute, one_thread, tensors_in
from autograder.extensions.pytorch.graph_part import graph_part
from autograder.extensions.pytorch.operator_graph import FLOATS, Graph, ModuleClaim, Shapes, Tensor
from autograder.models.argument_values import RefusedModel

MAX_NUMBERS = 30_000_000
"""Most numbers that a layer may make on the way."""
_ROWS, _MEASURED_ROWS = 5, 3
_UNSEEN = frozenset(["dropout", "p", "momentum", "track_running_stats", "enable_nested_tensor"])
"""Settings that change nothing outside of a training, so that they stay claims."""
_MAX_CALLS = 64
_MAX_LAYERS = 100
_DRAW = np.random.default_rng()


@dataclass(frozen=True)
class NamedModule:
    """A layer that computes some values of a graph."""

    kind: str
    config: Mapping[str, Any]
    inside: frozenset[int]
    end: int
    """The last value that is needed outside of it."""


def named_modules(graph: Graph, shapes: Shapes, kinds: Collection[str]) -> list[NamedModule]:
    """Return the layers of these kinds that the examiner computes as the graph does; the outer ones alone.

    Args:
        graph: the graph.
        shapes: number of a value → its shape, as it was measured.
        kinds: classes of ``torch.nn``.
    """
    modules_found: list[NamedModule] = []
    for claim in sorted(graph.modules, key=lambda claim: -len(claim.values)):
        inside = frozenset(claim.values) & graph.needed
        if claim.kind in kinds and inside and not any(inside & other.inside for other in modules_found):
            with suppress(Exception):  # settings, shapes or types do not fit: it is none
                end = _verified(graph, shapes, claim, inside)
                config = {name: value for name, value in claim.settings.items() if name not in _UNSEEN}
                modules_found += [] if end is None else [NamedModule(claim.kind, config, inside, end)]
    return modules_found


def _verified(graph: Graph, shapes: Shapes, claim: ModuleClaim, inside: frozenset[int]) -> int | None:
    """Return the last value that a layer gives; None if the examiner's layer gives others."""
    import torch

    of_data, used = graph.of_data(), set(graph.outputs)
    for number, node in graph.needed_nodes():
        used.update(() if number in inside else node.refs)
    taken_refs = {ref for number in inside for ref in graph.node(number).refs} - inside
    starts = sorted(taken_refs & of_data)
    ends = [number for number in sorted(inside & used) if number in of_data]
    layer = _built(claim)
    state, own_numbers = _state(graph, claim.name, layer)
    masks = [
        ref for ref in sorted(taken_refs - of_data - own_numbers) if len(shapes.get(ref, _held_shape(graph, ref))) > 1
    ]
    part = graph_part(graph, shapes, inside & of_data, starts, [*ends, *masks], [shapes[start][1:] for start in starts])
    if part is None or not ends or any(shapes[start][:1] != (_MEASURED_ROWS,) for start in starts):
        return None
    with one_thread(), _plain_attention(), torch.no_grad():
        rows = [torch.from_numpy(_rows(shapes[start][1:])) for start in starts]
        results = compute(part, rows, [_tensor(held) for held in part.tensors])
        wanted, given_masks = results[: len(ends)], results[len(ends) :]
        operators = _operators(lambda: compute(part, *_shapes_alone((rows, [_tensor(held) for held in part.tensors]))))
        for args, keywords in _calls(layer, rows, given_masks):
            with suppress(Exception):
                if operators - _operators(
                    partial(torch.func.functional_call, layer, *_shapes_alone((state, args, keywords)))
                ):
                    continue
                results_of_layer = [*tensors_in(torch.func.functional_call(layer, state, args, keywords))]
                if all(any(_same(result, value) for result in results_of_layer) for value in wanted):
                    return ends[-1]
    return None


def _held_shape(graph: Graph, number: int) -> tuple[int, ...]:
    position = number - graph.first_tensor
    return tuple(graph.tensors[position].array.shape) if 0 <= position < len(graph.tensors) else ()


def _rows(shape: tuple[int, ...]) -> np.ndarray:
    scales = 10.0 ** _DRAW.uniform(-3, 1, (_ROWS, *[1] * len(shape)))
    return _DRAW.normal(size=(_ROWS, *shape)) * scales


def _built(claim: ModuleClaim) -> Any:
    """Return the layer without numbers: its memory is that of its settings alone."""
    import torch

    def made(kind: str, settings: Mapping[str, Any]) -> Any:
        cls = getattr(torch.nn, kind)
        parameters = inspect.signature(cls).parameters
        if any(
            name.endswith("layers") and type(value) is int and value > _MAX_LAYERS for name, value in settings.items()
        ):
            raise RefusedModel("A layer is made of too many.")
        values = {
            name: made(*value) if isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], dict) else value
            for name, value in settings.items()
            if name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        }
        return cls(**values)

    with torch.device("meta"):
        return made(claim.kind, claim.settings).eval()


def _state(graph: Graph, name: str, layer: Any) -> tuple[dict[str, Any], set[int]]:
    """Return the tensors of the graph that a layer has by their names, and their numbers.

    Raises:
        RefusedModel: one has another shape than the settings say.
    """
    prefix = f"{name}." if name else ""
    shapes = {prefix + key: (key, tuple(tensor.shape)) for key, tensor in layer.state_dict().items()}
    state, numbers = {}, set()
    for number, tensor in enumerate(graph.tensors, graph.first_tensor):
        if tensor.name in shapes:
            key, shape = shapes[tensor.name]
            if shape != tensor.array.shape:
                raise RefusedModel("A tensor of a layer has another shape than its settings say.")
            state[key] = _tensor(tensor)
            numbers.add(number)
    return state, numbers


def _tensor(held: Tensor) -> Any:
    import torch

    tensor = torch.from_numpy(held.array.copy())
    return tensor.double() if held.dtype in FLOATS else tensor


def _calls(layer: Any, rows: Sequence[Any], masks: Sequence[Any]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield the ways to call a layer with these rows: each argument that it requires is one of them."""
    parameters = [*inspect.signature(layer.forward).parameters.values()]
    required = sum(p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)
    places = [p.name for p in parameters if "mask" in p.name and p.default is not p.empty]
    count = max(required, len(rows))
    flags: list[dict[str, Any]] = [{}, *({p.name: not p.default} for p in parameters if type(p.default) is bool)]
    keywords = [
        {**dict(zip(chosen, masks, strict=True)), **flag}
        for chosen in itertools.permutations(places, len(masks))
        for flag in flags
    ]
    for chosen in itertools.islice(itertools.product(range(len(rows)), repeat=count), _MAX_CALLS):
        if len(set(chosen)) == len(rows):
            for words in keywords[:_MAX_CALLS]:
                yield tuple(rows[place] for place in chosen), words


def _operators(computation: Callable[[], Any]) -> Counter[tuple[str, tuple[int, ...]]]:
    """Count the operators that compute something, with the shapes of their results; numbers are none of theirs.

    What a layer hides beside its own operators would show here, whatever it makes of the rows that were drawn.

    Raises:
        RefusedModel: they make too many numbers.
    """
    from torch.utils._python_dispatch import TorchDispatchMode

    total, counts = 0, Counter[tuple[str, tuple[int, ...]]]()

    class Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            nonlocal total
            result = function(*args, **(kwargs or {}))
            for tensor in tensors_in(result):
                total += tensor.numel()
                if not function.is_view and function.overloadpacket.__name__ not in _COPIES:
                    counts[str(function), tuple(tensor.shape)] += 1
            if total > MAX_NUMBERS:
                raise RefusedModel("A layer makes more numbers than are computed.")
            return result

    with Counting():  # type: ignore[no-untyped-call]
        computation()
    return counts


_COPIES = frozenset([
    "clone", "_to_copy", "_unsafe_view", "copy", "copy_", "detach", "alias", "lift_fresh", "empty", "empty_like",
    "new_empty", "new_empty_strided", "empty_strided",
])  # fmt: skip


def _shapes_alone(values: Any) -> Any:
    """Return tensors without their numbers; one that is there twice is one again, which attention asks for."""
    import torch

    emptied: dict[int, Any] = {}

    def empty(held: Any) -> Any:
        return emptied.setdefault(id(held), torch.empty_like(held, device="meta"))

    return torch.utils._pytree.tree_map_only(torch.Tensor, empty, values)


def _same(actual: Any, expected: Any) -> bool:
    import torch

    return actual.shape == expected.shape and torch.allclose(actual, expected, rtol=1e-6, atol=1e-9, equal_nan=True)


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Compute attention as it is written, without PyTorch's quicker way for whole layers."""
    import torch

    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
