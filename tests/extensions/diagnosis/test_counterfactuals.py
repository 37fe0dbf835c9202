"""What a network would reach with one change: tried from the same seeds, and told only where it helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers.lazy import keras
from helpers.lazy import layers as L

from autograder import check
from autograder.check.diagnosis_requests import DiagnosisRequest, collecting_requests
from autograder.extensions.diagnosis.trials.answer import answer
from autograder.extensions.diagnosis.trials.candidates import candidates
from autograder.extensions.diagnosis.trials.counterfactuals import MIN_ROWS, Settings, _recipe, diagnose
from autograder.extensions.diagnosis.trials.paired_trainings import mean_curve
from autograder.extensions.diagnosis.trials.split_rows import SplitRows, split
from autograder.extensions.diagnosis.trials.symptoms import Symptoms
from autograder.extensions.diagnosis.trials.training_bench import OutOfBudget, Training, TrainingBench
from autograder.extensions.networks.fresh_model import reinitialize
from autograder.records.diagnosis import LossCurve

pytestmark = pytest.mark.keras

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(300, 6)).astype("float32")
Y = (X[:, 0] > 0) + 2 * (X[:, 1] > 0)
CURVE = (1.0, 0.5, 0.4, 0.41, 0.41, 0.41, 0.41)
PLENTY = 600.0
"""Seconds that no test needs: a busy machine changes no result."""


def network(
    *layers: Any, loss: Any = "sparse_categorical_crossentropy", optimizer: Any = None, features: int = 6
) -> Any:
    model = keras.Sequential([keras.Input((features,)), *layers])
    model.compile(optimizer or keras.optimizers.Adam(0.01), loss)
    return model


def suspected(model: Any, x: np.ndarray = X, curve: tuple[float, ...] = CURVE, fit: float = 0.4) -> list[str]:
    """Kinds of changes that a network suggests whose training went so; nothing is trained."""
    settings = Settings(epochs=len(curve))
    recipe = _recipe(model, settings)
    assert recipe is not None
    return [candidate.kind for candidate in candidates(_symptoms(recipe, x, curve, fit))]


def _symptoms(
    recipe: Any, x: np.ndarray = X, curve: tuple[float, ...] = CURVE, fit: float = 0.4, share: float = 1.0
) -> Symptoms:
    data = SplitRows(x[:200], Y[:200], x[200:], Y[200:])
    weights = [variable.numpy() for variable in reinitialize(recipe.architecture.model, 0).variables]
    rows = np.repeat(np.array(curve)[:, None], 100, axis=1)
    training = Training(list(range(1, len(curve) + 1)), rows, fit, weights)
    return Symptoms(recipe, recipe.loss, data, [training], share)


def sigmoids() -> list[Any]:
    """Layers with their activations behind them, as many programs write them."""
    return [layer for _ in range(9) for layer in (L.Dense(8), L.Activation("sigmoid"))]


def relu(units: int = 32, **keywords: Any) -> Any:
    return L.Dense(units, "relu", **keywords)


@pytest.mark.parametrize(
    ("make", "kinds"),
    [
        (lambda: network(relu(), L.Dense(4, "softmax")), []),
        (lambda: network(relu(), L.Dense(4)), ["output"]),
        (lambda: network(relu(), L.Dense(4, "relu"), L.Softmax()), ["output"]),
        (lambda: network(relu(), L.Dense(4), L.Softmax()), []),
        (
            lambda: network(relu(), L.Dense(4, "softmax"), loss=keras.losses.SparseCategoricalCrossentropy(True)),
            ["output"],
        ),
        (lambda: network(relu(), L.Dense(4), loss=keras.losses.SparseCategoricalCrossentropy(True)), []),
        (lambda: network(L.Dense(32), L.Dense(4, "softmax")), ["linear"]),
        (lambda: network(L.Dense(32), L.Dropout(0.1), L.Dense(4, "softmax")), ["linear"]),
        (lambda: network(L.Dense(32), L.ReLU(), L.Dense(4, "softmax")), []),
        (lambda: network(relu(), L.Dense(4, "softmax"), optimizer=keras.optimizers.Adam(1e-5)), ["rate"]),
        (lambda: network(relu(), L.Dense(4, "softmax"), optimizer=keras.optimizers.SGD(0.02)), []),
        (lambda: network(relu(), L.Dropout(0.9), L.Dense(4, "softmax")), ["dropout"]),
        (lambda: network(relu(kernel_regularizer=keras.regularizers.L2(1.0)), L.Dense(4, "softmax")), ["penalty"]),
        (lambda: network(relu(kernel_regularizer="l2"), L.Dense(4, "softmax")), []),
        (lambda: network(relu(bias_initializer=keras.initializers.Constant(-9)), L.Dense(4, "softmax")), ["dead"]),
        (lambda: network(*[L.Dense(8, "sigmoid") for _ in range(9)], L.Dense(4, "softmax")), ["vanishing"]),
        (lambda: network(*sigmoids(), L.Dense(4), L.Activation("softmax")), ["vanishing"]),
    ],
)
def test_a_network_suggests_the_changes_whose_signs_it_shows(make: Callable[[], Any], kinds: list[str]) -> None:
    model = make()
    if kinds != ["rate"]:
        model.optimizer.learning_rate = 0.002
    assert suspected(model, fit=0.1) == kinds


def test_a_hundredth_of_a_penalty_leaves_the_network_as_it_is_otherwise() -> None:
    regularizer = keras.regularizers.L1L2(0.3, 0.02)
    recipe = _recipe(network(relu(kernel_regularizer=regularizer), L.Dense(4, "softmax")), Settings(epochs=1))
    assert recipe is not None
    (changed,) = [one.recipe(recipe) for one in candidates(_symptoms(recipe)) if one.kind == "penalty"]
    factors = changed.layers()[0]["config"]["kernel_regularizer"]["config"]
    assert {name: round(float(factor), 5) for name, factor in factors.items()} == {"l1": 0.003, "l2": 0.0002}
    assert recipe.layers()[0]["config"]["kernel_regularizer"]["config"]["l1"] == pytest.approx(0.3)


@pytest.mark.parametrize(("size", "is_suspected"), [(200, True), (128, True), (64, False), (32, False)])
def test_a_batch_of_most_rows_is_suspected_and_trained_as_it_was(size: int, is_suspected: bool) -> None:
    model = network(relu(), L.Dense(4, "softmax"))
    recipe = _recipe(model, Settings(epochs=3, batch_size=size))
    assert recipe is not None
    assert ("batch" in [one.kind for one in candidates(_symptoms(recipe))]) == is_suspected
    assert recipe.batch_size == size


WORDS = [
    ("mse", "A squared error", "the loss sparse_categorical_crossentropy"),
    ("mae", "An absolute error", "the loss sparse_categorical_crossentropy"),
]


@pytest.mark.parametrize(("loss", "lesson", "change"), WORDS)
def test_a_sentence_has_the_words_of_the_loss_that_was_compiled(loss: str, lesson: str, change: str) -> None:
    recipe = _recipe(network(relu(), L.Dense(4, "softmax"), loss=loss), Settings(epochs=1))
    assert recipe is not None
    symptoms = replace(_symptoms(recipe), goal="categorical_crossentropy")
    (remedy,) = [one for one in candidates(symptoms) if one.kind == "loss"]
    assert remedy.lesson.startswith(lesson)
    assert remedy.change.startswith(change)


def test_relu_in_place_of_activations_that_are_layers_leaves_the_last_one() -> None:
    recipe = _recipe(network(*sigmoids(), L.Dense(4), L.Activation("softmax")), Settings(epochs=1))
    assert recipe is not None
    (layers,) = [
        remedy.recipe(recipe).layers() for remedy in candidates(_symptoms(recipe)) if remedy.kind == "vanishing"
    ]
    activations = [entry["config"]["activation"] for entry in layers if entry["class_name"] == "Activation"]
    assert activations == ["relu"] * 9 + ["softmax"]


def test_the_output_of_a_nested_network_is_that_of_the_inner_one() -> None:
    inner = network(relu(), L.Dense(4, "softmax"))
    rows = keras.Input((6,))
    outer = keras.Model(rows, inner(rows))
    outer.compile(keras.optimizers.Adam(0.002), "sparse_categorical_crossentropy")
    assert suspected(outer, fit=0.1) == []


@pytest.mark.parametrize(
    ("curve", "fit", "kinds"),
    [
        ((1.0, 0.9, 0.8, 0.7, 0.6), 0.1, ["epochs"]),
        ((1.0, 0.5, 0.4, 0.6, 0.9), 0.1, ["overfit"]),
        ((1.0, 0.9, 0.9, 0.9, 0.9), 0.9, ["capacity"]),
    ],
)
def test_the_length_of_a_training_is_judged_by_its_curve(
    curve: tuple[float, ...], fit: float, kinds: list[str]
) -> None:
    model = network(relu(), L.Dense(4, "softmax"), optimizer=keras.optimizers.Adam(0.002))
    assert suspected(model, curve=curve, fit=fit) == kinds


def test_a_training_that_diverges_suggests_to_clip_its_gradients_unless_it_does() -> None:
    diverged = (1.0, 0.9, np.nan, np.nan, np.nan)
    plain, clipped = keras.optimizers.Adam(0.002), keras.optimizers.Adam(0.002, clipnorm=1.0)
    assert suspected(network(relu(), L.Dense(4, "softmax"), optimizer=plain), curve=diverged) == ["exploding"]
    assert suspected(network(relu(), L.Dense(4, "softmax"), optimizer=clipped), curve=diverged) == []


def test_clipped_gradients_are_told_where_they_keep_a_training_from_diverging() -> None:
    model = network(*(relu(64) for _ in range(4)), L.Dense(1), loss="mse", optimizer=keras.optimizers.SGD(0.04))
    diagnosis = diagnose(model, X, 10 * X[:, 0] + 40 * X[:, 1] ** 2, Settings(epochs=20), PLENTY)
    first = diagnosis.findings[0]
    assert first.trial in diagnosis.tried  # the sentence and the table have the same numbers
    assert len({trial.before for trial in diagnosis.tried}) == 1
    assert first.trial.kind == "exploding"
    assert first.trial.before is None
    assert first.trial.after is not None


def test_inputs_far_from_zero_are_to_be_scaled_unless_the_network_does() -> None:
    large = X * 100
    scaling = L.Normalization()
    scaling.adapt(large)
    adam = keras.optimizers.Adam(0.002)
    assert "scale" in suspected(network(relu(), L.Dense(4, "softmax"), optimizer=adam), large, fit=0.1)
    assert "scale" not in suspected(network(scaling, relu(), L.Dense(4, "softmax")), large, fit=0.1)


def test_a_rate_that_is_too_small_is_told_with_both_losses_and_curves() -> None:
    model = network(relu(), L.Dense(4, "softmax"), optimizer=keras.optimizers.Adam(1e-6))
    weights = model.get_weights()
    diagnosis = diagnose(model, X, Y, Settings(epochs=12), PLENTY)
    first = diagnosis.findings[0]
    assert first.trial.kind == "rate"
    assert first.message.startswith(
        "With a learning rate of 0.001, the default of Adam, in place of 1e-06, your network"
    )
    assert first.trial.before is not None
    assert first.trial.after is not None
    assert first.trial.after < first.trial.before - diagnosis.least
    assert first.curve.epochs[-1] == diagnosis.curve.epochs[-1] == 12
    assert diagnosis.tried[0].kind == "rate"
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)  # the student's model stays as it is


def test_a_training_that_diverges_is_told_too() -> None:
    model = network(relu(), L.Dense(1), loss="mse", optimizer=keras.optimizers.SGD(1e9))
    diagnosis = diagnose(model, X, X[:, 0], Settings(epochs=10), PLENTY)
    assert [finding.trial.kind for finding in diagnosis.findings][:1] == ["rate"]
    assert diagnosis.findings[0].trial.before is None
    assert "(now no number at all)" in diagnosis.findings[0].message


def test_curves_of_trainings_that_were_measured_at_different_epochs_are_averaged_where_both_were() -> None:
    short = Training([1, 2, 3], np.ones((3, 4)), 1.0, None)
    long = Training([2, 3], np.full((2, 4), 3.0), 1.0, None)
    assert mean_curve([short, long]) == LossCurve((2, 3), (2.0, 2.0))


def test_silence_says_what_was_tried() -> None:
    model = network(relu(), L.Dense(4, "softmax"), optimizer=keras.optimizers.Adam(0.006))
    diagnosis = diagnose(model, X, Y, Settings(epochs=35), PLENTY)
    assert diagnosis.findings == ()
    assert diagnosis.tried
    assert diagnosis.summary.startswith("Nothing that was tried helps by more than 0.14: ")
    assert "a learning rate of 0.001" in repr(diagnosis)


def test_the_same_model_has_the_same_diagnosis() -> None:
    made = [diagnose(network(relu(), L.Dense(4)), X, Y, Settings(epochs=5), PLENTY) for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("model", "rows", "note"),
    [
        (lambda: network(L.Dense(4, "softmax")), MIN_ROWS - 1, "There are 99 rows; a comparison takes 100."),
        (lambda: network(L.Dense(4), loss="huber"), 300, "Only crossentropies, squared and absolute errors are tried"),
        (lambda: network(L.Dense(4, "softmax"), features=5), 300, "This network cannot be trained on these data."),
    ],
)
def test_what_cannot_be_tried_is_said(model: Callable[[], Any], rows: int, note: str) -> None:
    diagnosis = diagnose(model(), X[:rows], Y[:rows], Settings(epochs=2), PLENTY)
    assert diagnosis.note.startswith(note)
    assert diagnosis.findings == diagnosis.tried == ()


@pytest.mark.parametrize(
    ("loss", "labels", "note"),
    [
        (
            "sparse_categorical_crossentropy",
            Y - 1,
            "A crossentropy of classes takes whole numbers from 0 on, or one-hot",
        ),
        ("sparse_categorical_crossentropy", Y + 10**9, "There are more classes than rows."),
        ("sparse_categorical_crossentropy", Y.astype(str), "The labels are not all finite numbers."),
        ("mse", np.where(Y == 1, np.nan, X[:, 0]), "The labels are not all finite numbers."),
        ("binary_crossentropy", X[:, 0], "A binary crossentropy takes labels from 0 to 1."),
        ("mse", X[:, 0], "The network has another number of outputs than a row has labels."),
    ],
)
def test_labels_that_a_loss_does_not_take_are_said_without_an_exception(loss: str, labels: Any, note: str) -> None:
    diagnosis = diagnose(network(relu(), L.Dense(4), loss=loss), X, labels, Settings(epochs=2), PLENTY)
    assert diagnosis.note.startswith(note)
    assert diagnosis.findings == diagnosis.tried == ()


@pytest.mark.parametrize(
    ("units", "end", "loss", "labels", "kind", "change"),
    [
        (1, "softmax", "sparse_categorical_crossentropy", Y, "output", "4 units with softmax at the end"),
        (1, "softmax", "categorical_crossentropy", np.eye(4)[Y], "output", "4 units with softmax at the end"),
        (4, "softmax", "sparse_categorical_crossentropy", Y + 1, "output", "5 units with softmax at the end"),
        (
            1,
            "sigmoid",
            "binary_crossentropy",
            Y,
            "loss",
            "the loss sparse_categorical_crossentropy and 4 units with softmax",
        ),
    ],
)
def test_an_output_that_does_not_fit_the_classes_is_told_with_the_one_that_does(
    units: int, end: str, loss: str, labels: np.ndarray, kind: str, change: str
) -> None:
    model = network(relu(), L.Dense(units, end), loss=loss, optimizer=keras.optimizers.Adam(0.003))
    diagnosis = diagnose(model, X, labels, Settings(epochs=8), PLENTY)
    assert diagnosis.findings[0].trial.kind == kind
    assert diagnosis.findings[0].trial.change.startswith(change)
    assert diagnosis.findings[0].trial.before is None  # it could not be trained


def test_whole_numbers_for_several_outputs_are_classes_whatever_a_network_minimizes() -> None:
    model = network(relu(), L.Dense(10), loss="mse")
    diagnosis = diagnose(model, X, Y[:, None], Settings(epochs=2), PLENTY)
    assert diagnosis.loss == "categorical_crossentropy"
    assert diagnosis.tried[0].change == "the loss sparse_categorical_crossentropy and softmax at the end"


def test_scores_for_too_few_classes_stay_scores() -> None:
    model = network(relu(), L.Dense(3), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    assert diagnose(model, X, Y, Settings(epochs=8), PLENTY).findings[0].trial.change == "4 units at the end"


def test_one_unit_with_softmax_for_two_classes_is_told_in_the_measured_loss() -> None:
    model = network(relu(), L.Dense(1, "softmax"), loss="categorical_crossentropy")
    settings = Settings(epochs=8, loss="binary_crossentropy")
    first = diagnose(model, X, (X[:, 0] > 0).astype(int), settings, PLENTY).findings[0]
    assert first.trial.change == "the loss binary_crossentropy and sigmoid at the end"
    assert "Labels of 0 and 1 take one unit" in first.message


def test_a_yes_or_no_for_each_class_suggests_the_crossentropy_of_classes_and_no_sigmoid() -> None:
    recipe = _recipe(network(relu(), L.Dense(4, "softmax"), loss="binary_crossentropy"), Settings(epochs=7))
    assert recipe is not None
    symptoms = replace(_symptoms(recipe, fit=0.1), goal="categorical_crossentropy")
    changes = [remedy.change for remedy in candidates(symptoms) if remedy.kind in ("output", "loss")]
    assert changes == ["the loss sparse_categorical_crossentropy and softmax at the end"]


def test_a_network_with_dropout_before_batch_normalization_is_tried_as_it_is() -> None:
    model = network(relu(), L.Dropout(0.4), L.BatchNormalization(), L.Dense(4, "softmax"))
    diagnosis = diagnose(model, X, Y, Settings(epochs=25), PLENTY)
    assert (diagnosis.findings, diagnosis.note) == ((), "")


def test_rows_that_are_sorted_by_class_are_looked_at_in_random_order() -> None:
    order = np.argsort(Y)
    data = split(X[order], Y[order], seed=0)
    assert set(data.labels[:20]) == set(data.compared_labels[:20]) == {0, 1, 2, 3}


# --- long trainings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "epochs", "rows"), [(110.0, 10, 4000), (9.0, 6, 4000), (4 / 0.9, 4, 3200), (1.0, None, None)]
)
def test_of_a_long_training_epochs_are_left_out_first_and_then_rows(
    monkeypatch: pytest.MonkeyPatch, seconds: float, epochs: int | None, rows: int | None
) -> None:
    def an_epoch_takes_a_tenth(bench: TrainingBench, stack: Any, recipe: Any) -> None:
        bench._epoch_seconds[recipe.graph] = 0.1

    monkeypatch.setattr(TrainingBench, "_time_steps", an_epoch_takes_a_tenth)
    recipe = _recipe(network(relu(), L.Dense(4, "softmax")), Settings(epochs=10))
    assert recipe is not None
    many, labels = np.tile(X, (14, 1))[:4000], np.tile(Y, 14)[:4000]
    bench = TrainingBench(SplitRows(many, labels, X, Y), recipe.loss, seconds, clock=lambda: 0.0)
    if epochs is None:
        with pytest.raises(OutOfBudget):
            bench.shorten(recipe, 0.3, 0.24)
        return
    assert bench.shorten(recipe, 0.3, 0.24).epochs == epochs
    assert bench.rows == rows


def test_a_tenth_of_the_budget_is_left_for_a_training_that_ends_after_its_time() -> None:
    bench = TrainingBench(SplitRows(X, Y, X, Y), "mean_squared_error", 3.0, clock=lambda: 100.0)
    assert bench.left == pytest.approx(2.7)


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all trainings too long: 4 epochs on 120 rows are tried."""

    def shorten(bench: TrainingBench, recipe: Any, whole: float, part: float) -> Any:
        bench.rows = 120
        return replace(recipe, epochs=4)

    monkeypatch.setattr(TrainingBench, "shorten", shorten)


