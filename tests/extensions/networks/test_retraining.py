"""Training a student's architecture again: what counts is what it learns here, from weights that nobody chose."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L
from helpers.rebuilding import sent

from autograder import check
from autograder.check import prediction_cache
from autograder.errors import CourseError
from autograder.extensions.keras.kernel_side import keras_model
from autograder.extensions.networks import cost, fresh_model, training, training_plan
from autograder.extensions.networks.reading import as_examined
from autograder.models import rebuild
from autograder.records.checks import CheckResult, Outcome

pytestmark = pytest.mark.keras

DRAW = np.random.default_rng(0)
CENTERS = DRAW.normal(size=(3, 10))
LABELS = DRAW.integers(0, 3, 1000)
X = (CENTERS[LABELS] + DRAW.normal(size=(1000, 10))).astype("float32")
Y = np.eye(3, dtype="float32")[LABELS]
TRAIN, HOLDOUT = (X[:600], Y[:600]), (X[600:], Y[600:])


def sequential(*layers: Any, shape: tuple[int, ...] = (10,), optimizer: Any = "sgd") -> Any:
    model = keras.Sequential([keras.Input(shape), *layers])
    model.compile(optimizer, "categorical_crossentropy", jit_compile=False)
    return model


def network(*more: Any, **keywords: Any) -> Any:
    return sequential(L.Dense(8, activation="relu"), *more, L.Dense(3, activation="softmax"), **keywords)


ASKED: dict[str, Any] = {"on": TRAIN, "holdout": HOLDOUT, "epochs": 1, "seeds": 1, "optimizer": "adam"}


def again(model: Any, **keywords: Any) -> CheckResult:
    """The recorded result of one training of one epoch, unless asked otherwise."""
    limit = {} if {"above", "credit"} & keywords.keys() else {"below": 9.0}
    with check.recording() as results:
        check.retrained(model, **{**ASKED, **limit, **keywords})
    return results[0]


@pytest.fixture
def quick(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let trainings have two steps, where it does not matter what is learned: to compile them would take longer."""
    monkeypatch.setitem(ASKED, "batch_size", 300)
    monkeypatch.setattr(training.Trainer, "seconds_of", lambda *_: 0.0)


@functools.cache
def values(rate: float | None = None) -> list[float]:
    """The loss of the plain network after its training by Adam, at this rate."""
    optimizer = "adam" if rate is None else keras.optimizers.Adam(rate)
    losses: list[float] = again(network(), optimizer=optimizer).evidence["values"]
    return losses


# --- what it is worth --------------------------------------------------------------------------------


def test_pasted_weights_are_worth_nothing() -> None:
    """Acceptance test 28: a linear network with well trained weights, frozen or not, is as good as what it learns here."""
    trained = sequential(L.Dense(3, activation="softmax"), optimizer=keras.optimizers.Adam(0.05))
    trained.fit(*TRAIN, epochs=20, verbose=0)
    assert check.loss(trained, on=HOLDOUT, below=0.4).outcome is Outcome.PASSED
    first = again(trained, below=0.4, optimizer="sgd", epochs=1)
    trained.layers[0].trainable = False
    frozen = again(trained, below=0.4, optimizer="sgd", epochs=1)
    assert first.outcome is frozen.outcome is Outcome.FAILED
    assert again(trained, below=9.0, epochs=1).evidence["values"] != first.evidence["values"]
    assert frozen.evidence["loss"] > 0.9


def test_a_network_that_learns_passes_and_says_by_how_much() -> None:
    result = again(network(), below=0.6, epochs=15, seeds=3)
    assert result.outcome is Outcome.PASSED
    evidence = result.evidence
    assert (evidence["rows"], evidence["epochs"], evidence["parameters"]) == (400, 15, 115)
    assert len(evidence["values"]) == 3
    assert evidence["loss"] == pytest.approx(np.mean(evidence["values"]))
    assert evidence["spread"] == pytest.approx(np.std(evidence["values"], ddof=1))
    assert result.message == (
        f"loss {evidence['loss']:.4f} ± {evidence['spread']:.4f} after 3 trainings of 15 epochs, on 400 rows; "
        "full credit at 0.6 or less"
    )


def test_the_validation_rows_that_students_have_buy_nothing_on_the_holdout() -> None:
    """Acceptance test 27: a network that has learned the released rows by heart has not learned the holdout's."""
    noise = np.eye(3)[DRAW.integers(0, 3, 600)]  # labels without any rule: all that can be learned is the rows
    model = sequential(L.Dense(300, activation="relu"), L.Dense(3, activation="softmax"), optimizer="adam")
    training.Trainer(model, X[:200], noise[:200].astype("float32"), 20).train(60, seed=1, seconds=60)
    assert check.loss(model, on=(X[:200], noise[:200]), below=1.0).outcome is Outcome.PASSED
    with check.recording() as results:
        check.loss(model, on=(X[200:600], noise[200:]), below=1.0)
    assert results[0].outcome is Outcome.FAILED


@pytest.mark.usefixtures("quick")
def test_a_line_of_credit_counts_the_mean_and_its_margin() -> None:
    (value,) = values()
    line = [(value + 0.1, 0.0), (value - 0.1, 1.0)]
    assert again(network(), credit=line).fraction == pytest.approx(0.5)
    assert again(network(), credit=line, margin=0.05).fraction == pytest.approx(0.75)
    assert again(network(), below=value - 0.01, margin=0.02, close_calls="exact").fraction == 1
    assert again(network(), below=value - 0.01, close_calls="exact").fraction == 0


