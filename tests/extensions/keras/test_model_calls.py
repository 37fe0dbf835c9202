"""Calls of a rebuilt Keras model, which its twin computes: for all rows of a loop at once, with the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.codec import decode, encode
from autograder.extensions.keras.kernel_side.keras_model import claim
from autograder.extensions.keras.model_building import ComputedModel
from autograder.extensions.networks.model_calls import compute_apart
from autograder.models import rebuild
from autograder.models.computing_process import Computed

pytestmark = pytest.mark.keras

X = np.random.default_rng(0).normal(size=(100, 3)).astype("float32")
Y = np.eye(2)[(X[:, 0] > 0).astype(int)]


class Pair:
    """A model and its twin, which counts the rows that it is asked about."""

    def __init__(self, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        packed = encode(list(claim(made)))
        described, weights = decode(packed.text, packed.buffers)
        self.here, self.apart = rebuild(described, weights), rebuild(described, weights)
        parts = {name: described.get(name) for name in ("kind", "config", "layers", "vocabularies", "shared")}
        compute_apart(self.apart, Computed(ComputedModel, parts, weights))
        self.asked: list[int] = []
        outputs = ComputedModel.outputs

        def counted(twin: Any, inputs: Any, weights: Any) -> Any:
            self.asked.append(len(inputs[0]))
            return outputs(twin, inputs, weights)

        monkeypatch.setattr(ComputedModel, "outputs", counted)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Pair:
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    made = keras.Sequential(
        [keras.Input((3,)), layers.Dense(8, "relu"), layers.Dropout(0.5), layers.Dense(2, "softmax")]
    )
    made.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return Pair(made, monkeypatch)


@pytest.mark.parametrize("settings", [{}, {"batch_size": 7}, {"batch_size": 99, "verbose": 0}], ids=str)
def test_predictions_for_all_batches_are_one_request(pair: Pair, settings: dict[str, Any]) -> None:
    predictions = pair.apart.predict(X, **settings)
    assert pair.asked == [100]
    np.testing.assert_allclose(predictions, pair.here.predict(X), rtol=1e-6)
    assert predictions.dtype == np.float32


def test_numbers_of_double_precision_are_rounded_as_keras_does(pair: Pair) -> None:
    rows = X + np.random.default_rng(1).normal(size=X.shape) * 1e-4
    np.testing.assert_allclose(pair.apart.predict(rows), pair.here.predict(rows), rtol=1e-6)
    assert pair.asked == [100]


def test_an_evaluation_takes_its_batches_from_one_request(pair: Pair) -> None:
    evaluated = pair.apart.evaluate(X, Y, verbose=0)
    assert pair.asked == [100]
    np.testing.assert_allclose(evaluated, pair.here.evaluate(X, Y, verbose=0), rtol=1e-5)


def test_an_evaluation_is_of_the_scores_where_probabilities_are_0(pair: Pair) -> None:
    for model in (pair.here, pair.apart):
        model.set_weights([array * 300 for array in model.get_weights()])
    here, apart = (model.evaluate(X, Y[:, ::-1], verbose=0)[0] for model in (pair.here, pair.apart))
    assert here > 17
    np.testing.assert_allclose(apart, here, rtol=1e-5)


def test_a_network_with_many_numbers_for_a_row_is_asked_about_few_rows_at_once(pair: Pair) -> None:
    pair.apart.numbers_per_row = 1 << 17
    pair.apart.predict(X)
    assert pair.asked == [32, 32, 32, 4]


def test_a_callback_may_change_the_model_between_batches(pair: Pair) -> None:
    import keras

    class Doubling(keras.callbacks.Callback):
        def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.set_weights([array * 2 for array in self.model.get_weights()])

    here, apart = (model.predict(X, callbacks=[Doubling()]) for model in (pair.here, pair.apart))
    np.testing.assert_allclose(apart, here, rtol=1e-5)
    assert pair.asked == [32, 32, 32, 4]


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_training_evaluates_the_weights_of_its_last_epoch(pair: Pair, epochs: int) -> None:
    trained = pair.apart.fit(X, Y, validation_data=(X, Y), epochs=epochs, verbose=0)
    pair.here.set_weights(pair.apart.get_weights())
    loss, _ = pair.here.evaluate(X, Y, verbose=0)
    np.testing.assert_allclose(trained.history["val_loss"][-1], loss, rtol=1e-5)


def test_several_inputs_and_outputs_keep_their_form(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras
    from keras import layers

    first, second = keras.Input((3,)), keras.Input((2,))
    joined = layers.Concatenate()([first, second])
    made = keras.Model([first, second], [layers.Dense(2)(joined), layers.Dense(4, "softmax")(joined)])
    made.compile("sgd", "mse")
    pair = Pair(made, monkeypatch)
    here, apart = (model.predict([X, X[:, :2]]) for model in (pair.here, pair.apart))
    assert [array.shape for array in apart] == [(100, 2), (100, 4)]
    for one, other in zip(here, apart, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    assert pair.asked == [100]


def test_rows_that_do_not_fit_are_keras_s_error(pair: Pair) -> None:
    with pytest.raises(Exception, match="shape"):
        pair.apart.predict(np.zeros((40, 5), "float32"))
    with pytest.raises(TypeError):
        pair.apart.predict(X, no_such_setting=1)
