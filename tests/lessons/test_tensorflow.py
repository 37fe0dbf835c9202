"""The lesson on TensorFlow's tape: right answers earn, the usual wrong ones do not, and a log has to be that training's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import lessons
from helpers.kernels import InProcessKernel
from helpers.lessons import lesson_exam, source_of

from autograder import check
from autograder.examiner.remote.proxy import Remote
from autograder.records.exam import Exam

ROOT = Path(__file__).resolve().parents[2]
NAME = "logistic-regression-tensorflow"
HIDDEN = ROOT / "source" / NAME / "hidden"

pytestmark = [pytest.mark.keras, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def exam() -> Exam:
    return lesson_exam(NAME)


@pytest.fixture(scope="module")
def data(exam: Exam) -> dict[str, Any]:
    """The lesson's imports and data, which no test changes."""
    found: dict[str, Any] = {"__name__": "lesson"}
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        patch.setenv("MPLBACKEND", "agg")
        run(exam, found, "imports", "load")
    return found


@pytest.fixture
def names(exam: Exam, data: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The solution's names, up to the train step, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    found = dict(data)
    run(exam, found, "variables", "cross-entropy", "train-step", "show-log", "log-dir")
    return found


def run(exam: Exam, names: dict[str, Any], *cells: str, change: tuple[str, str] | None = None) -> None:
    """Run cells, the last of them with a change in its source."""
    for cell in cells:
        source = source_of(exam, cell)
        if change and cell == cells[-1]:
            assert source.count(change[0]) == 1
            source = source.replace(*change)
        exec(source, names)


def share(exam: Exam, test: str, names: dict[str, Any]) -> float:
    """As for other lessons; its log is read by way of a kernel, and a test leaves no names behind."""
    with check.asking_kernel(Remote(InProcessKernel())):
        return lessons.share(exam, test, dict(names))


def test_the_solution_earns_everything_with_a_margin(exam: Exam, names: dict[str, Any]) -> None:
    assert share(exam, "test-cross-entropy", names) == 1
    assert share(exam, "test-train-step", names) == 1
    run(exam, names, "train-logged")
    assert share(exam, "test-log", names) == 1
    run(exam, names, "train")
    with check.serving_hidden_data(HIDDEN), check.recording() as results:
        exec(source_of(exam, "test-train"), dict(names))
    assert results[0].fraction == 1
    assert results[0].evidence["loss"] < 0.77


def test_the_trained_weights_earn_by_their_cost(exam: Exam, names: dict[str, Any]) -> None:
    """25 steps of 0.01 earn nothing, 100 steps of 0.1 about half, and what is no number nothing."""
    earned = []
    X, y = names["X_train"][:10_000], names["y_train"][:10_000]
    for rate, steps in ((0.01, 25), (0.1, 100)):
        names["W"].assign(np.zeros((93, 9)))
        names["b"].assign(np.zeros(9))
        for _ in range(steps):
            names["train_step"](X, y, np.float32(rate))
        names |= {"W_trained": names["W"].numpy(), "b_trained": names["b"].numpy()}
        earned.append(share(exam, "test-train", names))
    assert earned[0] == 0
    assert 0.2 < earned[1] < 0.8
    names["b_trained"] = np.full(9, np.nan)
    assert share(exam, "test-train", names) == 0


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=scores))", 1.0),
        ("tf.reduce_mean(tf.reduce_logsumexp(scores, axis=1) - tf.reduce_sum(y * scores, axis=1))", 1.0),
        ("-tf.reduce_mean(tf.reduce_sum(y * tf.math.log(tf.nn.softmax(scores)), axis=1))", 0.0),
        ("-tf.reduce_mean(tf.reduce_sum(y * tf.math.log(tf.nn.softmax(scores) + 1e-12), axis=1))", 0.0),
        ("tf.reduce_sum(tf.reduce_logsumexp(scores, axis=1) - tf.reduce_sum(y * scores, axis=1))", 0.0),
    ],
)
def test_the_cost_has_to_bear_large_scores(exam: Exam, names: dict[str, Any], body: str, expected: float) -> None:
    exec(f"def cross_entropy(scores, y):\n    return {body}", names)
    assert share(exam, "test-cross-entropy", names) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("W.assign_sub", "W.assign_add"),
        ("    b.assign_sub(rate * slope_b)\n", ""),
        ("return cost", "return cross_entropy(scores_of(X), y)"),
        ("W.assign_sub(rate * slope_W)", "W.assign_sub(rate * rate * slope_W)"),
    ],
)
def test_a_step_is_right_or_it_is_not(exam: Exam, names: dict[str, Any], old: str, new: str) -> None:
    run(exam, names, "train-step", change=(old, new))
    assert share(exam, "test-train-step", names) < 0.5


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("tf.constant(0.01)", "tf.constant(0.1)", 1 / 8, marks=pytest.mark.slow),
        pytest.param("range(1, 26)", "range(1, 25)", 0.0, marks=pytest.mark.slow),
        pytest.param("range(1, 26)", "range(0, 25)", 1.0, marks=pytest.mark.slow),
        pytest.param('"biases"', '"bias"', 6.75 / 8, marks=pytest.mark.slow),
        ('scalar("cost", cost', 'scalar("cost", 2.2 - 0.008 * step', 5 / 8),
        ("new_writer(LOG_DIR)", 'new_writer("logs")', 0.0),
    ],
)
def test_a_log_has_to_be_that_of_the_training(
    exam: Exam, names: dict[str, Any], old: str, new: str, expected: float
) -> None:
    few = names["counts"][:10_000], names["labels"][:10_000]
    names |= {
        "load_data": lambda: few,
        "X_train": names["preprocess_data"](few[0])[0],
        "y_train": names["y_train"][:10_000],
    }
    run(exam, names, "train-logged", change=(old, new))
    assert share(exam, "test-log", names) == pytest.approx(expected)