def test_an_accuracy_can_be_asked() -> None:
    result = again(network(), metric="accuracy", above=0.6, epochs=10)
    assert result.outcome is Outcome.PASSED
    assert 0.6 < result.evidence["accuracy"] <= 1


ACCURACY: dict[str, Any] = {"metric": "accuracy", "above": 0.6, "epochs": 15, "batch_size": 32}


def last(layer: Any) -> Any:
    """A network with this last layer; all have the same first one."""
    return sequential(L.Dense(8, activation="relu"), layer)


def test_for_an_accuracy_a_network_without_softmax_is_trained_on_its_scores() -> None:
    """The beginner's pattern of TensorFlow: ``Dense(10)``, and ``from_logits=True`` in the loss."""
    probabilities = again(last(L.Dense(3, activation="softmax")), **ACCURACY)
    scores = again(last(L.Dense(3)), **ACCURACY)
    asked = again(last(L.Dense(3)), from_logits=True, **ACCURACY)
    assert scores.evidence["values"] == asked.evidence["values"] == probabilities.evidence["values"]
    assert scores.outcome is Outcome.PASSED
    assert "trained on scores, because the last layer gives no probabilities" in scores.message
    assert "scores" not in probabilities.message + asked.message


def test_for_an_accuracy_probabilities_are_trained_as_such_where_scores_are_asked() -> None:
    plain = again(last(L.Dense(3, activation="softmax")), **ACCURACY)
    asked = again(last(L.Dense(3, activation="softmax")), from_logits=True, **ACCURACY)
    assert asked.evidence["values"] == plain.evidence["values"]
    assert "trained on probabilities, because the last layer gives these and not scores" in asked.message


def test_of_a_single_score_class_1_begins_at_0_after_a_training_on_scores() -> None:
    ones = (LABELS > 0).astype("float32")[:, None]
    parts = {"on": (X[:600], ones[:600]), "holdout": (X[600:], ones[600:]), "loss": "binary_crossentropy"}
    sigmoid = again(last(L.Dense(1, activation="sigmoid")), **parts, **ACCURACY)
    score = again(last(L.Dense(1)), **parts, **ACCURACY)
    assert score.evidence["values"] == pytest.approx(sigmoid.evidence["values"])


def test_a_loss_of_probabilities_is_refused_without_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_plan, "prepare_training", lambda *_: pytest.fail("it trains"))
    result = again(last(L.Dense(3)))
    assert (result.outcome, result.message[:44]) == (Outcome.FAILED, "The last layer does not give probabilities: ")


@pytest.mark.usefixtures("quick")
def test_labels_may_be_numbers_and_outputs_logits() -> None:
    one_hot = values()
    numbers = again(network(), on=(X[:600], LABELS[:600])).evidence["values"]
    logits = again(
        sequential(L.Dense(8, activation="relu"), L.Dense(3)), from_logits=True, on=(X[:600], LABELS[:600])
    ).evidence["values"]
    assert numbers == pytest.approx(one_hot, abs=1e-5)
    assert logits == pytest.approx(one_hot, abs=1e-5)


def test_a_regression_can_be_trained_again() -> None:
    target = X @ np.arange(10.0)
    result = again(
        sequential(L.Dense(1)), on=(X[:600], target[:600]), holdout=(X[600:], target[600:]), loss="mse",
        optimizer=keras.optimizers.SGD(0.02), epochs=10, below=1.0,
    )  # fmt: skip
    assert result.outcome is Outcome.PASSED


# --- the same at each replay -------------------------------------------------------------------------


def test_the_result_is_the_same_whatever_was_drawn_before() -> None:
    first = again(network(L.Dropout(0.5)))
    keras.utils.set_random_seed(99)
    again(network())
    assert again(network(L.Dropout(0.5))) == first


def test_random_states_are_left_as_they_were() -> None:
    def drawn() -> tuple[float, float, float]:
        keras.utils.set_random_seed(5)
        return random.random(), float(np.random.rand()), float(keras.random.uniform((), seed=None))

    expected = drawn()
    model = network(L.Dropout(0.5))
    keras.utils.set_random_seed(5)
    again(model)
    assert (random.random(), float(np.random.rand()), float(keras.random.uniform(()))) == expected


