"""Acceptance tests 8 and 27 to 30: models that lie, learned by heart, were pasted, run code, or answer NaN.

One notebook with a question for each, graded in the sandbox; and the same notebook where tests share its process.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import unwalled
from helpers.model_fuzz import attack
from helpers.pipeline import Graded, grade, release
from helpers.tiny import cell, notebook

from autograder.course.configuration import load_course

pytestmark = [pytest.mark.security, pytest.mark.sandbox, pytest.mark.keras]

YAML = """\
course: models
limits: {cell_seconds: 100, notebook_seconds: 400, memory_mib: 4096}
assignments: {models: {hidden: [holdout.npz]}}
"""
PLANTED = f"/tmp/lambda-{os.getpid()}"
START = """
import keras
import numpy as np
from autograder import check
valid = np.load('valid.npz')
"""
GIVEN = "holdout = check.hidden_data('holdout.npz')\nX, y = holdout['X'], holdout['y']\n"
SMALL = "keras.Sequential([keras.Input((10,)), keras.layers.Dense(3, activation='softmax')])"
COMPILED = "{name}.compile('sgd', 'categorical_crossentropy')"


@dataclass(frozen=True)
class Question:
    """What a student does, and what asks about it."""

    answer: str
    test: str
    earned: float = 0.0
    fools: bool = True
    """Whether the test passes where it shares the student's process."""


PATCH = f"""
patched = {SMALL}
{COMPILED.format(name="patched")}
keras.Model.evaluate = lambda self, *a, **k: 0.0
keras.Model.predict = lambda self, x, **k: np.eye(3)[x[:, 0].astype(int) % 3]
keras.Model.count_params = lambda self: 1234
"""
FAKE = """
class Fake:
    layers = [1, 2, 3]
    def evaluate(self, *a, **k): return 0.0
    def count_params(self): return 1234
fake = Fake()
"""
LIAR = f"""
class Liar(keras.Sequential):
    def evaluate(self, *a, **k): return 0.0
    def count_params(self): return 1234
liar = Liar([keras.Input((10,)), keras.layers.Dense(3, activation='softmax')])
{COMPILED.format(name="liar")}
"""
BY_HEART = f"""
rows = np.c_[valid['X'], np.ones(len(valid['X']))]
fit = np.linalg.lstsq(rows, 12 * valid['y'] - 6, rcond=None)[0]
by_heart = {SMALL}
by_heart.set_weights([fit[:-1], fit[-1]])
"""
PASTED = f"""
pasted = {SMALL}
{COMPILED.format(name="pasted")}
pasted.set_weights([np.array(@WEIGHTS@), np.array(@BIAS@)])
"""
LAMBDA = f"""
def runs(x):
    open({PLANTED!r}, 'a').close()
    return x
code = keras.Sequential([keras.Input((10,)), keras.layers.Lambda(runs), keras.layers.Dense(3, activation='softmax')])
"""
MINE = """
class Mine(keras.layers.Dense):
    def call(self, x): return super().call(keras.ops.cast(keras.ops.digitize(x, np.zeros(1)), 'float32'))
mine = keras.Sequential([keras.Input((10,)), Mine(3, activation='softmax')])
"""
NAN = f"""
nan = {SMALL}
nan.set_weights([np.full((10, 3), np.nan), np.full(3, np.inf)])
"""
HUGE = f"""
huge = {SMALL}
before = keras.layers.Dense.get_config
keras.layers.Dense.get_config = lambda self: dict(before(self), units=400_000_000)
"""
EVALUATE = "loss = {name}.evaluate(X, y, verbose=0)\nassert loss < 0.3\n"
COUNT = "assert {name}.count_params() == 1234\n"
QUESTIONS = {
    "08-patched": Question(PATCH, GIVEN + EVALUATE.format(name="patched")),
    "08-patched-size": Question("", COUNT.format(name="patched")),
    "08-fake": Question(FAKE, GIVEN + EVALUATE.format(name="fake") + COUNT.format(name="fake")),
    "08-liar": Question(LIAR, GIVEN + EVALUATE.format(name="liar") + COUNT.format(name="liar")),
    "08-honest-behind-the-patches": Question(
        PASTED, GIVEN + EVALUATE.format(name="pasted") + "assert pasted.weights[0].shape == (10, 3)", 1.0
    ),
    "27-by-heart": Question(BY_HEART, GIVEN + "check.loss(by_heart, on=(X, y), below=0.9)", fools=False),
    "27-control-released-rows": Question("", "check.loss(by_heart, on=(valid['X'], valid['y']), below=0.9)", 1.0),
    "28-pasted": Question(
        "",
        GIVEN
        + "check.retrained(pasted, on=(X[:300], y[:300]), holdout=(X[300:], y[300:]), epochs=1, seeds=2, below=0.3)",
        fools=False,
    ),
    "28-control-a-loss-alone": Question("", GIVEN + "check.loss(pasted, on=(X, y), below=0.3)", 1.0),
    "29-lambda": Question(
        LAMBDA, "check.architecture(code, [check.layer('Lambda'), check.dense(3, 'softmax')])", fools=False
    ),
    "29-lambda-predicts": Question("", GIVEN + "check.loss(code, on=(X, y), below=0.3)", fools=False),
    "29-custom": Question(MINE, "assert isinstance(mine.layers[-1], keras.layers.Dense)"),
    "29-round-trip": Question(
        "exact = keras.models.clone_model(pasted)\nexact.set_weights(pasted.get_weights())\n"
        "told = np.asarray(exact(valid['X'].astype('float32')))",
        "assert np.array_equal(told, np.asarray(exact(valid['X'].astype('float32'))))",
        1.0,
    ),
    "30-nan": Question(NAN, GIVEN + "check.loss(nan, on=(X, y), below=1e9)", fools=False),
    "30-nan-accuracy": Question("", GIVEN + "check.accuracy(nan, on=(X, y), above=0.0)", fools=False),
    "29-huge": Question(HUGE, "assert huge.layers[0].get_config()['units'] == 400_000_000"),
}


