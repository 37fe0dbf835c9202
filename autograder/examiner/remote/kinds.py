"""``isinstance`` and ``issubclass`` of a test, where the class is a library's and the object stayed in the kernel.

Only for classes whose objects always stay there: estimators of scikit-learn, callbacks of Keras, and what students
derive from Keras's base classes. That they are such is the notebook's word, as all else about them. What arrives as a
value or is rebuilt here is never taken on somebody's word: an object that says that it is a ``keras.Model`` is none.
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
    """The two functions, as names for a test cell; ``ask`` puts a question to the kernel."""

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
    """``module.Class`` of each class that is asked for; those of the student's notebook have no place here."""
    if type(kinds) in (tuple, types.UnionType):
        for kind in kinds if type(kinds) is tuple else kinds.__args__:
            yield from names(kind)
    elif builtins.isinstance(kinds, type) and reference_of(kinds) is None:
        yield f"{kinds.__module__}.{kinds.__qualname__}"
