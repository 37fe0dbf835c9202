"""A Keras loop with GradientTape is right if the weights that come out are those that the examiner computes."""

from __future__ import annotations

import linecache
import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from helpers.examination import outcome
from helpers.remote_models import recorded

from autograder import check
from autograder.errors import CourseError
from autograder.extensions.training_steps.kernel_side.step_arguments import roles
from autograder.extensions.training_steps.step_answers import read_weights
from autograder.extensions.training_steps.step_losses import Objective, output_gradient
from autograder.models import rebuild
from autograder.records.checks import CheckResult, is_undecided

pytestmark = pytest.mark.keras

DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(64, 6)).astype("float32")
Y = DRAW.integers(0, 3, 64)
HEAD = """
import keras, numpy as np, tensorflow as tf
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((6,)), keras.layers.Dense(8), keras.layers.BatchNormalization(), keras.layers.ReLU(),
    keras.layers.Dropout(0.2), keras.layers.Dense(3),
])
optimizer = keras.optimizers.SGD(0.1)
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
"""
PLAIN = """
with tf.GradientTape() as tape:
    loss = loss_fn(y, model(x, training=True))
grads = tape.gradient(loss, model.trainable_variables)
optimizer.apply_gradients(zip(grads, model.trainable_variables))
"""
TAKES = "model, x, y, loss_fn, optimizer"


def step(body: str, parameters: str = TAKES, decorator: str = "") -> str:
    return f"{decorator}\ndef step({parameters}):\n" + textwrap.indent(body.strip(), "    ")


HONEST = {
    "plain": step(PLAIN),
    "compiled, with global names": step(PLAIN, "x, y", "@tf.function"),
    "compiled, with an optimizer that is given": step(PLAIN, decorator="@tf.function"),
    "a batch": step("x, y = batch\n" + PLAIN, "model, batch"),
    "a dataset": step("for x, y in dataset:\n" + textwrap.indent(PLAIN, "    "), "model, dataset, loss_fn, optimizer"),
    "a compiled loop over a dataset": step("for x, y in dataset:\n" + textwrap.indent(PLAIN, "    "), "dataset", "@tf.function"),
    "the optimizer's apply": step(PLAIN.replace("optimizer.apply_gradients(zip(grads, model.trainable_variables))", "optimizer.apply(grads, model.trainable_variables)")),
    "by hand": step(PLAIN.replace("optimizer.apply_gradients(zip(grads, model.trainable_variables))", "for v, g in zip(model.trainable_variables, grads):\n    v.assign_sub(lr * g)"), "model, x, y, lr"),
    "own formula": step(PLAIN.replace("loss_fn(y, model(x, training=True))", "tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, model(x, training=True)))")),
    "train_on_batch": "model.compile(optimizer, loss_fn)\n" + step("return model.train_on_batch(x, y)", "x, y"),
}  # fmt: skip
SLIPS = {
    "evaluation mode": (step(PLAIN.replace(", training=True", "")), "evaluation mode"),
    "no update": (step(PLAIN.replace("optimizer.apply_gradients", "list")), "no weight changes"),
    "softmax before": (step(PLAIN.replace("model(x, training=True)", "tf.nn.softmax(model(x, training=True))")), "softmax"),
    "probabilities": (step(PLAIN, "model, x, y, optimizer").replace("loss_fn(", "keras.losses.SparseCategoricalCrossentropy()("), "scores for probabilities"),
    "sum": (step(PLAIN.replace("loss_fn(y", "16.0 * loss_fn(y")), "sum over the batch"),
    "uphill": (step(PLAIN.replace("loss_fn(y", "-loss_fn(y")), "uphill"),
    "the last layer alone": (step(PLAIN.replace("model.trainable_variables", "model.layers[-1].trainable_variables")), "stay as they are"),
    "a rate": (step(PLAIN, "model, x, y").replace("optimizer.", "keras.optimizers.SGD(0.5)."), "another length"),
}  # fmt: skip
APPLY = "optimizer.apply_gradients"
MORE_THAN_ASKED = {
    "clipped to a norm": (step(PLAIN.replace(APPLY, f"grads, _ = tf.clip_by_global_norm(grads, 0.05)\n{APPLY}")), "clipped to the norm 0.05."),
    "clipped by the optimizer": (step(PLAIN, "model, x, y") + "\noptimizer = keras.optimizers.SGD(0.1, clipnorm=0.05)", "0.05, those of each array by themselves"),
    "clipped to values": (step(PLAIN.replace(APPLY, f"grads = [tf.clip_by_value(g, -0.01, 0.01) for g in grads]\n{APPLY}")), "clipped to values of at most 0.01"),
    "a rate that falls": (step(f"{PLAIN}\noptimizer.learning_rate.assign(optimizer.learning_rate * 0.5)"), "1 and 0.5 times the learning rate"),
    "an accuracy in training mode": (step(PLAIN + "\nmodel(x, training=True)"), "move again after the step"),
}  # fmt: skip