@dataclass(frozen=True)
class Models:
    done: Graded
    unguarded: unwalled.Verdict


def question_cells(fill: Callable[[str], str]) -> list[tuple[str | None, str]]:
    made: list[tuple[str | None, str]] = [(None, START)]
    for name, question in QUESTIONS.items():
        made += [(None, fill(question.answer)), (f"test-{name}", question.test)]
    return made


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    root = tmp_path_factory.mktemp("models") / "course"
    folder = root / "source/models"
    (folder / "hidden").mkdir(parents=True)
    weights, bias = write_data(folder)

    def fill(answer: str) -> str:
        return answer.replace("@WEIGHTS@", repr(weights.tolist())).replace("@BIAS@", repr(bias.tolist()))

    cells = [cell(START, "start", locked=True)]
    answers = [cell(START, "start", locked=True)]
    for name, question in QUESTIONS.items():
        hidden = f"### BEGIN HIDDEN TESTS\n{question.test}\n### END HIDDEN TESTS"
        cells += [
            cell("### BEGIN SOLUTION\npass\n### END SOLUTION", name, solution=True),
            cell(hidden, f"test-{name}", grade=True, locked=True, points=1),
        ]
        answers.append(cell(fill(question.answer) or "pass  # nothing more", name, solution=True))
    (folder / "nb.ipynb").write_text(notebook(*cells))
    (root / "course.yaml").write_text(YAML)
    course = load_course(root)
    release(course, "models", proof=False)
    handed_in = course.submitted("eve", "models")
    handed_in.mkdir(parents=True)
    (handed_in / "nb.ipynb").write_text(notebook(*answers))
    unguarded = unwalled.in_one_process({"eve": question_cells(fill)}, folder, 150)["eve"]
    Path(PLANTED).unlink(missing_ok=True)  # its own process may have run the Lambda
    return Models(grade(course, name="models"), unguarded)


