"""``isinstance``, ``issubclass`` and ``type`` of a test, for a library's class and an object that stayed in the kernel.

Only for classes whose objects always stay there: estimators of scikit-learn, graphs, parsers, callbacks of Keras, what
students derive from Keras's base classes. That they are such is the notebook's word, as all else about them, and gives
them nothing that another handle has not. What arrives as a value or is rebuilt here is never taken on somebody's word:
an object that says that it is a ``keras.Model`` or a number is none.
"""

from __future__ import annotations

import ast
import builtins
import functools
import re
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autograder.check.handle import reference_of
from autograder.examiner.remote.inspection import POSES
from autograder.records import AST_CACHE_SIZE

_NEVER = re.compile(
    r"(?:builtins|__main__|abc|numbers|typing|collections|types|enum|datetime|decimal|fractions|uuid|ipaddress|pathlib"
    r"|zoneinfo|array|unittest|pytest|_pytest|autograder"  # Python's values, and what tests are made of
    r"|numpy|pandas|polars|pyarrow|xarray|jax|jaxlib|tensorflow|keras|tf_keras|matplotlib)\..*"  # arrays, rebuilt
    r"|re\.Pattern|scipy\.sparse\..*|torch\.(?:Tensor|Size|dtype|nn\.parameter\..*)"
)
"""Classes of which nobody's word is taken: their objects arrive as values, or are rebuilt."""
_STILL = re.compile(
    r"numpy\.random\..*|keras\.src\.callbacks\..*|pandas\.core\.(?:groupby|window|resample)\..*"
    r"|pandas\._libs\.tslibs\.offsets\..*"
)
"""Those among them whose objects always stay in the kernel."""
_DERIVED = frozenset(
    ["keras.src.layers.layer.Layer", "keras.src.losses.loss.Loss", "keras.src.metrics.metric.Metric",
     "keras.src.initializers.initializer.Initializer", "keras.src.regularizers.regularizers.Regularizer",
     "keras.src.constraints.constraints.Constraint"]
)  # fmt: skip
TYPE = "__type_of__"
"""What ``type(x)`` of a test calls. The name ``type`` itself stays Python's, as classes are derived from it."""


def may_be_claimed(name: str) -> bool:
    """Tell whether the notebook's word is taken that an object is of this class: ``module.Class``."""
    return _STILL.fullmatch(name) is not None or _NEVER.fullmatch(name) is None


def asking(ask: Callable[..., Any], cell: Mapping[str, Any], source: str = "") -> dict[str, Any]:
    """The functions, as names for a test cell.

    Args:
        ask: puts a question to the kernel.
        cell: the names of the cell.
        source: the cell, and what it uses of the instructor's; a class that it names is the type of what says so.
    """

    def isinstance(obj: Any, kinds: Any) -> bool:
        return builtins.isinstance(obj, kinds) or said(obj, set(filter(may_be_claimed, names(kinds))))

    def issubclass(kind: Any, kinds: Any) -> bool:
        wanted = {n for n in names(kinds) if may_be_claimed(n) or n in _DERIVED}
        return builtins.issubclass(kind, kinds) or said(kind, wanted)

    def said(obj: Any, wanted: set[str]) -> bool:
        if not wanted or reference_of(obj) is None:
            return False
        answer = ask("operate", "kinds", (obj,))
        return type(answer) is list and any(type(name) is str and name in wanted for name in answer)

    def type_of(obj: Any) -> Any:
        kind, reference = type(obj), reference_of(obj)
        if reference is None or reference.kind not in ("object", "function") or reference_of(kind) is not None:
            return kind
        name = reference.type_name
        if name in POSES:
            return POSES[name]
        named = {_name(c): c for c in _classes(source, cell)} if may_be_claimed(name) else {}
        return named.get(name) or claimed(name)

    return {"isinstance": isinstance, "issubclass": issubclass, TYPE: type_of}


# --- type(x) -----------------------------------------------------------------------------------------


class ClaimedType(type):
    """The class of classes that stand for one of the kernel's: it has that name, and equals the class of that name
    where :func:`may_be_claimed` says so."""

    claim: str

    def __call__(cls, *_: Any, **__: Any) -> Any:
        raise TypeError(f"a test cannot call {cls!r}, the class of an object that stays in the notebook's kernel")

    def __eq__(cls, other: object) -> bool:
        if cls is other or not isinstance(other, type) or isinstance(other, ClaimedType):
            return cls is other
        return _name(other) == cls.claim and may_be_claimed(cls.claim)

    def __hash__(cls) -> int:
        return hash(cls.claim)

    def __repr__(cls) -> str:
        return f"<class '{cls.claim}'>"


@functools.lru_cache(maxsize=1000)
def claimed(name: str) -> ClaimedType:
    """The one class that stands for all of this name."""
    module, _, short = name.rpartition(".")
    made = ClaimedType(short, (), {"__module__": module, "__slots__": ()})
    made.claim = name
    return made


def with_types(tree: ast.Module) -> ast.Module:
    """The tree, with ``type(x)`` as a call of :data:`TYPE`; as it is where the source has a ``type`` of its own."""
    if any(_binds_type(node) for node in ast.walk(tree)):
        return tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type":
            alone = len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred)
            node.func.id = TYPE if alone else node.func.id
    return tree


def _binds_type(node: ast.AST) -> bool:
    bound = getattr(node, "name", None) or getattr(node, "arg", None) or getattr(node, "asname", None)
    return bound == "type" or (isinstance(node, ast.Name) and node.id == "type" and not isinstance(node.ctx, ast.Load))


def _classes(source: str, cell: Mapping[str, Any]) -> Iterator[type]:
    """The classes that a source names: ``LinearRegression``, ``linear_model.LinearRegression``."""
    for first, *rest in _dotted(source):
        value = cell.get(first)
        for name in rest:
            value = getattr(value, name, None) if isinstance(value, types.ModuleType) else None
        if isinstance(value, type) and reference_of(value) is None:
            yield value


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _dotted(source: str) -> frozenset[tuple[str, ...]]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            found.add((node.id, *reversed(names)))
    return frozenset(found)


# --- isinstance(x, kinds) ----------------------------------------------------------------------------


def names(kinds: Any) -> Iterator[str]:
    """``module.Class`` of each class that is asked for; those of the student's notebook have no place here."""
    if type(kinds) in (tuple, types.UnionType):
        for kind in kinds if type(kinds) is tuple else kinds.__args__:
            yield from names(kind)
    elif builtins.isinstance(kinds, type) and reference_of(kinds) is None:
        yield _name(kinds)


def _name(kind: type) -> str:
    """``module.Class``; of what takes the place of a library's class while a test runs, that of the library's."""
    kind = next(one for one in kind.__mro__ if not str(one.__module__).startswith("autograder."))
    return f"{kind.__module__}.{kind.__qualname__}"
