"""The allow-list, part 4: preprocessing of numbers, words, pictures and sound.

A vocabulary is a list of terms. A text in its place would be a path, and no file is ever opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.extensions.keras.parts import SEED
from autograder.extensions.keras.table_core import FORMAT, NUMBERS, RATE, Arguments, ignored
from autograder.models.argument_values import (
    MAX_TERMS,
    RefusedModel,
    Validator,
    boolean,
    either,
    integer,
    number,
    one_of,
    only,
    optional,
    pair_or_one,
    several,
    sides,
    terms,
    token,
    whole_or_real,
)


def _name_validator(*options: str) -> Validator:
    """Return a validator for a name of Keras's own.

    If a layer has a function in its place, the layer's kind is refused.
    """
    check = one_of(*options)

    def validate(value: Any, label: str) -> Any:
        if type(value) is dict:
            raise RefusedModel(f"{label} is a function of your own, which cannot be graded.", kind_refused=True)
        return check(value, label)

    return validate


_DENSE_ONLY = only(False, kind_refused=True)
_SALT = optional(either(integer(0, 2**63 - 1), several(integer(0, 2**63 - 1), 2, 2)))
_OUTPUT = one_of("int", "one_hot", "multi_hot", "count", "tf_idf")
_IDF = optional(several(number(0), 1, MAX_TERMS))
_VOCABULARY: Arguments = {"vocabulary": optional(terms), "idf_weights": _IDF, "vocabulary_size": ignored}
_ENCODING = one_of("utf-8", "utf8", "ascii", "latin-1", "utf-16", "utf-16-be", "utf-16-le", "utf-32")
_LOOKUP: Arguments = {
    **_VOCABULARY,
    "max_tokens": optional(integer(2)),
    "num_oov_indices": integer(0),
    "mask_token": optional(token),
    "oov_token": optional(token),
    "invert": boolean,
    "output_mode": _OUTPUT,
    "sparse": _DENSE_ONLY,
    "pad_to_max_tokens": boolean,
    "oov_method": one_of("floormod", "farmhash"),
    "salt": _SALT,
}

VOCABULARIES: Mapping[str, Arguments] = {
    "StringLookup": {**_LOOKUP, "encoding": _ENCODING},
    "IntegerLookup": {**_LOOKUP, "vocabulary_dtype": one_of("int64", "int32")},
    "TextVectorization": {
        **_VOCABULARY,
        "max_tokens": optional(integer(2)),
        "standardize": optional(_name_validator("lower_and_strip_punctuation", "lower", "strip_punctuation")),
        "split": optional(_name_validator("whitespace", "character")),
        "ngrams": optional(either(integer(1, 16), several(integer(1, 16), 1, 16))),
        "output_mode": _OUTPUT,
        "output_sequence_length": optional(integer(1)),
        "pad_to_max_tokens": boolean,
        "sparse": _DENSE_ONLY,
        "ragged": _DENSE_ONLY,
        "encoding": _ENCODING,
    },
}
"""Layers whose vocabulary also travels beside the configuration."""

CATEGORIES: Mapping[str, Arguments] = {
    "Discretization": {
        "bin_boundaries": optional(several(number(), 1, 100_000)),
        "num_bins": optional(integer(1, 100_000)),
        "epsilon": number(0, 1),
        "output_mode": one_of("int", "one_hot", "multi_hot", "count"),
        "sparse": _DENSE_ONLY,
    },
    "CategoryEncoding": {
        "num_tokens": integer(1),
        "output_mode": one_of("one_hot", "multi_hot", "count"),
        "sparse": _DENSE_ONLY,
    },
    "Hashing": {
        "num_bins": integer(1),
        "mask_value": optional(token),
        "salt": _SALT,
        "output_mode": one_of("int", "one_hot", "multi_hot", "count"),
        "sparse": _DENSE_ONLY,
    },
    "HashedCrossing": {
        "num_bins": integer(1),
        "output_mode": one_of("int", "one_hot"),
        "sparse": _DENSE_ONLY,
    },
}

_WINDOWS = one_of("hann", "hamming", "blackman", "bartlett", "boxcar", "cosine", "parzen", "bohman", "nuttall")
SCALING: Mapping[str, Arguments] = {
    "Normalization": {
        "axis": optional(either(integer(-6, 6), several(integer(-6, 6), 0, 6))),
        "invert": boolean,
        "mean": optional(NUMBERS),
        "variance": optional(NUMBERS),
    },
    "Rescaling": {"scale": NUMBERS, "offset": NUMBERS},
    "Pipeline": {},
}
SOUND: Mapping[str, Arguments] = {
    "MelSpectrogram": {
        "fft_length": integer(2, 2**16),
        "sequence_stride": integer(1, 2**16),
        "sequence_length": optional(integer(1, 2**16)),
        "window": optional(one_of("hann", "hamming")),
        "sampling_rate": integer(1, 10**6),
        "num_mel_bins": integer(1, 4096),
        "min_freq": whole_or_real(0, 1e6),
        "max_freq": optional(whole_or_real(0, 1e6)),
        "power_to_db": boolean,
        "top_db": optional(number(0, 1e6)),
        "mag_exp": number(0, 100),
        "min_power": number(0, 1e6),
        "ref_power": number(0, 1e6),
    },
    "STFTSpectrogram": {
        "mode": one_of("log", "magnitude", "psd", "real", "imag", "angle", "stft"),
        "frame_length": integer(1, 2**14),
        "frame_step": optional(integer(1, 2**14)),
        "fft_length": optional(integer(1, 2**14)),
        "window": optional(_WINDOWS),
        "periodic": boolean,
        "scaling": optional(one_of("density", "spectrum")),
        "padding": one_of("valid", "same"),
        "expand_dims": boolean,
        "data_format": FORMAT,
    },
}

_REAL = whole_or_real(-1e6, 1e6)
_FACTOR = pair_or_one(_REAL)


def _symmetric(value: Any, label: str) -> Any:
    """Return a factor, with (-a, a) as a, because RandomShear does not accept its own serialized form."""
    factor = _FACTOR(value, label)
    return factor[1] if isinstance(factor, tuple) and factor[0] == -factor[1] else factor


_RANGE: Arguments = {"value_range": several(_REAL, 2, 2)}
_BASE: Arguments = {"data_format": FORMAT, "seed": SEED}
_INTERPOLATION = one_of("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area")
_WARP: Arguments = {"interpolation": _INTERPOLATION, "fill_value": _REAL}
_FILL: Arguments = {**_WARP, "fill_mode": one_of("constant", "nearest", "wrap", "mirror", "reflect")}
_SIZE: Arguments = {"height": integer(1), "width": integer(1)}


def _in_a_range() -> dict[str, Arguments]:
    """Return the layers with a factor and a range of values."""
    ranged = (
        "RandomBrightness RandomColorDegeneration RandomContrast RandomErasing RandomGaussianBlur RandomHue "
        "RandomInvert RandomPosterization RandomSaturation RandomSharpness RandAugment AugMix RandomElasticTransform"
    )
    table: dict[str, dict[str, Validator]] = {name: {**_BASE, **_RANGE, "factor": _FACTOR} for name in ranged.split()}
    table["RandomErasing"] |= {"scale": _FACTOR, "fill_value": optional(_REAL)}
    table["RandomGaussianBlur"] |= {"kernel_size": sides(2, high=101), "sigma": _FACTOR}
    table["RandAugment"] |= {"num_ops": integer(1, 16), "interpolation": _INTERPOLATION}
    table["AugMix"] |= {
        "num_chains": integer(1, 16),
        "chain_depth": integer(1, 16),
        "alpha": number(0, 100),
        "all_ops": boolean,
        "interpolation": _INTERPOLATION,
    }
    table["RandomElasticTransform"] |= {**_FILL, "scale": _FACTOR}
    return dict(table)


_JITTER = ("brightness_factor", "contrast_factor", "saturation_factor", "hue_factor")

PICTURES: Mapping[str, Arguments] = {
    **_in_a_range(),
    "RandomColorJitter": {**_BASE, **_RANGE, **{key: optional(_FACTOR) for key in _JITTER}},
    "Solarization": {**_BASE, **_RANGE, "addition_factor": _FACTOR, "threshold_factor": _FACTOR},
    "AutoContrast": {**_BASE, **_RANGE},
    "Equalization": {**_BASE, **_RANGE, "bins": integer(1, 4096)},
    "ContrastLimitedAdaptiveHistogramEqualization": {
        **_BASE,
        **_RANGE,
        "clip_limit": number(0, 1e6),
        "tile_grid_size": sides(2, high=64),
    },
    "RandomGrayscale": {**_BASE, "factor": RATE},
    "RandomFlip": {**_BASE, "mode": one_of("horizontal", "vertical", "horizontal_and_vertical")},
    "RandomRotation": {**_BASE, **_FILL, "factor": _FACTOR},
    "RandomZoom": {**_BASE, **_FILL, "height_factor": _FACTOR, "width_factor": optional(_FACTOR)},
    "RandomTranslation": {**_BASE, **_FILL, "height_factor": _FACTOR, "width_factor": _FACTOR},
    "RandomShear": {**_BASE, **_FILL, "x_factor": _symmetric, "y_factor": _symmetric},
    "RandomPerspective": {**_BASE, **_WARP, "factor": _FACTOR, "scale": _FACTOR},
    "RandomCrop": {**_BASE, **_SIZE},
    "CenterCrop": {**_BASE, **_SIZE},
    "Resizing": {
        **_BASE,
        **_SIZE,
        **_WARP,
        "fill_mode": one_of("constant"),
        "crop_to_aspect_ratio": boolean,
        "pad_to_aspect_ratio": boolean,
        "antialias": boolean,
    },
    "CutMix": {**_BASE, "factor": _FACTOR},
    "MixUp": {**_BASE, "alpha": number(0, 100)},
}
"""Resizing, cropping, and augmentation, which has no effect outside training."""
