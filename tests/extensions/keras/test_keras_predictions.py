"""Predictions with several batches for each call: the same numbers, and Keras's own way wherever something looks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder.extensions.keras.kernel_side.fast_training import predictions, trainer

pytestmark = pytest.mark.keras

ROWS = 500
X = np.random.default_rng(0).normal(size=(ROWS, 12)).astype("float32")
PICTURES = np.random.default_rng(1).normal(size=(200, 10, 10, 1)).astype("float32")
WORDS = np.random.default_rng(2).integers(0, 40, (200, 8))


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Keras's own ``predict`` and the fast one, which is in its place until the test has ended."""
    import keras
    from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

    for name in ("fit", "evaluate", "predict"):
        monkeypatch.setattr(TensorFlowTrainer, name, getattr(TensorFlowTrainer, name))
    exact = TensorFlowTrainer.predict
    trainer.install()
    return SimpleNamespace(exact=exact, predict=TensorFlowTrainer.predict, keras=keras)


def network(*layers: Any, shape: tuple[int, ...] = (12,)) -> Any:
    import keras

    return keras.Sequential([keras.Input(shape), *layers])


def plain() -> Any:
    import keras

    return network(keras.layers.Dense(8, "relu"), keras.layers.Dense(4, "softmax"))


def outcome(predict: Callable[..., Any], build: Callable[[], Any], x: Any, calls: list[dict[str, Any]]) -> list[Any]:
    """All numbers that the calls give, one after the other, and what they are: structure, types, shapes."""
    import keras

    keras.utils.set_random_seed(3)
    model = build()
    found = []
    for given in calls:
        answer = predict(model, x, **{"verbose": 0, **given})
        found.append(
            keras.tree.map_structure(lambda part: (part.dtype, part.shape, np.asarray(part).tobytes()), answer)
        )
    found.append([np.asarray(variable).tobytes() for variable in model.variables])
    return found


def kinds() -> dict[str, tuple[Callable[[], Any], Any]]:
    """Name → how the model is made, and its rows."""
    import keras
    import pandas
    import tensorflow as tf

    layers = keras.layers

    class Subclassed(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.out = layers.Dense(8), layers.Dense(4, "softmax")

        def call(self, x: Any, training: Any = None) -> Any:
            return self.out(tf.nn.relu(self.inner(x)))

    class Counting(layers.Layer):  # type: ignore[misc]
        """Answers of a later batch depend on how many there were."""

        def build(self, shape: Any) -> None:
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x: Any) -> Any:
            self.calls.assign_add(1.0)
            return x + self.calls

    def joined() -> Any:
        a, b = keras.Input((12,)), keras.Input((12,))
        return keras.Model([a, b], {"sum": layers.Add()([a, b]), "both": [layers.Dense(3)(a), layers.Dense(2)(b)]})

    def summed() -> Any:
        """TensorFlow adds in another order where it knows that both have the same number of rows."""
        a, b = keras.Input((12,)), keras.Input((12,))
        both = layers.Add()([layers.Dense(6)(a), layers.Dense(6)(b)])
        return keras.Model([a, b], layers.Dense(4, "softmax")(both))

    def ragged(x: Any) -> Any:
        return tf.RaggedTensor.from_row_lengths(x[:, 0], tf.ones(tf.shape(x)[0], tf.int64)).to_tensor()

    return {
        "arrays": (plain, X),
        "float64 and lists of rows": (plain, X.astype("float64")),
        "whole numbers": (plain, (10 * X).astype("int64")),
        "a table": (plain, pandas.DataFrame(X)),
        "a tensor": (plain, tf.constant(X)),
        "few rows": (plain, X[:3]),
        "as many rows as a batch": (plain, X[:32]),
        "two full batches": (plain, X[:64]),
        "pictures": (lambda: network(layers.Conv2D(4, 3), layers.BatchNormalization(), layers.GlobalMaxPooling2D(),
                                     shape=(10, 10, 1)), PICTURES),
        "words": (lambda: network(layers.Embedding(40, 6, mask_zero=True), layers.LSTM(6), shape=(8,)), WORDS),
        "sequences": (lambda: network(layers.Embedding(40, 6), layers.GRU(6, return_sequences=True), shape=(8,)), WORDS),
        "two inputs and three outputs": (joined, [X, 2 * X]),
        "a sum of two layers": (summed, [X, 2 * X]),
        "a class of one's own": (Subclassed, X),
        "layers that are built by the first batch": (lambda: keras.Sequential([layers.Dense(8), layers.Dense(4)]), X),
        "a layer that knows the batch": (
            lambda: network(layers.Lambda(lambda t: t if t.shape[0] is None else t * t.shape[0])), X),
        "one number of each batch": (lambda: network(layers.Lambda(lambda t: tf.reduce_sum(t))), X),
        "one row of each batch": (lambda: network(layers.Lambda(lambda t: tf.reduce_sum(t, 0))), X),
        "rows of unknown width": (lambda: network(layers.Lambda(ragged)), X),
        "dropout, which is off": (lambda: network(layers.Dropout(0.5), layers.Dense(3)), X),
        "noise that is on": (lambda: network(layers.Lambda(partial(layers.GaussianNoise(0.5), training=True))), X),
        "noise of TensorFlow": (lambda: network(layers.Lambda(lambda t: t + tf.random.normal(tf.shape(t)))), X),
        "a layer that counts its calls": (lambda: network(Counting()), X),
        "half precision": (lambda: network(layers.Dense(6, dtype="mixed_float16"), layers.Dense(2)), X),
    }  # fmt: skip


