"""The audit of tests of networks: a threshold that everything meets, and one that needs learning."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.audits import Silent, observed_release
from helpers.kernels import InProcessKernel
from helpers.tiny import YAML, Here, cell, notebook, tiny_course
from variants.running import ENVIRONMENT

from autograder.extensions.trust.audit import audit
from autograder.extensions.trust.audit_records import Audit, MutantVerdict
from autograder.extensions.trust.audit_runs import AuditOptions

pytestmark = [pytest.mark.keras, pytest.mark.slow]

DATA = """\
import numpy as np
import keras
from keras import layers
from autograder import check
draw = np.random.default_rng(5)
X_train = draw.normal(size=(600, 4)).astype("float32")
y_train = X_train.argmax(axis=1)
"""
ANSWER = """\
### BEGIN SOLUTION
keras.utils.set_random_seed(3)
model = keras.Sequential([keras.Input((4,)), layers.Dense(16, activation="relu"), layers.Dense(4, activation="softmax")])
model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.02), loss="sparse_categorical_crossentropy")
model.fit(X_train, y_train, epochs=12, batch_size=32, verbose=0)
### END SOLUTION"""
TEST = """\
### BEGIN HIDDEN TESTS
drawn = np.random.default_rng(6)
X_new = drawn.normal(size=(2_000, 4)).astype("float32")
check.loss(model, on=(X_new, X_new.argmax(axis=1)), below=THRESHOLD)
### END HIDDEN TESTS"""


LIMITS = "cell_seconds: 300, notebook_seconds: 900"


def audited(folder: Path, threshold: str, *families: str) -> Audit:
    course = tiny_course(folder, yaml=YAML.replace("cell_seconds: 20, notebook_seconds: 60", LIMITS))
    (course.source("hw") / "nb.ipynb").write_text(
        notebook(
            cell(DATA, "data", locked=True),
            cell(ANSWER, "network", solution=True),
            cell(TEST.replace("THRESHOLD", threshold), "test-network", grade=True, locked=True, points=4),
        )
    )
    given = AuditOptions(minutes=60, families=families, execute=Here(), start=InProcessKernel, workers=1)
    return audit(course, observed_release(course), given, Silent())


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_a_threshold_that_everything_meets_is_called_so(tmp_path: Path) -> None:
    (question,) = audited(tmp_path, "50.0", "cheat").questions
    assert question.remarks[0] == "Its threshold is met without learning: an untrained network keeps all points."


def test_a_threshold_that_needs_learning_catches_what_learns_less(tmp_path: Path) -> None:
    found = audited(tmp_path, "0.25", "cheat", "data", "network")
    caught = {r.mutant.operator for r in found.of(MutantVerdict.CAUGHT)}
    assert caught >= {
        "no training",
        "labels in the reverse order",
        "relu for softmax",
        "an untrained network of the same shape",
    }
    for result in found.of(MutantVerdict.SURVIVED, MutantVerdict.EQUIVALENT):
        assert result.is_decided, (result.mutant.operator, result.reason)
    equivalent = {r.mutant.operator: r.reason for r in found.of(MutantVerdict.EQUIVALENT)}
    assert equivalent["a unit too many"].startswith("as good as the solution: loss ")
