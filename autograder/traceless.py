"""Whether the tests of an exam leave nothing behind in the process that runs them, so that it may grade the next one.

Told from their syntax, and with a list of what they may use: builtins that keep nothing, the checks, and functions of
NumPy and math that return a value. A test that uses anything else may well leave nothing behind either; it gets a
process of its own for each submission, which costs a little time and asks for no trust.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterable, Iterator, Sequence

from autograder.examiner.names import Vocabulary, loaded_names, meant_names, vocabulary
from autograder.records import Exam, Role


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BUILTINS = _names(
    "abs all any ascii bin bool bytearray bytes callable chr complex dict divmod enumerate filter float format "
    "frozenset hasattr hash hex int isinstance issubclass iter len list map max min next object oct ord pow print "
    "range repr reversed round set slice sorted str sum super tuple type zip classmethod property staticmethod "
    "Ellipsis NotImplemented"
) | {name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)}

_CHECK = _names(
    "accuracy all_or_nothing any_of architecture at_least at_most between bonus close compiled dense function "
    "hidden_data layer loss only_if optional parameters repeat requires"
)

_NUMPY = _names(
    "abs absolute add all allclose amax amin any append arange argmax argmin argsort array array_equal asarray "
    "atleast_1d atleast_2d average bincount bool_ broadcast_to ceil clip column_stack complex128 complex64 concatenate "
    "copy corrcoef cos count_nonzero cov cross cumprod cumsum diag diff divide dot dtype e einsum empty_like equal exp "
    "expand_dims eye flip float16 float32 float64 floating floor full full_like generic hstack identity inf inner "
    "int16 int32 int64 int8 integer intersect1d isclose isfinite isin isinf isnan isscalar issubdtype linspace log "
    "log10 log1p log2 logical_and logical_not logical_or logspace matmul max maximum mean median meshgrid min minimum "
    "mod multiply nan nan_to_num nanmax nanmean nanmin ndarray ndim newaxis nonzero number ones ones_like outer "
    "percentile pi power prod ptp quantile ravel repeat reshape result_type roll round row_stack shape sign sin size "
    "sort sqrt square squeeze stack std subtract sum swapaxes take tan tanh tensordot tile trace transpose tril triu "
    "uint16 uint32 uint64 uint8 unique unravel_index var vstack where zeros zeros_like "
    "linalg.det linalg.eig linalg.eigh linalg.inv linalg.matrix_rank linalg.norm linalg.pinv linalg.solve linalg.svd "
    "testing.assert_allclose testing.assert_almost_equal testing.assert_array_almost_equal testing.assert_array_equal "
    "testing.assert_equal"
)
_PUBLIC = {"autograder.check": _CHECK, "numpy": _NUMPY}
_MATH = "math"
"""Of which everything returns a value."""
_DUNDERS = frozenset(["__name__", "__class__"])
_INNER = ("_", "f_", "tb_", "gi_", "cr_", "ag_")
"""How attributes begin that lead to Python's own: those of frames and of what has one give all variables of theirs."""


def traceless(exams: Sequence[Exam]) -> bool:
    """Whether all that the tests of these exams run, the instructor's own functions and imports included, is of what
    leaves nothing behind."""
    return all(_traceless(exam) for exam in exams)


def _traceless(exam: Exam) -> bool:
    code = [cell for cell in exam.cells if cell.cell_type == "code"]
    tests = [cell.source for cell in code if cell.role is Role.TEST]
    try:
        trees = [ast.parse(source) for source in (*tests, *_reached(tests, vocabulary(exam)))]
        imports = [node for cell in code for node in ast.walk(ast.parse(cell.source)) if _is_import(node)]
    except (SyntaxError, ValueError):  # a magic, for one
        return False
    modules = dict(name for node in imports for name in _modules(node))
    return all(_keeps_nothing(tree, modules) for tree in trees)


def _reached(tests: Iterable[str], known: Vocabulary) -> Iterator[str]:
    """The instructor's statements that the examiner runs for these tests."""
    done: set[str] = set()
    pending = [name for source in tests for name in meant_names(source)]
    while pending:
        name = pending.pop()
        if name not in done and name in known.trusted:
            yield known.trusted[name]
            pending.extend(loaded_names(known.trusted[name]))
        done.add(name)


def _is_import(node: ast.AST) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _modules(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Each name that an import binds, and the module, or what it may be."""
    match node:
        case ast.Import(names):
            yield from ((a.asname or a.name.split(".")[0], a.name if a.asname else a.name.split(".")[0]) for a in names)
        case ast.ImportFrom(module, names):
            yield from ((alias.asname or alias.name, f"{module}.{alias.name}") for alias in names)


def _keeps_nothing(tree: ast.AST, modules: dict[str, str]) -> bool:
    inner: set[ast.AST] = set()
    """What stands before a dot, from the name of a module on: it is looked at with what stands after it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (path := _path(node)) and path[0] in modules:
            inner.add(node.value)
    return all(node in inner or _is_harmless(node, modules) for node in ast.walk(tree))


def _is_harmless(node: ast.AST, modules: dict[str, str]) -> bool:
    match node:
        case ast.Import(names):
            return all(alias.name in _PUBLIC or alias.name in sys.stdlib_module_names for alias in names)
        case ast.ImportFrom(module, names):
            return all(f"{module}.{alias.name}" in _PUBLIC or _is_public(f"{module}.{alias.name}") for alias in names)
        case ast.Name(name):
            if name in modules:
                return _is_public(modules[name])
            return not name.startswith("__") and (name in _BUILTINS or not hasattr(builtins, name))
        case ast.Attribute(_, attr, ast.Load()):
            path = _path(node)
            if path and path[0] in modules:
                return _leads_from_public([modules[path[0]], *path[1:]])
            return _is_open(attr)
        case ast.Attribute() | ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith() | ast.Await():
            return False
    return True


def _is_public(path: str) -> bool:
    """Something of a module that a test may have as it is."""
    if path.split(".")[0] == _MATH:
        return True
    return any(path.startswith(f"{m}.") and path.removeprefix(f"{m}.") in names for m, names in _PUBLIC.items())


def _leads_from_public(path: Sequence[str]) -> bool:
    """``numpy.float32``, and ``numpy.float32.max`` which is of it."""
    return any(_is_public(".".join(path[:end])) for end in range(1, len(path) + 1)) and all(map(_is_open, path[1:]))


def _is_open(attribute: str) -> bool:
    return not attribute.startswith(_INNER) or attribute in _DUNDERS


def _path(node: ast.expr) -> list[str]:
    """``["np", "linalg", "norm"]``; empty where it does not begin with a name."""
    if isinstance(node, ast.Attribute):
        path = _path(node.value)
        return [*path, node.attr] if path else []
    return [node.id] if isinstance(node, ast.Name) else []