@pytest.mark.usefixtures("quick")
def test_a_training_that_is_kept_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A regrade with another threshold has the same trainings: seeds follow from the labels."""
    model, cache = as_examined(network(), rows=X), prediction_cache.PredictionCache()
    cache.watch(model, ["a claim"])
    with prediction_cache.caching_in(cache):
        first = again(model, seeds=2, below=9.0)
    packed = cache.packed()
    kept = prediction_cache.read_predictions(packed)
    kept.watch(model, ["a claim"])
    prepare = training_plan.prepare_training
    monkeypatch.setattr(training_plan, "prepare_training", lambda *_: pytest.fail("it trains"))
    with prediction_cache.caching_in(kept):
        second = again(model, seeds=2, below=0.01, close_calls="exact")
        assert second.evidence["values"] == first.evidence["values"]
        assert (first.fraction, second.fraction) == (1, 0)
        monkeypatch.setattr(training_plan, "prepare_training", prepare)
        assert again(model, seeds=2, optimizer="sgd").evidence["values"] != first.evidence["values"]


@pytest.mark.usefixtures("quick")
def test_seeds_are_the_examiners() -> None:
    """Neither a seed in an initializer nor the weights that a model came with change anything."""
    plain = again(network(), seeds=2).evidence["values"]
    seeded = sequential(
        L.Dense(8, activation="relu", kernel_initializer=keras.initializers.GlorotUniform(123)),
        L.Dense(3, activation="softmax"),
    )
    assert again(seeded, seeds=2).evidence["values"] == plain
    assert plain[0] != plain[1]
    first, second = (again(network(), seed=1).evidence["values"] for _ in range(2))
    assert first == second != plain
    other_holdout = (HOLDOUT[0][1:], HOLDOUT[1][1:])
    assert again(network(), holdout=other_holdout).evidence["values"] != pytest.approx(plain, abs=1e-4)


@pytest.mark.usefixtures("quick")
def test_the_students_optimizer_serves_where_none_is_given() -> None:
    own = again(network(optimizer=keras.optimizers.Adam(0.02)), optimizer=None).evidence["values"]
    assert own == values(0.02)
    assert own != again(network(), optimizer="sgd").evidence["values"]


def own_metric(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(y_pred)


def own_loss(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


@pytest.mark.parametrize(
    "compiled",
    [
        {"metrics": [own_metric]},
        {"loss": own_loss},
        pytest.param({"loss": lambda y, p: own_loss(y, p)}, marks=pytest.mark.slow),
        pytest.param({"loss": partial(own_loss)}, marks=pytest.mark.slow),
        pytest.param({"loss": own_loss, "metrics": [own_metric, "accuracy"]}, marks=pytest.mark.slow),
        pytest.param({"loss": None}, marks=pytest.mark.slow),
    ],
    ids=["metric", "loss", "lambda", "partial", "both", "neither"],
)
@pytest.mark.usefixtures("quick")
def test_a_loss_or_metric_of_their_own_changes_no_training(compiled: dict[str, Any]) -> None:
    """The students' optimizer is taken, and the check's loss."""
    model = network()
    model.compile(**{"optimizer": keras.optimizers.Adam(0.02), "loss": "categorical_crossentropy", **compiled})
    for one in (model, rebuild(*sent(model))):
        result = again(one, optimizer=None)
        assert result.evidence["values"] == values(0.02)
        assert "Adam" not in result.message


@pytest.mark.usefixtures("quick")
def test_a_default_optimizer_serves_where_theirs_is_unknown_and_is_named() -> None:
    class Mine(keras.optimizers.SGD):
        pass

    uncompiled = keras.Sequential([keras.Input((10,)), L.Dense(8, activation="relu"), L.Dense(3, activation="softmax")])
    for model, why in [
        (uncompiled, "is not compiled with an optimizer"),
        (network(optimizer=Mine(0.1)), "has an optimizer that is not Keras's own"),
    ]:
        for one in (model, rebuild(*sent(model))):
            result = again(one, optimizer=None)
            assert f"with Adam, because the model {why}" in result.message
            assert result.evidence["values"] == values()


def test_a_rebuilt_network_is_trained_like_the_one_it_was_made_from() -> None:
    """As in the examiner, where the kernel sent a configuration and pasted weights."""
    model = network(L.Dropout(0.3, seed=4), optimizer=keras.optimizers.Adam(0.02))
    claim, weights = keras_model.claim(model)
    rebuilt = rebuild(claim, [np.full_like(weight, 0.5) for weight in weights])
    assert again(rebuilt, optimizer=None).evidence == again(model, optimizer=None).evidence


# --- the training is fit's ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layers", "optimizer", "batch_size"),
    [
        (lambda: [], "sgd", 128),
        (lambda: [L.Dropout(0.3, seed=7)], "adam", 100),
        (lambda: [L.BatchNormalization(), L.GaussianNoise(0.1, seed=3)], "rmsprop", 1000),
    ],
)
def test_losses_and_weights_are_those_of_a_plain_fit(
    layers: Callable[[], list[Any]], optimizer: str, batch_size: int
) -> None:
    ours, plain = (network(*layers(), optimizer=optimizer) for _ in range(2))
    plain.set_weights(ours.get_weights())
    keras.utils.set_random_seed(11)
    history = plain.fit(*TRAIN, epochs=3, batch_size=batch_size, verbose=0).history["loss"]
    assert training.Trainer(ours, *TRAIN, batch_size).train(3, seed=11, seconds=60) == history
    for mine, theirs in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_test_may_let_tensorflow_run_functions_eagerly() -> None:
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        losses = training.Trainer(network(optimizer="sgd"), *TRAIN, 1000).train(1, seed=3, seconds=60)
    finally:
        tf.config.run_functions_eagerly(False)
    assert np.isfinite(losses).all()


def test_every_training_begins_anew() -> None:
    model = network(optimizer="adam")
    start = model.get_weights()
    trainer = training.Trainer(model, *TRAIN, 100)
    losses = []
    for _ in range(2):
        model.set_weights(start)
        losses.append(trainer.train(2, seed=3, seconds=60))
    assert losses[0] == losses[1]


# --- fresh weights -----------------------------------------------------------------------------------


def test_running_averages_begin_anew_and_preprocessing_stays() -> None:
    normalization = L.Normalization()
    normalization.adapt(X * 3 + 1)
    model = sequential(normalization, L.BatchNormalization(), L.Dense(3))
    model.layers[1].set_weights([np.full(10, value) for value in (5.0, 5.0, 5.0, 5.0)])
    copy = fresh_model.reinitialize(model, 1)
    np.testing.assert_array_equal(copy.layers[0](X), normalization(X))
    assert [float(np.mean(weight)) for weight in copy.layers[1].get_weights()] == [1, 0, 0, 1]


@pytest.mark.usefixtures("quick")
def test_vocabularies_stay() -> None:
    words = L.TextVectorization(output_sequence_length=3)
    words.adapt(np.array(["red green blue", "one two three"]))
    inputs = keras.Input((1,), dtype="string")
    model = keras.Model(inputs, L.Dense(3, activation="softmax")(L.Flatten()(L.Embedding(10, 4)(words(inputs)))))
    texts, labels = np.array([["red one two"], ["blue"], ["green green"]] * 4), np.array([0, 1, 2] * 4)
    result = again(model, on=(texts, labels), holdout=(texts, labels))
    assert result.outcome is Outcome.PASSED, result.message


def test_weights_of_a_vocabulary_stay() -> None:
    words = L.TextVectorization(output_mode="tf_idf")
    words.adapt(np.array(["red green blue red", "one two three"]))
    model = keras.Sequential([keras.Input((1,), dtype="string"), words])
    texts = keras.ops.convert_to_tensor(np.array([["red one two"], ["blue and red"]]))
    again, before = (np.asarray(one(texts)) for one in (fresh_model.reinitialize(model, 1), model))
    np.testing.assert_allclose(np.sort(again), np.sort(before), rtol=1e-6)
    assert (again != before).any()  # the terms have other places


def test_all_random_weights_are_drawn_anew_whatever_the_layer() -> None:
    inner = keras.Sequential([keras.Input((6,)), L.Dense(4)])
    tokens = keras.Input((5,), dtype="int32")
    embedded = L.Embedding(20, 6)(tokens)
    model = keras.Model(tokens, L.Bidirectional(L.LSTM(3))(L.TimeDistributed(inner)(embedded)))
    first, same, other = (fresh_model.reinitialize(model, seed).get_weights() for seed in (1, 1, 2))
    for a, b, c in zip(first, same, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.ndim == 1 or (a != c).any()
    assert len({float(weight.flat[0]) for weight in first if weight.ndim == 2}) == sum(w.ndim == 2 for w in first)


def pasted_units(count: int) -> Any:
    """A trained layer written into the settings of others: unit by unit, as a scale."""
    inputs = keras.Input((10,))
    units = [
        L.Dense(1, kernel_initializer="ones", trainable=False)(L.Rescaling(list(DRAW.normal(size=10)))(inputs))
        for _ in range(count)
    ]
    return keras.Model(inputs, L.Dense(3, activation="softmax")(L.Concatenate()(units)))


def pasted_block() -> Any:
    """The same in one layer."""
    block = [L.RepeatVector(8), L.Flatten(), L.Rescaling(list(DRAW.normal(size=80))), L.Reshape((8, 10))]
    return sequential(*block, L.GlobalAveragePooling1D(data_format="channels_first"), L.Dense(3, activation="softmax"))


def pasted_scalars() -> Any:
    """Or in numbers that each stand alone."""
    inputs = keras.Input((10,))
    features = [L.Rescaling(float(scale))(L.Dense(3)(inputs)) for scale in DRAW.normal(size=50)]
    return keras.Model(inputs, L.Softmax()(L.Add()(features)))


def pasted_array() -> Any:
    """Or as the operand of an operation."""
    inputs = keras.Input((10,))
    hidden = keras.ops.relu(keras.ops.matmul(inputs, DRAW.normal(size=(10, 4)).astype("float32")))
    return keras.Model(inputs, L.Dense(3, activation="softmax")(hidden))


def pasted_operands() -> Any:
    """One by one, rounded to whole numbers, in a model inside the model."""
    inputs = keras.Input((10,))
    total = inputs[:, 0:3]
    for scale in range(40):
        total = total + inputs[:, 3:6] * (scale % 4)
    return sequential(keras.Model(inputs, total), L.Softmax())


def pasted_table() -> Any:
    """Or as the terms that whole numbers are looked up for."""
    inputs = keras.Input((10,))
    table = L.IntegerLookup(vocabulary=[int(n) for n in DRAW.permutation(500)[:60]], invert=True)
    return keras.Model(inputs, L.Dense(3, activation="softmax")(table(keras.ops.cast(inputs, "int64"))))


def hidden_name(inside: Any) -> Any:
    """A layer inside has the name of the one that prepares the input."""
    inner = keras.Sequential([keras.Input((3,)), L.RepeatVector(40), L.Flatten(), inside])
    return sequential(
        type(inside)(name="prepare", **OWN[type(inside).__name__]), L.Dense(3), inner, L.Dense(3), L.Softmax()
    )


def adapted() -> Any:
    layer = L.Normalization(name="prepare")
    layer.adapt(DRAW.normal(size=(5, 120)))
    return layer


OWN: dict[str, dict[str, Any]] = {"Rescaling": {"scale": 1.0}, "Normalization": {"mean": 0.0, "variance": 1.0}}


@pytest.mark.parametrize(
    "make",
    [
        lambda: pasted_units(8),
        pasted_block,
        pasted_scalars,
        pasted_array,
        pasted_operands,
        pasted_table,
        lambda: hidden_name(L.Rescaling(list(range(120)), name="prepare")),
        lambda: hidden_name(adapted()),
    ],
)
@pytest.mark.usefixtures("quick")
def test_weights_that_are_written_into_settings_are_refused(make: Callable[[], Any]) -> None:
    assert "numbers" in (fresh_model.excess_problem(make()) or "")
    assert again(make()).outcome is Outcome.FAILED


def test_ordinary_networks_carry_nothing() -> None:
    normalization = L.Normalization()
    normalization.adapt(np.zeros((2, 64)))
    layers = [normalization] + [
        layer
        for units in range(10, 20)
        for layer in (
            L.Dense(
                units,
                kernel_regularizer=keras.regularizers.L1L2(1e-4, 1e-5),
                kernel_constraint=keras.constraints.MaxNorm(3),
                bias_constraint="non_neg",
            ),
            L.BatchNormalization(momentum=0.9),
            L.LeakyReLU(0.1),
            L.Dropout(0.5),
        )
    ]
    assert fresh_model.excess_problem(sequential(*layers, shape=(64,))) is None
    assert fresh_model.excess_problem(sequential(L.Rescaling(1 / np.arange(1.0, 65)), L.Dense(3), shape=(64,))) is None
    assert fresh_model.excess_problem(pasted_units(1)) is None
    inputs = keras.Input((64,))
    halved = keras.ops.expand_dims(inputs[:, ::2] / 255 + inputs[:, 1::2] * 0.5, -1)
    assert fresh_model.excess_problem(keras.Model(inputs, L.Conv1D(8, 3, padding="same")(halved))) is None


# --- networks that cannot be trained ----------------------------------------------------------------


@pytest.mark.usefixtures("quick")
def test_a_training_that_ends_in_nan_fails() -> None:
    """Acceptance test 30, for trainings."""
    for asked in ({"below": 1e9}, {"credit": [(1e9, 0.5), (1.0, 1.0)]}, {"metric": "accuracy", "above": 0.0}):
        result = again(network(), seeds=2, optimizer=keras.optimizers.SGD(1e30), **asked)
        assert result.outcome is Outcome.FAILED
        assert result.message.startswith(("loss nan", "accuracy nan"))
        assert "2 of 2 trainings ended in NaN" in result.message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: None, "no model yet"),
        (lambda: keras.Sequential([L.Dense(3)]), "does not give probabilities"),
        (lambda: sequential(L.Dense(3, activation="softmax"), shape=(9,)), "does not accept rows"),
        (lambda: network(L.Reshape((2, 4))), "shape"),
        (lambda: sequential(L.Dense(4, activation="softmax")), "expected (3,)"),
        (lambda: sequential(L.Dense(3)), "does not give probabilities"),
    ],
)
def test_what_can_not_be_trained_fails_with_the_reason(make: Callable[[], Any], message: str) -> None:
    result = again(make())
    assert result.outcome is Outcome.FAILED
    assert message in result.message


@pytest.mark.usefixtures("quick")
def test_a_network_without_weights_that_learn_is_measured_as_it_is() -> None:
    frozen = network()
    for layer in frozen.layers:
        layer.trainable = False
    assert again(frozen, below=99.0).outcome is Outcome.PASSED
    assert again(sequential(L.Dense(3, activation="softmax", kernel_initializer="zeros"), L.Softmax())).fraction == 1


def test_half_precision_trains_too() -> None:
    policy = keras.mixed_precision.DTypePolicy("mixed_float16")
    model = sequential(L.Dense(8, activation="relu", dtype=policy), L.Dense(3, activation="softmax", dtype="float32"))
    assert again(model, optimizer=None, below=2.0).outcome is Outcome.PASSED


# --- time --------------------------------------------------------------------------------------------


def test_a_huge_network_is_refused_before_anything_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_plan, "reinitialize", lambda *_: pytest.fail("it was built"))
    wide = sequential(*(L.Dense(300) for _ in range(4)), L.Dense(3, activation="softmax"))
    result = again(wide, epochs=100_000)
    assert result.message == "This network trains too slowly to be trained again here: 10 s are allowed."
    images = keras.Sequential([keras.Input((300, 300, 1)), *(L.Conv2D(16, 3, padding="same") for _ in range(6))])
    assert "too large" in again(images, on=(np.zeros((64, 300, 300, 1)), Y[:64])).message


def test_a_slow_network_is_refused_after_a_few_steps() -> None:
    result = again(network(), epochs=100_000, seconds=0.5)
    assert "too slowly" in result.message
    assert "It would take about" in result.detail


def test_a_training_that_takes_longer_than_its_first_steps_said_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training.Trainer, "seconds_of", lambda *_: 0.0)
    assert "too slowly" in again(network(), epochs=100_000, seconds=0.05).message


@pytest.mark.parametrize(
    ("layers", "shape", "multiplications"),
    [
        (lambda: [L.Dense(100), L.Dense(9)], (93,), 93 * 100 + 100 * 9),
        (lambda: [L.Conv2D(8, 3, padding="same")], (28, 28, 1), 28 * 28 * 9 * 8),
        (lambda: [L.LSTM(16)], (20, 8), 20 * 4 * 16 * (8 + 16)),
        (lambda: [L.Embedding(10_000, 16)], (20,), 20 * 16),
        (lambda: [L.MaxPooling2D(4)], (64, 64, 2), 64 * 64 * 2),
        (lambda: [L.TimeDistributed(L.Dense(5))], (7, 3), 7 * 15),
        (lambda: [L.MultiHeadAttention(2, 8)], (50, 8), 50 * 4 * 8 * 16 + 2 * 50 * 50 * 16),
    ],
)
def test_the_cost_of_a_row_follows_from_shapes(
    layers: Callable[[], list[Any]], shape: tuple[int, ...], multiplications: int
) -> None:
    inputs = keras.Input(shape)
    tensor = inputs
    for layer in layers():
        tensor = layer(tensor, tensor) if isinstance(layer, L.MultiHeadAttention) else layer(tensor)
    model = keras.Model(inputs, tensor)
    assert multiplications <= cost.multiplications(model) <= 3 * multiplications + 1000


def test_operations_have_their_cost() -> None:
    inputs = keras.Input((30, 20))
    products = keras.ops.matmul(inputs, keras.ops.transpose(inputs, (0, 2, 1)))
    assert cost.multiplications(keras.Model(inputs, products)) >= 30 * 30 * 20
    assert cost.elements(keras.Model(inputs, products)) >= 30 * 30


def test_a_pool_of_an_operation_is_one_number_or_one_for_each_dimension() -> None:
    inputs = keras.Input((8, 8, 2))
    costs = [cost.multiplications(keras.Model(inputs, keras.ops.max_pool(inputs, size))) for size in (2, (2, 2))]
    assert costs[0] == costs[1] > 0


def test_a_layer_that_is_used_often_costs_as_often() -> None:
    inputs = keras.Input((50,))
    layer = L.Dense(50)
    once = cost.multiplications(keras.Model(inputs, layer(inputs)))
    tensor = inputs
    for _ in range(9):
        tensor = layer(tensor)
    assert cost.multiplications(keras.Model(inputs, tensor)) >= 9 * once


# --- the instructor's mistakes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"below": None}, "one of the two"),
        ({"above": 1.0}, "below= for a loss"),
        ({"metric": "auc"}, "loss or accuracy"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"seeds": True}, "seeds"),
        ({"most_seeds": 3}, "a close call needs 7"),
        ({"margin": -1}, "margin"),
        ({"optimizer": "sdg"}, "no optimizer"),
        ({"loss": "nll"}, "it may be"),
        ({"loss": "mse", "from_logits": True}, "for a crossentropy"),
        ({"close_calls": "generous"}, "'student' or 'exact'"),
        ({"seed": -1}, "seed"),
        ({"holdout": (X, Y[:-1])}, "1000 rows"),
        ({"on": X}, r"on is \(X, y\)"),
    ],
)
def test_wrong_arguments_are_the_authors_fault(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(CourseError, match=message):
        check.retrained(network(), **{"on": TRAIN, "holdout": HOLDOUT, "epochs": 1, "below": 1.0, **keywords})


# --- what is brought along ---------------------------------------------------------------------------

TRAINED = 3 * (CENTERS - CENTERS.mean(0)).T
"""What a training comes to: (10, 3) weights of a linear network that tells the three clouds apart."""
MARGIN = -1.5 * (CENTERS**2).sum(1)


def given(total: Callable[[Any, int, int], Any]) -> Any:
    """A sum over features for each class; ``total(x, feature, class)`` is one term, (n, 1)."""
    inputs = keras.Input((10,))
    scores = [
        keras.layers.Add()([total(inputs[:, i : i + 1], i, k) for i in range(10)]) for k in range(3)
    ]  # fmt: skip
    return keras.Model(inputs, L.Softmax()(L.Concatenate()(scores)))


def whole(i: int, k: int) -> int:
    return int(np.round(TRAINED[i, k] * 2)) or 1


def by_clip(x: Any, i: int, k: int) -> Any:
    return keras.ops.clip(x, -abs(whole(i, k)), abs(whole(i, k)))


def by_repeat(x: Any, i: int, k: int) -> Any:
    return keras.ops.sum(keras.ops.repeat(x, abs(whole(i, k)), axis=1), axis=1, keepdims=True)


def by_tile(x: Any, i: int, k: int) -> Any:
    return keras.ops.sum(keras.ops.tile(x, (1, abs(whole(i, k)))), axis=1, keepdims=True)


CODE = np.round(np.linspace(-3, 3, 31), 2)


def by_codebook(x: Any, i: int, k: int) -> Any:
    """31 different values, each as often as it is needed."""
    return x * float(CODE[np.abs(CODE - TRAINED[i, k]).argmin()])


def by_rescaling(x: Any, i: int, k: int) -> Any:
    return L.Rescaling(whole(i, k))(x)


def by_whole_initializers(x: Any, i: int, k: int) -> Any:
    start = keras.initializers.Constant(float(whole(i, k)))
    return L.Dense(1, kernel_initializer=start, trainable=False)(x)


def by_constraint(x: Any, i: int, k: int) -> Any:
    norm = abs(float(TRAINED[i, k]))
    pinned = keras.constraints.MinMaxNorm(norm, norm)
    return L.Dense(1, use_bias=False, kernel_initializer="ones", kernel_constraint=pinned)(x)


def by_momentum(x: Any, i: int, k: int) -> Any:
    still = L.BatchNormalization(momentum=float(np.exp(-abs(TRAINED[i, k]) / 90)), center=False, scale=False)
    return x * still(keras.ops.ones_like(x))


def by_regularizer(x: Any, i: int, k: int) -> Any:
    return L.Dense(1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(abs(TRAINED[i, k])))(x)


BROUGHT = {
    one.__name__: one
    for one in (
        by_clip,
        by_repeat,
        by_tile,
        by_codebook,
        by_rescaling,
        by_whole_initializers,
        by_constraint,
        by_momentum,
        by_regularizer,
    )
}


def at_most(result: CheckResult, word: str) -> None:
    assert result.outcome is Outcome.FAILED
    assert word in result.message


def twice(one: Callable[[Any, int, int], Any]) -> Any:
    return given(lambda x, i, k: L.Add()([one(x, i, k), one(x, i, k)]))


@pytest.mark.parametrize("name", BROUGHT)
def test_numbers_count_each_time_they_stand_whole_ones_too(name: str) -> None:
    assert "numbers" in (fresh_model.excess_problem(twice(BROUGHT[name])) or "")


@pytest.mark.parametrize(
    "name", [name if name == "by_codebook" else pytest.param(name, marks=pytest.mark.slow) for name in BROUGHT]
)
@pytest.mark.usefixtures("quick")
def test_numbers_that_are_brought_along_earn_nothing(name: str) -> None:
    at_most(again(twice(BROUGHT[name]), below=0.9), "numbers")
    assert again(given(BROUGHT[name]), below=0.9).outcome is Outcome.FAILED  # there are few enough of them here


def test_a_codebook_would_be_worth_a_training() -> None:
    """The control: what those numbers are worth where nobody counts them."""
    assert check.accuracy(given(by_codebook), on=HOLDOUT, above=0.65).outcome is Outcome.PASSED


@pytest.mark.slow
def test_constraints_would_be_worth_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: where their numbers are not counted, a training only pulls the weights to them."""
    positive = given(lambda x, i, k: by_constraint(x, i, k) * float(np.sign(TRAINED[i, k])))
    monkeypatch.setattr(fresh_model, "MAX_NUMBERS", 1000)
    monkeypatch.setattr("autograder.extensions.networks.retraining.suspicious", lambda model: False)
    found = again(positive, metric="accuracy", above=0.65, optimizer=keras.optimizers.SGD(1e-6), below=None)
    assert found.outcome is Outcome.PASSED, found.message


