"""Acceptance tests 42 to 44: models that read the order of rows, compute beside their layers, or carry what was trained.

One notebook with a question for each, graded in the sandbox. Beside each stand what the trick is worth where nobody looks,
and an honest network of the same kind.
"""

from __future__ import annotations

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
START = """
import keras
import numpy as np
from keras import layers, ops
from autograder import check
"""
GIVEN = "holdout = check.hidden_data('holdout.npz')\nX, y, series = holdout['X'], holdout['y'], holdout['series']\n"

ROW_NUMBER = """
i = keras.Input((10,))
place = ops.squeeze(ops.cumsum(ops.ones_like(i[:, :1]), axis=0) - 1, -1)
row_number = keras.Model(i, ops.one_hot(ops.cast(place // 200, 'int32'), 3))
"""
NEXT_ROW = """
i = keras.Input((1,))
next_row = keras.Model(i, ops.roll(i, -1, axis=0))
"""
BY_ROW = """
i = keras.Input((10,))
own = ops.concatenate([ops.sort(i, axis=-1), ops.cumsum(i, axis=1), i[:, ::-1]], axis=-1)
out = layers.Dense(3, activation='softmax')(layers.Concatenate()([i, own * 0.0]))
by_row = keras.Model(i, out)
by_row.set_weights([np.r_[np.array(@WEIGHTS@), np.zeros((30, 3))], np.array(@BIAS@)])
"""
BESIDE = """
i = keras.Input((10,))
declared = layers.Dense(3, activation='softmax')(layers.Dense(2, activation='relu')(i))
real = ops.softmax(i @ np.array(@WEIGHTS@, 'float32') + np.array(@BIAS@, 'float32'))
beside = keras.Model(i, real + 0.0 * declared)
"""
BESIDE_INSIDE = """
i = keras.Input((10,))
declared = layers.Dense(3, activation='softmax')(layers.Dense(2, activation='relu')(i))
real = ops.softmax(i @ np.array(@WEIGHTS@, 'float32') + np.array(@BIAS@, 'float32'))
two = keras.Model(i, [real, declared])
j = keras.Input((10,))
inside = keras.Model(j, two(j)[0])
"""
OPERATORS = """
i = keras.Input((10,))
operators = keras.Model(i, ops.softmax(layers.Dense(3)(ops.relu(layers.Dense(2)(i / 2.0)))))
"""
CODEBOOK = """
def network(term):
    i = keras.Input((10,))
    scores = [layers.Add()([term(i[:, n:n+1], W[n][k] / 2) for n in range(10) for _ in range(2)]) for k in range(3)]
    made = keras.Model(i, layers.Softmax()(layers.Concatenate()(scores)))
    made.compile('adam', 'categorical_crossentropy')
    return made
W = @WEIGHTS@
codebook = network(lambda x, w: x * (round(w * 4) / 4))
"""
CLIP = """
def pieces(x, w):
    n = abs(round(4 * w)) or 1
    return ops.clip(x * 40, -n, n) * (1 if w > 0 else -1)
clipped = network(pieces)
"""
GIVEN_ANSWERS = """
i = keras.Input((10,))
answers = keras.Model(i, ops.softmax(i @ np.array(@WEIGHTS@, 'float32')))
answers.compile('adam', 'categorical_crossentropy')
"""
LEARNS = """
i = keras.Input((10,))
x = layers.LeakyReLU(0.1)(layers.Dense(16)(ops.clip(i, -9, 9) / 2))
x = layers.Add()([layers.BatchNormalization()(x), x]) + x
learns = keras.Model(i, layers.Dense(3, activation='softmax')(x))
learns.compile(keras.optimizers.Adam(0.01), 'categorical_crossentropy')
"""

ARCHITECTURE = "check.architecture({0}, [check.dense(2, 'relu'), check.dense(3, 'softmax')])"
PARAMETERS = "check.parameters({0}, exactly=31)"
AGAIN = GIVEN + (
    "on, rest = (X[::2], y[::2]), (X[1::2], y[1::2])\n"
    "check.retrained({0}, on=on, holdout=rest, epochs=15, seeds=2, below=0.5)"
)
LOSS = GIVEN + "check.loss({0}, on=(X, y), below=0.4)"