@pytest.mark.usefixtures("part")
def test_a_long_training_is_tried_in_part_and_the_page_says_so() -> None:
    model = network(relu(), L.Dense(4), optimizer=keras.optimizers.Adam(0.01))
    diagnosis = diagnose(model, X, Y, Settings(epochs=50, batch_size=8), PLENTY)
    part = "4 of 50 epochs on 120 of 210 rows"
    assert diagnosis.findings[0].trial.kind == "output"
    assert f"; both after {part}). Your loss" in diagnosis.findings[0].message
    assert diagnosis.note == f"Your training is long: {part} were tried, and only what halves the loss is told."
    assert diagnosis.curve.epochs == (1, 2, 3, 4)


@pytest.mark.usefixtures("part")
def test_how_long_and_how_wide_to_train_is_not_judged_by_a_part_of_a_training() -> None:
    model = network(L.Dense(1, "tanh"), L.Dense(4, "softmax"), optimizer=keras.optimizers.Adam(0.004))
    diagnosis = diagnose(model, X, Y, Settings(epochs=50), PLENTY)
    assert diagnosis.tried == ()
    assert repr(diagnosis).startswith(
        "This network shows no sign of a fault that could be tried here. Your training is"
    )


def test_a_small_rate_is_no_sign_where_the_rest_of_a_long_training_makes_up_for_it() -> None:
    recipe = _recipe(network(relu(), L.Dense(4, "softmax"), optimizer=keras.optimizers.Adam(1e-4)), Settings(epochs=7))
    assert recipe is not None
    for share, kinds in [(1.0, ["rate"]), (0.2, ["rate"]), (0.05, [])]:
        assert [remedy.kind for remedy in candidates(_symptoms(recipe, fit=0.1, share=share))] == kinds


