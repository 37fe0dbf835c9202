"""Checks of models: by meaning, with messages that a student understands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L

from autograder import check
from autograder.check.asking import asked_by
from autograder.errors import CourseError
from autograder.extensions.networks.prediction import predictions
from autograder.extensions.networks.rows import same_answers
from autograder.records.checks import ASKS_PROBABILITIES, CONSTANT, CheckResult, Outcome, is_undecided

pytestmark = pytest.mark.keras


def sequential(*layers: Any, shape: tuple[int, ...] = (93,)) -> Any:
    return keras.Sequential([keras.Input(shape), *layers])


def functional(*layers: Any, shape: tuple[int, ...] = (93,)) -> Any:
    tensor = inputs = keras.Input(shape)
    for layer in layers:
        tensor = layer(tensor)
    return keras.Model(inputs, tensor)


def recorded(make: Callable[[], Any]) -> CheckResult:
    with check.recording() as results:
        make()
    assert len(results) == 1
    return results[0]


def message_of(model: Any, layers: list[Any], **keywords: Any) -> str:
    """The failure's message; empty where the architecture fits."""
    result = recorded(lambda: check.architecture(model, layers, **keywords))
    return "" if result.outcome is Outcome.PASSED else result.message


# --- architecture ------------------------------------------------------------------------------------

SOFTMAX_9 = [
    lambda: [check.dense(9, "softmax")],
    lambda: [check.dense(9), check.layer("Softmax")],
    lambda: [check.layer("Dense", units=9), check.layer("Activation", activation="softmax")],
    lambda: [check.layer(L.Dense, units=9, activation=keras.activations.softmax)],
    lambda: [check.any_of(check.dense(10), check.dense(9)), check.layer(L.Softmax)],
]


@pytest.mark.parametrize("pattern", SOFTMAX_9)
@pytest.mark.parametrize("make", [sequential, functional])
@pytest.mark.parametrize(
    "layers",
    [
        lambda: [L.Dense(9, activation="softmax")],
        lambda: [L.Dense(9), L.Activation("softmax")],
        lambda: [L.Dense(9), L.Softmax()],
        lambda: [L.Dense(9, activation=L.Softmax())],
        lambda: [L.Dense(9, activation="linear"), L.Activation("linear"), L.Softmax()],
        lambda: [sequential(L.Dense(9)), L.Softmax()],
    ],
)
def test_one_computation_has_many_spellings(
    pattern: Callable[[], list[Any]], make: Callable[..., Any], layers: Callable[[], list[Any]]
) -> None:
    assert message_of(make(*layers()), pattern()) == ""


@pytest.mark.parametrize(
    "pattern",
    [
        [...],
        [..., check.dense(9, "softmax")],
        [check.dense(64, "relu"), ...],
        [..., check.layer("Dropout"), ...],
        [..., check.layer("Dropout", rate=0.5), ..., check.layer("Softmax")],
        [check.dense(), check.layer("Dropout"), check.dense()],
        [..., check.dense(64), ..., check.dense(9), ...],
        [..., check.layer("ReLU"), ...],
        [..., check.any_of(check.layer("Dropout"), check.layer("BatchNormalization")), check.dense(9)],
    ],
)
def test_patterns_that_fit(pattern: list[Any]) -> None:
    model = sequential(L.Dense(64), L.ReLU(), L.Dropout(0.5), L.Dense(9, activation="softmax"))
    assert message_of(model, pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            [check.dense(512, "relu"), ..., check.dense(9, "softmax")],
            "layer 1: Dense with 128 units, expected 512 (−39,552 parameters)",
        ),
        ([check.dense(128, "relu"), check.dense(9, "softmax")], "layer 2: Dropout(rate=0.5) is one too many"),
        ([..., check.dense(9, "sigmoid")], "layer 3: Dense with activation softmax, expected sigmoid"),
        (
            [check.dense(128, "relu"), check.layer("Dropout", rate=0.2), ...],
            "layer 2: Dropout with rate 0.5, expected 0.2",
        ),
        (
            [..., check.layer("Dropout"), check.dense(64), check.dense(9, "softmax")],
            "after layer 2: Dense(units=64) is missing (−7,680 parameters)",
        ),
        ([check.layer("Flatten"), check.dense(128), ...], "at the beginning: Flatten is missing"),
        (
            [check.dense(128, "linear"), check.layer("Dropout"), check.dense(10)],
            "layer 1: Dense with activation relu, expected linear; "
            "layer 3: Dense with 9 units, expected 10 (−129 parameters); "
            "your model has 13,193 parameters, the layers asked for would have 13,322",
        ),
        (
            [check.dense(), check.layer("BatchNormalization"), check.dense()],
            "layer 2: Dropout(rate=0.5), expected BatchNormalization (−512 parameters); "
            "your model has 13,193 parameters, the layers asked for would have 13,705",
        ),
    ],
)
def test_a_failure_is_a_difference_that_a_student_understands(pattern: list[Any], message: str) -> None:
    model = sequential(L.Dense(128, activation="relu"), L.Dropout(0.5), L.Dense(9, activation="softmax"))
    assert message_of(model, pattern) == message


