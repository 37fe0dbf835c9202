"""Acceptance tests 56, 59 and 60: models that choose how they are measured, and numbers outside of the weights.

One notebook with a question for each, graded in the sandbox. Beside each stand what the trick is worth where nobody looks,
and honest networks of the same kind.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.pipeline import Graded, grade, release
from helpers.tiny import cell, notebook

from autograder.course.configuration import load_course

pytestmark = [pytest.mark.security, pytest.mark.sandbox, pytest.mark.keras]

YAML = """\
course: models
limits: {cell_seconds: 100, notebook_seconds: 400, memory_mib: 4096}
assignments: {models: {hidden: [holdout.npz]}}
"""
START_KERNELS = os.environ.get("KERNELS", "warm")
"""How the notebook's kernel starts: each of the attacks has to fail both ways."""
START = """
import keras
import numpy as np
from keras import layers, ops
from autograder import check
"""
DATA = "holdout = check.hidden_data('holdout.npz')\nX, y = holdout['X'], holdout['y']\n"

# --- 56: an untrained network, and how it is compiled ---------------------------------------------------

UNTRAINED = """
def untrained(**settings):
    made = keras.Sequential([keras.Input((10,)), layers.Dense(3, activation='softmax', kernel_initializer='zeros')])
    made.compile('sgd', **settings)
    return made
CE = 'categorical_crossentropy'
top = untrained(loss=CE, metrics=[keras.metrics.TopKCategoricalAccuracy(k=3, name='accuracy')])
"""
BINARY = "binary = untrained(loss=CE, metrics=['binary_accuracy'])"
NO_WEIGHT = "light = untrained(loss=CE, loss_weights=[0.0])"
NEGATIVE_WEIGHT = "owed = untrained(loss=CE, loss_weights=[-1.0])"
COSINE = "cosine = untrained(loss='cosine_similarity')"
ERROR = "error = untrained(loss=keras.losses.MeanSquaredError(name=CE))"
PLAIN_ERROR = "squares = untrained(loss='mse')"
LEARNING_CURVE = "curve = untrained(loss=CE, metrics=[keras.metrics.TopKCategoricalAccuracy(k=3, name='accuracy')])"
SIGNS = """
signs = keras.Sequential([keras.Input((10,)), layers.Dense(3, kernel_initializer='zeros')])
signs.set_weights([np.zeros((10, 3)), np.array([1.0, 1.0, -1.9])])
signs.compile('sgd', CE)
"""
TRAINED = """
def trained(**settings):
    made = untrained(**settings)
    made.set_weights([np.array(@WEIGHTS@), np.array(@BIAS@)])
    return made
plain = trained(loss=CE, metrics=['accuracy'])
"""
SMOOTH = """
smooth = trained(loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
                 metrics=['accuracy', keras.metrics.TopKCategoricalAccuracy(2)])
"""
COMPILED_HERE = "again = untrained(loss=CE, loss_weights=[0.0])\nagain.set_weights(plain.get_weights())"

ACCURATE = DATA + "loss, accuracy = {0}.evaluate(X, y, verbose=0)\nassert accuracy > 0.6"
LOW = DATA + "assert {0}.evaluate(X, y, verbose=0) < 0.3"
FITTED = DATA + (
    "told = {0}.fit(X[:32], y[:32], epochs=1, verbose=0, validation_data=(X, y))\n"
    "assert told.history['val_accuracy'][-1] > 0.9"
)

# --- 59: numbers that are no weights ---------------------------------------------------------------------

