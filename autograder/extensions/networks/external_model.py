"""Models that the examiner does not hold: it queries them in the kernel that they live in.

Such a model's description of itself is a claim and is read as one; its predictions are measured here. No text of a
claim reaches a message, because it may carry a hidden input.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from autograder._util.model_families import families
from autograder.check.asking import ask
from autograder.check.handle import Handle
from autograder.errors import LostError
from autograder.extensions.networks.refused_models import AskedHere
from autograder.kernel import model_family, model_questions

_OF_NO_LIBRARY = {"theano": "compiled function", "predictor": "class of your own", "function": "function"}
_MAX_PARAMETERS = 10**12


@dataclass(frozen=True)
class ExternalModel:
    """A model that can be queried, and its description of itself."""

    family: str
    """The name of a registered library, ``theano``, ``predictor`` or ``function``."""
    stays: bool
    """Whether such models stay in the kernel, and describe themselves where a check reads them."""
    noun: str
    """Noun for such a model."""
    remote: bool
    """Whether the model lives in the notebook's kernel; otherwise it is in this process, a notebook's or a test's."""
    problem: str
    """Why the model cannot predict, in words for the student; empty if it can."""
    method: str
    """Name of the method that predicts; empty for a model that is called."""
    classes: tuple[int, ...] | tuple[str, ...] | None
    """Classes of the prediction's columns, if the model names them."""
    decides: bool
    """Whether the model's ``predict`` returns classes."""
    parameters: int | None
    trainable: int | None
    counted: str
    """What was counted, if it is not the parameters of a network."""
    predict: Callable[[str, Any], Any]
    """Takes the method's name and one batch; returns the untrusted answer, an object of any kind."""
    parts: Callable[[], Any]
    """Returns the model's untrusted description of its layers, an object of any kind."""
    record: Callable[[Any], Any]
    """Takes the shapes of its inputs; returns the untrusted claim from which it is rebuilt."""

    def __str__(self) -> str:
        return f"a {self.noun}"


def external_model(obj: Any) -> ExternalModel | None:
    """Return the model that ``obj`` is, or that it is a handle of; None if it cannot predict.

    Raises:
        LostError: the kernel is gone, or did not answer in time.
    """
    if isinstance(obj, AskedHere):
        obj = obj.model
    try:
        if not isinstance(obj, Handle) and (isinstance(obj, type) or not model_family.family_name(obj)):
            return None
        claim = ask("describe", obj)
        predict = lambda method, batch: ask("predict", obj, batch, method)  # noqa: E731
        parts, record = partial(ask, "layers", obj), partial(ask, "record", obj)
        return _read(claim, isinstance(obj, Handle), predict, parts, record)
    except LostError:
        raise
    except Exception:  # the student's code prevented the description
        return None


def _read(
    claim: Any,
    remote: bool,
    predict: Callable[[str, Any], Any],
    parts: Callable[[], Any],
    record: Callable[[Any], Any],
) -> ExternalModel | None:
    """Check the type of every value in a claim; None if it does not describe a model."""
    if type(claim) is not dict or type(claim.get("family")) is not str:
        return None
    name, libraries = claim["family"], families()
    in_kernel, registered = model_family.family_named(name), libraries.get(name)
    if in_kernel is None:
        return None
    problems = _PROBLEMS if registered is None else registered.problems
    method = claim.get("how")
    method = method if type(method) is str and method in ("predict", "predict_proba", "decision_function") else ""
    counted, problem = claim.get("counted"), claim.get("problem")
    return ExternalModel(
        family=name,
        stays=in_kernel.reference == "network",
        noun=_OF_NO_LIBRARY[name] if registered is None else registered.noun,
        remote=remote,
        problem=problems.get(problem, "") if type(problem) is str else "",
        method=method,
        classes=_classes(claim.get("classes")),
        decides=claim.get("decides") is True,
        parameters=_count(claim.get("parameters")),
        trainable=_count(claim.get("trainable")),
        counted=counted if type(counted) is str and counted in in_kernel.counted else "",
        predict=predict,
        parts=parts,
        record=record,
    )


_PROBLEMS = {
    "updates": "This function changes its shared variables when it is called (updates=): it is a training step. "
    "Make one that only computes the predictions.",
}


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value <= _MAX_PARAMETERS else None


def _classes(values: Any) -> tuple[int, ...] | tuple[str, ...] | None:
    if type(values) is not list or not 0 < len(values) <= model_questions.MAX_CLASSES:
        return None
    one_kind = {type(value) for value in values} in ({int}, {str})
    return tuple(values) if one_kind and len(set(values)) == len(values) else None
