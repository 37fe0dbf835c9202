"""The families of models: what a kernel says of the models of a library. Runs in the student's process.

An extension that registers a library has a module ``family_<library>`` in its folder ``kernel_side``. It is imported
once the student has imported the library. Every answer is a claim.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import model_inputs

METHODS = ("predict_proba", "decision_function", "predict")
"""What a predictor may be asked with; the method that tells the most comes first."""


class FamilyInKernel:
    """The models of one library in the process that they live in.

    A module of an extension says what differs from this class: functions of the methods' names, and ``REFERENCE``,
    ``DECIDES``, ``COUNTED`` and ``LATE_PARTS``. ``is_mine`` is in every such module.

    Attributes:
        library: the name by which the library is imported.
        reference: ``model`` for models that are described with a cell's answers. ``network`` for those that a copy of
            the process describes, where a check may read them. Empty for those that are only asked.
        decides: whether their ``predict`` returns the class.
        counted: all that :meth:`count` may say it has counted.
        late_parts: modules that a first description imports: before the process is copied for it.
    """

    library = ""
    reference = ""
    decides = False
    counted: frozenset[str] = frozenset()
    late_parts: tuple[str, ...] = ()

    def __init__(self, library: str = "", module: Any = None) -> None:
        self.library = library or self.library
        for name in ("reference", "decides", "counted", "late_parts"):
            setattr(self, name, getattr(module, name.upper(), getattr(self, name)))
        for name in (
            "is_mine",
            "claim",
            "problem",
            "method",
            "count",
            "parts",
            "predict",
            "variables",
            "trainings",
            "watch",
        ):
            setattr(self, name, getattr(module, name, getattr(self, name)))

    def is_mine(self, model: Any) -> bool:
        """Return whether it is a model of this library; it is asked of every object, and must be quick."""
        raise NotImplementedError

    def claim(self, model: Any, shapes: Any) -> tuple[dict[str, Any], list[Any]]:
        """Describe a model as plain values and arrays, from which the examiner rebuilds it.

        Args:
            model: the model.
            shapes: the shapes of its inputs that a test knows; None if they are unknown.
        """
        raise NotImplementedError

    def problem(self, model: Any, method: str) -> str:
        """Return a word for why it cannot predict now, or an empty text; the examiner has a sentence for each."""
        return ""

    def method(self, model: Any) -> str:
        """Return the method that predicts; empty for a model that is called."""
        return ""

    def count(self, model: Any) -> tuple[Any, Any, str]:
        """Count parameters and trainable ones, and say what was counted; None if nothing can be counted."""
        return None, None, ""

    def parts(self, model: Any) -> list[Any]:
        """List its parts in the order of the computation, see :func:`model_parts.described`."""
        raise NotImplementedError

    def predict(self, model: Any, inputs: Any, method: str) -> Any:
        """Compute the outputs for one batch: an array with rows first, or a list or dict of such arrays."""
        function = getattr(model, method) if method in METHODS else model
        try:
            return model_inputs.passed(function, inputs)
        except Exception:
            single = model_inputs.single_precision(inputs)
            if single is None:
                raise
            return model_inputs.passed(function, single)

    def variables(self, model: Any, shapes: Any) -> list[Any]:
        """Return the variables of a model in the order in which :meth:`claim` sends their numbers."""
        raise NotImplementedError

    def trainings(self) -> dict[str, int]:
        """Return how trainings have run so far, by way."""
        return {}

    def watch(self, shell: Any) -> None:
        """Begin to note what models do in an IPython shell of a student's own notebook."""


class _Theano(FamilyInKernel):
    """Compiled functions of Theano, and of PyTensor."""

    library = "theano"

    def is_mine(self, model: Any) -> bool:
        return type(model).__name__ == "Function" and hasattr(getattr(model, "maker", None), "expanded_inputs")

    def problem(self, model: Any, method: str) -> str:
        """Return whether a call changes shared variables other than random states: a training step."""
        inputs = model.maker.expanded_inputs
        steps = any(i.update is not None and "Random" not in type(i.variable.type).__name__ for i in inputs)
        return "updates" if steps else ""


class _Predictor(FamilyInKernel):
    """Objects of the student's own classes that predict."""

    library = "predictor"
    decides = True

    def is_mine(self, model: Any) -> bool:
        return callable(getattr(model, "predict", None)) or callable(getattr(model, "predict_proba", None))

    def method(self, model: Any) -> str:
        return best_method(model, METHODS)


class _Function(FamilyInKernel):
    """Anything that can be called."""

    library = "function"

    def is_mine(self, model: Any) -> bool:
        return callable(model)


_OF_NO_LIBRARY = (_Theano(), _Predictor(), _Function())


def best_method(model: Any, names: tuple[str, ...]) -> str:
    """Return the first of these methods that a model has, or an empty text."""
    return next((name for name in names if callable(getattr(model, name, None))), "")


@functools.cache
def _beside_agent() -> Mapping[str, str]:
    """List the modules of families that lie beside the agent, by library."""
    package, folder = __package__.rpartition(".")[0], Path(__file__).resolve().parents[1]
    modules = {}
    for path in sorted(folder.glob("extensions/**/kernel_side/family_*.py")):
        module = ".".join(path.relative_to(folder).with_suffix("").parts)
        modules[path.stem[len("family_") :]] = f"{package}.{module}"
    return modules


registered: Callable[[], Mapping[str, str]] = _beside_agent
"""Lists the modules of families by library; outside of a kernel, the registered ones."""


def family_named(library: str) -> FamilyInKernel | None:
    """Return the family of a name, whether the library is imported or not; None if there is none."""
    for family in _OF_NO_LIBRARY:
        if family.library == library:
            return family
    module = registered().get(library)
    return None if module is None else _read(library, module)


@functools.cache
def _read(library: str, module: str) -> FamilyInKernel:
    return FamilyInKernel(library, importlib.import_module(module))


def of_libraries() -> list[FamilyInKernel]:
    """List the families of the registered libraries that have been imported."""
    return [_read(library, module) for library, module in registered().items() if library in sys.modules]


def of_library(model: Any) -> FamilyInKernel | None:
    """Return the family of the library that an object is a model of; None for anything else."""
    return next((family for family in of_libraries() if family.is_mine(model)), None)


def family_of(model: Any) -> FamilyInKernel | None:
    """Return the family of a model of a library, or the kind of object that predicts; else None."""
    family = of_library(model)
    if family is not None or isinstance(model, type):
        return family
    return next((kind for kind in _OF_NO_LIBRARY if kind.is_mine(model)), None)


def family_name(model: Any) -> str:
    """Tell by which library, or by which kind of object, a model predicts.

    Returns:
        ``keras``, ``torch``, ``sklearn`` or another registered library; ``theano`` (PyTensor's functions, too),
        ``predictor`` (an object of the student's own class that predicts), ``function``, or ``""`` for anything else.
    """
    family = family_of(model)
    return "" if family is None else family.library


def is_a(model: Any, module: str, name: str) -> bool:
    """Return whether the model's class derives from a class of a library that the student has imported."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(model, kind)
