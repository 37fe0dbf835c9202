"""The lesson on a small GPT: attention, steps and networks that do as they should, and the usual ones that do not."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import lessons
from helpers.lessons import lesson_exam, source_of

from autograder.records.exam import Exam, Role

ROOT = Path(__file__).resolve().parents[2]
NAME = "small-gpt"
FOLDER = ROOT / "source" / NAME

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def exam() -> Exam:
    pytest.importorskip("torch", reason="PyTorch is not installed here: make test-torch")
    return lesson_exam(NAME)


@pytest.fixture
def names(exam: Exam) -> dict[str, Any]:
    """What the solution's notebook has before its training."""
    found: dict[str, Any] = {"__name__": "lesson"}
    for cell in ("imports", "write-tales", "number", "prepare", "attend", "layer", "train-step", "first-step", "rules"):
        exec(source_of(exam, cell), found)
    return found


def share(exam: Exam, test: str, names: dict[str, Any]) -> float:
    """The share of its points that a test cell gives."""
    return lessons.share(exam, test, dict(names))


def changed(exam: Exam, cell: str, names: dict[str, Any], old: str, new: str) -> None:
    """Run a cell of the solution with a change in it."""
    source = source_of(exam, cell)
    assert old in source
    exec(source.replace(old, new), names)


# --- the text -----------------------------------------------------------------------------------------------


def test_the_hidden_tales_are_not_in_the_notebook(exam: Exam, names: dict[str, Any]) -> None:
    with np.load(FOLDER / "hidden/holdout.npz", allow_pickle=False) as data:
        rows = data["rows"]
    assert rows.shape == (500, 57)
    assert rows.dtype == np.uint8
    texts = {"".join(names["CHARACTERS"][number] for number in row) for row in rows}
    shown = "".join(names["training_tales"] + names["tales"](500, seed=2))
    assert not any(text.split("\n")[0] + "\n" in shown for text in texts if "\n" in text)


def test_the_holdout_follows_from_the_seed_and_from_the_lesson() -> None:
    script = runpy.run_path(str(FOLDER / "hidden/make_holdout.py"))
    cells = script["lesson_names"](NAME)
    first, again, other = (script["hidden_rows"](cells, 20, seed) for seed in (123_456, 123_456, 123_457))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


# --- the tests of the lesson ----------------------------------------------------------------------------------

ATTENTIONS = {
    "no mask": ("scores.masked_fill(later, -torch.inf)", "scores", 0.0),
    "the position itself is hidden": ("triu(1)", "triu(0)", 0.0),
    "the past is hidden": ("triu(1)", "tril(-1)", 0.0),
    "no scale": (" / size**0.5", "", 0.25),
    "another axis": ("softmax(dim=-1)", "softmax(dim=-2)", 0.0),
    "0 for what is later": ("-torch.inf).softmax(dim=-1)", "0.0).softmax(dim=-1)", 0.0),
}


@pytest.mark.parametrize("slip", ATTENTIONS)
def test_attention_is_graded_by_other_numbers_and_shapes(exam: Exam, names: dict[str, Any], slip: str) -> None:
    assert share(exam, "test-attend", names) == 1.0
    old, new, most = ATTENTIONS[slip]
    changed(exam, "attend", names, old, new)
    assert share(exam, "test-attend", names) <= most


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    optimizer.zero_grad()\n", ""),
        ("    optimizer.step()\n", ""),
        ("network.train()", "network.eval()"),
        ("y.flatten())", "y.flatten().roll(1))"),
        ("y.flatten())", 'y.flatten(), reduction="sum")'),
        ("network(x).flatten(0, 1)", "network(x).flatten(0, 1).softmax(1)"),
        ("return loss.item()", "return 0.0"),
    ],
)
def test_a_wrong_step_earns_nothing(exam: Exam, names: dict[str, Any], old: str, new: str) -> None:
    changed(exam, "train-step", names, old, new)
    exec(source_of(exam, "first-step"), names)
    assert share(exam, "test-train-step", names) == 0.0


@pytest.mark.parametrize(
    "loss",
    [
        "functional.cross_entropy(network(x).transpose(1, 2), y)",
        "nn.CrossEntropyLoss()(network(x).reshape(-1, 39), y.reshape(-1))",
        "-network(x).log_softmax(-1).gather(-1, y[..., None]).mean()",
    ],
)
def test_a_right_step_may_be_written_otherwise(exam: Exam, names: dict[str, Any], loss: str) -> None:
    changed(exam, "train-step", names, "functional.cross_entropy(network(x).flatten(0, 1), y.flatten())", loss)
    exec(source_of(exam, "first-step"), names)
    assert share(exam, "test-train-step", names) == 1.0


def test_a_network_that_sees_the_future_earns_nothing_for_its_bits(exam: Exam, names: dict[str, Any]) -> None:
    changed(exam, "attend", names, "scores.masked_fill(later, -torch.inf)", "scores")
    exec(source_of(exam, "build-model"), names)
    assert share(exam, "test-causal", names) == 0.0
    assert share(exam, "test-bits", names) == 0.0
    assert share(exam, "test-size", names) == 1.0


def test_an_untrained_network_is_causal_and_knows_nothing(exam: Exam, names: dict[str, Any]) -> None:
    exec(source_of(exam, "build-model"), names)
    assert share(exam, "test-causal", names) == 1.0
    assert share(exam, "test-bits", names) == 0.0
    changed(exam, "build-model", names, "size=48", "size=128")
    assert share(exam, "test-size", names) == 0.0


@pytest.mark.slow
def test_the_solution_gets_full_marks(exam: Exam, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    for cell in exam.cells:
        if cell.cell_type == "code" and cell.role is not Role.TEST:
            exec(cell.source, names)
    tests = [cell.grade_id or "" for cell in exam.cells if cell.role is Role.TEST]
    assert {test: share(exam, test, names) for test in tests} == dict.fromkeys(tests, 1.0)
    assert names["floor_bits"] < names["bits_of"](names["model"], names["X_valid"], names["y_valid"]) < 0.35