def doubled(times: int) -> Any:
    """A weight written as additions of a feature to itself."""
    inputs = keras.Input((10,))
    few, rest = divmod(times, 60)
    sums = [L.Add()([inputs] * count) for count in [60] * few + [rest] if count > 1]
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Add()(sums) if sums[1:] else sums[0]))


def nested_doubling() -> Any:
    model = doubled(2)
    inputs = keras.Input((10,))
    block = keras.Model(inputs, L.Add()([inputs] * 8))
    for _ in range(3):
        outer = keras.Input((10,))
        block = keras.Model(outer, block(block(block(block(block(outer))))))
    return keras.Model(inputs, model(block(inputs)))


@pytest.mark.usefixtures("quick")
def test_connections_are_bounded() -> None:
    at_most(again(doubled(600)), "connections")
    at_most(again(nested_doubling()), "connections")
    assert again(doubled(3)).outcome is Outcome.PASSED


def answers_given() -> Any:
    """Few enough numbers, and all that is needed: the trained network itself."""
    inputs = keras.Input((10,))
    return keras.Model(inputs, keras.ops.softmax(inputs @ TRAINED.astype("float32")))


def test_a_network_that_was_given_the_answers_is_found_by_labels_in_a_random_order() -> None:
    model = answers_given()
    assert fresh_model.excess_problem(model) is None
    assert check.loss(model, on=HOLDOUT, below=0.8).outcome is Outcome.PASSED
    for asked in ({"below": 0.8}, {"metric": "accuracy", "above": 0.6}):
        at_most(again(model, **asked), "random order")