def checked(loop: str, **asked: Any) -> CheckResult:
    names: dict[str, Any] = {"__name__": "__main__"}
    source = HEAD + loop
    linecache.cache["<cell>"] = (len(source), None, source.splitlines(keepends=True), "<cell>")  # for tf.function
    exec(compile(source, "<cell>", "exec"), names)
    arguments = {"from_logits": True, **asked}
    return recorded(lambda: check.training_step(names["step"], names["model"], (X, Y), **arguments))


def but(names: Iterable[str], *late: str) -> list[Any]:
    """All names, some of them for the night."""
    return [pytest.param(name, marks=pytest.mark.slow) if name in late else name for name in names]


@pytest.mark.parametrize(
    "way", but(HONEST, "compiled, with an optimizer that is given", "a dataset", "the optimizer's apply")
)
def test_an_honest_loop_passes(way: str) -> None:
    result = checked(HONEST[way])
    assert result.fraction == 1, result.message


@pytest.mark.parametrize("way", but(MORE_THAN_ASKED, *list(MORE_THAN_ASKED)[1:]))
def test_an_honest_loop_that_does_more_than_asked_is_for_a_person(way: str) -> None:
    """That each way is told, :mod:`test_step_descents` shows of a network of its own."""
    loop, says = MORE_THAN_ASKED[way]
    result = checked(loop)
    assert is_undecided(result), result.message
    assert says in result.message


@pytest.mark.parametrize(
    "slip", but(SLIPS, "evaluation mode", "softmax before", "sum", "uphill", "the last layer alone", "a rate")
)
def test_a_slip_fails_and_is_named(slip: str) -> None:
    """That each slip is found, :mod:`test_step_slips` shows of a network of its own."""
    loop, says = SLIPS[slip]
    result = checked(loop)
    assert result.fraction == 0
    assert says in result.message


def test_a_loop_over_a_dataset_takes_all_batches_with_one_optimizer() -> None:
    epoch = "optimizer = keras.optimizers.Adam(0.001)\nassert len(dataset) == 2\nfor x, y in dataset:\n"
    result = checked(step(epoch + textwrap.indent(PLAIN, "    "), "model, dataset"), optimizer="adam")
    assert result.fraction == 1, result.message


@pytest.mark.slow
def test_an_optimizer_that_is_new_for_each_step_is_named() -> None:
    new = "for x, y in dataset:\n    optimizer = keras.optimizers.Adam(0.001)\n" + textwrap.indent(PLAIN, "    ")
    assert "new optimizer" in checked(step(new, "model, dataset"), optimizer="adam").message


@pytest.mark.parametrize(
    ("loop", "says"),
    [
        pytest.param(HONEST["plain"], "", marks=pytest.mark.slow),
        SLIPS["evaluation mode"],  # it is named by the weights that came
    ],
)
def test_the_examiner_asks_the_kernel(monkeypatch: pytest.MonkeyPatch, loop: str, says: str) -> None:
    monkeypatch.setattr("helpers.examination.no_models", rebuild)
    test = """
import numpy as np
from autograder import check
draw = np.random.default_rng(0)
check.training_step(step, model, (draw.normal(size=(64, 6)).astype("float32"), draw.integers(0, 3, 64)), from_logits=True)
"""
    result = outcome(HEAD + loop, test, seconds=60.0)
    assert (result.fraction == 1) is (not says), result
    assert says in result.message


def test_the_model_is_as_before() -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(HEAD + HONEST["compiled, with global names"], names)
    before = [np.array(variable) for variable in names["model"].variables]
    recorded(lambda: check.training_step(names["step"], names["model"], (X, Y), from_logits=True))
    assert all(np.array_equal(old, new) for old, new in zip(before, names["model"].variables, strict=True))


def test_a_function_with_unknown_parameters_is_for_a_person_unless_the_test_names_them() -> None:
    loop = step(PLAIN, "net_, a, b, c, d").replace(
        "step(net_, a, b, c, d):", "step(m, a, b, c, d):\n    model, x, y, loss_fn, optimizer = m, a, b, c, d"
    )
    assert is_undecided(checked(loop))
    assert checked(loop, takes=["model", "inputs", "labels", "loss", "optimizer"]).fraction == 1


def test_a_model_whose_outputs_do_not_fit_the_labels_is_for_a_person() -> None:
    loop = HONEST["plain"] + "\nmodel = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)])"
    assert is_undecided(checked(loop))


@pytest.mark.parametrize("body", ["pass", PLAIN])
def test_a_model_that_no_step_changes_is_for_a_person(body: str) -> None:
    model = "model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3), keras.layers.Rescaling(0.0)])\n"
    result = checked(model + step(body))
    assert is_undecided(result)
    assert result.message.startswith("A right step of this model changes nothing.")


def test_what_raises_or_is_no_function_fails_with_a_sentence() -> None:
    assert checked(step("raise NotImplementedError")).message == "the step raises NotImplementedError"
    assert "not a function" in checked("step = None").message


def test_a_test_that_asks_for_nonsense_is_at_fault() -> None:
    for asked in (
        {"loss": "hinge"},
        {"takes": ["weights"]},
        {"loss": "mse", "from_logits": True},
        {"optimizer": "adamm"},
    ):
        with pytest.raises(CourseError):
            checked(HONEST["plain"], **asked)


