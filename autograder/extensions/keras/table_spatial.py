"""The allow-list, part 2: convolutions, pooling, and layers that change a picture's size."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.extensions.keras.parts import activation
from autograder.extensions.keras.table_core import FORMAT, Arguments
from autograder.models.argument_values import Validator, boolean, integer, margins, one_of, optional, sides


def convolution(rank: int, padding: tuple[str, ...] = ("valid", "same")) -> dict[str, Validator]:
    """Return the arguments that all convolutions of a rank have."""
    return {
        "kernel_size": sides(rank, high=1024),
        "strides": sides(rank),
        "padding": one_of(*padding),
        "data_format": FORMAT,
        "dilation_rate": sides(rank),
        "activation": activation,
        "use_bias": boolean,
    }


def _convolutions() -> dict[str, Arguments]:
    table: dict[str, Arguments] = {}
    filters, multiplier = {"filters": integer(1)}, {"depth_multiplier": integer(1)}
    for rank in (1, 2, 3):
        causal = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
        table[f"Conv{rank}D"] = {**filters, **convolution(rank, causal), "groups": integer(1)}
        table[f"Conv{rank}DTranspose"] = {
            **filters,
            **convolution(rank),
            "output_padding": optional(sides(rank, 0)),
        }
        if rank < 3:
            table[f"DepthwiseConv{rank}D"] = {**multiplier, **convolution(rank)}
            table[f"SeparableConv{rank}D"] = {**filters, **multiplier, **convolution(rank, causal)}
    return table


def _pooling() -> dict[str, Arguments]:
    table: dict[str, Arguments] = {}
    for rank in (1, 2, 3):
        for kind in ("Max", "Average"):
            table[f"{kind}Pooling{rank}D"] = {
                "pool_size": sides(rank),
                "strides": optional(sides(rank)),
                "padding": one_of("valid", "same"),
                "data_format": FORMAT,
            }
            table[f"Global{kind}Pooling{rank}D"] = {"data_format": FORMAT, "keepdims": boolean}
            table[f"Adaptive{kind}Pooling{rank}D"] = {"output_size": sides(rank), "data_format": FORMAT}
    return table


def _sizes() -> dict[str, Arguments]:
    table: dict[str, Arguments] = {}
    for rank in (1, 2, 3):
        with_format = {} if rank == 1 else {"data_format": FORMAT}
        table[f"ZeroPadding{rank}D"] = {"padding": margins(rank), "data_format": FORMAT}
        table[f"Cropping{rank}D"] = {"cropping": margins(rank), **with_format}
    table["UpSampling1D"] = {"size": integer(1, 4096)}
    table["UpSampling2D"] = {
        "size": sides(2),
        "data_format": FORMAT,
        "interpolation": one_of("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"),
    }
    table["UpSampling3D"] = {"size": sides(3), "data_format": FORMAT}
    return table


CONVOLUTIONS: Mapping[str, Arguments] = _convolutions()
POOLING: Mapping[str, Arguments] = _pooling()
SIZES: Mapping[str, Arguments] = _sizes()