DIFFICULT = {
    "arrays",
    "few rows",
    "as many rows as a batch",
    "two full batches",
    "words",
    "two inputs and three outputs",
    "a sum of two layers",
    "a class of one's own",
    "layers that are built by the first batch",
    "a layer that knows the batch",
    "one number of each batch",
    "rows of unknown width",
    "noise that is on",
    "noise of TensorFlow",
    "a layer that counts its calls",
    "half precision",
}
"""The kinds that each run compares: of each reason why the fast way might give something else, one."""


FEW_CALLS: list[dict[str, Any]] = [{}, {"steps": 2}]
CALLS: list[dict[str, Any]] = [{}, {"batch_size": 7}, {}, {"batch_size": 100}, {"steps": 2}]


def same_to_the_bit(fast: SimpleNamespace, names: set[str], calls: list[dict[str, Any]]) -> None:
    wrong = []
    for name, (build, x) in kinds().items():
        if name not in names:
            continue
        found, expected = (outcome(predict, build, x, calls) for predict in (fast.predict, fast.exact))
        wrong += [name] if found != expected else []
    assert wrong == []


def test_predictions_are_the_same_to_the_bit_for_difficult_models(fast: SimpleNamespace) -> None:
    assert kinds().keys() >= DIFFICULT
    same_to_the_bit(fast, {"arrays"}, CALLS)
    same_to_the_bit(fast, DIFFICULT - {"arrays"}, FEW_CALLS)


@pytest.mark.slow
def test_predictions_are_the_same_to_the_bit_for_every_kind_of_model(fast: SimpleNamespace) -> None:
    same_to_the_bit(fast, set(kinds()), CALLS)


def allowed(fast: SimpleNamespace, model: Any, x: Any = X, **given: Any) -> int:
    return trainer._allowed_prediction_steps(model, inspect.signature(fast.exact), (x,), given)


def test_hooks_for_batches_see_each_one(fast: SimpleNamespace) -> None:
    seen: list[Any] = []
    looking = fast.keras.callbacks.LambdaCallback()
    looking.on_predict_batch_end = lambda batch, logs: seen.append((batch, logs["outputs"].shape[0]))
    plain().predict(X, verbose=0, batch_size=200, callbacks=[looking])
    assert seen == [(0, 200), (1, 200), (2, 100)]
    assert allowed(fast, plain(), callbacks=[looking]) == 1
    assert allowed(fast, plain(), callbacks=[fast.keras.callbacks.LambdaCallback()]) > 1


def test_a_callback_may_end_it_after_the_first_batch(fast: SimpleNamespace) -> None:
    class Ending(fast.keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_predict_begin(self, logs: Any = None) -> None:
            self.model.stop_predicting = True

    assert plain().predict(X, verbose=0, callbacks=[Ending()]).shape == (32, 4)


def test_other_data_and_steps_of_ones_own_are_predicted_as_in_keras(fast: SimpleNamespace) -> None:
    import tensorflow as tf

    class OwnStep(fast.keras.Sequential):  # type: ignore[misc, name-defined]
        def predict_step(self, data: Any) -> Any:
            return super().predict_step(data)

    several, compiled = plain(), plain()
    several.compile(steps_per_execution=4)
    compiled.compile(jit_compile=True)
    eager = plain()
    eager.compile(run_eagerly=True)
    own = OwnStep([fast.keras.Input((12,)), fast.keras.layers.Dense(2)])
    assert [allowed(fast, model) for model in (plain(), several, compiled, eager, own)] == [32, 0, 0, 0, 0]
    assert allowed(fast, plain(), tf.data.Dataset.from_tensor_slices(X).batch(5)) == 0
    assert allowed(fast, plain(), X.tolist()) == 0
    assert allowed(fast, plain(), nonsense=1) == 0


def test_errors_are_keras_own(fast: SimpleNamespace) -> None:
    def said(predict: Callable[..., Any]) -> str:
        with pytest.raises(Exception, match=r"incompatible|shape") as raised:
            predict(plain(), X[:, :5], verbose=0)
        return f"{type(raised.value)} {raised.value}".replace("sequential_1", "sequential")

    fast.keras.utils.clear_session()
    expected = said(fast.exact)
    fast.keras.utils.clear_session()
    assert said(fast.predict) == expected


def test_one_batch_after_another_predicts_with_the_same_function(fast: SimpleNamespace) -> None:
    """``predict_on_batch`` takes over what ``predict`` has made, and weights that change are used."""
    model = plain()
    first = model.predict(X, verbose=0)
    assert isinstance(model.predict_function, predictions.PredictFunction)
    assert model.predict_on_batch(X[:32]).tobytes() == first[:32].tobytes()
    model.set_weights([2 * weight for weight in model.get_weights()])
    assert model.predict(X, verbose=0).tobytes() == fast.exact(model, X, verbose=0).tobytes() != first.tobytes()
