"""Training with several steps for each call: the same numbers, and nothing of it to be seen afterwards."""

from __future__ import annotations

import ast
import inspect
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from autograder.execution.own_kernel import sandboxed_kernel
from autograder.extensions.keras.kernel_side import fast_training
from autograder.extensions.keras.kernel_side.fast_training import epochs, pipelines, predictions, trainer, versions
from autograder.records.limits import Limits
from autograder.records.run import TRAININGS
from autograder.sandbox import default_sandbox

pytestmark = pytest.mark.keras

ROWS = 500
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(ROWS, 12)).astype("float32")
Y = RANDOM.integers(0, 4, ROWS)
PICTURES = RANDOM.normal(size=(200, 10, 10, 1)).astype("float32")
WORDS = RANDOM.integers(0, 40, (200, 8))
LOSS = "sparse_categorical_crossentropy"
SIZES = (None, 7, ROWS)
"""Of batches that a model is evaluated by: as usual, with a smaller one at the end, and all rows at once."""

Fit = Callable[..., Any]


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Keras's own ``fit`` and the fast one, which is in its place until the test has ended."""
    import keras
    from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

    exact = TensorFlowTrainer.fit
    monkeypatch.setattr(TensorFlowTrainer, "fit", exact)  # what is put back
    monkeypatch.setattr(TensorFlowTrainer, "evaluate", TensorFlowTrainer.evaluate)
    monkeypatch.setattr(TensorFlowTrainer, "predict", TensorFlowTrainer.predict)
    trainer.install()
    return SimpleNamespace(exact=exact, fit=TensorFlowTrainer.fit, keras=keras)


def network(*layers: Any, shape: tuple[int, ...] = (12,)) -> Any:
    import keras

    return keras.Sequential([keras.Input(shape), *layers, keras.layers.Dense(4, activation="softmax")])


def plain() -> Any:
    import keras

    return network(keras.layers.Dense(8, activation="relu"))


def several(model: Any) -> bool:
    """Whether it has been trained by several steps at a time."""
    function = model.train_function
    return isinstance(function, epochs.TrainFunction) and bool(function._loops)


def outcome(
    fit: Fit,
    build: Callable[[], Any],
    fits: list[dict[str, Any]],
    x: Any,
    y: Any,
    *,
    sizes: Sequence[int | None] = (None,),
    **compiled: Any,
) -> Any:
    """The model after its trainings, and all numbers that they and evaluations by batches of these sizes left."""
    import keras

    keras.utils.set_random_seed(3)
    model = build()
    if compiled or not model.compiled:
        optimizer = compiled.pop("optimizer", "sgd")
        model.compile(
            optimizer=optimizer() if callable(optimizer) else optimizer,
            **{"loss": LOSS, "metrics": ["accuracy"], **compiled},
        )
    histories = []
    for arguments in fits:
        given = {"verbose": 0, **arguments}
        if callable(given.get("callbacks")):
            given["callbacks"] = given["callbacks"]()
        histories.append(fit(model, x, y, **given))
    arrays = [np.asarray(v).tobytes() for v in (*model.variables, *model.optimizer.variables)]
    said = [(h.history, h.epoch, h.params) for h in histories]
    evaluate, predict = type(model).evaluate, type(model).predict
    if not hasattr(fit, "exact"):  # Keras's own
        evaluate, predict = getattr(evaluate, "exact", evaluate), getattr(predict, "exact", predict)
    evaluated = [evaluate(model, x, y, verbose=0, batch_size=size) for size in sizes]
    predicted = [predict(model, x, verbose=0, batch_size=size) for size in sizes]
    return model, (arrays, said, evaluated, [part.tobytes() for part in keras.tree.flatten(predicted)])


