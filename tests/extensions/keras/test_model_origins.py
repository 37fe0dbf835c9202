"""Wherever a model comes from, and however it was trained, it is read in the same way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.own_models import ROWS, called, linear, of_call
from helpers.rebuilding import outputs, sent

from autograder.models import RefusedModel, rebuild

pytestmark = pytest.mark.keras

TARGETS = ROWS[:, :3]


@pytest.fixture(scope="module")
def keras() -> Any:
    return pytest.importorskip("keras")


def chain(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential([keras.Input((4,)), layers.Dense(5, activation="relu"), layers.Dense(3)])


def own(keras: Any) -> Any:
    class Own(keras.Model):
        def __init__(self, units: int = 5, **options: Any) -> None:
            super().__init__(**options)
            self.units = units
            self.first, self.second = linear(keras)(units), keras.layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.second(keras.ops.relu(self.first(x)))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    return Own


def loaded_from_h5(keras: Any, folder: Any) -> Any:
    chain(keras).save(folder / "model.h5")
    return keras.models.load_model(folder / "model.h5", compile=False), ROWS


def from_a_configuration(keras: Any, folder: Any) -> Any:
    return keras.Sequential.from_config(chain(keras).get_config()), ROWS


def from_json(keras: Any, folder: Any) -> Any:
    return keras.models.model_from_json(chain(keras).to_json()), ROWS


def own_from_a_configuration(keras: Any, folder: Any) -> Any:
    kind = own(keras)
    return called(kind.from_config(called(kind(7), ROWS)[0].get_config()), ROWS)


def own_loaded(keras: Any, folder: Any) -> Any:
    kind = own(keras)
    called(kind(7), ROWS)[0].save(folder / "own.keras")
    return keras.models.load_model(folder / "own.keras", custom_objects={"Own": kind}), ROWS


def weights_from_h5(keras: Any, folder: Any) -> Any:
    kind = own(keras)
    called(kind(), ROWS)[0].save_weights(folder / "own.weights.h5")
    model, _ = called(kind(), ROWS)
    model.load_weights(folder / "own.weights.h5")
    return model, ROWS


def mixed_precision_everywhere(keras: Any, folder: Any) -> Any:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        return called(own(keras)(), ROWS)
    finally:
        keras.mixed_precision.set_global_policy("float32")


def names_in_another_order(keras: Any, folder: Any) -> Any:
    parts = {"a": keras.layers.Dense(3), "b": keras.layers.Dense(2)}
    call = lambda own, x, t: keras.ops.concatenate([own.a(x["u"]), own.b(x["v"])], axis=-1)  # noqa: E731
    model = of_call(keras, parts, call)
    model.compile("sgd", "mse")
    model.fit({"v": ROWS[:, :2], "u": ROWS}, np.zeros((6, 5)), verbose=0)
    return called(model, {"u": ROWS, "v": ROWS[:, :2]})


def loop_with_a_tape(keras: Any, folder: Any) -> Any:
    import tensorflow as tf

    model, optimizer = own(keras)(), keras.optimizers.Adam()

    @tf.function
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - y) ** 2)
        pairs = zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True)
        optimizer.apply_gradients(pairs)
        return loss

    for _ in range(2):
        step(tf.constant(ROWS), tf.constant(TARGETS))
    return model, ROWS


def models_in_models_in_models(keras: Any, folder: Any) -> Any:
    inner = of_call(keras, {"d": linear(keras)(4)}, lambda own, x, t: own.d(x))
    middle = of_call(keras, {"inner": inner, "d": keras.layers.Dense(4)}, lambda own, x, t: own.d(own.inner(x)))
    inputs = keras.Input((4,))
    outer = keras.Model(inputs, keras.layers.Dense(2)(keras.Sequential([middle])(inputs)))
    return called(of_call(keras, {"outer": outer}, lambda own, x, t: own.outer(x)), ROWS)


def one_encoder_for_two_inputs(keras: Any, folder: Any) -> Any:
    encoder = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(3)])
    call = lambda own, x, t: own.out(keras.ops.abs(own.encoder(x[0]) - own.encoder(x[1])))  # noqa: E731
    return called(of_call(keras, {"encoder": encoder, "out": keras.layers.Dense(1)}, call), [ROWS, ROWS + 1])


def one_layer_in_two_models(keras: Any, folder: Any) -> Any:
    shared = keras.layers.Dense(4)
    a, b = (of_call(keras, {"d": shared}, lambda own, x, t: own.d(x)) for _ in range(2))
    return called(of_call(keras, {"a": a, "b": b}, lambda own, x, t: own.a(x) + own.b(2 * x)), ROWS)


READ: list[Callable[[Any, Any], Any]] = [
    loaded_from_h5, from_a_configuration, from_json, own_from_a_configuration, own_loaded, weights_from_h5,
    mixed_precision_everywhere, names_in_another_order, loop_with_a_tape, models_in_models_in_models,
    one_encoder_for_two_inputs, one_layer_in_two_models,
]  # fmt: skip


@pytest.mark.parametrize("make", READ)
def test_the_model_is_read(keras: Any, make: Callable[[Any, Any], Any], tmp_path: Any) -> None:
    model, rows = make(keras, tmp_path)
    twin = rebuild(*sent(model))
    for mine, theirs in zip(outputs(twin, rows), outputs(model, rows), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=2e-3, atol=1e-4)
    assert twin.count_params() == model.count_params()


def test_a_quantized_model_is_read_with_its_kernels_in_scale(keras: Any) -> None:
    model = chain(keras)
    model.quantize("int8")
    for mine, theirs in zip(outputs(rebuild(*sent(model)), ROWS), outputs(model, ROWS), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=0.05)


def test_a_quantized_model_with_a_class_of_its_own_is_not_read(keras: Any) -> None:
    model = called(own(keras)(), ROWS)[0]
    model.quantize("int8")
    with pytest.raises(RefusedModel, match="its layers cannot be read"):
        rebuild(*sent(model))