def test_shapes_are_of_one_row() -> None:
    model = sequential(L.Dense(9))
    for shape in (93, (93,), [93], (None, 93)):
        assert message_of(model, [...], input_shape=shape, output_shape=9) == ""
    assert message_of(model, [...], input_shape=(92,)) == "input shape (93,), expected (92,)"


def test_an_empty_model_does_not_fit() -> None:
    assert "no input shape yet" in message_of(keras.Sequential(), [...], input_shape=3)
    assert "no input shape yet" in message_of(keras.Sequential(), [check.dense(9)])


def test_an_activation_that_serves_two_layers_is_not_joined() -> None:
    """hidden → relu → add(hidden): the Dense layer's own output is used too."""
    inputs = keras.Input((4,))
    hidden = L.Dense(4)(inputs)
    model = keras.Model(inputs, L.Add()([L.ReLU()(hidden), hidden]))
    assert message_of(model, [check.dense(4, "linear"), check.layer("ReLU"), check.layer("Add")]) != ""
    pattern = [check.dense(4), check.any_of(check.layer("ReLU")), check.layer("Add")]
    assert message_of(model, pattern) == ""


def test_normalization_between_a_layer_and_its_activation_keeps_them_apart() -> None:
    model = sequential(L.Dense(8), L.BatchNormalization(), L.ReLU(), L.Dense(9))
    pattern = [
        check.dense(8, "linear"),
        check.layer("BatchNormalization"),
        check.layer("ReLU"),
        check.dense(9),
    ]
    assert message_of(model, pattern) == ""
    assert message_of(model, [check.dense(8, "relu"), ...]) != ""


@pytest.mark.parametrize(
    ("layer", "pattern", "fits"),
    [
        (lambda: L.LeakyReLU(0.1), check.layer("LeakyReLU"), True),
        (lambda: L.LeakyReLU(0.1), check.layer("LeakyReLU", negative_slope=0.2), False),
        (lambda: L.LeakyReLU(0.2), check.layer("Activation", activation="leaky_relu"), True),
        (lambda: L.ReLU(6.0), check.layer("Activation", activation="relu6"), True),
        (lambda: L.ReLU(5.0), check.layer("ReLU"), False),
        (lambda: L.ReLU(5.0), check.layer("ReLU", max_value=5), True),
        (lambda: L.Activation("swish"), check.layer("Activation", activation="silu"), True),
        (lambda: L.PReLU(), check.layer("PReLU"), True),
    ],
)
def test_activation_layers_are_known_by_what_they_compute(layer: Callable[[], Any], pattern: Any, fits: bool) -> None:
    assert (message_of(sequential(layer()), [pattern]) == "") is fits