def write_data(folder: Path) -> tuple[Any, Any]:
    """Three clouds of points for the holdout, and noise as released rows; weights and bias that tell the clouds apart."""
    draw = np.random.default_rng(3)
    centers = draw.normal(size=(3, 10))
    labels = draw.integers(0, 3, 600)
    X = centers[labels] + 0.5 * draw.normal(size=(600, 10))
    np.savez(folder / "hidden/holdout.npz", X=X.astype("float32"), y=np.eye(3, dtype="float32")[labels])
    noise = draw.normal(size=(9, 10))
    np.savez(folder / "valid.npz", X=noise, y=np.eye(3)[draw.integers(0, 3, 9)])
    return 4 * centers.T, -2 * (centers**2).sum(1)


def each(number: str, *, fools: bool = False) -> pytest.MarkDecorator:
    """A test of each question of that number; of those that fool tests in the student's process."""
    found = [name for name, question in QUESTIONS.items() if name.startswith(number) and question.fools >= fools]
    return pytest.mark.parametrize("name", found)


def worth_what_it_computes(models: Models, name: str) -> None:
    assert models.done.points("eve")[f"test-{name}"] == QUESTIONS[name].earned
    assert models.done.grades["eve"].status == "completed", models.done.output


@each("08")
def test_08_patched_and_fake_models_get_what_they_compute(models: Models, name: str) -> None:
    worth_what_it_computes(models, name)


@each("27")
def test_27_rows_learned_by_heart_gain_nothing_on_the_holdout(models: Models, name: str) -> None:
    worth_what_it_computes(models, name)


@each("28")
def test_28_pasted_weights_fail_a_retrained_check(models: Models, name: str) -> None:
    worth_what_it_computes(models, name)


@each("29")
def test_29_layers_that_lie_are_refused_and_honest_ones_exact(models: Models, name: str) -> None:
    worth_what_it_computes(models, name)


@each("30")
def test_30_nan_fails_every_threshold(models: Models, name: str) -> None:
    worth_what_it_computes(models, name)


def fooled(models: Models, name: str) -> None:
    """The test passes where it shares the student's process."""
    assert f"test-{name}" in models.unguarded.passed, models.unguarded.printed[-3000:]


@each("08", fools=True)
def test_08_control_tests_in_their_process_believe_them(models: Models, name: str) -> None:
    fooled(models, name)


def test_27_control_on_the_released_rows_it_is_worth_all(models: Models) -> None:
    worth_what_it_computes(models, "27-control-released-rows")


def test_28_control_a_loss_alone_takes_pasted_weights(models: Models) -> None:
    worth_what_it_computes(models, "28-control-a-loss-alone")


@each("29", fools=True)
def test_29_control_tests_in_their_process_believe_them(models: Models, name: str) -> None:
    fooled(models, name)


def test_29_code_in_a_layer_runs_nowhere_but_inside(models: Models) -> None:
    assert models.done.exit_code == 0
    assert not Path(PLANTED).exists()


def test_29_generated_claims_of_models_are_refused_or_harmless() -> None:
    attack(pytest.importorskip("keras"), seed=29, mutants=600, models=30)
    print("\nclaims of models: 600 cases")


def test_30_control_a_plain_comparison_lets_nan_pass() -> None:
    loss = math.nan
    assert not loss > 0.5


def test_08_messages_say_why(models: Models) -> None:
    """Each question that earned nothing has a sentence for the student, without a path or the test."""
    (book,) = models.done.grades["eve"].notebooks
    assert [q.id for q in book.questions if q.score == 0 and not q.message] == []
    assert [q.id for q in book.questions if q.needs_manual_grade] == ["test-29-custom"], "which cannot be read"
    assert not re.search(r"/tmp|hidden_data", json.dumps([q.message for q in book.questions]))
