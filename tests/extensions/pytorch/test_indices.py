"""Arguments of operators by which numbers are looked up: one that is out of range, anywhere in its list, is refused.

Some of PyTorch's operators look at the ends of such a list only, or at nothing, and would read memory of something else.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed here")

LOWEST, HIGHEST = -(2**63), 2**63 - 1
OUT_OF_RANGE = (-1, LOWEST, -(10**9), 5, 10**9, HIGHEST)
"""Put into the middle of a list of indices of an axis with five places."""
AS_IN_PYTHON = (-6, *OUT_OF_RANGE[1:])
"""The same where -1 is the last place."""


def of(numbers: list[int], *shape: int) -> Any:
    import torch

    return torch.tensor(numbers).reshape(shape or (-1,))


def table(*shape: int) -> Any:
    import torch

    return torch.arange(float(np.prod(shape))).reshape(shape)


def bag(indices: Any, offsets: Any) -> list[Any]:
    return [table(5, 3), indices, offsets, False, 0, False, None, False, None]


CASES: dict[str, tuple[str, Any, tuple[int, ...]]] = {
    "embedding.default": ("indices", lambda i: [table(5, 3), i], OUT_OF_RANGE),
    "embedding_bag.padding_idx": ("indices", lambda i: bag(i, of([0, 2])), OUT_OF_RANGE),
    "offsets of embedding_bag.padding_idx": ("offsets", lambda i: bag(of([0, 1, 2, 3]), i), (*OUT_OF_RANGE, 0)),
    "gather.default": ("index", lambda i: [table(5), 0, i], OUT_OF_RANGE),
    "index_select.default": ("index", lambda i: [table(5, 2), 0, i], OUT_OF_RANGE),
    "index_add.default": ("index", lambda i: [table(2, 5), -1, i, table(2, 5)], OUT_OF_RANGE),
    "scatter.src": ("index", lambda i: [table(5), 0, i, table(5)], OUT_OF_RANGE),
    "scatter.value": ("index", lambda i: [table(5), 0, i, 1.0], OUT_OF_RANGE),
    "scatter_add.default": ("index", lambda i: [table(5), 0, i, table(5)], OUT_OF_RANGE),
    "scatter_reduce.two": ("index", lambda i: [table(5), 0, i, table(5), "sum"], OUT_OF_RANGE),
    "index.Tensor": ("indices", lambda i: [table(3, 5), [None, i]], AS_IN_PYTHON),
    "index_put.default": ("indices", lambda i: [table(3, 5), [None, i], table(1)], AS_IN_PYTHON),
}
"""Operator → the argument, the arguments with a list of five indices, and what may not be among these."""


def computed(operator: str, arguments: list[Any]) -> Any:
    import torch

    from autograder.extensions.pytorch.computation import _call

    return _call(operator, arguments, {}, torch.device("cpu"), False)


@pytest.mark.parametrize("name", CASES)
def test_a_list_within_the_range_is_computed(name: str) -> None:
    assert computed(name.split()[-1], CASES[name][1](of([0, 1, 2, 3, 4]))) is not None


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, (_, _, numbers) in CASES.items() for number in numbers]
)
def test_a_number_out_of_range_in_the_middle_of_a_list_is_refused(name: str, number: int) -> None:
    _, arguments, _ = CASES[name]
    with pytest.raises(IndexError):
        computed(name.split()[-1], arguments(of([0, 1, number, 3, 4])))


def test_every_operator_with_an_index_is_among_the_cases() -> None:
    from autograder.extensions.pytorch.kernel_side.torch_operators import OPERATORS
    from autograder.extensions.pytorch.operator_graph import overload

    with_index = {
        (operator, argument.name)
        for operator in OPERATORS
        if (function := overload(operator)) is not None
        for argument in function._schema.arguments
        if argument.name in ("index", "indices", "offsets", "batch_sizes", "target") and "Tensor" in str(argument.type)
    }
    assert with_index == {(name.split()[-1], argument) for name, (argument, _, _) in CASES.items()}
    others = ("take", "max_unpool", "nll", "bincount", "embedding_bag.default", "put_", "unique", "repeat_interleave.T")
    assert not [name for name in OPERATORS if name.startswith(others)], "operators of which PyTorch checks less"


REFUSED: dict[str, Any] = {
    "a grid that is sampled in an unknown way": (
        "grid_sampler_2d.default",
        lambda: [table(1, 1, 4, 4), table(1, 2, 2, 2), 9, 9, False],
    ),
    "a picture by a scale that is not its own": (
        "upsample_bilinear2d.default",
        lambda: [table(1, 1, 4, 4), [8, 8], False, 1e-30, 1e-30],
    ),
    "weights of fewer gates": ("lstm.input", lambda: [*lstm([(2, 4), (24, 6)], False)]),
    "half a layer": ("lstm.input", lambda: [*lstm([(12, 4), (12, 6)], False)]),
    "biases of one number": ("lstm.input", lambda: [*lstm([(24, 4), (24, 6), (1,), (1,)], True)]),
    "bags of a table of three dimensions": (
        "embedding_bag.padding_idx",
        lambda: [table(5, 3, 2), *bag(of([0, 1]), of([0]))[1:]],
    ),
}


def lstm(shapes: list[tuple[int, ...]], has_biases: bool) -> list[Any]:
    states = [table(1, 3, 6), table(1, 3, 6)]
    return [table(3, 5, 4), states, [table(*shape) for shape in shapes], has_biases, 1, 0.0, False, False, True]


@pytest.mark.parametrize("name", REFUSED)
def test_what_pytorch_takes_for_granted_is_required(name: str) -> None:
    operator, arguments = REFUSED[name]
    with pytest.raises(ValueError, match=r"unknown|scale|shape|table"):
        computed(operator, arguments())


def test_a_recurrent_layer_of_several_ways_has_the_shapes_that_pytorch_gives_it() -> None:
    import torch
    from torch import nn

    for made, operator in [(nn.LSTM, "lstm.input"), (nn.GRU, "gru.input"), (nn.RNN, "rnn_tanh.input")]:
        for two_way, biases in [(True, True), (False, False)]:
            layer = made(4, 6, num_layers=2, bidirectional=two_way, bias=biases, batch_first=True)
            x, state = torch.rand(3, 5, 4), torch.zeros(4 if two_way else 2, 3, 6)
            states = [state, state] if made is nn.LSTM else state
            output = computed(operator, [x, states, list(layer.parameters()), biases, 2, 0.0, False, two_way, True])
            torch.testing.assert_close(output[0], layer(x)[0])


@pytest.mark.parametrize(("name", "number"), [("memory_format", 4), ("layout", 9), ("pin_memory", True), ("dtype", 99)])
def test_the_number_of_a_choice_that_there_is_not_is_refused(name: str, number: int) -> None:
    """PyTorch's shapes without numbers end the process by such a number."""
    from autograder.extensions.pytorch.operator_graph import read_graph
    from autograder.models import RefusedModel

    claim = {
        "inputs": [{"shape": [4], "dtype": "float32"}],
        "names": [],
        "tensors": [],
        "nodes": [["_to_copy.default", [{"value": 0}], {name: number}]],
        "outputs": [1],
    }
    with pytest.raises(RefusedModel):
        read_graph(claim, [])