@pytest.mark.parametrize(
    ("attributes", "fits"),
    [
        ({"kernel_size": 3}, True),
        ({"kernel_size": (3, 3)}, True),
        ({"kernel_size": [3, 2]}, False),
        ({"kernel_initializer": "he_normal"}, True),
        ({"kernel_initializer": lambda: keras.initializers.HeNormal()}, True),
        ({"kernel_initializer": "zeros"}, False),
        ({"kernel_regularizer": "L2"}, True),
        ({"kernel_regularizer": lambda: keras.regularizers.L2(0.1)}, True),
        ({"kernel_regularizer": lambda: keras.regularizers.L2(0.2)}, False),
        ({"bias_regularizer": None}, True),
        ({"use_bias": False}, False),
        ({"padding": "same", "strides": 1}, True),
    ],
)
def test_attributes_are_compared_by_meaning(attributes: dict[str, Any], fits: bool) -> None:
    model = sequential(
        L.Conv2D(
            4,
            3,
            padding="same",
            kernel_initializer="he_normal",
            kernel_regularizer=keras.regularizers.L2(0.1),
        ),
        shape=(8, 8, 1),
    )
    expected = {name: value() if callable(value) else value for name, value in attributes.items()}
    assert (message_of(model, [check.layer("Conv2D", **expected)]) == "") is fits


def test_what_is_expected_can_be_kept_from_the_student() -> None:
    model = sequential(L.Dense(9))
    result = recorded(lambda: check.architecture(model, [check.dense(777)], show=False))
    assert result.message == "The layers are not as asked."
    assert "777" in result.detail


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([check.layer("Dens")], "no 'Dens'. Did you mean Dense"),
        ([check.layer("Dense", unit=3)], "no attribute 'unit'. Did you mean units"),
        ([check.dense(9, "softmin")], "no activation 'softmin'"),
        (["Dense"], "is not a pattern"),
        (check.dense(9), "layers is a list"),
        (None, "layers is a list"),
    ],
)
def test_a_wrong_pattern_is_the_authors_fault(layers: Any, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        check.architecture(sequential(L.Dense(9)), layers)


# --- parameters and compile --------------------------------------------------------------------------


def test_parameters_are_counted_by_kind() -> None:
    model = sequential(L.Dense(100), L.BatchNormalization(), L.Dense(9))
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    assert check.parameters(model, exactly=10_709).evidence == {"parameters": 10_709}
    assert check.parameters(model, exactly=10_509, kind="trainable").fraction == 1
    assert check.parameters(model, at_least=200, at_most=200, kind="non_trainable").fraction == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"exactly": 10_309}, "846 parameters, exactly 10,309 asked"),
        ({"at_least": 1000}, "846 parameters, at least 1,000 asked"),
        ({"at_most": 845}, "846 parameters, at most 845 asked"),
        ({"at_most": 845, "show": False}, "846 parameters, which is not what is asked"),
        ({"at_most": 845, "kind": "trainable"}, "846 trainable parameters, at most 845 asked"),
    ],
)
def test_a_wrong_count_says_both_numbers(asked: dict[str, Any], message: str) -> None:
    assert recorded(lambda: check.parameters(sequential(L.Dense(9)), **asked)).message == message


@pytest.mark.parametrize(
    "asked", [{}, {"exactly": 1.5}, {"at_most": -1}, {"exactly": True}, {"at_most": 1, "kind": "x"}]
)
def test_wrong_limits_are_the_authors_fault(asked: dict[str, Any]) -> None:
    with pytest.raises(CourseError, match=r"check\.parameters"):
        check.parameters(sequential(L.Dense(9)), **asked)


@pytest.mark.parametrize(
    "expected",
    [
        lambda: ("sgd", "categorical_crossentropy", "accuracy"),
        lambda: (keras.optimizers.SGD, keras.losses.CategoricalCrossentropy, ["acc"]),
        lambda: (
            keras.optimizers.SGD(0.5),
            keras.losses.categorical_crossentropy,
            [keras.metrics.CategoricalAccuracy()],
        ),
        lambda: (None, "CategoricalCrossentropy", None),
    ],
)
@pytest.mark.parametrize("spelling", ["text", "objects"])
def test_spellings_of_compile_are_the_same(expected: Callable[[], Any], spelling: str) -> None:
    model = sequential(L.Dense(9))
    if spelling == "text":
        model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    else:
        model.compile(
            keras.optimizers.SGD(),
            keras.losses.CategoricalCrossentropy(),
            metrics=[keras.metrics.CategoricalAccuracy()],
        )
    assert check.compiled(model, *expected(), learning_rate=0.01).fraction == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"optimizer": "adam"}, "optimizer SGD, expected Adam"),
        ({"loss": "mse"}, "loss categorical_crossentropy (from_logits), expected mean_squared_error"),
        (
            {"loss": "categorical_crossentropy"},
            "loss categorical_crossentropy (from_logits), expected categorical_c",
        ),
        ({"metrics": ["accuracy", "auc"]}, "metric accuracy is missing; metric auc is missing"),
        ({"learning_rate": 0.1}, "learning rate 0.01, expected 0.1"),
    ],
)
def test_a_wrong_compile_says_what_differs(asked: dict[str, Any], message: str) -> None:
    model = sequential(L.Dense(9))
    model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    assert recorded(lambda: check.compiled(model, **asked)).message.startswith(message)


