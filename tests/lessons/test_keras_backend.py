"""The lesson on Keras's backends: right answers earn, and the usual wrong ones do not.

The functions run on this process's backend alone; that they are called on others too is for test_backend_process.py, and for the
proof of a release.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.lessons import lesson_exam, share, source_of

from autograder import check
from autograder.extensions.backends.kernel_side.portable_function import plain
from autograder.records.exam import Exam

ROOT = Path(__file__).resolve().parents[2]
NAME = "keras-backend"

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def exam() -> Exam:
    return lesson_exam(NAME)


@pytest.fixture
def names(exam: Exam, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The solution's functions, with small data in place of the lesson's rows."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr(check, "on_backend", lambda f, name: lambda *args: plain(f(*args)))
    monkeypatch.setattr(check, "backends", lambda: ("tensorflow",))
    dice = np.random.default_rng(3)
    found: dict[str, Any] = {"X_train": dice.normal(size=(500, 93)).astype("float32")}
    found["y_train"] = np.r_[np.arange(9), dice.integers(0, 9, 491)]
    for cell in ("imports", "predict", "loss", "train-step", "train"):
        exec(source_of(exam, cell), found)
    return found


def test_the_release_keeps_the_hidden_tests(exam: Exam) -> None:
    released = "\n".join(cell.released for cell in exam.cells)
    for secret in ("HIDDEN", "SOLUTION", "MARK SCHEME", "hidden_data", "X_hidden", "0.79", "alone is nothing"):
        assert secret not in released
    assert exam.max_score == 20


@pytest.mark.parametrize("test", ["test-predict", "test-loss", "test-train-step", "test-train"])
def test_the_solution_earns_everything(exam: Exam, names: dict[str, Any], test: str) -> None:
    assert share(exam, test, names) == 1


WRONG = [
    ("predict", "np.exp(X @ W + b) / np.exp(X @ W + b).sum(axis=1, keepdims=True)", 0.0),
    ("predict", "ops.sigmoid(ops.add(ops.matmul(X, W), b))", 0.0),
    ("predict", "ops.softmax(ops.matmul(X, W))", 1 / 3),
    ("predict", "ops.exp(ops.matmul(X, W) + b) / ops.sum(ops.exp(ops.matmul(X, W) + b), axis=1, keepdims=True)", 2 / 3),
    ("predict", "ops.softmax(ops.add(ops.matmul(X, W), b), axis=0)", 0.0),
    ("loss", "float(ops.mean(predict(W, b, X)))", 0.0),
    ("loss", "-ops.mean(ops.log(ops.maximum(predict(W, b, X), 1e-7)))", 1 / 3),
    ("loss", "-ops.sum(ops.log(ops.sum(predict(W, b, X) * ops.one_hot(y, 9), axis=1)))", 0.0),
    ("loss", "-ops.mean(ops.log(ops.sum(predict(W, b, X) * ops.one_hot(y, W.shape[1]), axis=1)))", 2 / 3),
    ("train_step", "(W + rate * ops.matmul(ops.transpose(X), e) / X.shape[0], b + rate * ops.mean(e, axis=0))", 0.0),
    ("train_step", "(W - rate * ops.matmul(ops.transpose(X), e) / X.shape[1], b - rate * ops.mean(e, axis=0))", 0.0),
    (
        "train_step",
        "(W - rate * ops.matmul(ops.transpose(X), e) / X.shape[0], b - 0 * rate * ops.mean(e, axis=0))",
        0.0,
    ),
    ("train_step", "[W - rate * ops.matmul(ops.transpose(X), e) / X.shape[0], b - rate * ops.mean(e, axis=0)]", 1.0),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "result", "expected"), WRONG)
def test_a_function_earns_what_it_computes(
    exam: Exam, names: dict[str, Any], name: str, result: str, expected: float
) -> None:
    arguments = {"predict": "W, b, X", "loss": "W, b, X, y", "train_step": "W, b, X, y, rate"}[name]
    error = "    e = predict(W, b, X) - ops.one_hot(y, W.shape[1])\n" if name == "train_step" else ""
    exec(f"def {name}({arguments}):\n{error}    return {result}", names)
    assert share(exam, f"test-{name.replace('_', '-')}", names) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("ops.zeros((X.shape[1], classes))", "ops.ones((X.shape[1], classes))", 0.0),
        ("rate)", "rate / 2)", 0.0),
        ("for _ in range(steps):", "for _ in range(steps - 1):", 0.0),
        ("float(loss(W, b, X, y))", "float(loss(W, b, X[:100], y[:100]))", 0.0),
    ],
)
def test_a_training_is_right_or_it_is_not(
    exam: Exam, names: dict[str, Any], old: str, new: str, expected: float
) -> None:
    source = source_of(exam, "train")
    assert source.count(old) == 1
    exec(source.replace(old, new), names)
    assert share(exam, "test-train", names) == expected


def test_the_rate_earns_by_the_loss_on_the_holdout(exam: Exam, names: dict[str, Any]) -> None:
    """The solution has a margin, a careful rate earns a part, the given one nothing."""
    exec(source_of(exam, "load"), names)
    X, y = names["X_train"][:5000], names["y_train"][:5000]
    earned = {}
    for rate in (0.03, 0.2, 0.5, float(re.findall(r"RATE = ([\d.]+)", source_of(exam, "choose-rate"))[-1])):
        W, b, _ = names["train"](X, y, rate, 100)
        names |= {"W": plain(W), "b": plain(b)}
        earned[rate] = share(exam, "test-holdout", names)
    assert earned == {0.03: 0.0, 0.2: earned[0.2], 0.5: 1.0, 1.0: 1.0}
    assert 0.2 < earned[0.2] <= 1
