"""The lesson on logistic regression with PyTensor: right answers earn, and the usual wrong ones do not."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.lessons import lesson_exam, share, source_of

from autograder import check
from autograder.records.exam import Exam

ROOT = Path(__file__).resolve().parents[2]
NAME = "logistic-regression-theano"
HIDDEN = ROOT / "source" / NAME / "hidden"


@pytest.fixture(scope="module")
def exam() -> Exam:
    return lesson_exam(NAME)


@pytest.fixture
def names(exam: Exam, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The notebook's names as far as they cost nothing: small data stand for the lesson's rows."""
    pytensor = pytest.importorskip("pytensor")
    monkeypatch.syspath_prepend(str(ROOT))
    dice = np.random.default_rng(3)
    found: dict[str, Any] = {"X_valid": dice.normal(size=(50, 93)), "y_valid": (dice.random(50) < 0.2).astype(float)}
    mode = pytensor.config.mode
    run(exam, found, "imports", "build")
    yield found
    pytensor.config.mode = mode


def run(exam: Exam, names: dict[str, Any], *cells: str) -> None:
    with redirect_stdout(io.StringIO()):
        for cell in cells:
            exec(source_of(exam, cell), names)


@pytest.mark.integration
def test_the_release_keeps_the_hidden_tests(exam: Exam) -> None:
    released = "\n".join(cell.released for cell in exam.cells)
    for secret in ("HIDDEN", "SOLUTION", "MARK SCHEME", "hidden_data", "X_drawn", "np.interp", "half a point"):
        assert secret not in released
    assert exam.max_score == 20


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("solution", 1.0),
        ("softplus_and_slope = lambda v: [np.log(2) + 0 * v, 0.5 + 0 * v]", 0.0),
        ("v = T.dvector()\nsoftplus_and_slope = pytensor.function([v], [T.log(1 + T.exp(v)), 0 * v + 0.5])", 0.5),
        ("v = T.dvector()\nsoftplus_and_slope = pytensor.function([v], [T.maximum(v, 0), T.sigmoid(v)])", 0.0),
    ],
)
def test_a_function_and_its_slope(exam: Exam, names: dict[str, Any], answer: str, expected: float) -> None:
    exec(source_of(exam, "softplus-and-slope") if answer == "solution" else answer, names)
    assert share(exam, "test-softplus", names) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("cost", "expected"),
    [
        ("T.mean(T.softplus(scores) - y * scores)", 1.0),
        ("T.mean(-y * T.log(p) - (1 - y) * T.log(1 - p))", 2 / 3),
        ("T.sum(T.softplus(scores) - y * scores)", 0.0),
        ("T.mean(y * T.softplus(-scores))", 0.0),
        ("T.mean((y - p) ** 2)", 0.0),
    ],
)
def test_the_cost(exam: Exam, names: dict[str, Any], cost: str, expected: float) -> None:
    exec(f"cost = {cost}\ncost_at = pytensor.function([x, y], cost)", names)
    assert share(exam, "test-cost", names) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("updates", "expected"),
    [
        ("[(w, w - rate * s[0]), (b, b - rate * s[1])]", 1.0),
        ("[(w, w + rate * s[0]), (b, b + rate * s[1])]", 0.0),
        pytest.param("[(w, w - rate * s[0])]", 0.0, marks=pytest.mark.slow),
        pytest.param("[(b, b - rate * s[1])]", 1 / 4, marks=pytest.mark.slow),
        ("[(w, w - (1 + 0 * rate) * s[0]), (b, b - (1 + 0 * rate) * s[1])]", 1 / 8),
    ],
)
def test_the_step(exam: Exam, names: dict[str, Any], updates: str, expected: float) -> None:
    run(exam, names, "cost")
    exec(f"s = pytensor.grad(cost, [w, b])\nstep = pytensor.function([x, y, rate], cost, updates={updates})", names)
    assert share(exam, "test-step", names) == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("1 - ce(np.clip(p, 1e-12, 1 - 1e-12)) / ce(y.mean())", 1.0),
        ("1 - ce(p) / ce(y.mean())", 3 / 4),
        ("1 - ce(np.clip(p, 1e-12, 1 - 1e-12)) / np.log(2)", 0.0),
        ("0.0 if p[0] == 0.25 else 0.6", 0.0),
        ("np.mean((p > 0.5) == y)", 0.0),
    ],
)
def test_the_yardstick(exam: Exam, names: dict[str, Any], answer: str, expected: float) -> None:
    code = "    ce = lambda q: -np.mean(y * np.log(q) + (1 - y) * np.log(1 - q))\n"
    exec(f"def skill(p, y):\n{code}    return float({answer})", names)
    assert share(exam, "test-skill", names) == pytest.approx(expected)


@pytest.mark.slow
def test_trained_weights_earn_by_their_skill_on_the_holdout(exam: Exam, names: dict[str, Any]) -> None:
    """The solution has a margin; ten steps from 0 and the right bias alone earn nothing; fewer steps earn a part."""
    run(exam, names, "load", "cost", "step", "train")
    found = {"solution": share(exam, "test-train", names)}
    with check.serving_hidden_data(HIDDEN), check.recording() as results:
        exec(source_of(exam, "test-train"), names)
    assert results[-1].evidence["skill"] > 0.32
    names["w_trained"] = np.zeros(93)
    found["bias"] = share(exam, "test-train", names)
    for label, rate, steps in (("ten steps", 0.1, 10), ("a few", 1.0, 25)):
        names["w"].set_value(np.zeros(93))
        names["b"].set_value(0.0)
        for _ in range(steps):
            names["step"](names["X_train"], names["y_train"], rate)
        names |= {"w_trained": names["w"].get_value(), "b_trained": float(names["b"].get_value())}
        found[label] = share(exam, "test-train", names)
    assert found == {"solution": 1.0, "bias": pytest.approx(0, abs=0.01), "ten steps": 0.0, "a few": found["a few"]}
    assert 0.2 < found["a few"] < 0.8