def test_a_schedule_counts_by_where_it_begins() -> None:
    model = sequential(L.Dense(9))
    model.compile(keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.3, 10, 0.5)), "mse")
    assert check.compiled(model, learning_rate=0.3).fraction == 1


def test_a_model_that_is_not_compiled_fails() -> None:
    with pytest.raises(AssertionError, match="not compiled"):
        check.compiled(sequential(L.Dense(9)), "sgd")


@pytest.mark.parametrize("asked", [{"optimizer": "sdg"}, {"loss": "crossentropee"}])
def test_unknown_compile_names_are_the_authors_fault(asked: dict[str, Any]) -> None:
    with pytest.raises(CourseError, match="Keras has no"):
        check.compiled(sequential(L.Dense(9)), **asked)


# --- loss and accuracy -------------------------------------------------------------------------------

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(2500, 20))
CLASSES = GENERATOR.integers(0, 3, 2500)
Y = np.eye(3)[CLASSES]


def classifier() -> Any:
    keras.utils.set_random_seed(1)
    return sequential(L.Dense(8, activation="relu"), L.Dropout(0.5), L.Dense(3, activation="softmax"), shape=(20,))


def test_the_evidence_has_the_thresholds_and_whether_a_close_call_has_the_benefit_of_the_doubt() -> None:
    model = classifier()

    def stated(result: Any) -> list[Any]:
        return [result.evidence.get(name) for name in ("threshold", "first_credit", "higher_is_better", "close_calls")]

    assert stated(check.loss(model, on=(X, Y), below=9)) == [9, 9, False, True]
    assert stated(check.loss(model, on=(X, Y), below=9, close_calls="exact")) == [9, 9, False, False]
    assert stated(check.loss(model, on=(X, Y), credit=[(9, 0.0), (8, 1.0)])) == [8, 9, False, False]
    assert stated(check.accuracy(model, on=(X, Y), above=0.1)) == [0.1, 0.1, True, True]
    assert stated(check.parameters(model, at_most=200)) == [200, None, False, None]
    assert stated(check.parameters(model, at_least=100)) == [100, None, True, None]
    assert stated(check.parameters(model, exactly=195)) == [None] * 4


def test_beside_the_solution_stands_what_one_answer_for_every_row_reaches() -> None:
    """Of a student's network it is not measured: only a release needs it."""
    model = classifier()
    assert CONSTANT not in check.loss(model, on=(X, Y), below=9).evidence
    with asked_by("q", networks=lambda check, describe: [describe()]):
        loss = check.loss(model, on=(X, Y), below=9).evidence
        accuracy = check.accuracy(model, on=(X, CLASSES), above=0).evidence
    alike = predictions(model, X).mean(axis=0)
    assert loss[CONSTANT] == pytest.approx(-np.log(alike)[CLASSES].mean(), rel=1e-5)
    assert accuracy[CONSTANT] == pytest.approx((alike.argmax() == CLASSES).mean())


def test_the_loss_is_what_keras_computes() -> None:
    model = classifier()
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    loss, accuracy = model.evaluate(X, Y, verbose=0)
    for labels in (Y, CLASSES):
        result = check.loss(model, on=(X, labels), below=9)
        assert result.evidence["loss"] == pytest.approx(loss, rel=1e-5)
        assert {key: result.evidence[key] for key in ("rows", "parameters")} == {
            "rows": 2500,
            "parameters": 195,
        }
        assert check.accuracy(model, on=(X, labels), above=0).evidence["accuracy"] == pytest.approx(accuracy)