START = [np.ones((2, 3), dtype=np.float32), np.zeros(3, dtype=np.float32)]


@pytest.mark.parametrize(
    "weights",
    [
        None, [], [START, START, START], [START, START[:1]], [START, tuple(START)], (START, START), [START, "ab"],
        [START, [START[0].astype(float), START[1]]], [START, [START[0].T, START[1]]], [START, [START[0].tolist(), START[1]]],
        [START, [START[0].astype(object), START[1]]], [START, [np.ma.masked_array(START[0]), START[1]]],
    ],
)  # fmt: skip
def test_an_answer_that_is_not_the_weights_is_not_read(weights: Any) -> None:
    assert read_weights({"problem": "", "weights": weights}, START, 2) is None
    assert read_weights({"problem": "", "weights": [START]}, START, 2) is not None  # after one call with both batches
    assert read_weights({"problem": "", "weights": [START, START]}, START, 2) is not None


@pytest.mark.parametrize(
    "number", [np.inf, *(pytest.param(n, marks=pytest.mark.slow) for n in (np.nan, -np.inf, 1e38))]
)
def test_numbers_of_no_sense_explain_no_slip(number: float) -> None:
    loop = step(
        PLAIN
        + f"\nfor v in model.trainable_variables:\n    v.assign(v * 0 + {number!r})".replace("nan", "np.nan").replace(
            "inf", "np.inf"
        )
    )
    assert checked(loop).fraction == 0


# --- parts ---------------------------------------------------------------------------------------------


def losses() -> dict[str, tuple[Objective, Any, Any]]:
    scores, shares = DRAW.normal(size=(5, 3)), DRAW.dirichlet(np.ones(3), 5)
    classes, numbers = DRAW.integers(0, 3, 5), DRAW.normal(size=(5, 2))
    return {
        "scores": (Objective("crossentropy", True), scores, classes),
        "probabilities": (Objective("crossentropy", False), shares, classes),
        "softmax before": (Objective("crossentropy", True, squashed="softmax"), scores, classes),
        "along the batch": (Objective("crossentropy", True, squashed="softmax of rows"), scores, classes),
        "binary scores": (Objective("binary", True), numbers, (numbers > 0).astype(float)),
        "binary": (Objective("binary", False), 1 / (1 + np.exp(-numbers)), (numbers > 0).astype(float)),
        "squares": (Objective("squares", False), numbers, numbers[::-1]),
        "squares of sigmoid": (Objective("squares", False, squashed="sigmoid"), numbers, numbers[::-1]),
    }


VALUES = {
    "crossentropy": lambda o, p, y: -np.log(soft(p)[np.arange(5), y] if o.from_logits else p[np.arange(5), y] / p.sum(1)).mean(),
    "binary": lambda o, p, y: (np.logaddexp(0, p) - y * p if o.from_logits else -(y * np.log(p) + (1 - y) * np.log(1 - p))).mean(),
    "squares": lambda o, p, y: ((p - y) ** 2).mean(),
}  # fmt: skip


def soft(values: Any, axis: int = 1) -> Any:
    return np.exp(values) / np.exp(values).sum(axis=axis, keepdims=True)


@pytest.mark.parametrize("name", losses())
def test_the_gradient_of_a_loss_is_its_slope(name: str) -> None:
    objective, outputs, labels = losses()[name]
    squash = {"softmax": soft, "softmax of rows": lambda p: soft(p, 0), "sigmoid": lambda p: 1 / (1 + np.exp(-p))}
    value = lambda p: VALUES[objective.loss](objective, squash.get(objective.squashed, lambda p: p)(p), labels)  # noqa: E731
    slopes = np.zeros_like(outputs)
    for place in np.ndindex(outputs.shape):
        change = np.zeros_like(outputs)
        change[place] = 1e-6
        slopes[place] = (value(outputs + change) - value(outputs - change)) / 2e-6
    np.testing.assert_allclose(output_gradient(objective, outputs, labels), slopes, rtol=1e-5, atol=1e-8)


def test_parameters_are_known_by_their_names() -> None:
    def first(model: Any, X_batch: Any, y_batch: Any, criterion: Any, opt: Any, verbose: bool = True) -> None: ...
    def second(net: Any, data: Any, *, learning_rate: float = 0.1) -> None: ...
    def third(model: Any, mystery: Any) -> None: ...

    assert [role for _, role in roles(first, None) or []] == ["model", "inputs", "labels", "loss", "optimizer"]
    assert [role for _, role in roles(second, None) or []] == ["model", "batch", "rate"]
    assert roles(third, None) is None


def test_two_parameters_for_the_same_are_unknown_unless_the_test_names_them() -> None:
    def step(model: Any, x: Any, y: Any, classes: int = 10) -> None: ...

    assert roles(step, None) is None
    assert roles(step, ["model", "inputs", "labels"]) == [("", "model"), ("", "inputs"), ("", "labels")]
