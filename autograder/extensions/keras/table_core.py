"""The allow-list, part 1: layers on vectors, activations, regularization, normalization, joining."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.extensions.keras.parts import POLICIES, SEED, activation
from autograder.models.argument_values import (
    MAX_SIZE,
    Validator,
    boolean,
    either,
    integer,
    number,
    one_of,
    only,
    optional,
    refuse,
    several,
)

Arguments = Mapping[str, Validator]

AXIS = either(integer(-6, 6), several(integer(-6, 6), 1, 6))
RATE = number(0, 1)
FORMAT = optional(one_of("channels_last", "channels_first"))
NUMBERS = either(number(), several(number(), 1, 4096))
_EPSILON = number(0, 1e3)
_NOISE_SHAPE = optional(several(optional(integer(1)), 1, 6))
_NORMALIZATION: Arguments = {"axis": AXIS, "epsilon": _EPSILON, "center": boolean, "scale": boolean}
_NOISE: Arguments = {"rate": RATE, "seed": SEED}

MAX_LETTERS = 12
"""Most different dimensions in an einsum."""


def ignored(value: Any, label: str) -> None:
    """Ignore an argument that does not matter to a rebuilt model."""


def equation(value: Any, label: str) -> str:
    """Return an einsum's subscripts, ``ab,bc->ac``, with at most :data:`MAX_LETTERS` different letters."""
    if type(value) is str and len(value) <= 60:
        inputs, arrow, output = value.replace(" ", "").partition("->")
        operands = [text.replace("...", "", 1) for text in [*inputs.split(","), output]]
        if arrow and all(text.isascii() and (text.isalpha() or not text) for text in operands):
            letters = set("".join(operands))
            if len(letters) <= MAX_LETTERS and len(operands) <= 5 and letters >= set(operands[-1]):
                return value.replace(" ", "")
    raise refuse(label, value, f"an equation such as 'ab,bc->ac' with at most {MAX_LETTERS} letters")


def _letters(value: Any, label: str) -> str:
    if type(value) is not str or not 1 <= len(value) <= 6 or not (value.isascii() and value.isalpha()):
        raise refuse(label, value, "letters of the equation")
    return value


_EMBEDDING: Arguments = {
    "input_dim": integer(1),
    "output_dim": integer(1),
    "mask_zero": boolean,
    "weights": ignored,
}

CORE: Mapping[str, Arguments] = {
    "Dense": {"units": integer(1), "activation": activation, "use_bias": boolean},
    "EinsumDense": {
        "equation": equation,
        "output_shape": either(integer(1), several(optional(integer(1)), 1, 5)),
        "activation": activation,
        "bias_axes": optional(_letters),
    },
    "Activation": {"activation": activation},
    "Identity": {},
    "Embedding": _EMBEDDING,
    "ReversibleEmbedding": {
        **_EMBEDDING,
        "tie_weights": boolean,
        "reverse_dtype": optional(one_of(*POLICIES[:4])),
        "logit_soft_cap": optional(number(1e-6, 1e6)),
    },
    "Masking": {"mask_value": number()},
    "Flatten": {"data_format": FORMAT},
    "Reshape": {"target_shape": several(either(only(-1), integer(1)), 0, 5)},
    "Permute": {"dims": several(integer(1, 6), 1, 5)},
    "RepeatVector": {"n": integer(1, MAX_SIZE)},
}

ACTIVATIONS: Mapping[str, Arguments] = {
    "ReLU": {"max_value": optional(number(0)), "negative_slope": number(), "threshold": number()},
    "LeakyReLU": {"negative_slope": number()},
    "PReLU": {"shared_axes": optional(several(integer(1, 6), 1, 5))},
    "ELU": {"alpha": number()},
    "Softmax": {"axis": AXIS},
}

REGULARIZATION: Mapping[str, Arguments] = {
    "Dropout": {**_NOISE, "noise_shape": _NOISE_SHAPE},
    "AlphaDropout": {**_NOISE, "noise_shape": _NOISE_SHAPE},
    "GaussianDropout": _NOISE,
    "GaussianNoise": {"stddev": number(0), "seed": SEED},
    "ActivityRegularization": {"l1": number(0), "l2": number(0)},
    **{f"SpatialDropout{rank}D": {**_NOISE, **({} if rank == 1 else {"data_format": FORMAT})} for rank in (1, 2, 3)},
}

NORMALIZATION: Mapping[str, Arguments] = {
    "BatchNormalization": {
        **_NORMALIZATION,
        "axis": integer(-6, 6),
        "momentum": number(0, 1),
        "synchronized": only(False, kind_refused=True),
        "renorm": only(False, kind_refused=True),
        "renorm_clipping": ignored,
        "renorm_momentum": ignored,
    },
    "LayerNormalization": {**_NORMALIZATION, "rms_scaling": boolean},
    "GroupNormalization": {**_NORMALIZATION, "axis": integer(-6, 6), "groups": integer(-1)},
    "UnitNormalization": {"axis": AXIS},
    "RMSNormalization": {"axis": AXIS, "epsilon": _EPSILON},
    "SpectralNormalization": {"power_iterations": integer(1, 100)},
}

JOINING: Mapping[str, Arguments] = {
    **{name: {} for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")},
    "Concatenate": {"axis": integer(-6, 6)},
    "Dot": {"axes": either(integer(-6, 6), several(integer(-6, 6), 2, 2)), "normalize": boolean},
}