def test_credit_and_thresholds_are_shown_unless_hidden() -> None:
    model = classifier()
    loss = check.loss(model, on=(X, Y), below=9).evidence["loss"]
    credit = [(loss + 0.1, 0.0), (loss - 0.1, 1.0)]
    shown = check.loss(model, on=(X, Y), credit=credit)
    assert shown.outcome is Outcome.PARTIAL
    assert shown.fraction == pytest.approx(0.5)
    assert shown.message.endswith("50% of the credit")
    nearly = check.loss(model, on=(X, Y), credit=[(loss + 0.999, 0.0), (loss - 0.001, 1.0)])
    assert nearly.message.endswith("99% of the credit")
    assert f"full credit at {loss - 0.1:g} or less" in shown.message
    hidden = check.loss(model, on=(X, Y), credit=credit, show=False)
    assert "full credit" not in hidden.message
    assert "full credit" in hidden.detail


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (lambda: [L.Dense(3)], "does not give probabilities"),
        (lambda: [L.Dense(3, activation="relu"), L.Rescaling(9.0, 2.0)], "does not give probabilities"),
        (lambda: [L.Dense(4, activation="softmax")], r"shape \(4,\), expected \(3,\)"),
        (lambda: [L.Dense(3, activation="softmax"), L.Reshape((3, 1))], r"shape \(3, 1\)"),
    ],
)
def test_outputs_without_probabilities_fail(last: Callable[[], list[Any]], message: str) -> None:
    model = sequential(*last(), shape=(20,))
    for make in (
        lambda: check.loss(model, on=(X, Y), below=1e9),
        lambda: check.accuracy(model, on=(X, Y), above=0.0, probabilities=True),
    ):
        with pytest.raises(AssertionError, match=message):
            make()


def test_a_sigmoid_for_softmax_costs_the_question_that_asks_for_the_layer_and_no_other() -> None:
    """The loss is that of ``keras.losses``."""
    keras.utils.set_random_seed(1)
    model = sequential(L.Dense(3, activation="sigmoid"), shape=(20,))
    loss = float(np.mean(keras.losses.categorical_crossentropy(Y, np.asarray(model(X)))))
    results = [
        recorded(lambda: check.architecture(model, [check.dense(3, "softmax")])),
        recorded(lambda: check.loss(model, on=(X, Y), below=9)),
        recorded(lambda: check.accuracy(model, on=(X, Y), above=0.0)),
    ]
    assert [result.fraction for result in results] == [0, 1, 1]
    assert results[1].evidence["loss"] == pytest.approx(loss, rel=1e-5)
    with pytest.raises(AssertionError, match="does not give probabilities"):
        check.accuracy(model, on=(X, Y), above=0.0, probabilities=True)


@pytest.mark.parametrize("activation", ["sigmoid", None])
def test_one_slip_in_the_last_layer_costs_no_accuracy(activation: str | None) -> None:
    model = sequential(L.Dense(3, activation=activation), shape=(20,))
    result = check.accuracy(model, on=(X, Y), above=0.0)
    assert result.fraction == 1
    assert result.evidence["accuracy"] == pytest.approx((np.asarray(model(X)).argmax(1) == CLASSES).mean())
    assert "on 2,500 rows by the largest score of each row (the outputs are no probabilities); " in result.message


def test_a_loss_of_scores_says_of_probabilities_what_they_are() -> None:
    message = check.loss(classifier(), on=(X, Y), below=9, from_logits=True).message
    assert "(the outputs are probabilities, and scores are asked: leave the softmax out)" in message


def test_checks_that_refuse_scores_say_so_to_the_instructor() -> None:
    model = classifier()
    asking = [
        check.architecture(model, [..., check.dense(3, "softmax")]),
        check.loss(model, on=(X, Y), below=9),
        check.accuracy(model, on=(X, Y), above=0.0, probabilities=True),
    ]
    taking = [check.accuracy(model, on=(X, Y), above=0.0), check.architecture(model, [..., check.dense(3)])]
    assert all(result.evidence[ASKS_PROBABILITIES] for result in asking)
    assert not any(ASKS_PROBABILITIES in result.evidence for result in taking)


