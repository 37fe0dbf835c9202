"""The costs of a layer beyond its weights and its output: intermediate memory, multiplications, sequential steps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from autograder.extensions.keras.operate import FREE, size
from autograder.extensions.keras.plan import LayerPlan
from autograder.extensions.keras.table_preprocessing import CATEGORIES, VOCABULARIES
from autograder.extensions.keras.table_sequences import ATTENTION, RECURRENT
from autograder.extensions.keras.weight_shapes import Shape, WeightShapes

_BINS = {"Equalization": "bins", "ContrastLimitedAdaptiveHistogramEqualization": ""}


class Cost(NamedTuple):
    """The costs of one call of a layer, for one row of the data."""

    elements: float = 0
    """Intermediate numbers."""
    work: float = 0
    """Multiplications."""
    steps: int = 0
    """Steps of a loop."""


def cost(plan: LayerPlan, weights: WeightShapes, shapes: Mapping[str, Any], inputs: list[Shape], out: Shape) -> Cost:
    """Return the costs of calling a layer.

    Args:
        plan: the layer's plan.
        weights: its weights' shapes.
        shapes: shapes of the arguments, by the names of ``layer.call``.
        inputs: the shapes of its input tensors.
        out: the shape of its (first) output.
    """
    name, arguments = plan.class_name, plan.arguments
    if name in ATTENTION:
        return _attention(plan, weights, shapes, inputs)
    if "Embedding" in name and not shapes.get("reverse"):
        return Cost()
    positions = max(_positions(arguments, shape) for shape in [inputs[0], out])
    work = float(sum(map(math.prod, weights)) * positions)
    if name.startswith("SeparableConv"):
        return Cost(positions * math.prod(weights[0][-2:]), work)
    if name in RECURRENT or name == "Bidirectional":
        return Cost(0, work, _or_free(inputs[0][1]))
    if name == "Dot":
        return Cost(0, math.sqrt(size(inputs[0]) * size(inputs[-1]) * size(out)))
    if name == "MelSpectrogram":
        frames = size(out) / arguments["num_mel_bins"] * arguments["fft_length"]
        return Cost(frames, frames * arguments["num_mel_bins"])
    if name in _BINS:
        return Cost(size(inputs[0]) * arguments.get(_BINS[name], 256))
    if (name in CATEGORIES or name in VOCABULARIES) and arguments.get("output_mode", "int") != "int":
        words = FREE if name == "TextVectorization" else 1
        return Cost(sum(map(size, inputs)) * words * _or_free(out[-1]))
    return Cost(0, work)


def _or_free(n: int | None) -> int:
    return FREE if n is None else n


def _positions(arguments: Mapping[str, Any], shape: Shape) -> int:
    """Return how often a layer's weights are used for one row: once for each pixel or time step."""
    inner = shape[2:] if arguments.get("data_format") == "channels_first" else shape[1:-1]
    return size((None, *inner))


def _attention(plan: LayerPlan, weights: WeightShapes, shapes: Mapping[str, Any], inputs: list[Shape]) -> Cost:
    """Return the costs of the scores, one for each pair of positions and head, and of the projections around them."""
    query, value = (shapes["query"], shapes["value"]) if "query" in shapes else inputs[:2]
    queries, values = size((None, *query[1:-1])), size((None, *value[1:-1]))
    width = sum(math.prod(kernel[1:]) for kernel in weights if len(kernel) > 2) or _or_free(query[-1])
    heads = plan.arguments.get("num_heads") or plan.arguments.get("num_query_heads") or 1
    scores = heads * queries * values
    if plan.class_name == "AdditiveAttention" or plan.arguments.get("score_mode") == "concat":
        scores *= _or_free(query[-1])
    projected = (queries + values) * sum(map(math.prod, weights))
    return Cost(scores + (queries + values) * width, queries * values * width + projected)
