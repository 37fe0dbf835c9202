"""The questions that the examiner may ask about a model. Runs in the student's kernel, or in their notebook.

Imports nothing else of the kit, and no library that the student has not imported. Every answer is a claim: the examiner
computes losses from the predictions and from labels that never come here.
"""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import keras_model, model_family, model_parts, model_predictions

MAX_CLASSES = 10_000

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


COUNTED = frozenset([_NODES] + [_and(names) for names in _COUNTED])
"""The descriptions of what may have been counted."""


def describe(model: Any) -> dict[str, Any]:
    """Describe a model in its own words.

    Returns:
        A dict. ``family``; ``problem`` says why it cannot predict now (``unfitted``, ``unbuilt``, ``updates``,
        ``silent``, ``nothing``), or is empty. ``how`` is the method that is asked, and ``classes`` the meaning of its
        predictions' columns, if it tells. ``decides`` says whether ``predict`` returns the class. ``parameters`` and
        ``trainable`` are numbers or None, and ``counted`` says what was counted.
    """
    family = model_family.family(model)
    how = _how(model, family)
    problem = _problem(model, family, how)
    parameters, trainable, counted = (None, None, "") if problem in _NOTHING_YET else _count(model, family)
    return {
        "family": family,
        "problem": problem,
        "how": how,
        "classes": None if problem in _NOTHING_YET else _classes(model),
        "decides": family in ("sklearn", "predictor") and callable(getattr(model, "predict", None)),
        "parameters": parameters,
        "trainable": trainable,
        "counted": counted,
    }


_NOTHING_YET = ("nothing", "unfitted", "unbuilt")


def _problem(model: Any, family: str, how: str) -> str:
    if not family:
        return "nothing"
    if family == "keras":
        return "" if getattr(model, "built", False) else "unbuilt"
    if family == "theano":
        return "updates" if _updates(model) else ""
    if family != "sklearn":
        return ""
    return "unfitted" if not _fitted(model) else "" if how else "silent"


def _how(model: Any, family: str) -> str:
    """Choose the method that tells the most: probabilities, else scores, else predictions."""
    if family not in ("sklearn", "predictor"):
        return ""
    names = ["predict_proba", "decision_function", "predict"]
    if family == "sklearn" and not sys.modules["sklearn.base"].is_classifier(model):
        names.remove("decision_function")
    return next((name for name in names if callable(getattr(model, name, None))), "")


def _fitted(model: Any) -> bool:
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(model)
    except Exception:
        return False
    return True


def _updates(function: Any) -> bool:
    """Return whether a call changes shared variables other than random states: a training step."""
    inputs = function.maker.expanded_inputs
    return any(i.update is not None and "Random" not in type(i.variable.type).__name__ for i in inputs)


def _classes(model: Any) -> Any:
    """Return ``classes_`` as a list of whole numbers or texts; None if it is missing or of another kind."""
    classes = getattr(model, "classes_", None)
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not isinstance(classes, numpy.ndarray) or classes.ndim != 1 or len(classes) > MAX_CLASSES:
        return None
    values = classes.tolist()
    if all(type(value) is float and value.is_integer() for value in values):
        values = [int(value) for value in values]
    values = [int(value) if type(value) is bool else value for value in values]
    return values if all(type(value) in (int, str) for value in values) else None


# --- sizes -------------------------------------------------------------------------------------------


def _count(model: Any, family: str) -> tuple[Any, Any, str]:
    """Count parameters and trainable ones, and say what was counted; None if nothing can be counted."""
    if family == "keras":
        total = sum(_size(variable) for variable in model.weights)
        return total, sum(_size(variable) for variable in model.trainable_weights), ""
    if family == "torch":
        if any(model_family.is_a(p, "torch.nn.parameter", "UninitializedParameter") for p in model.parameters()):
            return None, None, ""  # lazy layers before their first rows
        sizes = [(int(p.numel()), bool(p.requires_grad)) for p in model.parameters()]
        return sum(size for size, _ in sizes), sum(size for size, wanted in sizes if wanted), ""
    if family != "sklearn":
        return None, None, ""
    model = final(model)
    for names in _COUNTED:
        if all(getattr(model, name, None) is not None for name in names):
            total = sum(_numbers(getattr(model, name)) for name in names)
            return total, total, _and(names)
    nodes = _nodes(model)
    return (nodes, nodes, _NODES) if nodes else (None, None, "")


def final(model: Any) -> Any:
    """Return the part that predicts: the best estimator of a search, the last step of a pipeline."""
    for _ in range(20):
        inner = getattr(model, "best_estimator_", None)
        if inner is None and model_family.is_a(model, "sklearn.pipeline", "Pipeline"):
            inner = model.steps[-1][1]
        if inner is None or isinstance(inner, str):
            break
        model = inner
    return model


def _size(variable: Any) -> int:
    return math.prod(map(int, variable.shape))


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


def record(model: Any, shapes: Any) -> list[Any]:
    """Describe a model for inputs of the shapes that a test knows.

    Args:
        model: a Keras model, see :func:`keras_model.claim_of_rows`. A PyTorch module is described by an extension
            alone.
        shapes: the shapes; None if they are unknown.
    """
    if model_family.family(model) == "torch":
        return [{"kind": "Module", "library": "torch"}, []]
    return list(keras_model.claim_of_rows(model, shapes))


QUESTIONS: dict[str, Any] = {
    "describe": describe,
    "predict": model_predictions.predict,
    "layers": model_parts.parts,
    "record": record,
}
"""The questions that the examiner may ask about a model, by name."""


def starting(extensions: Path) -> list[str]:
    """Return the questions, each a function of the shell, by which extensions begin to watch what models do.

    They are the functions ``start`` of modules ``watch.py`` in folders ``kernel_side``.

    Args:
        extensions: the folder of the agent with what extensions bring along.
    """
    paths = sorted(path.relative_to(extensions).with_suffix("") for path in extensions.glob("**/kernel_side/watch.py"))
    return [f"{'.'.join(path.parts)}:start" for path in paths]


def question(name: str) -> Any:
    """Return what answers a question.

    Args:
        name: a key of :data:`QUESTIONS`, or ``package.kernel_side.module:function`` of an extension. Its folder
            ``kernel_side`` lies in the folder ``extensions`` of the agent.
    """
    module, _, function = name.partition(":")
    if not function:
        return QUESTIONS[name]
    return getattr(importlib.import_module(f"..extensions.{module}", __package__), function)