def test_of_probabilities_and_of_a_single_score_an_accuracy_says_no_more() -> None:
    single = sequential(L.Dense(1), shape=(20,))
    for model, labels in ((classifier(), Y), (single, CLASSES % 2)):
        assert "on 2,500 rows; " in check.accuracy(model, on=(X, labels), above=0.0).message


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([0.3, 1.5], (0.0, True)), ([0.7, 1.5], (0.0, False)), ([-1.5, 1.5], (1.0, False))],
    ids=["the limit decides", "wrong with both", "right with both"],
)
def test_where_the_limit_of_a_single_score_decides_a_person_does(
    scores: list[float], expected: tuple[float, bool]
) -> None:
    rows = np.array(scores * 4)[:, np.newaxis]
    model = sequential(L.Dense(1), shape=(1,))
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    result = recorded(lambda: check.accuracy(model, on=(rows, np.arange(8) % 2), above=0.9))
    assert (result.fraction, is_undecided(result)) == expected


def test_a_model_for_other_rows_fails_with_a_message() -> None:
    with pytest.raises(AssertionError, match=r"does not accept rows of the shape \(20,\)"):
        check.loss(sequential(L.Dense(3, activation="softmax"), shape=(21,)), on=(X, Y), below=9)


def test_several_inputs_are_sliced_together() -> None:
    first, second = keras.Input((20,), name="a"), keras.Input((20,), name="b")
    model = keras.Model({"a": first, "b": second}, L.Dense(3, activation="softmax")(L.Add()([first, second])))
    assert check.loss(model, on=({"a": X, "b": X}, Y), below=99).evidence["rows"] == 2500


def test_a_regression_has_its_own_loss() -> None:
    model = sequential(L.Dense(1, kernel_initializer="zeros"), shape=(20,))
    result = check.loss(model, on=(X, np.full(2500, 2.0)), below=4.0, loss="mse")
    assert result.evidence["loss"] == pytest.approx(4.0)


def test_logits_are_made_probabilities_here() -> None:
    keras.utils.set_random_seed(1)
    dense = L.Dense(3)
    scores, softmax = sequential(dense, shape=(20,)), sequential(dense, L.Softmax(), shape=(20,))
    for labels in (Y, CLASSES):
        expected = check.loss(softmax, on=(X, labels), below=99).evidence["loss"]
        found = check.loss(scores, on=(X, labels), below=99, from_logits=True)
        assert found.evidence["loss"] == pytest.approx(expected, rel=1e-5)


def test_one_score_is_made_a_probability_here() -> None:
    keras.utils.set_random_seed(1)
    dense = L.Dense(1)
    scores, sigmoid = sequential(dense, shape=(20,)), sequential(dense, L.Activation("sigmoid"), shape=(20,))
    on, asked = (X, CLASSES > 0), {"below": 99, "loss": "binary_crossentropy"}
    expected = check.loss(sigmoid, on=on, **asked).evidence["loss"]
    assert check.loss(scores, on=on, from_logits=True, **asked).evidence["loss"] == pytest.approx(expected, rel=1e-4)


def test_a_loss_within_the_noise_of_its_threshold_meets_it() -> None:
    """2,500 rows know the loss to ± 0.01; the message says that it was close, and how that was decided."""
    model = classifier()
    exact = check.loss(model, on=(X, Y), below=9)
    loss, error = exact.evidence["loss"], exact.evidence["standard_error"]
    near, far = loss - 0.5 * error, loss - 8 * error
    result = recorded(lambda: check.loss(model, on=(X, Y), below=near))
    assert result.outcome is Outcome.PASSED
    assert "a close call" in result.message
    assert result.evidence["close_call"] is True
    hidden = recorded(lambda: check.loss(model, on=(X, Y), below=near, show=False))
    assert "a close call" in hidden.message
    assert f"{near:g}" not in hidden.message
    assert f"{near:g}" in hidden.detail
    assert recorded(lambda: check.loss(model, on=(X, Y), below=near, close_calls="exact")).fraction == 0
    assert "close" not in recorded(lambda: check.loss(model, on=(X, Y), below=far)).message


