"""The lesson on backpropagation: right layers earn, and the usual slips in its module cost their own questions."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from helpers.lessons import ROOT, lesson_exam, share, source_of

from autograder import check
from autograder.records.exam import Exam

NAME = "backpropagation"
ANSWERS = ROOT / "source" / NAME / "answers"
OF_THE_MODULE = ("test-affine", "test-relu", "test-loss", "test-walk", "test-step")

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def exam() -> Exam:
    return lesson_exam(NAME)


def answers(exam: Exam, changes: dict[str, str] | None = None, path: Path | None = None) -> dict[str, Any]:
    """The notebook's names with a module: the solution's with changes in its text, or a named answer's."""
    (file,) = exam.answer_files
    text = path.read_text(encoding="utf-8") if path else file.source
    for old, new in (changes or {}).items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    module = ModuleType("layers")
    exec(text, module.__dict__)
    found: dict[str, Any] = {"layers": module, "np": np, "check": check}
    exec(source_of(exam, "by-differences"), found)
    return found


def shares(exam: Exam, names: dict[str, Any]) -> dict[str, float]:
    return {test: share(exam, test, dict(names)) for test in OF_THE_MODULE}


def test_the_release_keeps_the_hidden_tests(exam: Exam) -> None:
    released = "\n".join(cell.released for cell in exam.cells)
    for secret in ("HIDDEN", "SOLUTION", "MARK SCHEME", "hidden_data", "right_network", "np.interp", "is nothing"):
        assert secret not in released
    assert exam.max_score == 20


def test_the_module_is_an_answer_file_and_needs_numpy_alone(exam: Exam) -> None:
    (file,) = exam.answer_files
    assert file.file == "layers.py"
    assert [line for line in file.source.splitlines() if "import" in line.split()[:1]] == ["import numpy as np"]


@pytest.mark.parametrize("path", [None, ANSWERS / "good-otherwise/layers.py"])
def test_right_layers_earn_everything(exam: Exam, path: Path | None) -> None:
    """The solution's, and others with loops, lists in place of tuples and a recursion."""
    assert shares(exam, answers(exam, path=path)) == dict.fromkeys(OF_THE_MODULE, 1.0)


IN_PLACE = """for (W, b), (s_W, s_b), (v_W, v_b) in zip(weights, slopes, velocities):
        v_W *= momentum
        v_b *= momentum
        v_W -= rate * s_W
        v_b -= rate * s_b
        W += v_W
        b += v_b
    return weights, velocities
    velocities = ["""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("slope * (z > 0)", "np.where(z > 0, slope, 0)"),
        ("slope * (z > 0)", "slope * (relu(z) != 0)"),
        ("np.maximum(z, 0)", "z.clip(0)"),
        ("slope.sum(axis=0)", "np.einsum('nm->m', slope)"),
        ("return -log_p[rows, y].mean(), slope / len(y)", "return float(np.mean(-log_p[rows, y])), slope / scores.shape[0]"),
        ("velocities = [", IN_PLACE),
    ],
)  # fmt: skip
def test_another_way_to_write_a_layer_earns_as_much(exam: Exam, old: str, new: str) -> None:
    assert shares(exam, answers(exam, {old: new})) == dict.fromkeys(OF_THE_MODULE, 1.0)


