"""Cheats: answers that look like work without being it.

Each probes one kind of weak test: a test that keeps a cheat's points looks only at what that cheat gets right.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from autograder._util.syntax import parsed
from autograder.coordinator.mutants import ZEROS
from autograder.extensions.trust.mutants.result_types import FLOAT, FRAME, ResultTypes, has_type
from autograder.records.exam import Exam, Role
from autograder.records.observations import MODEL

SAME_SHAPE = "zeros of the right type and shape"
SAME_TYPE = "a value of the right type, of another shape"
NOTHING = "`None`"
ITS_INPUT = "its own first argument"
CONSTANT = "the result for the first public example, always"
TABLE = "a table of the public examples"
UNTRAINED = "an untrained network of the same shape"
EQUAL_ODDS = "a network whose weights are all zero"
EQUALS_ALL = "an object that says that it equals everything"
NEARLY = "results that are 5 % too large"
STATED = "a number that was not computed, 5 % away"
TABLE_COLUMNS = "a table whose columns have other names"
TABLE_TEXTS = "a table of texts"
TABLE_GAP = "a table whose first row is missing values"
TABLE_PAIRS = "a table with one column in the reverse order"
PATCHED = "an untrained network whose `evaluate` and `predict` are replaced"

_OTHER_SHAPE = """
def _other_shape(value):
    if hasattr(value, "iloc"):
        return _zeros(value).iloc[:1]
    if hasattr(value, "shape") and hasattr(value, "dtype") and len(value.shape):
        return (value * 0).reshape(-1)[:1]
    return _zeros(value) if type(value) not in (list, tuple) else type(value)(map(_zeros, value[:1]))
"""
_TIMES = """
def _times(value, factor):
    if type(value) in (list, tuple):
        return type(value)(_times(one, factor) for one in value)
    is_float = type(value) is float or "float" in str(getattr(value, "dtype", ""))
    return value * factor if is_float else value
"""
_OF_TABLES = (
    (TABLE_COLUMNS, "_x.rename(columns=lambda name: f'{name}_')"),
    (TABLE_TEXTS, "_x.astype(str)"),
    (TABLE_GAP, "_x.mask([number == 0 for number in range(len(_x))])"),
    (TABLE_PAIRS, "_x.assign(**{_x.columns[-1]: _x[_x.columns[-1]].to_numpy()[::-1]})"),
)
_LIAR = """
class _Liar:
    def __eq__(self, other):
        return True

    def __bool__(self):
        return True

    def __len__(self):
        return 1
"""


def cheats(
    exam: Exam, index: int, source: str, tree: ast.Module, used: Sequence[str], types: ResultTypes
) -> Iterator[tuple[str, str]]:
    """Yield each cheat on an answer and its source.

    Args:
        exam: the exam.
        index: place of the answer's cell in it.
        source: the instructor's source.
        tree: its syntax tree.
        used: names that later cells and tests use of it.
        types: types of its results.
    """
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in used]
    models = [name for name in used if has_type(types, name, MODEL)]
    trained = models if ".fit(" in source else []  # else a later cell may train it
    values = [name for name in used if name not in functions and name not in models and _is_assigned(tree, name)]
    for name in functions:
        for kind, after in _of_function(source, name, list(public_calls(exam, index, name))):
            if kind != NEARLY or types.get(f"{name}()") != frozenset(
                {"int"}
            ):  # whole numbers say nothing of a tolerance
                yield kind, after
        for kind, pattern in _OF_TABLES if has_type(types, f"{name}()", FRAME) else ():
            right = f"_right_{name}"
            whole = f"(lambda table: {pattern.replace('_x', 'table')})({right}(*args, **kwargs))"
            yield kind, _appended(source, "", [f"{right} = {name}", _function(name, whole)])
    if values:
        # One statement for all names: where one raises, none is replaced.
        names = ", ".join(values)
        zeros, other_shapes = (
            ", ".join(f"{function}({name})" for name in values) for function in ("_zeros", "_other_shape")
        )
        yield SAME_SHAPE, _appended(source, ZEROS, [f"{names} = {zeros}"])
        yield SAME_TYPE, _appended(source, ZEROS + _OTHER_SHAPE, [f"{names} = {other_shapes}"])
        yield NOTHING, _appended(source, "", [f"{name} = None" for name in values])
        yield EQUALS_ALL, _appended(source, _LIAR, [f"{name} = _Liar()" for name in values])
    for name in values:
        for factor in (1.05, 0.95) if has_type(types, name, FLOAT) else ():
            yield STATED, _appended(source, _TIMES, [f"{name} = _times({name}, {factor})"])
        for kind, pattern in _OF_TABLES if has_type(types, name, FRAME) else ():
            yield kind, _appended(source, "", [f"{name} = {pattern.replace('_x', name)}"])
    for name in trained:
        untrained = f"{name} = _copied({name})"
        yield UNTRAINED, _appended(source, _COPIED, [untrained])
        yield EQUAL_ODDS, _appended(source, "", [f"{name}.set_weights([0 * one for one in {name}.get_weights()])"])
        patched = [
            untrained,
            f"{name}.evaluate = lambda *a, **k: [0.0, 1.0]",
            f"{name}.predict = lambda X, **k: {_SURE}",
        ]
        yield PATCHED, _appended(source, _COPIED, patched)


_SURE = "__import__('numpy').eye(10)[:1].repeat(len(X), axis=0)"
_COPIED = """
def _copied(model):
    import keras
    new = keras.models.clone_model(model)
    try:
        new.compile(optimizer=type(model.optimizer).__name__.lower(), loss=model.loss, metrics=["accuracy"])
    except Exception:
        pass
    return new
