"""The questions that the examiner may ask about a model. Runs in the student's kernel, or in their notebook.

Imports nothing else of the kit, and no library that the student has not imported. Every answer is a claim: the examiner
computes losses from the predictions and from labels that never come here.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from . import model_family, model_parts, model_predictions

MAX_CLASSES = 10_000

_NOTHING_YET = ("nothing", "unfitted", "unbuilt")
"""Problems of a model that has learned nothing."""


def describe(model: Any) -> dict[str, Any]:
    """Describe a model in its own words.

    Returns:
        A dict. ``family``; ``problem`` says why it cannot predict now (``unfitted``, ``unbuilt``, ``updates``,
        ``silent``, ``nothing``), or is empty. ``how`` is the method that is asked, and ``classes`` the meaning of its
        predictions' columns, if it tells. ``decides`` says whether ``predict`` returns the class. ``parameters`` and
        ``trainable`` are numbers or None, and ``counted`` says what was counted.
    """
    family = model_family.family_of(model)
    how = "" if family is None else family.method(model)
    problem = "nothing" if family is None else family.problem(model, how)
    learned = family is not None and problem not in _NOTHING_YET
    parameters, trainable, counted = family.count(model) if family is not None and learned else (None, None, "")
    return {
        "family": "" if family is None else family.library,
        "problem": problem,
        "how": how,
        "classes": _classes(model) if learned else None,
        "decides": family is not None and family.decides and callable(getattr(model, "predict", None)),
        "parameters": parameters,
        "trainable": trainable,
        "counted": counted,
    }


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


def parts(model: Any) -> list[Any]:
    """List the parts of a model, in the order of the computation, see :func:`model_parts.described`."""
    family: Any = model_family.family_of(model)
    return list(family.parts(model)[: model_parts.MAX_LAYERS])


def record(model: Any, shapes: Any) -> tuple[dict[str, Any], list[Any]]:
    """Describe a model as its family does, with the ``library`` whose extension rebuilds it.

    Args:
        model: a model of a library.
        shapes: the shapes of its inputs that a test knows; None if they are unknown.
    """
    family: Any = model_family.of_library(model)
    described, arrays = family.claim(model, shapes)
    return {"library": family.library, **described}, arrays


QUESTIONS: dict[str, Any] = {
    "describe": describe,
    "predict": model_predictions.predict,
    "layers": parts,
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
