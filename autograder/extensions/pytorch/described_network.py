"""A network as plain data without its weights, and made again from that with drawn ones."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograder.extensions.networks.network import InTraining
from autograder.extensions.pytorch import graph_numbers
from autograder.extensions.pytorch.computation import DROPS
from autograder.extensions.pytorch.computed_network import claim_of
from autograder.extensions.pytorch.kernel_side.torch_operators import SIZES
from autograder.extensions.pytorch.operator_graph import FLOATS, Graph, Node, read_graph, typed_arguments
from autograder.records.observations import MAX_NETWORK

_MAX_CONSTANTS = 4_096
_ROWS = 32
_MOST_TOKENS = 2
"""Tokens of a network without a table of them: 0 and 1, which every module took."""


def description(graph: Graph, row_kind: str) -> str:
    """Return JSON of what a graph computes; empty if it has constants of its own, or is too large.

    Constants that differ from place to place may be drawn anew in each run of a notebook.

    Args:
        graph: the graph.
        row_kind: the kind of rows that it takes, see :mod:`autograder.kernel.probe_rows`.
    """
    averages, parameters = graph_numbers.statistics(graph), [held.parameter for held in graph.tensors]
    is_weight = [
        parameter or number in averages for number, parameter in enumerate(parameters, start=graph.first_tensor)
    ]
    constants = sum(held.array.size for held, weight in zip(graph.tensors, is_weight, strict=True) if not weight)
    if graph_numbers.has_arrays(graph) or constants > _MAX_CONSTANTS:
        return ""
    plain, arrays = claim_of(graph)
    numbers = [
        {"shape": array.shape, "dtype": array.dtype.name, "values": None if weight else array.ravel().tolist()}
        for array, weight in zip(arrays, is_weight, strict=True)
    ]
    text = json.dumps({"library": "torch", "rows": row_kind, "graph": plain, "arrays": numbers}, sort_keys=True)
    return text if len(text) <= MAX_NETWORK else ""


def read_description(plain: Mapping[str, Any], seed: int) -> tuple[Graph, list[np.ndarray]]:
    """Return the graph of a :func:`description` with drawn weights, and rows that it takes.

    Args:
        plain: the description, read from its JSON.
        seed: determines what is drawn.

    Raises:
        RefusedModel: this PyTorch has not all of its operators.
    """
    draw = np.random.default_rng(seed)
    graph = read_graph(plain["graph"], [_array(entry, draw) for entry in plain["arrays"]])
    return graph, drawn_rows(graph, plain["rows"], _ROWS, draw, _tokens(graph))


def drawn_rows(
    graph: Graph, row_kind: str, count: int, draw: np.random.Generator, tokens: int = _MOST_TOKENS
) -> list[np.ndarray]:
    """Draw rows for each input of a graph: numbers with a fraction, or tokens from 0 on."""
    return [
        draw.normal(size=(count, *held.shape)).astype("float32")
        if held.dtype in FLOATS and row_kind == "real"
        else draw.integers(0, tokens, (count, *held.shape)).astype("float32" if held.dtype in FLOATS else "int64")
        for held in graph.inputs
    ]


def _array(entry: Mapping[str, Any], draw: np.random.Generator) -> np.ndarray:
    shape, dtype = tuple(entry["shape"]), entry["dtype"]
    if entry["values"] is not None:
        return np.array(entry["values"], dtype).reshape(shape)
    if np.dtype(dtype).kind != "f":
        return np.zeros(shape, dtype)  # how many batches a normalization has seen
    array: np.ndarray = np.abs(draw.normal(size=shape) * max(1, math.prod(shape[1:])) ** -0.5).astype(dtype)
    return array


def _tokens(graph: Graph) -> int:
    """Return how many tokens each table of a graph has, if it has any."""
    tables = [graph.tensor(node.args[0]) for _, node in graph.needed_nodes() if node.operator.startswith("embedding")]
    return min((len(table.array) for table in tables if table is not None), default=_MOST_TOKENS)


def in_training(graph: Graph) -> InTraining:
    """Return what a graph does in a training alone."""
    nodes = [node for _, node in graph.needed_nodes() if node.operator not in SIZES]
    draws = [node for node in nodes if _draws_in_training(node)]
    drops = [node for node in draws if node.operator in DROPS]
    return InTraining(sum(map(graph_numbers.normalizes_by_batch, nodes)), bool(drops), len(drops) < len(draws))


def _draws_in_training(node: Node) -> bool:
    return node.operator.startswith("rrelu") or any(
        bool(value) and (name.startswith("dropout") or (name == "p" and "dropout" in node.operator))
        for name, _, value in typed_arguments(node)
    )
