"""scikit-learn's estimators in the student's process, see :class:`autograder.kernel.model_family.FamilyInKernel`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from ....kernel import model_parts
from ....kernel.model_family import METHODS, best_method, is_a

_COUNTED = (
    ("coefs_", "intercepts_"),
    ("coef_", "intercept_"),
    ("support_vectors_", "dual_coef_", "intercept_"),
    ("theta_", "var_"),
    ("feature_log_prob_",),
    ("cluster_centers_",),
)
"""The fitted attributes of scikit-learn whose numbers are counted: the first row that exists."""
_NODES = "nodes of its trees"


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


DECIDES = True
COUNTED = frozenset([_NODES] + [_and(names) for names in _COUNTED])


def is_mine(model: Any) -> bool:
    """Return whether it is an estimator."""
    return is_a(model, "sklearn.base", "BaseEstimator")


def problem(model: Any, method: str) -> str:
    """Return whether it is not fitted, or has no method that predicts."""
    return "unfitted" if not _fitted(model) else "" if method else "silent"


def method(model: Any) -> str:
    """Choose the method that tells the most; a score is one of a classifier alone."""
    scores = sys.modules["sklearn.base"].is_classifier(model)
    return best_method(model, tuple(name for name in METHODS if scores or name != "decision_function"))


def count(model: Any) -> tuple[Any, Any, str]:
    """Count the numbers that the part that predicts has learned."""
    model = _final(model)
    for names in _COUNTED:
        if all(getattr(model, name, None) is not None for name in names):
            total = sum(_numbers(getattr(model, name)) for name in names)
            return total, total, _and(names)
    nodes = _nodes(model)
    return (nodes, nodes, _NODES) if nodes else (None, None, "")


def parts(model: Any) -> list[Any]:
    """List the steps of a pipeline."""
    return [model_parts.described(step, "sklearn", step.get_params(deep=False)) for step in _steps(model, 0)]


def _fitted(model: Any) -> bool:
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(model)
    except Exception:
        return False
    return True


def _steps(model: Any, depth: int) -> Iterator[Any]:
    """List the steps of a pipeline, and of the pipelines inside it.

    The step that joins branches comes after them; anything else is one step.
    """
    searched = getattr(model, "best_estimator_", None)
    if searched is None and type(model).__module__.startswith("sklearn.model_selection"):
        searched = getattr(model, "estimator", None)
    if searched is not None and depth < 20:
        yield from _steps(searched, depth + 1)
        return
    name = type(model).__name__
    inside = {"Pipeline": "steps", "FeatureUnion": "transformer_list", "ColumnTransformer": "transformers"}.get(
        name, ""
    )
    for step in getattr(model, inside, ()) if inside and depth < 20 else ():
        if step[1] is not None and not isinstance(step[1], str):  # "passthrough", "drop"
            yield from _steps(step[1], depth + 1)
    if name != "Pipeline":
        yield model


def _final(model: Any) -> Any:
    """Return the part that predicts: the best estimator of a search, the last step of a pipeline."""
    for _ in range(20):
        inner = getattr(model, "best_estimator_", None)
        if inner is None and is_a(model, "sklearn.pipeline", "Pipeline"):
            inner = model.steps[-1][1]
        if inner is None or isinstance(inner, str):
            break
        model = inner
    return model


def _numbers(value: Any) -> int:
    return sum(map(_numbers, value)) if isinstance(value, (list, tuple)) else int(getattr(value, "size", 1))


def _nodes(model: Any) -> int:
    """Count the nodes of a tree, or of all trees of a forest."""
    if hasattr(model, "tree_"):
        return int(model.tree_.node_count)
    if hasattr(model, "_predictors"):
        return sum(len(tree.nodes) for stage in model._predictors for tree in stage)

    import numpy as np

    trees = getattr(model, "estimators_", None)
    trees = [] if trees is None else np.ravel(np.array(trees, dtype=object)).tolist()
    return sum(int(tree.tree_.node_count) for tree in trees if hasattr(tree, "tree_"))