def assert_same(fast: SimpleNamespace, build: Callable[[], Any], *fits: dict[str, Any], **more: Any) -> Any:
    """Trained by both; gives the one that was trained fast. With several threads, Keras's own numbers are not always the
    same to the last bit, so that it gets another try.
    """
    x, y = more.pop("x", X), more.pop("y", Y)
    slow_model, slow = outcome(fast.exact, build, list(fits), x, y, **dict(more))
    model, found = outcome(fast.fit, build, list(fits), x, y, **dict(more))
    assert (several(slow_model), several(model)) == (False, True)
    for _ in range(3):
        if found != slow:
            slow = outcome(fast.exact, build, list(fits), x, y, **dict(more))[1]
    assert found == slow
    chosen = more.get("steps_per_execution", 1)
    assert model.steps_per_execution == chosen
    assert model.get_compile_config()["steps_per_execution"] == chosen
    return model


# --- the same numbers -------------------------------------------------------------------------------------


def test_losses_weights_and_optimizer_are_the_same_to_the_bit(fast: SimpleNamespace) -> None:
    """Random numbers of layers, statistics of batches, a last batch that is smaller, validation, callbacks by epoch."""
    layers, callbacks = fast.keras.layers, fast.keras.callbacks

    def build() -> Any:
        return network(layers.Dense(8), layers.BatchNormalization(), layers.ReLU(), layers.Dropout(0.4))

    def hooks() -> list[Any]:
        return [
            callbacks.EarlyStopping(patience=0, restore_best_weights=True),
            callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.9),
            callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
        ]

    first = {"epochs": 3, "batch_size": 7, "validation_split": 0.2, "callbacks": hooks}
    second = {"epochs": 1, "batch_size": 50, "class_weight": {0: 2.0, 1: 1.0, 2: 1.0, 3: 0.5}}
    assert_same(fast, build, first, second, sizes=SIZES)


