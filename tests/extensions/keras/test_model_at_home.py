"""A visible check in a student's own notebook says of a model what the examiner will say of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.graphs import GRAPHS
from helpers.kernels import remote_after
from helpers.own_models import ASKED, CONFIGURED, UNROLLED
from helpers.rebuilding import outputs, random_inputs, sent

from autograder import check
from autograder.check import provenance
from autograder.codec import Reference
from autograder.examiner.namespace import Answers
from autograder.models import rebuild
from autograder.records.checks import CheckResult, is_undecided

pytestmark = pytest.mark.keras

OWN: dict[str, Callable[[Any], Any]] = {
    name: make for name, (make, _) in {**CONFIGURED, **UNROLLED, **ASKED}.items() if name != "tape"
}
FEW = {*CONFIGURED, *ASKED, *list(UNROLLED)[::3]}
"""The classes that the default suite compares; test_model_unrolling.py reads each of them."""


@pytest.fixture(scope="module")
def keras() -> Any:
    return pytest.importorskip("keras")


def checks(model: Any, rows: Any, labels: Any, count: int) -> list[CheckResult]:
    with check.recording() as results:
        check.architecture(model, [..., check.dense(3)])
        check.parameters(model, exactly=count)
        check.loss(model, on=(rows, labels), below=1e6, loss="mean_squared_error")
        check.compiled(model, optimizer="adam")
    return list(results)


def in_the_examiner(model: Any, rows: Any, labels: Any, count: int) -> list[CheckResult]:
    remote, kernel = remote_after("pass")
    found = Answers(remote, frozenset(), rebuild)
    reference = Reference(*kernel.server.refer(model))
    with provenance.noting(), check.asking_kernel(remote):
        stands = found.model(reference, sent(model))
        provenance.note(stands)
        return checks(stands, rows, labels, count)


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in FEW else pytest.mark.slow) for n in OWN])
def test_own_classes_are_read_alike(keras: Any, name: str) -> None:
    model, rows = OWN[name](keras)
    labels = np.zeros(outputs(model, rows)[0].shape)
    here = checks(model, rows, labels, model.count_params())
    there = in_the_examiner(model, rows, labels, model.count_params())
    assert [result.outcome for result in here] == [result.outcome for result in there]
    assert [is_undecided(result) for result in here] == [is_undecided(result) for result in there]
    if name not in ASKED:
        assert [result.message for result in here] == [result.message for result in there]
        assert [result.evidence for result in here] == [result.evidence for result in there]
    else:  # where the predictions are made is the only difference, and how much may be said of them
        assert [result.message for result in here if is_undecided(result)] == [
            result.message for result in there if is_undecided(result)
        ]


@pytest.mark.parametrize("name", ["small", "masked_graph", "unbuilt"])
def test_models_of_keras_are_read_alike(keras: Any, name: str) -> None:
    model = GRAPHS[name](keras) if name in GRAPHS else keras.Sequential([keras.layers.Dense(3)])
    rows = random_inputs(getattr(model, "_functional", None) or model) if model.built else np.zeros((5, 4))
    labels = np.zeros(outputs(model, rows)[0].shape) if model.built else np.zeros((5, 3))
    assert [(r.outcome, r.message) for r in checks(model, rows, labels, 5)] == [
        (r.outcome, r.message) for r in in_the_examiner(model, rows, labels, 5)
    ]
