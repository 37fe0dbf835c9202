"""A test's ``isinstance``, ``issubclass`` and ``type`` for an object in the kernel and a class of a library.

They work for classes whose objects always stay in the kernel: scikit-learn's estimators, graphs, parsers, Keras's
callbacks, and students' subclasses of Keras's base classes. That an object has such a class is a claim of the notebook,
as everything about it, and gives it nothing that another handle lacks. An object that arrives as a copy or is rebuilt
is never judged by a claim: one that claims to be a ``keras.Model`` or a number is not.
"""

from __future__ import annotations

import ast
import builtins
import functools
import re
import types
from collections.abc import Iterator, Mapping
from typing import Any

from autograder._util.syntax import AST_CACHE_SIZE
from autograder.check.exact_integer import ExactInteger, exact_again
from autograder.check.handle import reference_of
from autograder.examiner.empty_answer import EmptyAnswer
from autograder.examiner.remote.base_values import INSTANCES, MISSING
from autograder.examiner.remote.inspection import APPARENT_TYPES
from autograder.examiner.remote.operators import Operators, is_same_of_library, plain_value
from autograder.examiner.student_text.given_pickles import loading

_NEVER = re.compile(
    r"(?:builtins|__main__|abc|numbers|typing|collections|types|enum|datetime|decimal|fractions|uuid|ipaddress|pathlib"
    r"|zoneinfo|array|unittest|pytest|_pytest|autograder"  # Python's values, and what tests are made of
    r"|numpy|pandas|polars|pyarrow|xarray|jax|jaxlib|tensorflow|keras|tf_keras|matplotlib)\..*"  # arrays, rebuilt
    r"|re\.Pattern|scipy\.sparse\..*|torch\.(?:Tensor|Size|dtype|nn\.parameter\..*)"
)
"""Classes that no object may claim: their objects arrive as values, or are rebuilt."""
_STILL = re.compile(
    r"numpy\.random\..*|keras\.src\.callbacks\..*|pandas\.core\.(?:groupby|window|resample)\..*"
    r"|pandas\._libs\.tslibs\.offsets\..*"
)
"""Classes among them whose objects always stay in the kernel."""
_DERIVED = frozenset(
    ["keras.src.layers.layer.Layer", "keras.src.losses.loss.Loss", "keras.src.metrics.metric.Metric",
     "keras.src.initializers.initializer.Initializer", "keras.src.regularizers.regularizers.Regularizer",
     "keras.src.constraints.constraints.Constraint"]
)  # fmt: skip
TYPE = "__type_of__"
"""What ``type(x)`` of a test calls. The name ``type`` itself stays Python's, as classes are derived from it."""
IS = "__is_same__"
"""What ``x is y`` of a test calls: ``f is np.sum`` holds for the kernel's own ``np.sum``."""
EXACT = "__exact__"
"""What a test passes the results of these functions to: a handle, a float, a text or a file is no integer before."""
LOADING = "__loading__"
"""What a test passes a function to before it calls it by one of these names: it may unpickle an instructor's file."""
_UNPICKLING = frozenset(["load", "loads", "read_pickle"])
_READERS = (
    "read_csv read_table read_fwf read_json read_excel read_parquet read_feather read_html read_xml read_hdf read_sql "
    "read_sql_query read_sql_table fetchall fetchone fetchmany load loads safe_load loadtxt genfromtxt fromfile "
    "fromstring frombuffer fromregex literal_eval to_numeric from_bytes unpack unpack_from"
)
"""Functions that make numbers of a file or a text, which may be the student's."""
_COUNTING = frozenset(["int", "float", "len", "round", "sum", "prod", "floor", "ceil", "trunc", *_READERS.split()])


def may_be_claimed(name: str) -> bool:
    """Tell whether an object may claim to be of the class ``module.Class``."""
    return _STILL.fullmatch(name) is not None or _NEVER.fullmatch(name) is None


def kind_checks(remote: Any, cell: Mapping[str, Any], source: str = "") -> dict[str, Any]:
    """Return the functions as names for a test cell.

    Args:
        remote: the connection to the kernel.
        cell: the names of the cell.
        source: the cell and the instructor's functions that it uses; a claim to be of a class named there gives it.
    """

    def isinstance(obj: Any, kinds: Any) -> bool:
        if builtins.isinstance(obj, kinds) or said(obj, set(filter(may_be_claimed, names(kinds)))):
            return True
        base = plain_value(obj) if builtins.isinstance(obj, Operators) else MISSING
        return base is not MISSING and builtins.isinstance(base, kinds)

    def issubclass(kind: Any, kinds: Any) -> bool:
        wanted = {n for n in names(kinds) if may_be_claimed(n) or n in _DERIVED}
        return builtins.issubclass(kind, kinds) or said(kind, wanted)

    def said(obj: Any, wanted: set[str]) -> bool:
        if not wanted or reference_of(obj) is None:
            return False
        answer = remote.ask("operate", "kinds", (obj,))
        return type(answer) is list and any(type(name) is str and name in wanted for name in answer)

    def type_of(obj: Any) -> Any:
        kind, reference = obj.__class__ if type(obj) in (ExactInteger, EmptyAnswer) else type(obj), reference_of(obj)
        if reference is None or reference.kind not in INSTANCES or reference_of(kind) is not None:
            return kind
        name = reference.type_name
        if name in APPARENT_TYPES:
            return APPARENT_TYPES[name]
        classes = {name_of(c): c for c in _classes(source, cell)} if may_be_claimed(name) else {}
        return classes.get(name) or claimed(name)

    def exact(value: Any) -> Any:
        return remote.exact(exact_again(value))

    return {
        "isinstance": isinstance,
        "issubclass": issubclass,
        TYPE: type_of,
        IS: is_same,
        EXACT: exact,
        LOADING: loading,
    }