def test_a_callback_may_ask_the_model_for_anything_at_the_end_of_an_epoch(fast: SimpleNamespace) -> None:
    seen: list[Any] = []

    class Asking(fast.keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            model = self.model
            seen.append((model.predict(X, verbose=0).tobytes(), model.evaluate(X, Y, verbose=0), dict(logs)))
            seen.append((model.train_on_batch(X[:9], Y[:9]), model.test_on_batch(X[:9], Y[:9])))

    def build() -> Any:
        model = plain()
        model.compile("sgd", LOSS, metrics=["accuracy"])
        model.predict(X[:40], verbose=0)  # functions that Keras has made before
        model.evaluate(X[:40], Y[:40], verbose=0)
        return model

    assert_same(fast, build, {"epochs": 2, "batch_size": 11, "callbacks": lambda: [Asking()]}, sizes=())
    assert len(seen) == 8
    assert seen[:4] == seen[4:]


def kinds() -> dict[str, tuple[Callable[[], Any], list[dict[str, Any]], dict[str, Any]]]:
    """Name → how the model is made, its trainings, and how it is compiled."""
    import keras
    import pandas
    import tensorflow as tf

    layers, optimizers = keras.layers, keras.optimizers

    class Subclassed(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.drop, self.out = layers.Dense(8), layers.Dropout(0.3), layers.Dense(4, "softmax")

        def call(self, x: Any, training: Any = None) -> Any:
            return self.out(self.drop(tf.nn.relu(self.inner(x)), training=training))

    class Penalised(layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            self.add_loss(0.01 * tf.reduce_sum(x * x))
            return x

    def joined() -> Any:
        a, b = keras.Input((12,)), keras.Input((12,))
        return keras.Model([a, b], layers.Dense(4, "softmax")(layers.Add()([layers.Dense(6)(a), layers.Dense(6)(b)])))

    def split() -> Any:
        given = keras.Input((12,))
        outputs = {"a": layers.Dense(4, "softmax", name="a")(given), "b": layers.Dense(1, name="b")(given)}
        return keras.Model(given, outputs)

    def unbuilt() -> Any:
        return keras.Sequential([layers.Dense(8, "relu"), layers.Dropout(0.2), layers.Dense(4, "softmax")])

    def own_loss(true: Any, predicted: Any) -> Any:
        return keras.losses.sparse_categorical_crossentropy(true, predicted) + 0.1 * tf.random.uniform(())

    class Freezing(keras.callbacks.Callback):  # type: ignore[misc]
        """Without another compile: what was traced stays."""

        def on_train_end(self, logs: Any = None) -> None:
            self.model.layers[0].trainable = False

    convolution = [layers.RandomFlip(), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.GlobalMaxPooling2D()]
    two = [{"epochs": 2, "batch_size": 10}]
    return {
        "shuffled rows of a table": (plain, two, {"x": pandas.DataFrame(X), "y": pandas.Series(Y)}),
        "not shuffled": (plain, [{"epochs": 2, "shuffle": False}], {}),
        "tensors": (plain, two, {"x": tf.constant(X), "y": tf.constant(Y)}),
        "weights of samples": (plain, [{"epochs": 2, "sample_weight": np.linspace(0, 1, ROWS)}], {}),
        "validation data": (plain, [{"epochs": 2, "validation_data": (X[:90], Y[:90]), "validation_batch_size": 7}], {}),
        "as many steps as a call has": (plain, [{"epochs": 2, "batch_size": -(-ROWS // 32)}], {}),
        "a call more than the full batches need": (plain, [{"epochs": 2, "batch_size": 13, "validation_split": 0.166}], {}),
        "one step more than a call has": (plain, [{"epochs": 2, "batch_size": -(-ROWS // 33)}], {}),
        "batches that are all full": (plain, [{"epochs": 2, "batch_size": 20}, {"batch_size": 21}], {}),
        "other rows the second time": (plain, [{"validation_split": 0.1}, {"validation_split": 0.3}], {}),
        "few steps, then many": (plain, [{"batch_size": 200}, {"batch_size": 5}], {}),
        "many steps, then few": (plain, [{"batch_size": 5}, {"batch_size": 200}], {}),
        "adam with a schedule": (plain, two, {"optimizer": lambda: optimizers.Adam(
            optimizers.schedules.ExponentialDecay(0.01, 10, 0.9))}),
        "averaged weights": (plain, two, {"optimizer": lambda: optimizers.SGD(use_ema=True, ema_overwrite_frequency=5)}),
        "gathered gradients": (plain, two, {"optimizer": lambda: optimizers.SGD(gradient_accumulation_steps=3)}),
        "metrics with weights": (plain, [{"class_weight": {0: 2.0}}], {"weighted_metrics": ["accuracy"]}),
        "noise": (lambda: network(layers.GaussianNoise(0.1), layers.GaussianDropout(0.2)), two, {}),
        "noise of TensorFlow": (lambda: network(layers.Lambda(lambda t: t + tf.random.normal(tf.shape(t)))), two, {}),
        "pictures": (lambda: network(*map(_again, convolution), shape=(10, 10, 1)), two, {"x": PICTURES, "y": Y[:200]}),
        "words": (lambda: network(layers.Embedding(40, 6), layers.LSTM(6, dropout=0.2), shape=(8,)), two,
                  {"x": WORDS, "y": Y[:200]}),
        "layers that are built by the first batch": (unbuilt, two, {}),
        "a layer that knows the batch": (lambda: network(layers.Lambda(lambda t: t if t.shape[0] is None else 2 * t)),
                                         [{"epochs": 2, "batch_size": 20}], {}),
        "two outputs": (split, two, {"y": {"a": Y, "b": X[:, 0]}, "loss": {"a": LOSS, "b": "mse"}, "metrics": None}),
        "a class of one's own": (Subclassed, two, {}),
        "a layer of one's own": (lambda: network(layers.Dense(6), Penalised()), two, {}),
        "a loss of one's own": (plain, two, {"loss": own_loss}),
        "steps for each call that the student chose": (plain, [*two, {"epochs": 2, "batch_size": 3}],
                                                       {"steps_per_execution": 8}),
        "more steps for each call than there are": (plain, two, {"steps_per_execution": 1_000}),
        "noise with several steps for each call": (
            lambda: network(layers.GaussianNoise(0.1), layers.Lambda(lambda t: t + tf.random.normal(tf.shape(t)))),
            two, {"steps_per_execution": 7}),
        "two inputs": (joined, two, {"x": [X, 2 * X]}),
        "trainable changed without a compile": (
            plain, [{"callbacks": lambda: [Freezing()]}, {"batch_size": 10}], {}
        ),
    }  # fmt: skip


def _again(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config())


@pytest.mark.slow
def test_of_every_kind_of_training_the_numbers_are_the_same(fast: SimpleNamespace) -> None:
    wrong = {}
    for name, (build, fits, more) in kinds().items():
        try:
            assert_same(fast, build, *fits, sizes=SIZES, **more)
        except AssertionError as error:
            wrong[name] = str(error)[:200]
    assert wrong == {}


@pytest.mark.parametrize(
    "name", [pytest.param("on_train_begin", marks=pytest.mark.slow), "on_epoch_begin", "on_test_begin"]
)
def test_a_flag_to_stop_ends_after_as_many_steps_as_in_keras(fast: SimpleNamespace, name: str) -> None:
    """Keras looks at it after each call, and how many steps that is may be the student's choice."""

    def end(callback: Any, *_: Any) -> None:
        callback.model.stop_training = callback.model.stop_evaluating = True

    ending = type("Ending", (fast.keras.callbacks.Callback,), {name: end})
    given = {"epochs": 2, "batch_size": 10, "callbacks": lambda: [ending()], "validation_data": (X[:90], Y[:90])}
    found = [outcome(fit, plain, [given], X, Y, sizes=(), steps_per_execution=6)[1] for fit in (fast.exact, fast.fit)]
    assert found[0] == found[1]


def meddling(keras: Any) -> dict[str, Any]:
    """Name → a callback that does something with its model while that is trained."""

    class Meddling(keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def __init__(self, when: str, act: Callable[[Any], Any]) -> None:
            super().__init__()
            self.said: list[Any] = []
            setattr(self, when, lambda *_: self.said.append(act(self.model)))

    def end(model: Any) -> None:
        model.stop_training = True

    def end_evaluation(model: Any) -> None:
        model.stop_evaluating = True

    def freeze(model: Any) -> None:
        model.layers[0].trainable = False
        model.make_train_function(force=True)

    def forget(model: Any) -> None:
        model.layers[0].trainable = False
        model.train_function = model.test_function = None

    def fit(model: Any) -> Any:
        hook = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
        seen: list[int] = []
        model.fit(X[:50], Y[:50], verbose=0, callbacks=[hook])
        return seen

    def other(model: Any) -> Any:
        second = plain()
        second.set_weights(model.get_weights())
        second.compile("sgd", LOSS)
        return second.fit(X[:90], Y[:90], verbose=0, shuffle=False).history

    return {
        "an end before a training begins": lambda: Meddling("on_train_begin", end),
        "an end before an epoch begins": lambda: Meddling("on_epoch_begin", end),
        "an end before an evaluation begins": lambda: Meddling("on_test_begin", end_evaluation),
        "some steps of an evaluation": lambda: Meddling(
            "on_epoch_end", lambda model: model.evaluate(X, Y, batch_size=10, steps=3, verbose=0)
        ),
        "some steps of predictions": lambda: Meddling(
            "on_epoch_end", lambda model: model.predict(X, steps=1, verbose=0).tobytes()
        ),
        "another function for the steps": lambda: Meddling("on_epoch_begin", freeze),
        "a fit in a fit": lambda: Meddling("on_epoch_end", fit),
        "another model's fit": lambda: Meddling("on_epoch_end", other),
        "functions that are forgotten": lambda: Meddling("on_train_end", forget),
    }


@pytest.mark.slow
def test_callbacks_may_do_with_the_model_what_they_like(fast: SimpleNamespace) -> None:
    wrong = []
    for name, make in meddling(fast.keras).items():
        found = []
        for fit in (fast.exact, fast.fit):
            callback = make()
            first = {"epochs": 2, "batch_size": 9, "callbacks": [callback], "validation_split": 0.2}
            found.append((outcome(fit, plain, [first, {"batch_size": 9}], X, Y)[1], callback.said))
        wrong += [name] if found[0] != found[1] else []
    assert wrong == []


def test_a_later_training_by_single_steps_goes_on_with_what_was_traced(fast: SimpleNamespace) -> None:
    """Without another compile, a layer that is frozen meanwhile goes on to be trained, as in Keras."""
    hook = fast.keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)

    class Freezing(fast.keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        def on_train_end(self, logs: Any = None) -> None:
            self.model.layers[0].trainable = False

    assert_same(fast, plain, {"callbacks": lambda: [Freezing()]}, {"callbacks": lambda: [hook]}, sizes=())


def test_each_fit_is_counted_by_how_it_ran(fast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    monkeypatch.setattr(trainer, "counts", Counter())
    hook = fast.keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    trained = [
        ((X, Y), {}),
        ((X, Y), {"epochs": 2}),
        ((X, Y), {"callbacks": [hook]}),
        ((tf.data.Dataset.from_tensor_slices((X, Y)).batch(50),), {}),
        ((X, Y), {"batch_size": ROWS}),
    ]
    for data, given in trained:
        model = plain()
        model.compile("sgd", LOSS)
        fast.fit(model, *data, verbose=0, **given)
    model.compile("sgd", LOSS, run_eagerly=True)
    fast.fit(model, X, Y, verbose=0)
    assert trainer.counts == {"fast": 2, "callbacks": 1, "data": 1, "batches": 1, "model": 1}
    assert set(trainer.counts) == set(TRAININGS)


def test_a_slow_step_is_soon_run_alone(fast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """So an interrupt never waits for many of them; the numbers stay the same."""
    calls: list[int] = []
    measure = epochs._Rows.measure
    monkeypatch.setattr(
        epochs._Rows, "measure", lambda rows, seconds, steps: (calls.append(steps), measure(rows, 0.4, 1))[1]
    )
    assert_same(fast, plain, {"epochs": 2, "batch_size": 50}, sizes=())
    assert calls[:3] == [epochs.FIRST_STEPS, 2, 1]
    assert set(calls[2:12]) == {1}


def test_a_model_that_was_not_trained_is_evaluated_fast(fast: SimpleNamespace) -> None:
    model = outcome(fast.fit, plain, [], X, Y)[0]
    assert isinstance(model.test_function, epochs.TrainFunction)
    assert outcome(fast.fit, plain, [], X, Y)[1] == outcome(fast.exact, plain, [], X, Y)[1]


@pytest.mark.parametrize("given", [{"steps": 3}, {"batch_size": ROWS}, {"callbacks": "hook"}])
def test_an_evaluation_whose_batches_count_is_kerass(fast: SimpleNamespace, given: dict[str, Any]) -> None:
    seen: list[int] = []
    if "callbacks" in given:
        hook = fast.keras.callbacks.LambdaCallback()
        hook.on_test_batch_end = lambda batch, logs: seen.append(batch)
        given = {"callbacks": [hook]}
    model = plain()
    model.compile("sgd", LOSS)
    model.evaluate(X, Y, verbose=0, **given)
    assert not isinstance(model.test_function, epochs.TrainFunction)
    assert seen == ([] if "callbacks" not in given else list(range(16)))


def test_a_limit_of_steps_holds(fast: SimpleNamespace) -> None:
    fast.keras.config.set_max_steps_per_epoch(3)
    try:
        exact = outcome(fast.exact, plain, [{"batch_size": 5}], X, Y)[1]
        assert outcome(fast.fit, plain, [{"batch_size": 5}], X, Y)[1] == exact
    finally:
        fast.keras.config.set_max_steps_per_epoch(None)


def test_with_another_keras_it_trains_by_batches(fast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    exact = outcome(fast.exact, plain, [{"epochs": 2}], X, Y)[1]
    monkeypatch.setattr(epochs, "_tensors", lambda adapter: adapter._inputs_of_another_version)
    model, found = outcome(fast.fit, plain, [{"epochs": 2}], X, Y)
    assert (found, several(model)) == (exact, False)


@pytest.mark.parametrize("version", ["3.7.0", "3.11.3", f"3.{versions.PIPELINES[-1][1] + 1}.0", "4.0.0", "nightly"])
def test_with_an_untested_version_of_keras_fit_stays_kerass_own(
    fast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

    monkeypatch.setattr(TensorFlowTrainer, "fit", fast.exact)
    monkeypatch.setattr(fast.keras, "__version__", version)
    trainer.install()
    assert TensorFlowTrainer.fit is fast.exact


def test_keras_own_fit_trains_by_single_steps(fast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

    monkeypatch.setattr(TensorFlowTrainer, "fit", fast.exact)
    monkeypatch.setattr(fast.keras, "__version__", "4.0.0")
    trainer.install()
    model, found = outcome(TensorFlowTrainer.fit, plain, [{"epochs": 2}], X, Y, sizes=())
    assert found == outcome(fast.exact, plain, [{"epochs": 2}], X, Y, sizes=())[1]
    assert not several(model)


# --- where it trains as it stands -------------------------------------------------------------------------


class Generated:
    """Rows without a known end."""

    def __iter__(self) -> Any:
        while True:
            yield X[:5], Y[:5]


def looking(callbacks: Any) -> dict[str, list[Any]]:
    class Batches(callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            pass

    class Old(callbacks.Callback):  # type: ignore[misc]
        def on_batch_begin(self, batch: int, logs: Any = None) -> None:
            pass

    class Checkpoint(callbacks.ModelCheckpoint):  # type: ignore[misc]
        pass

    return {
        "a hook for batches": [Batches()],
        "a hook of old": [callbacks.EarlyStopping(), Old()],
        "a function for batches": [callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)],
        "a function for batches, set later": [
            _with(callbacks.Callback(), on_train_batch_begin=lambda batch, logs: None)
        ],
        "checkpoints by steps": [callbacks.ModelCheckpoint("m.keras", save_freq=10)],
        "a class of one's own of checkpoints": [Checkpoint("m.keras")],
        "backups by steps": [callbacks.BackupAndRestore("backup", save_freq=10)],
        "TensorBoard": [callbacks.TensorBoard("logs")],
        "an end at NaN": [callbacks.TerminateOnNaN()],
        "a list of Keras's": callbacks.CallbackList([]),
    }


def _with(thing: Any, **attributes: Any) -> Any:
    vars(thing).update(attributes)
    return thing


def test_who_looks_at_single_batches_sees_each(fast: SimpleNamespace) -> None:
    """Also where it is a class of the student's own: its hooks are called for each batch."""
    model = plain()
    model.compile("sgd", LOSS)
    signature = inspect.signature(fast.exact)

    def steps(**given: Any) -> int:
        return trainer._allowed_steps(model, signature, (X, Y), given)[0]

    callbacks = fast.keras.callbacks
    assert {name: steps(callbacks=given) for name, given in looking(callbacks).items()} == dict.fromkeys(
        looking(callbacks), 1
    )
    assert steps(callbacks=[callbacks.ModelCheckpoint("m.keras"), callbacks.BackupAndRestore("backup")]) == 16
    assert steps(callbacks=callbacks.CSVLogger("log.csv"), batch_size=1) == trainer.MAX_STEPS
    seen: list[int] = []
    hook = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    model.fit(X, Y, verbose=0, batch_size=50, callbacks=[hook])
    assert seen == list(range(10))
    assert steps() == 1, "it has been trained by single steps since it was compiled, and goes on so"


def test_what_is_not_plain_training_on_arrays_trains_as_it_stands(fast: SimpleNamespace) -> None:
    import tensorflow as tf

    signature = inspect.signature(fast.exact)

    def steps(change: Callable[[Any], Any] | None = None, x: Any = X, build: Any = plain, **given: Any) -> int:
        model = build()
        model.compile(**{"optimizer": "sgd", "loss": LOSS, **given.pop("compiled", {})})
        if change:
            change(model)
        return trainer._allowed_steps(model, signature, (x, Y), given)[0]

    class OwnStep(fast.keras.Model):  # type: ignore[misc, name-defined]
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    assert steps() == 16
    assert steps(validation_split=0.5) == 8
    assert steps(batch_size=ROWS) == 1
    for exact in (
        steps(steps_per_epoch=3),
        steps(validation_data=(X, Y), validation_steps=3),
        steps(x=tf.data.Dataset.from_tensor_slices((X, Y)).batch(5)),
        steps(x=Generated()),
        steps(validation_data=Generated()),
        steps(compiled={"run_eagerly": True}),
        steps(compiled={"jit_compile": True}),
        steps(build=OwnStep),
        steps(lambda model: setattr(model, "train_step", model.train_step)),
        steps(lambda model: setattr(model, "compiled", False)),
        steps(x=object()),
        steps(nonsense=1),
    ):
        assert exact == 1
    tf.config.run_functions_eagerly(True)
    try:
        assert steps() == 1
    finally:
        tf.config.run_functions_eagerly(False)


# --- what is left of it -----------------------------------------------------------------------------------


def test_a_fit_that_ends_early_leaves_what_it_was_compiled_with(fast: SimpleNamespace) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    model = plain()
    model.compile("sgd", LOSS)
    predict = model.predict(X[:2], verbose=0)
    before = model.predict_function
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, verbose=0, callbacks=[fast.keras.callbacks.LambdaCallback(on_train_begin=stop)])
    assert (model.steps_per_execution, several(model), model.predict_function) == (1, False, before)
    assert model.predict(X[:2], verbose=0).tobytes() == predict.tobytes()


def test_errors_of_fit_and_its_signature_are_kerass(fast: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="must call `compile"):
        plain().fit(X, Y)
    assert inspect.signature(fast.fit) == inspect.signature(fast.exact)
    assert (fast.fit.__name__, fast.fit.__module__, fast.fit.__doc__) == (
        "fit",
        fast.exact.__module__,
        fast.exact.__doc__,
    )


def test_keras_is_taught_once_when_it_is_there(fast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    from keras.src.backend.tensorflow.trainer import TensorFlowTrainer

    hooks: list[Any] = []
    register = SimpleNamespace(register=lambda name, hook: hooks.append((name, hook)))
    fast_training.start(SimpleNamespace(events=register), fast=True)
    ((name, hook),) = hooks
    assert name == "pre_run_cell"
    hook(None)
    assert TensorFlowTrainer.fit is fast.fit
    monkeypatch.setattr(TensorFlowTrainer, "fit", fast.exact)
    monkeypatch.setattr(fast.keras.backend, "backend", lambda: "jax")
    hook(None)
    assert TensorFlowTrainer.fit is fast.exact
    monkeypatch.delitem(__import__("sys").modules, "keras")
    hook(None)
    assert TensorFlowTrainer.fit is fast.exact


CELL = """
import keras, numpy as np
class Looking(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(type(self.model.train_function).__name__, end=" ")
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((640, 3)), np.ones(640), verbose=0, callbacks=[Looking()])
print(model.steps_per_execution)
"""


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize(
    ("preload", "said"), [(["keras", fast_training.OPTION], "TrainFunction 1\n"), (["keras"], "function 1\n")]
)
def test_in_the_sandbox_the_kernel_does_so_only_where_it_is_told(preload: list[str], said: str) -> None:
    kernel = sandboxed_kernel(default_sandbox(), {}, Limits(), preload=preload)
    try:
        ran = kernel.run(CELL, 120)
    finally:
        kernel.close()
    assert (ran.status, [output.get("text") for output in ran.outputs]) == ("ok", [said])


@pytest.mark.parametrize(
    ("module", "beside"),
    [
        (fast_training, {"counts", "pipelines", "trainer"}),
        (trainer, {"epochs", "predictions", "versions"}),
        (epochs, {"pipelines", "predictions"}),
        (predictions, set()),
        (pipelines, {"versions"}),
        (versions, set()),
    ],
)
def test_the_modules_need_nothing_but_the_standard_library_and_one_another(module: Any, beside: set[str]) -> None:
    tree = ast.parse(Path(module.__file__).read_text())
    imported = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported |= {alias.name for node in froms for alias in node.names if node.level}
    imported |= {node.module.partition(".")[0] for node in froms if node.module and not node.level}
    assert imported - sys.stdlib_module_names <= beside
