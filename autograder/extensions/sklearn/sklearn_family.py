"""scikit-learn's estimators as a family of models."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.api.checking import ModelFamily


def _words() -> Mapping[str, type]:
    from sklearn.utils.discovery import all_estimators

    return dict(all_estimators())


FAMILY = ModelFamily(
    title="scikit-learn",
    noun="scikit-learn estimator",
    words=_words,
    problems={
        "unfitted": "This estimator is not fitted yet: call its fit first.",
        "silent": "This estimator does not predict: it has no predict, predict_proba or decision_function.",
    },
)
