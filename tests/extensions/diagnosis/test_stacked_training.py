"""Training from several seeds at once computes what Keras computes from each of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L

from autograder.extensions.diagnosis.trials.compiled_steps import keras_loss
from autograder.extensions.diagnosis.trials.keras_architecture import KerasArchitecture, keras_optimizer
from autograder.extensions.diagnosis.trials.recipe import Recipe, trained_labels
from autograder.extensions.diagnosis.trials.stacked_optimizers import updates
from autograder.extensions.diagnosis.trials.stacked_reading import MAX_MULTIPLICATIONS
from autograder.extensions.diagnosis.trials.stacked_training import LossGradient, train_together

pytestmark = pytest.mark.keras
CROSSENTROPY = "categorical_crossentropy"


def chain(*layers: Any, shape: tuple[int, ...] = (5,)) -> Any:
    return keras.Sequential([keras.Input(shape), *layers])


def picture_chain(*layers: Any) -> Any:
    return chain(L.Conv2D(4, 3, activation="relu"), *layers, L.Dense(3, "softmax"), shape=(9, 8, 2))


CHAINS = {
    "activations": lambda: chain(
        *(L.Dense(6, name) for name in ("relu", "tanh", "elu", "selu")), L.Dense(3, "softmax")
    ),
    "more of them": lambda: chain(*(L.Dense(6, name) for name in ("gelu", "silu", "softplus", "sigmoid")), L.Dense(3)),
    "as layers": lambda: chain(L.Dense(6), L.ReLU(), L.Dense(6), L.LeakyReLU(0.1), L.Dense(3), L.Softmax()),
    "two at the end": lambda: chain(L.Dense(6, "relu"), L.Dense(3, "sigmoid"), L.Activation("softmax")),
    "normalized": lambda: chain(L.Dense(6, "relu"), L.BatchNormalization(), L.Dense(3, "softmax")),
    "penalized": lambda: chain(
        L.Dense(6, "relu", kernel_regularizer=keras.regularizers.L1L2(0.02, 0.03)),
        L.Dense(3, "softmax", use_bias=False),
    ),
    "pictures": lambda: picture_chain(L.MaxPooling2D(2), L.Conv2D(5, 2, strides=2, padding="same"), L.Flatten()),
    "averages": lambda: picture_chain(
        L.Conv2D(5, 3, padding="same"), L.BatchNormalization(), L.GlobalAveragePooling2D()
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_outputs_and_gradients_are_those_of_keras(name: str) -> None:
    from_logits = name == "more of them"
    check_gradients(CHAINS[name](), CROSSENTROPY, np.arange(16) % 3, from_logits=from_logits)


@pytest.mark.parametrize(
    ("loss", "units", "end", "labels"),
    [
        (CROSSENTROPY, 3, "sigmoid", np.arange(16) % 3),
        (CROSSENTROPY, 3, "sigmoid", np.eye(3)[np.arange(16) % 3]),
        (CROSSENTROPY, 3, "softmax", np.eye(3)[np.arange(16) % 3]),
        ("binary_crossentropy", 1, "sigmoid", np.arange(16) % 2),
        ("binary_crossentropy", 1, "linear", np.arange(16) % 2),
        ("binary_crossentropy", 2, "softmax", np.eye(2)[np.arange(16) % 2]),
        ("mean_squared_error", 2, "linear", np.linspace(-1, 1, 32).reshape(16, 2)),
        ("mean_squared_error", 3, "softmax", np.arange(16) % 3),
        ("mean_absolute_error", 1, "linear", np.linspace(-1, 1, 16)),
    ],
)
def test_losses_have_the_gradients_of_keras(loss: str, units: int, end: str, labels: np.ndarray) -> None:
    check_gradients(chain(L.Dense(8, "tanh"), L.Dense(units, end)), loss, labels)


def check_gradients(model: Any, loss: str, labels: np.ndarray, *, from_logits: bool = False) -> None:
    """Compare a network with itself in Keras, from two starts at once."""
    import tensorflow as tf

    architecture = KerasArchitecture(model)
    recipe = Recipe(architecture, loss, from_logits, keras_optimizer(model, "sgd"), 1, 16)
    draw = np.random.default_rng(1)
    rows = draw.normal(size=(16, *model.input_shape[1:])).astype(np.float32)
    rows[0] = 0  # each activation at the kink, as behind a layer whose units are all off
    first = [variable.numpy() for variable in model.variables]
    starts = [first, [value + np.float32(0.1) * (value.ndim > 1) for value in first]]
    network = architecture.stacked()
    assert network is not None
    network.start(starts)
    gradient = LossGradient(recipe, labels)
    steps: list[np.ndarray] = []
    batch = np.stack([np.arange(16)] * 2)
    network.step(rows[batch], gradient.labels[batch], gradient, lambda p, g: steps.append(g.copy()), draw)
    after = network.outputs(rows)
    form = trained_labels(recipe, labels)
    for place, start in enumerate(starts):
        for variable, value in zip(model.variables, start, strict=True):
            variable.assign(value)
        with tf.GradientTape() as tape:
            outputs = model(rows, training=True)
            total = tf.add_n([keras_loss(model, recipe, form)(form, outputs), *model.losses])
        slopes = tape.gradient(total, [variable.value for variable in model.trainable_variables])
        expected = np.concatenate([np.asarray(slope).reshape(-1) for slope in slopes])
        np.testing.assert_allclose(steps[0][place], expected, rtol=2e-3, atol=2e-5)
        np.testing.assert_allclose(after[place], np.asarray(model(rows, training=False)), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("Adam", {}),
        ("AdamW", {"weight_decay": 0.1}),
        ("Nadam", {}),
        ("Adamax", {}),
        ("RMSprop", {}),
        ("RMSprop", {"momentum": 0.5}),
        ("SGD", {}),
        ("SGD", {"momentum": 0.9}),
        ("SGD", {"momentum": 0.9, "nesterov": True}),
        ("Adam", {"global_clipnorm": 0.5}),
    ],
)
def test_optimizers_take_the_steps_of_keras(kind: str, settings: dict[str, Any]) -> None:
    optimizer = getattr(keras.optimizers, kind)(0.01, **settings)
    values = np.linspace(-1, 1, 6, dtype=np.float32)
    variable = keras.Variable(values)
    ours = values[None].copy()
    starting = updates(keras_optimizer(None, optimizer))
    assert starting is not None
    update = starting(0.01)
    for step in range(5):
        slopes = np.array([0.5, -0.2, 1.0, 0.01, -3.0, 0.3], dtype=np.float32) * (step + 1)
        optimizer.apply([keras.ops.convert_to_tensor(slopes)], [variable])
        update(ours, slopes[None].copy())
    np.testing.assert_allclose(ours[0], variable.numpy(), rtol=1e-4, atol=1e-6)


def test_each_seed_is_trained_as_if_alone() -> None:
    model = chain(L.Dense(8, "relu"), L.Dense(3, "softmax"))
    architecture = KerasArchitecture(model)
    recipe = Recipe(architecture, CROSSENTROPY, False, keras_optimizer(model, "adam"), 3, 16)
    rows = np.random.default_rng(2).normal(size=(80, 5)).astype(np.float32)
    gradient = LossGradient(recipe, np.arange(80) % 3)
    start = [variable.numpy() for variable in model.variables]

    def trained(seeds: list[int]) -> np.ndarray:
        network, starting = architecture.stacked(), updates(recipe.optimizer)
        assert network is not None
        assert starting is not None
        network.start([start] * len(seeds))
        assert list(train_together(network, gradient, starting(0.01), rows, seeds, 16, [1, 3])) == [1, 3]
        return network.outputs(rows)

    np.testing.assert_allclose(trained([4, 5])[1], trained([5])[0], rtol=1e-5, atol=1e-6)


def test_dropout_leaves_out_its_share_in_training_only() -> None:
    from autograder.extensions.diagnosis.trials.stacked_layers import Dropout

    layer, ones = Dropout(0.3), np.ones((2, 1000, 10), dtype=np.float32)
    assert layer.forward(ones, None) is ones
    dropped = layer.forward(ones, np.random.default_rng(3))
    assert abs((dropped == 0).mean() - 0.3) < 0.02
    assert abs(dropped.mean() - 1) < 0.03


def with_branch() -> Any:
    inputs = keras.Input((5,))
    wide = L.Dense(4)(inputs)
    return keras.Model(inputs, L.Dense(3)(L.Add()([wide, L.Dense(4)(wide)])))


@pytest.mark.parametrize(
    "unusual",
    [
        with_branch,
        lambda: chain(L.Reshape((5, 1)), L.LSTM(4), L.Dense(3)),
        lambda: chain(L.Dense(3, activation=lambda x: x)),
        lambda: chain(L.Dense(3, kernel_constraint="max_norm")),
        lambda: chain(L.Dense(3, trainable=False)),
        lambda: chain(L.Dense(MAX_MULTIPLICATIONS // 5 + 1)),
    ],
)
def test_other_networks_are_left_to_tensorflow(unusual: Any) -> None:
    assert KerasArchitecture(unusual()).stacked() is None


@pytest.mark.parametrize(
    ("kind", "settings"), [("Adam", {"clipnorm": 1.0}), ("Adam", {"amsgrad": True}), ("Adagrad", {})]
)
def test_other_optimizers_are_left_to_tensorflow(kind: str, settings: dict[str, Any]) -> None:
    assert updates(keras_optimizer(None, getattr(keras.optimizers, kind)(**settings))) is None