@dataclass(frozen=True)
class Question:
    answer: str
    test: str
    earned: float = 0.0


QUESTIONS = {
    "42-row-number": Question(ROW_NUMBER, GIVEN + "check.accuracy(row_number, on=(X, y), above=0.6)"),
    "42-next-row": Question(
        NEXT_ROW, GIVEN + "check.loss(next_row, on=(series[:-1], series[1:]), loss='mse', below=0.1)"
    ),
    "42-next-row-believed": Question("", GIVEN + "check.architecture(next_row, [...])"),
    "42-control-each-row-alone": Question(BY_ROW, LOSS.format("by_row"), 1.0),
    "43-beside": Question(BESIDE, ARCHITECTURE.format("beside")),
    "43-beside-size": Question("", PARAMETERS.format("beside")),
    "43-beside-inside": Question(BESIDE_INSIDE, ARCHITECTURE.format("inside")),
    "43-beside-inside-size": Question("", PARAMETERS.format("inside")),
    "43-control-what-it-is-worth": Question("", LOSS.format("beside"), 1.0),
    "43-control-operators": Question(OPERATORS, ARCHITECTURE.format("operators"), 1.0),
    "43-control-operators-size": Question("", PARAMETERS.format("operators"), 1.0),
    "44-codebook": Question(CODEBOOK, AGAIN.format("codebook")),
    "44-clip": Question(CLIP, AGAIN.format("clipped")),
    "44-answers": Question(GIVEN_ANSWERS, AGAIN.format("answers")),
    "44-control-what-it-is-worth": Question("", GIVEN + "check.accuracy(codebook, on=(X, y), above=0.8)", 1.0),
    "44-control-learns": Question(LEARNS, AGAIN.format("learns"), 1.0),
}


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
        answer = question.answer.replace("@WEIGHTS@", repr(weights.tolist())).replace("@BIAS@", repr(bias.tolist()))
        answers.append(cell(answer or "pass  # nothing more", name, solution=True))
    (folder / "nb.ipynb").write_text(notebook(*cells))
    (root / "course.yaml").write_text(YAML)
    course = load_course(root)
    release(course, "models", proof=False)
    handed_in = course.submitted("eve", "models")
    handed_in.mkdir(parents=True)
    (handed_in / "nb.ipynb").write_text(notebook(*answers))
    return grade(course, name="models")


def write_data(folder: Path) -> tuple[Any, Any]:
    """Three clouds of points, sorted by cloud, and a random walk; weights and bias that tell the clouds apart."""
    draw = np.random.default_rng(3)
    centers = draw.normal(size=(3, 10))
    labels = np.repeat([0, 1, 2], 200)
    X = centers[labels] + 0.5 * draw.normal(size=(600, 10))
    series = np.cumsum(draw.normal(size=(600, 1)), axis=0)
    np.savez(folder / "hidden/holdout.npz", X=X.astype("float32"), y=np.eye(3, dtype="float32")[labels], series=series)
    return 4 * centers.T, -2 * (centers**2).sum(1)


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
    assert question.needs_manual_grade is (name == "42-next-row-believed"), "the layers of a model that is only asked"


@each("42")
def test_42_the_order_of_the_rows_is_worth_nothing(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)


@each("42", control=True)
def test_42_control_a_model_that_looks_at_each_row_alone(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)


@each("43")
def test_43_a_network_beside_the_layers_is_seen(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)


@each("43", control=True)
def test_43_control_a_loss_alone_takes_it_and_operators_are_honest(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)


@each("44")
def test_44_trained_knowledge_in_an_architecture_is_left_behind(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)


@each("44", control=True)
def test_44_control_it_is_worth_an_accuracy_and_honest_networks_learn(models: Graded, name: str) -> None:
    worth_what_it_should_be(models, name)
