"""The allow-list: which layers can be rebuilt, and which values their arguments may have.

Arguments that end in ``_initializer``, ``_regularizer`` or ``_constraint`` are read in one place for all
layers (:mod:`autograder.examiner.models.parts`); ``name``, ``dtype`` and ``trainable`` likewise.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.examiner.models.parts import SEED, activation
from autograder.examiner.models.values import (
    MAX_SIZE,
    Validator,
    boolean,
    either,
    integer,
    margins,
    number,
    one_of,
    only,
    optional,
    several,
    sides,
)

Arguments = Mapping[str, Validator]

_axis = either(integer(-6, 6), several(integer(-6, 6), 1, 6))
_rate = number(0, 1)
_epsilon = number(0, 1e3)
_format = optional(one_of("channels_last", "channels_first"))
_numbers = either(number(), several(number(), 1, 4096))
_noise_shape = optional(several(optional(integer(1)), 1, 6))


def ignored(value: Any, where: str) -> None:
    """An argument that does not matter to a rebuilt model."""


def _convolution(rank: int, padding: tuple[str, ...] = ("valid", "same")) -> dict[str, Validator]:
    return {
        "kernel_size": sides(rank, high=1024),
        "strides": sides(rank),
        "padding": one_of(*padding),
        "data_format": _format,
        "dilation_rate": sides(rank),
        "activation": activation,
        "use_bias": boolean,
    }


def _convolutions() -> dict[str, Arguments]:
    table: dict[str, Arguments] = {}
    filters, multiplier = {"filters": integer(1)}, {"depth_multiplier": integer(1)}
    for rank in (1, 2, 3):
        causal = ("valid", "same", "causal") if rank == 1 else ("valid", "same")
        table[f"Conv{rank}D"] = {**filters, **_convolution(rank, causal), "groups": integer(1)}
        table[f"Conv{rank}DTranspose"] = {
            **filters,
            **_convolution(rank),
            "output_padding": optional(sides(rank, 0)),
        }
        if rank < 3:
            table[f"DepthwiseConv{rank}D"] = {**multiplier, **_convolution(rank)}
            table[f"SeparableConv{rank}D"] = {**filters, **multiplier, **_convolution(rank, causal)}
    return table


def _spatial() -> dict[str, Arguments]:
    table: dict[str, Arguments] = {}
    for rank in (1, 2, 3):
        pool = {
            "pool_size": sides(rank),
            "strides": optional(sides(rank)),
            "padding": one_of("valid", "same"),
            "data_format": _format,
        }
        with_format = {} if rank == 1 else {"data_format": _format}
        for kind in ("Max", "Average"):
            table[f"{kind}Pooling{rank}D"] = pool
            table[f"Global{kind}Pooling{rank}D"] = {"data_format": _format, "keepdims": boolean}
        table[f"ZeroPadding{rank}D"] = {"padding": margins(rank), "data_format": _format}
        table[f"Cropping{rank}D"] = {"cropping": margins(rank), **with_format}
        table[f"SpatialDropout{rank}D"] = {"rate": _rate, "seed": SEED, **with_format}
    table["UpSampling1D"] = {"size": integer(1, 4096)}
    table["UpSampling2D"] = {
        "size": sides(2),
        "data_format": _format,
        "interpolation": one_of("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"),
    }
    table["UpSampling3D"] = {"size": sides(3), "data_format": _format}
    return table


def _recurrent() -> dict[str, Arguments]:
    simple: dict[str, Validator] = {
        "units": integer(1),
        "activation": activation,
        "use_bias": boolean,
        "dropout": _rate,
        "recurrent_dropout": _rate,
        "return_sequences": boolean,
        "return_state": only(False),
        "go_backwards": boolean,
        "stateful": only(False),
        "unroll": ignored,  # the result is the same, and a long unrolled loop is a large graph
        "zero_output_for_mask": boolean,
        "seed": SEED,
    }
    gated = {**simple, "recurrent_activation": activation}
    return {
        "SimpleRNN": simple,
        "LSTM": {**gated, "unit_forget_bias": boolean},
        "GRU": {**gated, "reset_after": boolean},
    }


_NORMALIZATION: Arguments = {"axis": _axis, "epsilon": _epsilon, "center": boolean, "scale": boolean}
_NOISE: Arguments = {"rate": _rate, "seed": SEED}

LAYERS: Mapping[str, Arguments] = {
    "Dense": {"units": integer(1), "activation": activation, "use_bias": boolean},
    "Activation": {"activation": activation},
    "Identity": {},
    "Embedding": {
        "input_dim": integer(1),
        "output_dim": integer(1),
        "mask_zero": boolean,
        "weights": ignored,
    },
    "Masking": {"mask_value": number()},
    "Dropout": {**_NOISE, "noise_shape": _noise_shape},
    "AlphaDropout": {**_NOISE, "noise_shape": _noise_shape},
    "GaussianDropout": _NOISE,
    "GaussianNoise": {"stddev": number(0), "seed": SEED},
    "ActivityRegularization": {"l1": number(0), "l2": number(0)},
    "BatchNormalization": {
        **_NORMALIZATION,
        "axis": integer(-6, 6),
        "momentum": number(0, 1),
        "synchronized": only(False),
        "renorm": only(False),
        "renorm_clipping": ignored,
        "renorm_momentum": ignored,
    },
    "LayerNormalization": {**_NORMALIZATION, "rms_scaling": boolean},
    "GroupNormalization": {**_NORMALIZATION, "axis": integer(-6, 6), "groups": integer(-1)},
    "UnitNormalization": {"axis": _axis},
    "Normalization": {
        "axis": optional(either(integer(-6, 6), several(integer(-6, 6), 0, 6))),
        "invert": boolean,
        "mean": optional(_numbers),
        "variance": optional(_numbers),
    },
    "RMSNormalization": {"axis": _axis, "epsilon": _epsilon},
    "Flatten": {"data_format": _format},
    "Reshape": {"target_shape": several(either(only(-1), integer(1)), 0, 5)},
    "Permute": {"dims": several(integer(1, 6), 1, 5)},
    "RepeatVector": {"n": integer(1, MAX_SIZE)},
    "Rescaling": {"scale": _numbers, "offset": _numbers},
    "ReLU": {"max_value": optional(number(0)), "negative_slope": number(), "threshold": number()},
    "LeakyReLU": {"negative_slope": number()},
    "PReLU": {"shared_axes": optional(several(integer(1, 6), 1, 5))},
    "ELU": {"alpha": number()},
    "Softmax": {"axis": _axis},
    "Add": {},
    "Subtract": {},
    "Multiply": {},
    "Average": {},
    "Maximum": {},
    "Minimum": {},
    "Concatenate": {"axis": integer(-6, 6)},
    "Dot": {
        "axes": either(integer(-6, 6), several(integer(-6, 6), 2, 2)),
        "normalize": boolean,
    },
    "Bidirectional": {"merge_mode": optional(one_of("sum", "mul", "concat", "ave"))},
    "TimeDistributed": {},
    **_convolutions(),
    **_spatial(),
    **_recurrent(),
}
"""Class in ``keras.layers`` → its arguments → their validators."""

WRAPPERS: Mapping[str, tuple[str, ...]] = {
    "Bidirectional": ("layer", "backward_layer"),
    "TimeDistributed": ("layer",),
}
"""Layers around layers: the arguments that hold a serialized layer."""

OPERATIONS: Mapping[str, tuple[str, int, Arguments]] = {
    "Add": ("add", 2, {}),
    "Subtract": ("subtract", 2, {}),
    "Multiply": ("multiply", 2, {}),
    "Divide": ("divide", 2, {}),
    "TrueDivide": ("true_divide", 2, {}),
    "Maximum": ("maximum", 2, {}),
    "Minimum": ("minimum", 2, {}),
    "NotEqual": ("not_equal", 2, {}),
    "Any": ("any", 1, {"axis": optional(_axis), "keepdims": boolean}),
}
"""Arithmetic on tensors (``x + y``) and what masks are made of: class → function of ``keras.ops``,
operands, arguments."""