SLIPS = [
    ("slope.sum(axis=0)", "slope.mean(axis=0)", {"test-affine", "test-walk"}),
    ("slope.sum(axis=0)", "slope.sum(axis=0, keepdims=True)", {"test-affine", "test-walk"}),
    ("slope @ W.T, x.T @ slope", "slope @ W.T, x.T @ slope / len(x)", {"test-affine", "test-walk"}),
    ("x @ W + b", "x @ W", {"test-affine", "test-walk"}),
    ("slope * (z > 0)", "slope", {"test-relu", "test-walk"}),
    ("slope * (z > 0)", "slope * (slope > 0)", {"test-relu", "test-walk"}),
    ("np.maximum(z, 0)", "np.abs(z)", {"test-relu", "test-walk"}),
    ("slope / len(y)", "slope", {"test-loss", "test-walk"}),
    ("-log_p[rows, y].mean()", "-log_p[rows, y].sum()", {"test-loss", "test-walk"}),
    ("slope[rows, y] -= 1", "pass", {"test-loss", "test-walk"}),
    ("scores - scores.max(axis=1, keepdims=True)", "scores", {"test-loss"}),
    ("slope = relu_backward(slope, scores[layer - 1])", "pass", {"test-walk"}),
    ("slope = relu_backward(slope, scores[layer - 1])", "slope = relu_backward(slope, -scores[layer - 1])", {"test-walk"}),
    ("slopes.insert(0, (slope_W, slope_b))", "slopes.append((slope_W, slope_b))", {"test-walk"}),
    ("momentum * v_W - rate * s_W", "momentum * v_W + rate * s_W", {"test-step"}),
    ("momentum * v_W - rate * s_W", "-rate * s_W", {"test-step"}),
    ("momentum * v_W - rate * s_W", "momentum * v_W - (1 - momentum) * rate * s_W", {"test-step"}),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("old", "new", "lost"), SLIPS)
def test_a_slip_costs_its_own_question_and_the_walk_that_uses_it(
    exam: Exam, old: str, new: str, lost: set[str]
) -> None:
    earned = shares(exam, answers(exam, {old: new}))
    assert {test for test, part in earned.items() if part < 1} == lost
    assert all(earned[test] <= 0.75 for test in lost - {"test-walk"} or lost)


def test_slopes_that_are_all_0_earn_little_for_the_walk(exam: Exam) -> None:
    zeros = answers(exam, {"return loss, slopes": "return loss, [(0 * W, 0 * b) for W, b in weights]"})
    assert share(exam, "test-walk", zeros) < 0.1


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [((93, 100, 9), 1), ((93, 20, 20, 9), 1), ((93, 9), 0), ((93, 200, 9), 0), ((92, 50, 9), 0), ((93, 50, 8), 0)],
)
def test_a_network_keeps_the_rules_or_it_does_not(exam: Exam, sizes: tuple[int, ...], expected: float) -> None:
    names = answers(exam) | {"weights": [(np.ones((k, m)), np.zeros(m)) for k, m in itertools.pairwise(sizes)]}
    assert share(exam, "test-size", names) == expected


def test_layers_that_do_not_fit_one_another_are_no_network(exam: Exam) -> None:
    for weights in (
        [(np.ones((93, 50)), np.zeros(50)), (np.ones((60, 9)), np.zeros(9))],
        [(np.ones((93, 50)), np.zeros(50)), (np.ones((50, 9)), np.zeros(1))],
    ):
        assert share(exam, "test-size", answers(exam) | {"weights": weights}) == 0


@pytest.mark.slow
def test_trained_weights_earn_by_their_loss_on_the_holdout(exam: Exam, monkeypatch: pytest.MonkeyPatch) -> None:
    """The solution has a margin, a slower rate earns a part, softmax regression and a network too large nothing."""
    monkeypatch.syspath_prepend(str(ROOT))
    names = answers(exam)
    exec("from kaggle_data import load_data, preprocess_data, preprocess_labels", names)
    for cell in ("load", "train"):
        exec(source_of(exam, cell), names)
    earned = []
    for sizes, rate, momentum in (
        ([93, 100, 9], 0.02, 0.9),
        ([93, 100, 9], 0.02, 0.0),
        ([93, 100, 9], 0.001, 0.9),
        ([93, 9], 0.02, 0.9),
        ([93, 250, 9], 0.02, 0.9),
    ):
        names["weights"], _, valid = names["train"](sizes, rate, momentum)
        earned.append(share(exam, "test-holdout", names))
        assert sys.float_info.max > valid[-1] > 0
    assert earned == [1.0, earned[1], 0.0, 0.0, 0.0]
    assert 0 < earned[1] < 0.9