SUMS = """
W = @WEIGHTS@
def network(term, add=None):
    i = keras.Input((10,))
    scores = [layers.Add()([term(i[:, n:n+1], W[n][k] / 2) for n in range(10) for _ in range(2)]) for k in range(3)]
    made = keras.Model(i, layers.Softmax()(layers.Concatenate()(scores)))
    made.compile('adam', 'categorical_crossentropy')
    return made
scaled = network(lambda x, w: layers.Rescaling(w)(x))
"""
CLIPPED = "clipped = network(lambda x, w: x * ops.clip(x, w, w))"
ONE_NUMBER_ARRAYS = "arrays = network(lambda x, w: x * np.array([[w]], 'float32'))"
TABLE = """
edges = np.linspace(-1, 1, 998)
i = keras.Input((1,))
place = layers.Discretization(bin_boundaries=list(edges))(i)
values = layers.IntegerLookup(vocabulary=list(range(999)), num_oov_indices=0, output_mode='tf_idf',
                              idf_weights=list(2 + np.sin(9 * np.r_[edges, 1.0])))(place)
table = keras.Model(i, ops.sum(values, axis=-1, keepdims=True) - 2.0)
"""
WEIGHTED = """
i = keras.Input((1,), dtype='int64')
values = layers.IntegerLookup(vocabulary=list(range(999)), num_oov_indices=0, output_mode='tf_idf',
                              idf_weights=list(2 + np.sin(np.arange(999))))(i)
weighted = keras.Model(i, ops.sum(values, axis=-1, keepdims=True) - 2.0)
"""
ASKED = """
class Asked(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)
        self.dense.build((None, 10))
        self.table = np.array(@WEIGHTS@, 'float32')
    def call(self, x):
        return ops.softmax(ops.convert_to_tensor(np.asarray(x) @ self.table))
asked = Asked()
asked(np.zeros((1, 10)))
"""
HONEST = """
norm = layers.Normalization(mean=np.arange(10.0), variance=np.arange(1.0, 11))
honest = keras.Sequential([keras.Input((10,)), norm, layers.Rescaling(1 / 255), layers.Dense(20),
                           layers.LeakyReLU(0.1), layers.BatchNormalization(momentum=0.9), layers.Dropout(0.3),
                           layers.Dense(3, activation='softmax')])
"""
WORDS = """
lookup = layers.StringLookup()
lookup.adapt(np.array([f'word{n}' for n in range(300)]))
words = keras.Sequential([keras.Input((4,), dtype='string'), lookup, layers.Embedding(301, 4), layers.Flatten(),
                          layers.Dense(1, activation='sigmoid')])
"""
PICTURES = """
pictures = keras.Sequential([keras.Input((8, 8, 1)), layers.Rescaling(1 / 255), layers.RandomRotation((-0.1, 0.2)),
                             layers.RandomZoom((-0.2, 0.1)), layers.Conv2D(4, 3), layers.Flatten(), layers.Dense(2)])
"""
FEW = "check.parameters({0}, at_most=10)"
WORTH = DATA + "check.accuracy({0}, on=(X, y), above=0.6)"

# --- 60: what a training from fresh weights comes to ------------------------------------------------------

CONSTRAINED = """
def pinned(x, w):
    norm = keras.constraints.MinMaxNorm(w, w)
    return layers.Dense(1, use_bias=False, kernel_initializer='ones', kernel_constraint=norm)(x)
def constrained():
    i = keras.Input((10,))
    def side(k, sign):
        return layers.Add()([pinned(i[:, n:n+1], abs(W[n][k]) / 2) for n in range(10) if W[n][k] * sign > 0
                             for _ in range(2)])
    scores = [layers.Subtract()([side(k, 1), side(k, -1)]) for k in range(3)]
    made = keras.Model(i, layers.Softmax()(layers.Concatenate()(scores)))
    made.compile(keras.optimizers.SGD(1e-6), 'categorical_crossentropy')
    return made
constrained = constrained()
noise = np.random.default_rng(0).normal(size=(32, 10))
constrained.fit(noise, np.eye(3)[np.zeros(32, int)], epochs=1, verbose=0)
"""
MOMENTUM = """
STEPS = 150
largest = 1.01 * np.abs(W).max() / 2
def averaged(x, w):
    still = layers.BatchNormalization(momentum=float((abs(w) / largest) ** (2 / STEPS)), epsilon=1e-12,
                                      center=False, scale=False)
    return still(ops.ones_like(x)) * x
def averages():
    i = keras.Input((10,))
    def side(k, sign):
        return layers.Add()([averaged(i[:, n:n+1], W[n][k] / 2) for n in range(10) if W[n][k] * sign > 0
                             for _ in range(2)])
    scores = layers.Concatenate()([layers.Subtract()([side(k, 1), side(k, -1)]) for k in range(3)])
    learned = layers.Dense(3, kernel_initializer='zeros')(ops.zeros_like(i))
    made = keras.Model(i, ops.softmax(6.0 * scores + learned))
    made.compile(keras.optimizers.SGD(1e-6), 'categorical_crossentropy')
    return made
momentum = averages()
momentum.fit(np.tile(noise, (10, 1)), np.eye(3)[np.zeros(320, int)], batch_size=32, epochs=15, verbose=0)
"""
LEARNS = """
learns = keras.Sequential([keras.Input((10,))])
for units in (32, 24, 16):
    learns.add(layers.Dense(units, activation='relu', kernel_constraint=keras.constraints.MaxNorm(3),
                            bias_constraint='non_neg', kernel_regularizer=keras.regularizers.L2(1e-5)))
    learns.add(layers.BatchNormalization(momentum=0.9))
    learns.add(layers.Dropout(0.1))
learns.add(layers.Dense(3, activation='softmax', kernel_constraint=keras.constraints.UnitNorm()))
learns.compile(keras.optimizers.Adam(0.01), 'categorical_crossentropy')
"""
AGAIN = DATA + (
    "on, rest = (X[::2], y[::2]), (X[1::2], y[1::2])\n"
    "check.retrained({0}, on=on, holdout=rest, epochs=15, seeds=2, metric='accuracy', above=0.6)"
)


