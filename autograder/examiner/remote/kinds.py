"""A test's ``isinstance`` and ``issubclass`` for an object in the kernel and a class of a library.

They work for classes whose objects always stay in the kernel: scikit-learn's estimators, Keras's callbacks, and
students' subclasses of Keras's base classes. That an object has such a class is a claim of the notebook, as everything
about it. An object that arrives as a copy or is rebuilt is never judged by a claim: one that claims to be a
``keras.Model`` is not.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable, Iterator
from typing import Any

from autograder.check.handle import reference_of

_INSTANCES = ("sklearn.", "keras.src.callbacks.")
_DERIVED = frozenset(
    ["keras.src.layers.layer.Layer", "keras.src.losses.loss.Loss", "keras.src.metrics.metric.Metric",
     "keras.src.initializers.initializer.Initializer", "keras.src.regularizers.regularizers.Regularizer",
     "keras.src.constraints.constraints.Constraint"]
)  # fmt: skip


def kind_checks(ask: Callable[..., Any]) -> dict[str, Any]:
    """Return both functions as names for a test cell; ``ask`` sends a question to the kernel."""

    def isinstance(obj: Any, kinds: Any) -> bool:
        return builtins.isinstance(obj, kinds) or said(obj, {n for n in names(kinds) if n.startswith(_INSTANCES)})

    def issubclass(kind: Any, kinds: Any) -> bool:
        wanted = {n for n in names(kinds) if n.startswith(_INSTANCES) or n in _DERIVED}
        return builtins.issubclass(kind, kinds) or said(kind, wanted)

    def said(obj: Any, wanted: set[str]) -> bool:
        if not wanted or reference_of(obj) is None:
            return False
        answer = ask("operate", "kinds", (obj,))
        return type(answer) is list and any(type(name) is str and name in wanted for name in answer)

    return {"isinstance": isinstance, "issubclass": issubclass}


def names(kinds: Any) -> Iterator[str]:
    """Yield ``module.Class`` of each class in the second argument, except classes of the student's notebook."""
    if type(kinds) in (tuple, types.UnionType):
        for kind in kinds if type(kinds) is tuple else kinds.__args__:
            yield from names(kind)
    elif builtins.isinstance(kinds, type) and reference_of(kinds) is None:
        yield f"{kinds.__module__}.{kinds.__qualname__}"
