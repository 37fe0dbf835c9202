"""Describes a model of any library, and asks it for predictions. Runs in the student's kernel, or in their notebook.

Imports nothing of the package, and no library that the student has not imported. Everything here is a claim: the
examiner computes losses from the predictions and from labels that never come here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING or __package__:
    from . import keras_model, model_parts
else:  # inside the sandbox this folder is no package
    import keras_model
    import model_parts

MAX_CLASSES = 10_000

_COUNTED = (
    ("coefs_", "intercepts_"),
    ("coef_", "intercept_"),
    ("support_vectors_", "dual_coef_", "intercept_"),
    ("theta_", "var_"),
    ("feature_log_prob_",),
    ("cluster_centers_",),
)
"""The fitted attributes of scikit-learn whose numbers are counted: the first row that is there."""
_NODES = "nodes of its trees"


def _and(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)


COUNTED = frozenset([_NODES] + [_and(names) for names in _COUNTED])
"""What may have been counted, in words."""


def family(model: Any) -> str:
    """``keras``, ``torch``, ``sklearn``, ``theano`` (also PyTensor's), ``predictor`` (an object of the student's own
    class that predicts), ``function``, or ``""`` for anything else."""
    if keras_model.is_model(model):
        return "keras"
    if _is_a(model, "torch.nn", "Module"):
        return "torch"
    if _is_a(model, "sklearn.base", "BaseEstimator"):
        return "sklearn"
    if isinstance(model, type):
        return ""
    if type(model).__name__ == "Function" and hasattr(getattr(model, "maker", None), "expanded_inputs"):
        return "theano"
    if callable(getattr(model, "predict", None)) or callable(getattr(model, "predict_proba", None)):
        return "predictor"
    return "function" if callable(model) else ""


def _is_a(model: Any, module: str, name: str) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(model, kind)


def describe(model: Any) -> dict[str, Any]:
    """What a model says of itself.

    Returns:
        ``family``; ``problem``, why it can not predict now (``unfitted``, ``updates``,
        ``silent``, ``nothing``) or empty; ``how``, the method that is asked; ``classes``, what the columns of its
        predictions stand for, where it says so; ``decides``, whether ``predict`` says which class it is;
        ``parameters`` and ``trainable``, numbers or None; ``counted``, what was counted.
    """
    which = family(model)
    how = _how(model, which)
    problem = _problem(model, which, how)
    parameters, trainable, counted = (None, None, "") if problem in _NOTHING_YET else _count(model, which)
    return {
        "family": which,
        "problem": problem,
        "how": how,
        "classes": None if problem in _NOTHING_YET else _classes(model),
        "decides": which in ("sklearn", "predictor") and callable(getattr(model, "predict", None)),
        "parameters": parameters,
        "trainable": trainable,
        "counted": counted,
    }


_NOTHING_YET = ("nothing", "unfitted")


def _problem(model: Any, which: str, how: str) -> str:
    if not which:
        return "nothing"
    if which == "theano":
        return "updates" if _updates(model) else ""
    if which != "sklearn":
        return ""
    return "unfitted" if not _fitted(model) else "" if how else "silent"


def _how(model: Any, which: str) -> str:
    """The method that gives the most: probabilities, else scores, else what is predicted."""
    if which not in ("sklearn", "predictor"):
        return ""
    names = ["predict_proba", "decision_function", "predict"]
    if which == "sklearn" and not sys.modules["sklearn.base"].is_classifier(model):
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
    """Whether a call changes shared variables other than the states of random numbers: a step of a training."""
    inputs = function.maker.expanded_inputs
    return any(i.update is not None and "Random" not in type(i.variable.type).__name__ for i in inputs)


def _classes(model: Any) -> Any:
    """``classes_`` as a list of whole numbers or texts; None where there is none of that kind."""
    found = getattr(model, "classes_", None)
    if not isinstance(found, np.ndarray) or found.ndim != 1 or len(found) > MAX_CLASSES:
        return None
    values = found.tolist()
    if all(type(value) is float and value.is_integer() for value in values):
        values = [int(value) for value in values]
    values = [int(value) if type(value) is bool else value for value in values]
    return values if all(type(value) in (int, str) for value in values) else None


# --- sizes -------------------------------------------------------------------------------------------


def _count(model: Any, which: str) -> tuple[Any, Any, str]:
    """Parameters, trainable ones, and what was counted; None where there is nothing that could be counted."""
    if which == "keras":
        total = sum(_size(variable) for variable in model.weights)
        return total, sum(_size(variable) for variable in model.trainable_weights), ""
    if which == "torch":
        sizes = [(int(p.numel()), bool(p.requires_grad)) for p in model.parameters()]
        return sum(size for size, _ in sizes), sum(size for size, wanted in sizes if wanted), ""
    if which != "sklearn":
        return None, None, ""
    model = final(model)
    for names in _COUNTED:
        if all(getattr(model, name, None) is not None for name in names):
            total = sum(_numbers(getattr(model, name)) for name in names)
            return total, total, _and(names)
    nodes = _nodes(model)
    return (nodes, nodes, _NODES) if nodes else (None, None, "")


def final(model: Any) -> Any:
    """What predicts in the end: the best estimator of a search, the last step of a pipeline."""
    for _ in range(20):
        inner = getattr(model, "best_estimator_", None)
        if inner is None and _is_a(model, "sklearn.pipeline", "Pipeline"):
            inner = model.steps[-1][1]
        if inner is None or isinstance(inner, str):
            break
        model = inner
    return model


def _size(variable: Any) -> int:
    total = 1  # math.prod is not there in Python 3.7
    for size in variable.shape:
        total *= int(size)
    return total


def _numbers(value: Any) -> int:
    return sum(map(_numbers, value)) if isinstance(value, (list, tuple)) else int(getattr(value, "size", 1))


def _nodes(model: Any) -> int:
    """The nodes of a tree, or of all trees of a forest."""
    if hasattr(model, "tree_"):
        return int(model.tree_.node_count)
    if hasattr(model, "_predictors"):
        return sum(len(tree.nodes) for stage in model._predictors for tree in stage)
    trees = getattr(model, "estimators_", None)
    trees = [] if trees is None else np.ravel(np.array(trees, dtype=object)).tolist()
    return sum(int(tree.tree_.node_count) for tree in trees if hasattr(tree, "tree_"))


# --- predictions -------------------------------------------------------------------------------------


def predict(model: Any, inputs: Any, how: str) -> Any:
    """The model's output for one batch, as a plain array; a list of arrays where there are several outputs.

    Args:
        inputs: an array with rows first, or a list or dict of such arrays.
        how: the method, from :func:`describe`.
    """
    which = family(model)
    rows = len(inputs[0] if isinstance(inputs, list) else next(iter(inputs.values())) if _dict(inputs) else inputs)
    if which == "keras":
        return as_array(model(inputs, training=False), rows)
    if which == "torch":
        return as_array(_torch(model, inputs), rows)
    function = getattr(model, how) if how in ("predict", "predict_proba", "decision_function") else model
    try:
        return as_array(function(inputs), rows)
    except Exception:
        single = _single(inputs)
        if single is None:
            raise
        return as_array(function(single), rows)


def _dict(value: Any) -> bool:
    return isinstance(value, dict)


def _single(inputs: Any) -> Any:
    """float64 as float32, which is what most networks compute in; None where there is nothing to change."""
    return inputs.astype(np.float32) if isinstance(inputs, np.ndarray) and inputs.dtype == np.float64 else None


def _torch(model: Any, inputs: Any) -> Any:
    torch = sys.modules["torch"]
    floating = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.float32)

    def tensor(array: Any) -> Any:
        made = torch.as_tensor(np.array(array))
        return made.to(floating) if made.is_floating_point() else made

    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            if isinstance(inputs, dict):
                return model(**{key: tensor(array) for key, array in inputs.items()})
            return model(*map(tensor, inputs)) if isinstance(inputs, list) else model(tensor(inputs))
    finally:
        model.train(training)


def as_array(value: Any, rows: int) -> Any:
    """What a model gave as numpy arrays of numbers or texts; one of a single output is taken out of its list."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)) and value and all(np.ndim(_numpy(item)) for item in value):
        items = [_numpy(item) for item in value]
        if len(items) == 1 and len(items[0]) == rows:
            return _plain(items[0])
        if len(items) != rows:
            return [_plain(item) for item in items]
        value = items
    return _plain(_numpy(value))


def _numpy(value: Any) -> Any:
    for step in ("detach", "cpu", "toarray", "to_numpy", "numpy"):  # PyTorch; sparse; pandas; TensorFlow
        method = None if isinstance(value, (np.ndarray, list, tuple)) else getattr(value, step, None)
        value = method() if callable(method) else value
    return np.asarray(value)


def _plain(array: Any) -> Any:
    if array.dtype == object:
        array = np.array(array.tolist())
    if array.dtype.kind in "biuUcO" or array.dtype in (np.float32, np.float64):
        return np.array(array, subok=False)  # objects and complex numbers: the examiner says what is wrong
    return array.astype(np.float64)  # half precision, bfloat16, long double


QUESTIONS = {"describe": describe, "predict": predict, "layers": model_parts.parts}
"""What the examiner may ask about a model."""
