"""Weights that a student trained elsewhere: graded in the sandbox without a training."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from helpers.tiny import cell, notebook
from helpers.weight_files import written

from autograder.cli import main

pytestmark = [pytest.mark.sandbox, pytest.mark.keras, pytest.mark.slow]

YAML = """\
course: elsewhere
assignments:
  hw:
    weights: {file: model.safetensors, into: model}
"""
MODEL = "import keras\nmodel = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name='out')])"
TRAIN = (
    "import numpy as np\nkeras.utils.set_random_seed(0)\nmodel.set_weights([np.array([[1.0], [2.0]]), np.array([3.0])])"
)
TEST = "import numpy as np\nassert abs(model.predict(np.ones((1, 2)), verbose=0)[0, 0] - 6.0) < 1e-5"
"""Six is what the solution's own training gives, and what ada's weights give."""


def cells(train: str) -> list[dict[str, Any]]:
    trains = cell(train, "train", solution=True)
    trains["metadata"]["tags"] = ["train"]
    return [cell(MODEL, "model", locked=True), trains, cell(TEST, "test-train", grade=True, locked=True, points=2)]


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """No student's training works; ada and bob hand in weights, of another session's model and of another model."""
    root = tmp_path_factory.mktemp("elsewhere")
    (root / "source/hw").mkdir(parents=True)
    (root / "course.yaml").write_text(YAML)
    (root / "source/hw/nb.ipynb").write_text(notebook(*cells(f"### BEGIN SOLUTION\n{TRAIN}\n### END SOLUTION")))
    for student, rows in {"ada": 2, "bob": 3, "eve": None}.items():
        folder = root / "submitted" / student / "hw"
        folder.mkdir(parents=True)
        (folder / "nb.ipynb").write_text(notebook(*cells("raise RuntimeError('trained here')")))
        if rows is not None:
            weights = {"kernel": np.array([[1.0], [2.0], [0.0]], "<f4")[:rows], "bias": np.array([3.0], "<f4")}
            written(folder / "model.safetensors", {f"sequential_4/out/{name}": a for name, a in weights.items()})
    for command in (["release", "hw"], ["grade", "hw", "--json", str(root / "grades.json")]):
        done = CliRunner().invoke(main, [*command, "--course", str(root)])
        assert done.exit_code == 0, done.output
    grades = json.loads((root / "grades.json").read_text())["grades"]
    return {grade["student"]: grade for grade in grades}


def test_the_file_takes_the_place_of_the_training(scores: dict[str, Any]) -> None:
    assert scores["ada"]["score"] == 2


@pytest.mark.parametrize("student", ["bob", "eve"])
def test_weights_of_another_model_or_no_file_earn_nothing(scores: dict[str, Any], student: str) -> None:
    assert scores[student]["score"] == 0