@pytest.mark.slow
def test_honest_networks_with_numbers_are_at_chance_on_labels_in_a_random_order() -> None:
    inputs = keras.Input((10,))
    scaled = inputs * 0.5 + np.linspace(0, 1, 10, dtype="float32")
    gelu = 0.5 * scaled * (1 + keras.ops.tanh(0.79788456 * (scaled + 0.044715 * scaled**3)))
    model = keras.Model(inputs, L.Dense(3, "softmax")(L.Concatenate()([gelu, L.LeakyReLU(0.1)(scaled)])))
    assert fresh_model.suspicious(model)
    for number in range(3):
        assert again(model, below=0.7, epochs=20, seed=number).outcome is Outcome.PASSED
    assert not fresh_model.suspicious(network(L.Dropout(0.5), L.BatchNormalization()))


def test_a_table_of_answers_before_a_network_is_found_by_labels_in_a_random_order() -> None:
    classes = np.random.default_rng(1).integers(0, 3, 200)
    inputs = keras.Input((1,), dtype="int64")
    lookup = L.IntegerLookup(
        vocabulary=list(range(200)), num_oov_indices=0, output_mode="tf_idf", idf_weights=list(classes + 1.0)
    )
    place = keras.ops.sum(lookup(inputs), axis=-1, keepdims=True) - np.arange(1.0, 4)
    table = keras.Model(inputs, keras.ops.softmax(-8 * keras.ops.square(place)))
    rows, labels = np.arange(200)[:, None], np.eye(3, dtype="float32")[classes]
    data = {"on": (rows, labels), "holdout": (rows, labels)}
    assert check.accuracy(table, on=(rows, labels), above=0.99).fraction == 1
    assert fresh_model.excess_problem(table) is None
    at_most(again(table, **data, below=0.3), "random order")