def is_same(first: Any, second: Any) -> bool:
    """Return whether both are one object, or the same function or class of a library."""
    mine, theirs = reference_of(first), reference_of(second)
    if mine is not None and theirs is not None and mine.handle == theirs.handle:
        return True
    if first is second or (mine is None) == (theirs is None):
        return first is second
    handle, local = (first, second) if theirs is None else (second, first)
    return builtins.isinstance(handle, Operators) and is_same_of_library(handle, local)


# --- type(x) -----------------------------------------------------------------------------------------


class ClaimedType(type):
    """Metaclass of the stand-ins for classes in the kernel.

    A stand-in has the name that the kernel says, and equals the class of that name if :func:`may_be_claimed` says so.
    """

    claim: str

    def __call__(cls, *_: Any, **__: Any) -> Any:
        """Refuse to make an instance."""
        raise TypeError(f"a test cannot call {cls!r}, the class of an object that stays in the notebook's kernel")

    def __eq__(cls, kind: object) -> bool:
        if cls is kind or not isinstance(kind, type) or isinstance(kind, ClaimedType):
            return cls is kind
        return name_of(kind) == cls.claim and may_be_claimed(cls.claim)

    def __hash__(cls) -> int:
        return hash(cls.claim)

    def __repr__(cls) -> str:
        return f"<class '{cls.claim}'>"


@functools.lru_cache(maxsize=1000)
def claimed(name: str) -> ClaimedType:
    """Return the one stand-in for all classes of this name."""
    module, _, short = name.rpartition(".")
    stand_in = ClaimedType(short, (), {"__module__": module, "__slots__": ()})
    stand_in.claim = name
    return stand_in


def with_types(tree: ast.Module) -> ast.Module:
    """Make ``type(x)`` in a tree a call of :data:`TYPE`, ``x is y`` one of :data:`IS`, ``int(x)`` one of :data:`EXACT`.

    The function of ``pickle.load(x)`` passes :data:`LOADING`. A source that has a ``type`` of its own keeps it.
    """
    tree = ast.fix_missing_locations(_Replacement().visit(tree))
    if any(_binds_type(node) for node in ast.walk(tree)):
        return tree
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type":
            alone = len(node.args) == 1 and not node.keywords and not isinstance(node.args[0], ast.Starred)
            node.func.id = TYPE if alone else node.func.id
    return tree


class _Replacement(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Pass on what ``int(x)``, ``read_csv(x)`` and the like return, and each item of ``map(int, x)``."""
        self.generic_visit(node)
        called = _name(node.func)
        if called in _UNPICKLING:
            node.func = ast.copy_location(ast.Call(ast.Name(LOADING, ast.Load()), [node.func], []), node.func)
        exact = ast.copy_location(ast.Name(EXACT, ast.Load()), node)
        if called in _COUNTING:
            return ast.copy_location(ast.Call(exact, [node], []), node)
        if called == "map" and node.args and _name(node.args[0]) in _COUNTING:
            return ast.copy_location(ast.Call(ast.Name("map", ast.Load()), [exact, node], []), node)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Replace a single ``is`` or ``is not``, except with a constant."""
        self.generic_visit(node)
        sides = [node.left, *node.comparators]
        if len(sides) > 2 or not isinstance(node.ops[0], ast.Is | ast.IsNot):
            return node
        if any(isinstance(side, ast.Constant) for side in sides):
            return node
        called: ast.expr = ast.copy_location(ast.Call(ast.Name(IS, ast.Load()), sides, []), node)
        return called if isinstance(node.ops[0], ast.Is) else ast.copy_location(ast.UnaryOp(ast.Not(), called), node)


def _name(function: ast.expr) -> str:
    return str(getattr(function, "id", getattr(function, "attr", "")))


def _binds_type(node: ast.AST) -> bool:
    bound = getattr(node, "name", None) or getattr(node, "arg", None) or getattr(node, "asname", None)
    return bound == "type" or (isinstance(node, ast.Name) and node.id == "type" and not isinstance(node.ctx, ast.Load))


def _classes(source: str, cell: Mapping[str, Any]) -> Iterator[type]:
    """Yield the classes that a source names: ``LinearRegression``, ``linear_model.LinearRegression``."""
    for first, *attributes in _dotted(source):
        value = cell.get(first)
        for name in attributes:
            value = getattr(value, name, None) if isinstance(value, types.ModuleType) else None
        if isinstance(value, type) and reference_of(value) is None:
            yield value


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _dotted(source: str) -> frozenset[tuple[str, ...]]:
    dotted = set()
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            dotted.add((node.id, *reversed(names)))
    return frozenset(dotted)


# --- isinstance(x, kinds) ----------------------------------------------------------------------------


def names(kinds: Any) -> Iterator[str]:
    """Yield ``module.Class`` of each class in the second argument, except classes of the student's notebook."""
    if type(kinds) in (tuple, types.UnionType):
        for kind in kinds if type(kinds) is tuple else kinds.__args__:
            yield from names(kind)
    elif builtins.isinstance(kinds, type) and reference_of(kinds) is None:
        yield name_of(kinds)


def name_of(kind: type) -> str:
    """Return ``module.Class``; for a class that replaces a library's while a test runs, that of the library's."""
    kind = next(one for one in kind.__mro__ if not str(one.__module__).startswith("autograder."))
    return f"{kind.__module__}.{kind.__qualname__}"
