"""Mutated claims: any value in any place gives a model of the same weights, or RefusedModel, and nothing else."""

from __future__ import annotations

import pytest
from helpers.model_fuzz import WRONG, attack

pytestmark = pytest.mark.keras

WRONG += ["", "x" * 1000, "/etc/passwd", "\ud800", "same", "float64", "int32", "channels_first", "sum", "multi_hot"]
WRONG += [[], [[]], {}, [None] * 7, [10**7] * 4, [0] * 3, [-1, -1], {"class_name": "Lambda"}, ["a"] * 50, [[1, 2], [3]]]
WRONG += [{"class_name": "__numpy__", "config": {"value": [1.0] * 50, "dtype": "float32"}}, 10**7, 4096, 64]


def test_a_mutated_claim_is_refused_or_harmless() -> None:
    attack(pytest.importorskip("keras"), seed=5, mutants=300, models=15)


@pytest.mark.slow
def test_thousands_of_mutated_claims_are_refused_or_harmless() -> None:
    attack(pytest.importorskip("keras"), seed=6, mutants=5000, models=100)