"""


def _of_function(source: str, name: str, calls: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the cheats on a function.

    The right one is kept under another name and called where a cheat needs it.
    """
    right = f"_right_{name}"
    alias = f"{right} = {name}"
    for kind, helpers, result in (
        (SAME_SHAPE, ZEROS, f"_zeros({right}(*args, **kwargs))"),
        (SAME_TYPE, ZEROS + _OTHER_SHAPE, f"_other_shape({right}(*args, **kwargs))"),
        (NOTHING, "", "None"),
        (ITS_INPUT, "", "(*args, *kwargs.values())[0]"),
        (EQUALS_ALL, _LIAR, "_Liar()"),
        (NEARLY, _TIMES, f"_times({right}(*args, **kwargs), 1.05)"),
    ):
        yield kind, _appended(source, helpers, [alias, _function(name, result)])
    if calls:
        yield CONSTANT, _appended(source, "", [alias, _function(name, calls[0].replace(f"{name}(", f"{right}(", 1))])
        entries = ", ".join(f"_key{call[len(name) :]}" for call in calls)
        key = "def _key(*args, **kwargs):\n    return repr((args, sorted(kwargs.items())))"
        table = f"_public = {{{entries}}}"
        looked_up = (
            f"{right}(*args, **kwargs) if _key(*args, **kwargs) in _public else _zeros({right}(*args, **kwargs))"
        )
        yield TABLE, _appended(source, ZEROS, [alias, key, table, _function(name, looked_up)])


def _function(name: str, result: str) -> str:
    return f"def {name}(*args, **kwargs):\n    return {result}"


def _appended(source: str, helpers: str, lines: Sequence[str]) -> str:
    return "\n".join([source.rstrip("\n"), *([helpers.strip("\n")] if helpers else []), *lines])


def public_calls(exam: Exam, index: int, name: str) -> Iterator[str]:
    """Yield the calls of a function that students see in later cells, with arguments that need no other name.

    ``check.function(f, cases=[((1, 2), 3)])`` counts as ``f(1, 2)``.
    """
    yielded: set[str] = set()
    for cell in exam.cells[index + 1 :]:
        tree = parsed(cell.released) if cell.cell_type == "code" and cell.role is not Role.ANSWER else None
        for node in ast.walk(tree) if tree is not None else ():
            for call in _calls(node, name):
                if call not in yielded and _is_self_contained(call):
                    yielded.add(call)
                    yield call


def _calls(node: ast.AST, name: str) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name) and node.func.id == name:
        yield ast.unparse(node)
    arguments_given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "cases")]
    if isinstance(node.func, ast.Attribute) and node.func.attr == "function" and len(arguments_given) > 1:
        is_function = isinstance(arguments_given[0], ast.Name) and arguments_given[0].id == name
        for case in (
            arguments_given[1].elts if is_function and isinstance(arguments_given[1], ast.List | ast.Tuple) else ()
        ):
            if isinstance(case, ast.Tuple) and len(case.elts) == 2:
                arguments = case.elts[0].elts if isinstance(case.elts[0], ast.Tuple) else [case.elts[0]]
                yield f"{name}({', '.join(map(ast.unparse, arguments))})"


_LIBRARY_NAMES = re.compile(r"np|numpy|True|False|None|list|tuple|range|float|int|math|tf|ops|keras|torch")


def _is_self_contained(call: str) -> bool:
    """Tell whether a call's arguments name only modules and built-in types."""
    tree = ast.parse(call, mode="eval").body
    assert isinstance(tree, ast.Call)
    inner = [node for part in (*tree.args, *tree.keywords) for node in ast.walk(part)]
    return all(_LIBRARY_NAMES.fullmatch(node.id) for node in inner if isinstance(node, ast.Name))


def _is_assigned(tree: ast.Module, name: str) -> bool:
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store) for node in ast.walk(tree)
    )
