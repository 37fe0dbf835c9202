"""What tests read of a model answers outside of the notebook as it does inside."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from helpers.lazy import eagerly, keras
from helpers.lazy import layers as L
from helpers.rebuilding import sent

from autograder import check
from autograder.codec import Reference
from autograder.examiner.namespace import Answers
from autograder.models import rebuild
from autograder.records.checks import Outcome

pytestmark = [
    pytest.mark.keras,
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config"),  # data are prepared in graphs all the same
]

ROWS = np.random.default_rng(0).random((20, 4)).astype("float32")
CLASSES = np.eye(3, dtype="float32")[np.arange(20) % 3]


def network() -> Any:
    given = [keras.Input((4,)), L.Dense(5, activation="relu", name="hidden"), L.Dense(3, activation="softmax")]
    return keras.Sequential(given, name="mine")


def functional() -> Any:
    inputs = keras.Input((4,), name="rows")
    hidden = L.Dense(5, activation="relu", name="hidden")(inputs)
    joined = hidden + L.Dense(5)(inputs)
    return keras.Model(inputs, L.Dense(3, activation="softmax")(joined), name="mine")


def nested() -> Any:
    inner = keras.Sequential([L.Dense(5, activation="relu"), L.BatchNormalization()], name="hidden")
    return keras.Sequential([keras.Input((4,)), inner, L.Dense(3, activation="softmax")], name="mine")


def own_loss(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)


def own_metric(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(y_pred)


COMPILED: dict[str, Callable[[], dict[str, Any]]] = {
    "by names": lambda: {"optimizer": "adam", "loss": "categorical_crossentropy", "metrics": ["accuracy"]},
    "by objects": lambda: {
        "optimizer": keras.optimizers.SGD(0.3, momentum=0.9),
        "loss": keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        "metrics": [keras.metrics.CategoricalAccuracy(name="share")],
    },
    "by functions": lambda: {"optimizer": "rmsprop", "loss": keras.losses.mean_squared_error},
    "with a loss of their own": lambda: {"optimizer": keras.optimizers.SGD(0.3), "loss": own_loss, "metrics": ["mae"]},
    "with a metric of their own": lambda: {"optimizer": "sgd", "loss": "mse", "metrics": [own_metric, "accuracy"]},
    "with a partial loss": lambda: {"optimizer": "sgd", "loss": partial(own_loss)},
    "with a schedule": lambda: {
        "optimizer": keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)),
        "loss": "mse",
    },
    "for a loop of their own": lambda: {"optimizer": "nadam"},
}
READ: dict[str, Callable[[Any], Any]] = {
    "output_shape": lambda m: m.output_shape,
    "input_shape": lambda m: m.input_shape,
    "inputs": lambda m: [tensor.shape for tensor in m.inputs],
    "outputs": lambda m: [tensor.shape for tensor in m.outputs],
    "layers": lambda m: [(type(layer).__name__, layer.name) for layer in m.layers],
    "get_layer": lambda m: (m.get_layer("hidden").name, m.get_layer(index=0).name),
    "count_params": lambda m: m.count_params(),
    "weights": lambda m: [tuple(w.shape) for w in m.weights],
    "trainable_weights": lambda m: [(w.name, tuple(w.shape)) for w in m.trainable_weights],
    "summary": lambda m: m.summary(print_fn=lambda *a, **k: None),
    "get_config": lambda m: sorted(m.get_config()),
    "name": lambda m: m.name,
    "loss": lambda m: getattr(m.loss, "__name__", None) or getattr(m.loss, "name", m.loss),
    "optimizer": lambda m: (type(m.optimizer).__name__, m.optimizer.name, float(m.optimizer.learning_rate)),
    "iterations": lambda m: int(m.optimizer.iterations),
    "metrics_names": lambda m: m.metrics_names,
    "history": lambda m: m.history.history,
    "epochs": lambda m: m.history.epoch,
    "last loss": lambda m: m.history.history["loss"][-1],
    "compiled": lambda m: m.compiled,
    "built": lambda m: m.built,
}


def read(model: Any, what: Callable[[Any], Any]) -> Any:
    """What it answers, or the type of what it raises."""
    try:
        return what(model)
    except Exception as error:
        return type(error)


@pytest.fixture(scope="module", params=COMPILED)
def pairs(request: pytest.FixtureRequest) -> list[tuple[Any, Any]]:
    """Trained models as the kernel has them, and as the examiner makes them."""
    made = []
    for make in (network, functional, nested):
        model = make()
        model.compile(**COMPILED[request.param]())
        if model.loss is not None:
            with eagerly():
                model.fit(ROWS, CLASSES, epochs=2, verbose=0)
        made.append((model, rebuild(*sent(model))))
    return made


@pytest.mark.parametrize("what", READ)
def test_a_rebuilt_model_answers_as_in_the_notebook(pairs: list[tuple[Any, Any]], what: str) -> None:
    for model, twin in pairs:
        if what == "loss" and isinstance(model.loss, partial):
            continue  # it has no name
        assert read(twin, READ[what]) == read(model, READ[what])


@pytest.mark.parametrize("what", READ)
def test_a_model_that_was_never_compiled_answers_as_in_the_notebook(what: str) -> None:
    model = network()
    assert read(rebuild(*sent(model)), READ[what]) == read(model, READ[what])


def test_a_known_metric_is_measured_beside_a_loss_of_their_own() -> None:
    model = network()
    model.compile("sgd", own_loss, metrics=["accuracy", own_metric])
    model.fit(ROWS, CLASSES, verbose=0)
    theirs = model.evaluate(ROWS, CLASSES, verbose=0, return_dict=True)
    ours = rebuild(*sent(model)).evaluate(ROWS, CLASSES, verbose=0, return_dict=True)
    assert ours.keys() == theirs.keys()
    assert ours["accuracy"] == pytest.approx(theirs["accuracy"])
    assert math.isnan(ours["loss"])
    assert math.isnan(ours["own_metric"])


def test_a_model_with_settings_of_their_own_is_not_trained_by_others() -> None:
    model = network()
    model.compile("sgd", own_loss)
    twin = rebuild(*sent(model))
    with pytest.raises(TypeError, match="can be trained only there"):
        twin.fit(ROWS, CLASSES, verbose=0)
    np.testing.assert_array_equal(twin.get_weights()[0], model.get_weights()[0])
    twin.compile("sgd", "mse")
    assert not math.isnan(twin.evaluate(ROWS, CLASSES, verbose=0))


def test_settings_of_their_own_do_not_pass_for_kerass() -> None:
    class Adam(keras.optimizers.SGD):
        pass

    class Accuracy(keras.metrics.Metric):
        def __init__(self) -> None:
            super().__init__(name="accuracy")

        def update_state(self, *_: Any, **__: Any) -> None: ...
        def result(self) -> float:
            return 1.0

    model = network()
    model.compile(Adam(0.1), own_loss, metrics=[Accuracy()])
    twin = rebuild(*sent(model))
    for asked in ({"optimizer": "adam"}, {"loss": "mse"}, {"metrics": ["accuracy"]}):
        with check.recording() as results:
            check.compiled(twin, **asked)
        assert results[0].outcome is Outcome.FAILED
        assert "own" in results[0].message or "missing" in results[0].message
    with check.recording() as results:
        check.compiled(twin, learning_rate=0.1)
    assert results[0].outcome is Outcome.PASSED


def test_mixed_precision_hides_no_optimizer() -> None:
    model = network()
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)), "mse")
    for one in (model, rebuild(*sent(model))):
        with check.recording() as results:
            check.compiled(one, optimizer="adam", learning_rate=0.01)
        assert results[0].outcome is Outcome.PASSED, results[0].message


@pytest.mark.parametrize(
    "history",
    [
        None,
        {},
        3,
        {"loss": 3},
        {"loss": [1]},
        {"loss": ["1"]},
        {"a b": [1.0]},
        {"loss": [1.0] * 3000},
        {f"m{i}": [1.0] for i in range(200)},
    ],
)
def test_an_implausible_learning_curve_is_none(history: Any) -> None:
    claimed, arrays = sent(network())
    assert not hasattr(rebuild({**claimed, "history": history}, arrays), "history")


def test_a_model_that_a_call_returns_has_no_learning_curve() -> None:
    """Its kernel has seen the test's hidden inputs."""
    from helpers.kernels import remote_after

    remote, _ = remote_after("pass")
    model = network()
    model.compile("sgd", "mse")
    model.fit(ROWS, CLASSES, verbose=0)
    answers = Answers(remote, frozenset(), rebuild)
    returned = answers.rebuild_returned(Reference(1, "model", "Net"), sent(model))
    assert returned.count_params() == model.count_params()
    assert not hasattr(returned, "history")