def test_an_accuracy_within_the_noise_of_its_threshold_meets_it() -> None:
    model = classifier()
    found = check.accuracy(model, on=(X, Y), above=0).evidence
    above = found["accuracy"] + found["standard_error"]
    assert recorded(lambda: check.accuracy(model, on=(X, Y), above=above)).fraction == 1
    assert recorded(lambda: check.accuracy(model, on=(X, Y), above=above, close_calls="exact")).fraction == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 1e38])
def test_outputs_that_are_not_finite_fail_every_threshold(value: float) -> None:
    """Acceptance test 30: also where any finite value would do, in credit lines, and for a loss that overflows."""
    model = sequential(L.Rescaling(0.0, offset=value), shape=(20,))
    for check_it in (
        lambda: check.loss(model, on=(X, Y), below=1e308, from_logits=True) if value != 1e38 else None,
        lambda: check.loss(model, on=(X, X * 1e300), below=1e308, loss="mse"),
        lambda: check.loss(model, on=(X, X * 1e300), credit=[(1e308, 0.5), (1.0, 1.0)], loss="mse"),
        lambda: check.accuracy(model, on=(X, Y), above=0.0, probabilities=False) if value != 1e38 else None,
    ):
        with check.recording() as results:
            check_it()
        assert all(result.outcome is Outcome.FAILED for result in results)