def test_rows_of_one_number_are_a_column_for_a_network_that_takes_one_as_in_fit() -> None:
    model = network(relu(), L.Dense(1), loss="mse", features=1)
    numbers, settings = X[:, 0], Settings(epochs=2)
    assert diagnose(model, numbers, numbers**2, settings, PLENTY).tried
    assert diagnose(model, numbers, numbers**2, settings, PLENTY) == diagnose(
        model, numbers[:, None], numbers**2, settings, PLENTY
    )


def test_classes_may_be_whole_numbers_of_any_dtype_as_a_csv_file_gives_them() -> None:
    model = network(relu(), L.Dense(4, "softmax"))
    assert diagnose(model, X, Y.astype(float), Settings(2), PLENTY) == diagnose(model, X, Y, Settings(2), PLENTY)


def test_a_budget_that_is_used_up_ends_the_search() -> None:
    diagnosis = diagnose(network(relu(), L.Dense(4)), X, Y, Settings(epochs=5), seconds=0.0)
    assert diagnosis.note == "Its training takes too long to be tried in 0 s."


def test_a_student_asks_in_the_own_notebook_and_reads_the_answer() -> None:
    model = network(relu(), L.Dense(4, "softmax"), optimizer=keras.optimizers.Adam(1e-6))
    diagnosis = check.diagnose(model, on=(X, Y), epochs=12, seconds=PLENTY)
    assert repr(diagnosis).startswith("With a learning rate of 0.001, the default of Adam")


