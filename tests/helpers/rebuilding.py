"""Sends Keras models the way that a kernel does, and compares what comes back."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.codec import decode, encode
from autograder.extensions.keras.kernel_side.keras_model import claim
from autograder.models import rebuild

WORDS = np.array(["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "cat"], dtype=object)


def sent(model: Any) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The claim and the arrays as they arrive: through the codec."""
    packed = encode(list(claim(model)))
    claimed, arrays = decode(packed.text, packed.buffers)
    return claimed, arrays


def random_inputs(model: Any, rows: int = 5) -> Any:
    """Rows for every input of the model: words for texts, small numbers that fit indices and pixels alike for others."""
    import keras

    generator = np.random.default_rng(0)

    def one(tensor: Any) -> Any:
        shape = tuple(tensor.shape)
        sizes = [rows, *(7 if size is None else size for size in shape[1:])]
        if tensor.dtype == "string":
            return generator.choice(WORDS, sizes)
        numbers = generator.integers(0, 6, sizes).astype("float32")
        if "int" in tensor.dtype or (len(shape) == 2 and shape[1] == 6):
            return numbers.astype(tensor.dtype)
        return numbers / 3

    made = keras.tree.map_structure(one, model._inputs_struct)
    if not any(array.dtype == object for array in keras.tree.flatten(made)):
        return made
    import tensorflow

    return keras.tree.map_structure(tensorflow.constant, made)  # Keras takes texts as tensors only, and mixes nothing


def outputs(model: Any, inputs: Any) -> list[np.ndarray]:
    """All outputs, at inference."""
    import keras

    return [np.asarray(tensor) for tensor in keras.tree.flatten(model(inputs, training=False))]


def shake(model: Any) -> None:
    """Gives every weight another value than its initial one (moving variances stay positive)."""
    generator = np.random.default_rng(1)
    for variable in model.weights:
        if "float" in str(variable.dtype):
            variable.assign(generator.uniform(0.1, 0.9, tuple(variable.shape)).astype("float32"))
    for layer in model._flatten_layers():
        if type(layer).__name__ == "Normalization":
            layer.finalize_state()


def assert_equal_after_rebuilding(model: Any, *, exactly: bool = True) -> Any:
    """Sends the model with shaken weights, and compares predictions, counts and weights.

    Args:
        model: built; its inputs are made up.
        exactly: bit for bit.

    Returns:
        The rebuilt model.
    """
    import keras

    shake(model)
    claimed = sent(model)
    keras.utils.clear_session(free_memory=False)  # the examiner's Keras has numbered no layers yet
    twin = rebuild(*claimed)
    inputs = random_inputs(model if hasattr(model, "_inputs_struct") else model._functional)
    for original, rebuilt in zip(outputs(model, inputs), outputs(twin, inputs), strict=True):
        assert original.dtype == rebuilt.dtype
        if exactly:
            np.testing.assert_array_equal(rebuilt, original)
        else:
            np.testing.assert_allclose(rebuilt, original, rtol=1e-5, atol=1e-6)
    assert twin.count_params() == model.count_params()
    assert len(twin.layers) == len(model.layers)
    assert [type(one) for one in steps_of(twin)] == [type(one) for one in steps_of(model)]
    assert [variable.trainable for variable in twin.weights] == [variable.trainable for variable in model.weights]
    for mine, theirs in zip(twin.layers, model.layers, strict=True):
        assert mine.trainable == theirs.trainable
        for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    return twin


def steps_of(model: Any) -> list[Any]:
    """The layers and operations of a model, in Keras's order."""
    return list((getattr(model, "_functional", None) or model).operations)


def plain(config: Any) -> Any:
    """A configuration with lists for tuples, and without what a rebuilt layer need not keep."""
    if isinstance(config, dict):
        ignored = ("unroll", "vocabulary", "idf_weights", "build_config", "quantization_config")
        return {key: plain(value) for key, value in config.items() if key not in ignored}
    if isinstance(config, (list, tuple)):
        return [plain(item) for item in config]
    return config