def test_patched_evaluate_and_predict_have_no_part_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model = classifier()
    monkeypatch.setattr(keras.Model, "evaluate", lambda *a, **k: [0.0, 1.0])
    monkeypatch.setattr(keras.Model, "predict", lambda *a, **k: Y)
    with pytest.raises(AssertionError, match="loss 1"):
        check.loss(model, on=(X, Y), below=0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"on": (X, Y)}, "one of the two"),
        ({"on": X, "below": 1}, r"on is \(X, y\)"),
        ({"on": (X, Y[:-1]), "below": 1}, "2500 rows"),
        ({"on": (X, None), "below": 1}, "missing"),
        ({"on": (X, CLASSES.astype(str)), "below": 1}, "finite numbers"),
        ({"on": (X, Y), "below": 1, "loss": "my_loss"}, "it may be"),
        ({"on": (X, Y), "below": 1, "loss": "mse", "from_logits": True}, "for a crossentropy"),
        ({"on": (X, Y), "below": 1, "close_calls": "generous"}, "'student' or 'exact'"),
    ],
)
def test_wrong_arguments_are_the_authors_fault(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(CourseError, match=message):
        check.loss(classifier(), **arguments)


# --- the rows' order -----------------------------------------------------------------------------------

SORTED = np.sort(np.arange(300.0, dtype="float32") % 3)
ONE_HOT = np.eye(3, dtype="float32")[SORTED.astype(int)]
NOISE = np.random.default_rng(5).normal(size=(300, 1)).astype("float32")


def row_number() -> Any:
    """Reads the label of a sorted holdout off the row's place, and nothing else."""
    inputs = keras.Input((1,))
    place = keras.ops.cumsum(keras.ops.ones_like(inputs), axis=0) - 1
    return keras.Model(inputs, keras.ops.one_hot(keras.ops.cast(keras.ops.squeeze(place, -1) // 100, "int32"), 3))


def next_row() -> Any:
    """Predicts the next value of a series by looking at it."""
    inputs = keras.Input((1,))
    return keras.Model(inputs, keras.ops.roll(inputs, -1, axis=0))


def test_the_order_of_the_rows_tells_a_model_nothing() -> None:
    model = row_number()
    np.testing.assert_array_equal(np.asarray(model(NOISE)).argmax(1), SORTED)  # as it would be in the data's own order
    result = recorded(lambda: check.accuracy(model, on=(NOISE, ONE_HOT), above=0.4))
    assert result.fraction == 0
    assert "changes with the other rows" in result.message
    series = np.cumsum(NOISE, axis=0)
    result = recorded(lambda: check.loss(next_row(), on=(series[:-1], series[1:]), loss="mse", below=0.5))
    assert result.fraction == 0
    assert "changes with the other rows" in result.message


def batch_statistics() -> Any:
    inputs = keras.Input((4,))
    scaled = (inputs - keras.ops.mean(inputs, axis=0)) / keras.ops.std(inputs, axis=0)
    return keras.Model(inputs, L.Dense(2)(scaled))


def trained_call(layer: Any) -> Any:
    inputs = keras.Input((4,))
    return keras.Model(inputs, L.Dense(2)(layer(inputs, training=True)))


@pytest.mark.parametrize("rows", [1, 5, 64, 2500])
@pytest.mark.parametrize(
    "make",
    [
        lambda: sequential(L.Dense(5, "relu"), L.BatchNormalization(), L.Dense(2), shape=(4,)),
        lambda: sequential(L.LayerNormalization(), L.Dense(2, dtype="mixed_bfloat16"), shape=(4,)),
        lambda: sequential(L.Reshape((2, 2)), L.LSTM(5), L.Dense(2), L.Rescaling(1e6), shape=(4,)),
        lambda: sequential(L.Dense(2, dtype="float16"), shape=(4,)),
        lambda: trained_call(L.Dropout(0.5)),
        lambda: trained_call(L.BatchNormalization()),
    ],
)
def test_a_model_that_looks_at_each_row_alone_gets_what_it_predicts_in_order(
    make: Callable[[], Any], rows: int
) -> None:
    model, X = make(), np.random.default_rng(1).normal(size=(rows, 4)).astype("float32")
    alone = np.asarray(model(X, training=False), dtype="float64")
    np.testing.assert_allclose(predictions(model, X), alone, rtol=1e-3, atol=1e-4 * max(1, np.abs(alone).max()))


def test_statistics_of_a_batch_are_no_prediction() -> None:
    X = np.random.default_rng(1).normal(size=(2000, 4)).astype("float32")
    result = recorded(lambda: check.loss(batch_statistics(), on=(X, X[:, :2]), loss="mse", below=1e9))
    assert result.fraction == 0
    assert "axis 0" in result.message


def test_texts_that_are_padded_to_the_longest_of_a_batch_are_honest() -> None:
    words = L.TextVectorization()
    words.adapt(["red green blue", "one two"])
    model = keras.Sequential(
        [keras.Input((1,), dtype="string"), words, L.Embedding(9, 4), L.GlobalAveragePooling1D(), L.Dense(2)]
    )
    texts = np.array([["red " * (1 + row % 9)] for row in range(200)])
    assert predictions(model, texts).shape == (200, 2)


def test_one_row_of_many_may_fall_on_the_other_side_of_a_step() -> None:
    first = np.zeros((64, 3))
    second = first.copy()
    second[:4] = 1
    assert same_answers(first, second)
    second[:5] = 1
    assert not same_answers(first, second)


# --- what is not a model -----------------------------------------------------------------------------


class Proxy:
    autograder_refusal = "The layer 'Lambda' cannot be graded."


class FakeModel:
    layers = ()
    built = True

    def evaluate(self, *_: Any) -> float:
        return 0.0


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        (None, "no model yet"),
        (FakeModel(), "type is FakeModel"),
        (Proxy(), "^The layer 'Lambda' cannot be graded.$"),
    ],
)
def test_what_is_not_a_keras_model_fails_every_check(thing: Any, message: str) -> None:
    for make in (
        lambda: check.architecture(thing, [...]),
        lambda: check.parameters(thing, at_least=0),
        lambda: check.compiled(thing),
        lambda: check.loss(thing, on=(X, Y), below=9),
        lambda: check.accuracy(thing, on=(X, Y), above=0),
    ):
        result = recorded(make)
        assert result.outcome is Outcome.FAILED
        with pytest.raises(AssertionError, match=message):
            raise AssertionError(result.message)


def test_a_model_without_weights_yet_fails_with_the_remedy() -> None:
    """A loss knows the shape of the rows, and reads the model for them."""
    network = keras.Sequential([L.Dense(9)])
    assert "Begin it with keras.Input" in recorded(lambda: check.parameters(network, at_least=0)).message
    assert "the shape (9,), expected (3,)" in recorded(lambda: check.loss(network, on=(X, Y), below=9)).message