def sorted_words() -> Any:
    """A vocabulary whose order is the answer: the first half means one class, the second the other."""
    words = L.StringLookup(vocabulary=[f"w{n}" for n in range(100)], num_oov_indices=0)
    inputs = keras.Input((1,), dtype="string")
    place = keras.ops.cast(words(inputs), "float32")
    return keras.Model(inputs, keras.ops.sigmoid((place - 49.5) * 8))


def learned_words() -> Any:
    words = L.StringLookup(vocabulary=[f"w{n}" for n in range(100)])
    inputs = keras.Input((1,), dtype="string")
    return keras.Model(inputs, L.Dense(1, "sigmoid")(L.Flatten()(L.Embedding(101, 4)(words(inputs)))))


def test_the_order_of_a_vocabulary_is_worth_nothing_and_its_terms_stay() -> None:
    texts = np.array([[f"w{n}"] for n in np.random.default_rng(0).integers(0, 100, 600)])
    labels = np.array([float(text[0][1:]) > 49 for text in texts])[:, None].astype("float32")
    asked = {"on": (texts, labels), "holdout": (texts, labels), "loss": "binary_crossentropy", "below": 0.3}
    assert check.loss(sorted_words(), on=(texts, labels), loss="binary_crossentropy", below=0.1).fraction == 1
    assert again(sorted_words(), **asked).outcome is Outcome.FAILED
    honest = again(learned_words(), **asked, epochs=20, optimizer=keras.optimizers.Adam(0.05))
    assert honest.outcome is Outcome.PASSED, honest.message