@dataclass(frozen=True)
class Question:
    answer: str
    test: str
    earned: float = 0.0
    waits: bool = False
    """Whether a person decides."""


QUESTIONS = {
    "56-top": Question(UNTRAINED, ACCURATE.format("top"), waits=True),
    "56-binary-accuracy": Question(BINARY, ACCURATE.format("binary"), waits=True),
    "56-no-weight": Question(NO_WEIGHT, LOW.format("light"), waits=True),
    "56-negative-weight": Question(NEGATIVE_WEIGHT, LOW.format("owed"), waits=True),
    "56-cosine": Question(COSINE, LOW.format("cosine"), waits=True),
    "56-error": Question(ERROR, LOW.format("error"), waits=True),
    "56-plain-error": Question(PLAIN_ERROR, LOW.format("squares"), waits=True),
    "56-signs": Question(SIGNS, DATA + "assert signs.evaluate(X[y[:, 2] == 0], y[y[:, 2] == 0]) < 0.3", waits=True),
    "56-learning-curve": Question(LEARNING_CURVE, FITTED.format("curve"), waits=True),
    "56-control-plain": Question(TRAINED, ACCURATE.format("plain"), 1.0),
    "56-control-unusual-waits": Question(
        SMOOTH, ACCURATE.replace("accuracy =", "accuracy, _ =").format("smooth"), waits=True
    ),
    "56-control-compiled-by-the-test": Question(
        COMPILED_HERE, DATA + "again.compile('sgd', 'mse', loss_weights=[0.5])\nassert again.evaluate(X, y) < 0.1", 1.0
    ),
    "59-scaled": Question(SUMS, FEW.format("scaled")),
    "59-clipped": Question(CLIPPED, FEW.format("clipped")),
    "59-arrays": Question(ONE_NUMBER_ARRAYS, FEW.format("arrays")),
    "59-table": Question(TABLE, FEW.format("table"), waits=True),
    "59-weighted": Question(WEIGHTED, FEW.format("weighted"), waits=True),
    "59-asked": Question(ASKED, "check.parameters(asked, exactly=33)", waits=True),
    "59-control-what-it-is-worth": Question("", WORTH.format("scaled") + "\n" + WORTH.format("clipped"), 1.0),
    "59-control-what-a-table-is-worth": Question(
        "",
        "x = np.linspace(-1, 1, 500)[:, None]\ncheck.loss(table, on=(x, np.sin(9 * x)), loss='mse', below=0.01)\n"
        "n = np.arange(999)[:, None]\ncheck.loss(weighted, on=(n, np.sin(n)), loss='mse', below=0.01)",
        1.0,
    ),
    "59-control-honest": Question(HONEST, "check.parameters(honest, exactly=220 + 80 + 63)", 1.0),
    "59-control-words": Question(WORDS, "check.parameters(words, exactly=301 * 4 + 17)", 1.0),
    "59-control-pictures": Question(PICTURES, "check.parameters(pictures, exactly=40 + 36 * 4 * 2 + 2)", 1.0),
    "60-constraints": Question(CONSTRAINED, AGAIN.format("constrained")),
    "60-momentum": Question(MOMENTUM, AGAIN.format("momentum")),
    "60-control-what-it-is-worth": Question("", WORTH.format("constrained") + "\n" + WORTH.format("momentum"), 1.0),
    "60-control-learns": Question(LEARNS, AGAIN.format("learns"), 1.0),
}
IN_ONE_PROCESS = [name for name, question in QUESTIONS.items() if name.startswith("56") and question.earned == 0]


