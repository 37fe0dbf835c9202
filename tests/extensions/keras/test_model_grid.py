"""The arguments of the layers in all combinations. Slow: a minute or two."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from helpers.rebuilding import assert_equal_after_rebuilding, plain

from autograder.extensions.keras.parts import ACTIVATIONS, CONSTRAINTS, INITIALIZERS, POLICIES, REGULARIZERS

pytestmark = [pytest.mark.keras, pytest.mark.slow]

SEQUENCE, IMAGE, VOLUME, FRAMES, WORDS = (8, 4), (8, 8, 4), (4, 4, 4, 2), (3, 6, 6, 2), (6,)
YES = (False, True)


def grid(**options: Any) -> Iterator[dict[str, Any]]:
    """Every combination of the options."""
    for values in itertools.product(*options.values()):
        yield dict(zip(options, values, strict=True))


RANKS = {1: SEQUENCE, 2: IMAGE, 3: VOLUME}
GRIDS: dict[str, tuple[tuple[int, ...], Iterator[dict[str, Any]]]] = {
    **{
        f"Conv{rank}D": (shape, grid(filters=[4], kernel_size=[2], strides=[1, 2], padding=["valid", "same"], use_bias=YES))
        for rank, shape in RANKS.items()
    },
    **{
        f"Conv{rank}DTranspose": (shape, grid(filters=[4], kernel_size=[3], strides=[1, 2], padding=["valid", "same"]))
        for rank, shape in RANKS.items()
    },
    "DepthwiseConv2D": (IMAGE, grid(kernel_size=[3], depth_multiplier=[1, 3], strides=[1, 2], padding=["valid", "same"])),
    "SeparableConv2D": (IMAGE, grid(filters=[3], kernel_size=[3], depth_multiplier=[1, 2], padding=["valid", "same"])),
    "SimpleRNN": (SEQUENCE, grid(units=[3], return_sequences=YES, return_state=YES, go_backwards=YES, use_bias=YES)),
    "LSTM": (SEQUENCE, grid(units=[3], return_sequences=YES, return_state=YES, unit_forget_bias=YES, use_bias=YES)),
    "GRU": (SEQUENCE, grid(units=[3], return_sequences=YES, reset_after=YES, go_backwards=YES, use_bias=YES)),
    "ConvLSTM2D": (FRAMES, grid(filters=[2], kernel_size=[2], return_sequences=YES, return_state=YES, use_bias=YES)),
    "BatchNormalization": (IMAGE, grid(axis=[-1, 1, 2], center=YES, scale=YES)),
    "LayerNormalization": (IMAGE, grid(axis=[-1, [1, 2], [-2, -1]], center=YES, scale=YES)),
    "GroupNormalization": (IMAGE, grid(groups=[1, 2, 4, -1], center=YES, scale=YES)),
    "EinsumDense": (
        SEQUENCE,
        (
            {"equation": equation, "output_shape": shape, "bias_axes": axes}
            for equation, shape, choices in (
                ("abc,cd->abd", (None, 3), (None, "d")),
                ("abc,bd->adc", (5, 4), (None, "d", "c", "dc")),
                ("abc,bcde->ade", (5, 4), (None, "d", "e", "de")),
            )
            for axes in choices
        ),
    ),
    "Embedding": (WORDS, grid(input_dim=[9], output_dim=[3], mask_zero=YES)),
    "ReversibleEmbedding": (WORDS, grid(input_dim=[9], output_dim=[3], tie_weights=YES, mask_zero=YES)),
    "StringLookup": (
        (4,),
        grid(vocabulary=[["the", "fox"]], num_oov_indices=[1, 3], mask_token=[None, "dog"], output_mode=["int", "count"]),
    ),
    "TextVectorization": (
        (1,),
        grid(
            vocabulary=[["the", "fox"]],
            standardize=[None, "lower", "strip_punctuation", "lower_and_strip_punctuation"],
            split=["whitespace", "character"],
            ngrams=[None, 2, (1, 3)],
        ),
    ),
    "STFTSpectrogram": (
        (128, 2),
        grid(frame_length=[32], mode=["log", "psd", "real", "imag", "angle", "stft"], expand_dims=YES, window=["hann", None]),
    ),
}  # fmt: skip
CASES = [(name, shape, options) for name, (shape, cases) in GRIDS.items() for options in cases]
TEXTS = ("StringLookup", "TextVectorization")


@pytest.fixture(scope="module")
def keras() -> Any:
    return pytest.importorskip("keras")


@pytest.mark.parametrize(("name", "shape", "options"), CASES)
def test_a_layer_with_any_arguments_computes_the_same(
    keras: Any, name: str, shape: tuple[int, ...], options: dict[str, Any]
) -> None:
    layer = getattr(keras.layers, name)(**options)
    dtype = "string" if name in TEXTS else "float32"
    twin = assert_equal_after_rebuilding(keras.Sequential([keras.Input(shape, dtype=dtype), layer]))
    assert plain(twin.layers[0].get_config()) == plain(layer.get_config())


ATTENTION = [
    *grid(value_dim=[None, 2], output_shape=[None, 5], use_bias=YES, use_gate=YES, sliding_window=[None, 2]),
]


@pytest.mark.parametrize("options", ATTENTION)
def test_attention_with_any_arguments_computes_the_same(keras: Any, options: dict[str, Any]) -> None:
    query, value, key = keras.Input((5, 4)), keras.Input((7, 3)), keras.Input((7, 2))
    layer = keras.layers.MultiHeadAttention(2, 3, **options)
    assert_equal_after_rebuilding(keras.Model([query, value, key], layer(query, value, key=key)))


INNER = ["SimpleRNN", "LSTM", "GRU"]


@pytest.mark.parametrize(
    ("name", "merge", "sequences"), list(itertools.product(INNER, ["sum", "mul", "concat", "ave", None], YES))
)
def test_any_recurrent_layer_in_two_directions_computes_the_same(
    keras: Any, name: str, merge: str | None, sequences: bool
) -> None:
    layer = getattr(keras.layers, name)(3, return_sequences=sequences)
    model = keras.Sequential([keras.Input(SEQUENCE), keras.layers.Bidirectional(layer, merge_mode=merge)])
    assert_equal_after_rebuilding(model)


DISTRIBUTED = {
    "Conv1D": ({"filters": 3, "kernel_size": 2}, SEQUENCE),
    "LSTM": ({"units": 3}, SEQUENCE),
    "Flatten": ({}, IMAGE),
    "BatchNormalization": ({}, SEQUENCE),
    "MaxPooling2D": ({}, IMAGE),
    "GlobalAveragePooling2D": ({}, IMAGE),
    "Embedding": ({"input_dim": 9, "output_dim": 3}, WORDS),
    "Dropout": ({"rate": 0.5}, SEQUENCE),
    "Resizing": ({"height": 3, "width": 3}, IMAGE),
    "SpectralNormalization": ({}, SEQUENCE),
}


@pytest.mark.parametrize("name", DISTRIBUTED)
def test_any_layer_in_time_computes_the_same(keras: Any, name: str) -> None:
    options, shape = DISTRIBUTED[name]
    arguments = [keras.layers.Dense(3)] if name == "SpectralNormalization" else []
    layer = getattr(keras.layers, name)(*arguments, **options)
    assert_equal_after_rebuilding(keras.Sequential([keras.Input((2, *shape)), keras.layers.TimeDistributed(layer)]))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS - {"glu", "threshold"}))
def test_any_activation_computes_the_same(keras: Any, activation: str) -> None:
    layer = keras.layers.Dense(3, activation=activation)
    assert_equal_after_rebuilding(keras.Sequential([keras.Input((4,)), layer]))


@pytest.mark.parametrize("policy", POLICIES)
def test_any_number_type_computes_the_same(keras: Any, policy: str) -> None:
    layers = keras.layers
    parts = [
        layers.Dense(4, "relu", dtype=policy),
        layers.LayerNormalization(dtype=policy),
        layers.Dense(2, dtype=policy),
    ]
    assert_equal_after_rebuilding(keras.Sequential([keras.Input((4,)), *parts]))


@pytest.mark.parametrize("name", [*INITIALIZERS, *REGULARIZERS, *CONSTRAINTS])
def test_any_part_of_a_training_is_kept(keras: Any, name: str) -> None:
    package, argument = next(
        (getattr(keras, p), a)
        for p, a, table in (
            ("initializers", "kernel_initializer", INITIALIZERS),
            ("regularizers", "kernel_regularizer", REGULARIZERS),
            ("constraints", "kernel_constraint", CONSTRAINTS),
        )
        if name in table
    )
    layer = keras.layers.Dense(4, **{argument: getattr(package, name)()})
    twin = assert_equal_after_rebuilding(keras.Sequential([keras.Input((4,)), layer]))
    assert plain(twin.layers[0].get_config()) == plain(layer.get_config())