def test_a_test_that_trains_a_network_again_asks_about_it_and_its_credit_is_the_same() -> None:
    model = network(relu(), L.Dense(4, "softmax"))
    data = (X[:200], Y[:200])
    options: dict[str, Any] = {"on": data, "holdout": (X[200:], Y[200:]), "epochs": 2, "seeds": 1, "below": 9.0}
    with check.recording() as results, collecting_requests() as requests:
        check.retrained(model, **options)
    (request,) = requests
    assert (request.epochs, request.batch_size, request.loss) == (2, 32, "categorical_crossentropy")
    assert request.labels is not options["holdout"][1]
    assert [result.fraction for result in results] == [1.0]


def test_without_tensorflow_a_student_reads_what_is_missing_and_a_feedback_page_says_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    has = "autograder.extensions.diagnosis.trials.answer.find_spec"
    monkeypatch.setattr(has, lambda name: None if name == "tensorflow" else object())
    model = network(relu(), L.Dense(4, "softmax"))
    said = check.diagnose(model, on=(X, Y)).note
    assert said.endswith("are tried with Keras on TensorFlow, and one of the two is not installed here.")
    assert answer(DiagnosisRequest(model, X, Y, 2, 32, question="test-loss"), {}) is None


def test_course_yaml_turns_it_off_and_says_how_long_it_may_take() -> None:
    request = DiagnosisRequest(network(relu(), L.Dense(4)), X, Y, 2, 32)
    assert answer(request, {"diagnosis": False}) is None
    short = answer(request, {"diagnosis_seconds": 0.0})
    assert short is not None
    assert short.note == "Its training takes too long to be tried in 0 s."


@pytest.mark.parametrize(
    "make",
    [
        lambda: network(*[L.Dense(2, "relu") for _ in range(120)], L.Dense(4, "softmax")),
        lambda: network(L.Dense(3000, "relu"), L.Dense(3000, "relu"), L.Dense(4, "softmax")),
    ],
    ids=["deep", "wide"],
)
def test_a_network_that_is_too_large_is_refused_by_its_shapes(make: Callable[[], Any]) -> None:
    diagnosis = diagnose(make(), X, Y, Settings(epochs=5000), seconds=3.0)
    assert diagnosis.note == "Its training takes too long to be tried in 3 s."
