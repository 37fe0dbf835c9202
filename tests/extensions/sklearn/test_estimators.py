"""scikit-learn's estimators as models: what tells their numbers, their steps and how they predict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograder.extensions.sklearn.kernel_side import family_sklearn as family
from autograder.kernel.model_family import family_name

linear_model = pytest.importorskip("sklearn.linear_model")
pipeline = pytest.importorskip("sklearn.pipeline")
preprocessing = pytest.importorskip("sklearn.preprocessing")
tree = pytest.importorskip("sklearn.tree")

ROWS = np.random.default_rng(0).normal(size=(60, 3))
LABELS = (ROWS[:, 0] > 0).astype(int)


def fitted(*steps: Any) -> Any:
    return pipeline.make_pipeline(*steps).fit(ROWS, LABELS)


def test_the_numbers_of_the_step_that_predicts_are_counted() -> None:
    model = fitted(preprocessing.StandardScaler(), linear_model.LogisticRegression())
    assert family.count(model) == (4, 4, "coef_ and intercept_")
    total, _, counted = family.count(fitted(tree.DecisionTreeClassifier()))
    assert (total, counted) == (3, "nodes of its trees")
    assert counted in family.COUNTED


def test_a_pipeline_tells_its_steps() -> None:
    model = fitted(preprocessing.StandardScaler(), linear_model.LogisticRegression(C=2.0))
    assert [(kind, unusual) for kind, _, _, unusual in family.parts(model)] == [
        ("StandardScaler", []),
        ("LogisticRegression", ["C"]),
    ]


def test_an_estimator_without_training_is_said_to_have_none() -> None:
    model = linear_model.LogisticRegression()
    assert family_name(model) == "sklearn"
    assert family.problem(model, family.method(model)) == "unfitted"
    assert family.problem(fitted(preprocessing.StandardScaler()), "") == "silent"