def weighed_features(layer: Any) -> Any:
    """The weights of a trained unit as what prepares the input, behind which everything is fixed."""
    unit = L.Dense(1, kernel_initializer="ones", trainable=False, use_bias=False)
    inputs = keras.Input((10,))
    return keras.Model(inputs, keras.ops.sigmoid(unit(layer(inputs))))


@pytest.mark.parametrize("kind", ["Rescaling", "Normalization"])
def test_what_prepares_an_input_is_fitted_to_the_rows_to_train_on(kind: str) -> None:
    weights = np.linspace(-3, 3, 10) if kind == "Rescaling" else np.linspace(0.1, 3, 10)
    labels = (X @ weights > 0)[:, None].astype("float32")
    asked = {"on": (X[:600], labels[:600]), "holdout": (X[600:], labels[600:]), "loss": "binary_crossentropy"}
    numbers = (
        L.Rescaling(list(5 * weights))
        if kind == "Rescaling"
        else L.Normalization(mean=[0.0] * 10, variance=list(1 / (5 * weights) ** 2))
    )
    model = weighed_features(numbers)
    assert check.loss(model, on=asked["holdout"], loss="binary_crossentropy", below=0.2).fraction == 1
    assert again(model, **asked, below=0.2).outcome is Outcome.FAILED
    honest = sequential(type(numbers).from_config(numbers.get_config()), L.Dense(1, "sigmoid"))
    honest = again(honest, **asked, below=0.3, epochs=20, optimizer=keras.optimizers.Adam(0.05))
    assert honest.outcome is Outcome.PASSED, honest.message


def deep(width: int) -> Any:
    """Twelve residual blocks, each with what such blocks have."""
    inputs = keras.Input((10,))
    x = L.Dense(width, kernel_initializer=keras.initializers.RandomNormal(stddev=0.05))(inputs / 2.0)
    for rate in np.linspace(0, 0.3, 12):
        y = L.LeakyReLU(0.1)(L.BatchNormalization(momentum=0.9, epsilon=1e-4)(x))
        y = L.Dense(width, kernel_regularizer=keras.regularizers.L2(float(rate) / 100))(L.Dropout(float(rate))(y))
        x = x + 0.1 * y
    return keras.Model(inputs, L.Dense(3, "softmax")(x))


def causal_attention() -> Any:
    x = inputs = keras.Input((40, 4))
    mask = np.tril(np.ones((1, 40, 40), bool))
    return keras.Model(inputs, L.Dense(3, "softmax")(L.MultiHeadAttention(2, 3)(x, x, attention_mask=mask)[:, -1]))


@pytest.mark.parametrize("make", [lambda: deep(8), causal_attention, lambda: deep(64)])
def test_deep_networks_with_ordinary_settings_carry_nothing(make: Callable[[], Any]) -> None:
    assert fresh_model.excess_problem(make()) is None
