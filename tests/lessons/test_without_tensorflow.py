"""A lesson in PyTorch needs no TensorFlow and no Keras, at a student's and where it is graded."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.lessons import ROOT
from helpers.tiny import cell, notebook

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed here: make test-torch"),
]

ABSENT = """
import sys

class Without:
    \"\"\"A finder that does not see some libraries.\"\"\"
    def __init__(self, finder):
        self.finder = finder
    def __getattr__(self, name):
        return getattr(self.finder, name)
    def find_spec(self, name, path=None, target=None):
        absent = name.split(".")[0] in ("tensorflow", "keras")
        return None if absent else self.finder.find_spec(name, path, target)

sys.meta_path[:] = map(Without, sys.meta_path)
"""
AT_HOME = """
import numpy as np
import torch
from torch import nn
from autograder import check

model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
X, y = np.random.default_rng(0).normal(size=(64, 6)).astype("float32"), np.arange(64) % 3

def train_step(network, x, y, loss_fn, optimizer):
    optimizer.zero_grad()
    loss_fn(network(x), y).backward()
    optimizer.step()

layers = [check.layer("Linear", out_features=8), check.layer("ReLU"), check.layer("Linear", out_features=3)]
check.architecture(model, layers, input_shape=(6,), output_shape=(3,))
check.parameters(model, exactly=83)
check.loss(model, on=(X, y), below=9, from_logits=True)
check.accuracy(model, on=(X, y), above=0)
check.training_step(train_step, model, (X, y), from_logits=True, optimizer="adam")
check.retrained(model, on=(X, y), holdout=(X, y), epochs=1, below=9, seeds=1, from_logits=True)
check.curve([2.0, 1.0], [2.1, 1.1])
check.optimizer(torch.optim.Adam(model.parameters(), lr=0.1), kind="adam", lr=0.1, model=model)
diagnosis = check.diagnose(model, on=(np.tile(X, (4, 1)), np.tile(y, 4)), epochs=2, loss="categorical_crossentropy", from_logits=True)
assert [trial.kind for trial in diagnosis.tried] == ["epochs"], diagnosis
parts = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 3))
diagnosis = check.diagnose(parts, on=(np.tile(X, (4, 1)), np.tile(y, 4)), epochs=2, loss="categorical_crossentropy", from_logits=True)
assert [trial.kind for trial in diagnosis.tried] == ["epochs"], diagnosis
tokens = np.random.default_rng(0).integers(0, 9, (16, 5))
check.causal(nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 9)), tokens)
"""
IN_BOTH = """
import sys
sys.path.insert(0, {tests!r})
from variants.honest_class import examined
from variants.torch_class import STEP, TABLE, WAYS

for task in (TABLE, STEP):
    plain = next(way for way in WAYS if way.task is task)
    print([(test.fraction, test.message) for test in examined(task, plain.answer)])
    assert all(test.fraction == 1 and not test.undecided for test in examined(task, plain.answer))
"""


@pytest.mark.parametrize("program", [AT_HOME, pytest.param(IN_BOTH, marks=pytest.mark.slow)], ids=["home", "examiner"])
def test_the_checks_work_where_neither_is_installed(program: str, tmp_path: Path) -> None:
    """Kernel and examiner are one process here; another test starts both."""
    last = "assert not {'tensorflow', 'keras'} & {name.split('.')[0] for name in sys.modules}\n"
    file = tmp_path / "program.py"
    file.write_text(ABSENT + program.replace("{tests!r}", repr(str(ROOT / "tests"))) + last)
    done = subprocess.run([sys.executable, file], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


# --- in the sandboxes -----------------------------------------------------------------------------------------

GIVEN = """
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from autograder import check
X, y = np.eye(6, dtype='float32'), np.arange(6) % 3
"""
SOLUTION = """
### BEGIN SOLUTION
model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
def train_step(network, x, y, loss_fn, optimizer):
    optimizer.zero_grad()
    loss_fn(network(x), y).backward()
    optimizer.step()
rows = DataLoader(TensorDataset(torch.as_tensor(X), torch.as_tensor(y)), batch_size=2, num_workers=2)
seen = sum(len(labels) for _, labels in rows)
torch.save(model.state_dict(), "model.pt")
model.load_state_dict(torch.load("model.pt", map_location="cuda" if torch.cuda.is_available() else "cpu"))
### END SOLUTION
"""
"""Its loader has workers, and its weights go through a file, as students write them."""
IMPORTED = "import sys\nimported = sorted({'tensorflow', 'keras', 'torch'} & set(sys.modules))"
TEST = """
check.parameters(model, exactly=83)
assert seen == 6
### BEGIN HIDDEN TESTS
import sys
check.loss(model, on=(X, y), below=9, from_logits=True)
check.training_step(train_step, model, (X, y), from_logits=True)
assert imported == ["torch"]
assert sorted({"tensorflow", "keras", "torch"} & set(sys.modules)) == ["torch"]
### END HIDDEN TESTS
"""


@pytest.mark.sandbox
@pytest.mark.slow
@pytest.mark.parametrize("students", [("ada",), ("ada", "bob", "cleo")], ids=["cold", "from templates"])
def test_neither_kernels_nor_examiners_of_a_pytorch_course_import_them(
    students: tuple[str, ...], tmp_path: Path
) -> None:
    """A template imports PyTorch, and leaves TensorFlow out."""
    folder = tmp_path / "source/hw"
    folder.mkdir(parents=True)
    cells = [
        cell(GIVEN, "given", locked=True),
        cell(SOLUTION, "network", solution=True),
        cell(IMPORTED, "imported", locked=True),
        cell(TEST, "test-network", grade=True, locked=True, points=2),
    ]
    (folder / "nb.ipynb").write_text(notebook(*cells))
    (tmp_path / "course.yaml").write_text("course: tiny\nassignments:\n  hw: {}\n")
    for student in students:
        handed_in = tmp_path / "submitted" / student / "hw"
        handed_in.mkdir(parents=True)
        (handed_in / "nb.ipynb").write_text(notebook(*cells))
    for command in (["release", "hw", "--no-prove"], ["grade", "hw", "--json", str(tmp_path / "grades.json")]):
        run = [sys.executable, "-m", "autograder", *command, "--course", str(tmp_path)]
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    grades = json.loads((tmp_path / "grades.json").read_text())["grades"]
    assert {grade["student"]: grade["score"] for grade in grades} == dict.fromkeys(students, 2.0)
