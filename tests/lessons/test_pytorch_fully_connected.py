"""The first lesson in PyTorch: what its tests say to good and bad steps and networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import lessons
from helpers.lessons import lesson_exam, source_of

from autograder import check
from autograder.records.exam import Exam, Role

ROOT = Path(__file__).resolve().parents[2]
NAME = "pytorch-fully-connected"
TESTS = {
    "test-train-step", "test-count-parameters", "test-architecture", "test-size", "test-curves", "test-loss",
    "test-trained-again",
}  # fmt: skip

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def exam() -> Exam:
    pytest.importorskip("torch", reason="PyTorch is not installed here: make test-torch")
    return lesson_exam(NAME)


@pytest.fixture
def names(exam: Exam, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a notebook has after its first cells; few rows and no plots."""
    monkeypatch.syspath_prepend(str(ROOT))
    found: dict[str, Any] = {"__name__": "lesson", "check": check, "np": np}
    exec("import torch\nfrom torch import nn", found)
    exec("loss_fn = nn.CrossEntropyLoss()\nX_train = torch.randn(600, 93)\ny_train = torch.randint(9, (600,))", found)
    return found


def share(exam: Exam, test: str, names: dict[str, Any]) -> float:
    """The share of its points that a test cell gives."""
    return lessons.share(exam, test, dict(names))


def test_the_lesson_says_the_same_rows_as_its_twin_in_keras(exam: Exam) -> None:
    twin = lesson_exam("keras-fully-connected")
    assert source_of(exam, "load") == source_of(twin, "load")
    assert {cell.grade_id for cell in exam.cells if cell.role is Role.TEST} == TESTS
    holdouts = [np.load(ROOT / "source" / name / "hidden/holdout.npz") for name in (NAME, "keras-fully-connected")]
    assert all(np.array_equal(holdouts[0][key], holdouts[1][key]) for key in ("counts", "labels", "mean", "scale"))


def test_the_lesson_imports_neither_keras_nor_tensorflow(exam: Exam) -> None:
    code = "\n".join(cell.source for cell in exam.cells if cell.cell_type == "code")
    assert "keras" not in code
    assert "tensorflow" not in code


STEPS = {
    "solution": ("", "", 1.0),
    "no zero_grad": ("    optimizer.zero_grad()\n", "", 0.0),
    "no backward": ("    loss.backward()\n", "", 0.0),
    "no step": ("    optimizer.step()\n", "", 0.0),
    "softmax first": ("loss_fn(network(x), y)", "loss_fn(network(x).softmax(1), y)", 0.0),
    "evaluation mode": ("network.train()", "network.eval()", 0.0),
    "the loss as a tensor": ("return loss.item()", "return loss.detach()", 1.0),
    "nothing returned": ("return loss.item()", "pass", 0.0),
    "zero returned": ("return loss.item()", "return 0.0", 0.0),
}


@pytest.mark.parametrize("way", STEPS)
def test_a_step_is_graded_by_the_weights_that_come_out(exam: Exam, names: dict[str, Any], way: str) -> None:
    old, new, expected = STEPS[way]
    source = source_of(exam, "train-step")
    assert old in source
    exec(source.replace(old, new) if old else source, names)
    exec(source_of(exam, "small"), names)
    assert share(exam, "test-train-step", names) == expected


NETWORKS = {
    "the solution": ("nn.Linear(93, 200), nn.ReLU(), nn.Linear(200, 100), nn.ReLU(), nn.Linear(100, 9)", 1.0, 1.0),
    "normalized": ("nn.Linear(93, 64), nn.BatchNorm1d(64), nn.Tanh(), nn.Linear(64, 32), nn.Dropout(), nn.Linear(32, 9)", 1.0, 1.0),
    "one hidden layer": ("nn.Linear(93, 400), nn.ReLU(), nn.Linear(400, 9)", 1 / 3, 1.0),
    # It is the layer's activation; it costs the points of the loss, which takes scores.
    "a softmax at the end": ("nn.Linear(93, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 9), nn.Softmax(dim=1)", 1.0, 1.0),
    "eight outputs": ("nn.Linear(93, 50), nn.ReLU(), nn.Linear(50, 50), nn.ReLU(), nn.Linear(50, 8)", 0.0, 1.0),
    "too large": ("nn.Linear(93, 300), nn.ReLU(), nn.Linear(300, 200), nn.ReLU(), nn.Linear(200, 9)", 1.0, 0.0),
    "too small": ("nn.Linear(93, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 9)", 1.0, 0.0),
}  # fmt: skip


@pytest.mark.parametrize("way", NETWORKS)
def test_layers_and_size_are_graded_without_training(exam: Exam, names: dict[str, Any], way: str) -> None:
    layers, architecture, size = NETWORKS[way]
    exec(f"model = nn.Sequential({layers})", names)
    assert share(exam, "test-architecture", names) == pytest.approx(architecture)
    assert share(exam, "test-size", names) == size
    assert share(exam, "test-loss", names) == 0.0


def test_a_network_is_trained_again_from_new_weights(exam: Exam, names: dict[str, Any]) -> None:
    exec(source_of(exam, "build-model"), names)
    assert share(exam, "test-trained-again", names) == 1.0
    exec("model = nn.Sequential(nn.Linear(93, 12), nn.ReLU(), nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 9))", names)
    assert share(exam, "test-trained-again", names) < 0.25


def test_curves_are_losses_of_ten_epochs(exam: Exam, names: dict[str, Any]) -> None:
    falling = list(np.linspace(0.9, 0.5, 10))
    shares = [
        share(exam, "test-curves", {**names, "train_losses": train, "valid_losses": valid})
        for train, valid in ((falling, falling), (falling[:9], falling[:9]), ([0.0] * 10, falling), (None, None))
    ]
    assert shares == [1.0, 0.5, 0.0, 0.0]


@pytest.mark.slow
def test_the_solution_gets_full_marks_and_the_worked_network_little(
    exam: Exam, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    for cell in exam.cells:
        if cell.cell_type == "code" and cell.role is not Role.TEST:
            exec(cell.source, names)
    assert {test: share(exam, test, names) for test in TESTS} == dict.fromkeys(TESTS, 1.0)
    names["model"] = names["worked"]
    assert share(exam, "test-architecture", names) == pytest.approx(1 / 3)
    assert share(exam, "test-loss", names) < 0.2
    assert share(exam, "test-trained-again", names) < 0.25