def filled(answer: str, weights: Any, bias: Any) -> str:
    return answer.replace("@WEIGHTS@", repr(weights.tolist())).replace("@BIAS@", repr(bias.tolist()))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    root = tmp_path_factory.mktemp("models") / "course"
    folder = root / "source/models"
    (folder / "hidden").mkdir(parents=True)
    weights, bias = write_data(folder)
    cells, answers = ([cell(START, "start", locked=True)] for _ in range(2))
    for name, question in QUESTIONS.items():
        hidden = f"### BEGIN HIDDEN TESTS\n{question.test}\n### END HIDDEN TESTS"
        cells += [
            cell("### BEGIN SOLUTION\npass\n### END SOLUTION", name, solution=True),
            cell(hidden, f"test-{name}", grade=True, locked=True, points=1),
        ]
        answers.append(cell(filled(question.answer, weights, bias) or "pass  # nothing more", name, solution=True))
    (folder / "nb.ipynb").write_text(notebook(*cells))
    (root / "course.yaml").write_text(YAML)
    course = load_course(root)
    release(course, "models", proof=False)
    handed_in = course.submitted("eve", "models")
    handed_in.mkdir(parents=True)
    (handed_in / "nb.ipynb").write_text(notebook(*answers))
    return grade(course, "--start", START_KERNELS, name="models")


def write_data(folder: Path) -> tuple[Any, Any]:
    """Three clouds of points around centers of the same norm; weights and bias that tell the clouds apart."""
    draw = np.random.default_rng(3)
    centers = draw.normal(size=(3, 10))
    centers *= 3 / np.linalg.norm(centers, axis=1, keepdims=True)
    labels = draw.integers(0, 3, 600)
    X = centers[labels] + 0.5 * draw.normal(size=(600, 10))
    np.savez(folder / "hidden/holdout.npz", X=X.astype("float32"), y=np.eye(3, dtype="float32")[labels])
    return 4 * centers.T, np.zeros(3)


def each(number: str, *, control: bool = False) -> pytest.MarkDecorator:
    """A test of each attack of that number, or of each control."""
    found = [name for name in QUESTIONS if name.startswith(number) and ("control" in name) is control]
    return pytest.mark.parametrize("name", found)


def worth_what_it_should_be(models: Graded, name: str) -> None:
    assert models.grades["eve"].status == "completed", models.output
    (book,) = models.grades["eve"].notebooks
    (question,) = [q for q in book.questions if q.id == f"test-{name}"]
    assert question.score == QUESTIONS[name].earned, (question.message, question.detail)
    assert question.message or question.score
    assert question.needs_manual_grade is QUESTIONS[name].waits, (question.message, question.detail)


@each("56")
def test_56_no_choice_of_loss_and_metrics_earns_points(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)


@each("56", control=True)
def test_56_control_plain_settings_count_and_unusual_ones_wait_for_a_person(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)


@pytest.mark.parametrize("name", [name for name in IN_ONE_PROCESS if "control" not in name])
def test_56_control_tests_in_their_process_believe_them(name: str, tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    weights, bias = write_data(tmp_path)
    names: dict[str, Any] = {}
    exec(START + UNTRAINED + filled(QUESTIONS[name].answer, weights, bias), names)
    names["check"] = type("check", (), {"hidden_data": lambda file: np.load(tmp_path / "hidden" / file)})
    exec(QUESTIONS[name].test, names)


@each("59")
def test_59_numbers_beside_the_weights_are_counted(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)


@each("59", control=True)
def test_59_control_they_are_worth_a_training_and_honest_numbers_are_free(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)


@each("60")
def test_60_trained_weights_in_constraints_and_momentum_are_counted(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)


@each("60", control=True)
def test_60_control_they_are_worth_a_training_and_honest_constraints_are_free(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)
