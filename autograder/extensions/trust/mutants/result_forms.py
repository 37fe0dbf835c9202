"""Honest results in another form: another order, type or index, where the task leaves them open."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from autograder._util.syntax import own_nodes, parsed
from autograder.extensions.trust.mutants.code_slips import called
from autograder.extensions.trust.mutants.syntax_edits import replaced

ORDER = r"\border|sort|ascend|descend|alphabet|smallest|largest|\bfirst\b|\blast\b"
"""Pattern of the words by which a task settles an order."""
_WHOLE = r"\bint|whole|float|decimal|dtype"
_UNORDERED = r"\bset\(|\{.* for |unique\(|fromkeys\(|Counter\("
_NUMBERED = r"reset_index|as_index=False|ignore_index"
_AS_NUMPYS = "np.asarray(_x)[()] if type(_x) in (int, float) else _x"
_AS_WHOLE = "int(_x) if type(_x) is float and _x == int(_x) else _x"
_PLACES = r"arg|index|nonzero|where\(|len\("


@dataclass(frozen=True, slots=True)
class ResultForm:
    """One way to give the same result in another form."""

    kind: str
    """Kind of the result, as :func:`kind_of` says it."""
    operator: str
    pattern: str
    """Expression in which ``_x`` is the result."""
    settled: str
    """Pattern of the words by which a task settles this form, so that no other is right."""
    needed: str = ""
    """Pattern that the answer's source must match."""
    refused: str = "^$"
    """Pattern that the answer's source must not match."""


FORMS: tuple[ResultForm, ...] = (
    ResultForm("list", "a tuple for a list", "tuple(_x)", r"\blists?\b"),
    ResultForm("list", "an array for a list", "np.array(_x)", r"\blists?\b|\barray"),
    ResultForm("list", "a generator for a list", "(value for value in _x)", r"\blists?\b|\barray|\btuple"),
    ResultForm("list", "another order of what is different", "list(_x)[::-1]", ORDER, _UNORDERED),
    ResultForm("array", "another order of what is different", "_x[::-1]", ORDER, _UNORDERED),
    ResultForm("tuple", "a list for a tuple", "list(_x)", r"\btuple|\bpair"),
    ResultForm("set", "a list for a set", "list(_x)", r"\bsets?\b"),
    ResultForm("dict", "another order of a dict", "dict(reversed(_x.items()))", ORDER),
    ResultForm("dict", "a subclass for a dict", "__import__('collections').OrderedDict(_x)", r"\bdict\b|dictionary"),
    ResultForm("array", "a list for an array", "np.asarray(_x).tolist()", r"array|matrix|vector|shape|numpy"),
    ResultForm("array", "a copy of an array", "np.array(_x)", r"\bview|in place"),
    ResultForm("array", "a view for an array", "np.array(_x)[...]", r"\bview|\bcopy"),
    ResultForm(
        "array",
        "whole numbers for floats, where all are whole",
        "_x.astype(int) if np.ndim(_x) and np.all(_x == np.floor(_x)) else _x",
        _WHOLE,
    ),
    ResultForm("array", "floats for whole numbers", "np.asarray(_x, dtype=float)", _WHOLE, refused=_PLACES),
    ResultForm(
        "number",
        "a number of numpy's",
        _AS_NUMPYS,
        r"Python (number|float|int)",
    ),
    ResultForm("number", "a plain number for one of numpy's", "float(_x)", r"numpy", r"\bnp\.", _PLACES),
    ResultForm("number", "a whole number for a float", _AS_WHOLE, _WHOLE),
    ResultForm("table", "columns in another order", "_x[_x.columns[::-1]] if hasattr(_x, 'columns') else _x", ORDER),
    ResultForm("table", "rows in another order", "_x.iloc[::-1]", ORDER + "|same table"),
    ResultForm(
        "table", "rows with other numbers in the index", "_x.set_axis(range(7, 7 + len(_x)))", "index", _NUMBERED
    ),
)
"""Forms that Python's, numpy's and pandas' results may have."""


def result_forms(
    source: str, tree: ast.Module, used: Sequence[str], task: str, has_numpy: bool
) -> Iterator[tuple[str, str]]:
    """Yield an answer with its results in each form that the task leaves open.

    Args:
        source: the instructor's source.
        tree: its syntax tree.
        used: names that later cells and tests use of it.
        task: what students are told, in words and in released code.
        has_numpy: whether the notebook imports numpy as ``np``.
    """
    for node in tree.body:
        results = _results(node, used)
        kinds = {name: kind_of(value, node) for name, value in results}
        for form in FORMS if results else ():
            chosen = [name for name, of_name in kinds.items() if of_name == form.kind]
            if chosen and _is_open(form, ast.unparse(node), task) and (has_numpy or "np." not in form.pattern):
                after = (
                    _with(source, node, form) if isinstance(node, ast.FunctionDef) else _appended(source, chosen, form)
                )
                if parsed(after) is not None:
                    yield form.operator, after


OPERATORS = frozenset(form.operator for form in FORMS)
"""Names of these rewrites."""
ORDERS = frozenset(name for name in OPERATORS if re.search(r"order|index|generator", name))
"""Those of them whose results no comparison of values takes for the solution's."""


def _is_open(form: ResultForm, source: str, task: str) -> bool:
    if re.search(form.settled, task, re.IGNORECASE):
        return False
    return bool(re.search(form.needed, source)) and not re.search(form.refused, source)


def _results(node: ast.stmt, used: Sequence[str]) -> list[tuple[str, ast.expr]]:
    """List what a statement gives to tests: a function's returned expressions, or the value of a name."""
    if isinstance(node, ast.FunctionDef) and node.name in used:
        return [(str(number), value) for number, value in enumerate(returned(node))]
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id in used:
        return [(node.targets[0].id, node.value)]
    return []


def returned(function: ast.FunctionDef) -> list[ast.expr]:
    """List the expressions that a function returns."""
    returns = (node for node in own_nodes(function) if isinstance(node, ast.Return))
    return [node.value for node in returns if node.value is not None]


def _with(source: str, function: ast.FunctionDef, form: ResultForm) -> str:
    """Write a function that gives each result of the form's kind in the form."""
    texts = []
    for value in returned(function):
        if kind_of(value, function) == form.kind:
            text = ast.unparse(value)
            if form.pattern.count("_x") == 1:
                texts.append((value, form.pattern.replace("_x", text if _is_plain(value) else f"({text})")))
            else:
                texts.append((value, f"(lambda result: {form.pattern.replace('_x', 'result')})({text})"))
    return replaced(source, texts)


def _is_plain(value: ast.expr) -> bool:
    return not isinstance(value, ast.BinOp | ast.UnaryOp | ast.BoolOp | ast.Compare | ast.IfExp | ast.Lambda)


def _appended(source: str, names: Sequence[str], form: ResultForm) -> str:
    return "\n".join([source.rstrip("\n"), *(f"{name} = {form.pattern.replace('_x', name)}" for name in names)])


_DISPLAYS: dict[type[ast.expr], str] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.Dict: "dict",
    ast.DictComp: "dict",
}
_CALLS = {
    "list": "list", "sorted": "list", "tolist": "list", "split": "list", "tuple": "tuple", "set": "set",
    "dict": "dict", "Counter": "dict", "defaultdict": "dict", "float": "number", "sum": "number", "fsum": "number",
    "mean": "number", "sqrt": "number", "dot": "number", "score": "number", "accuracy_score": "number",
    "DataFrame": "table", "groupby": "table", "reset_index": "table", "sort_values": "table", "merge": "table",
    "drop_duplicates": "table", "assign": "table", "pivot_table": "table", "concat": "table", "read_csv": "table",
    "array": "array", "asarray": "array", "zeros": "array", "ones": "array", "eye": "array", "arange": "array",
    "argsort": "array", "sort": "array", "cumsum": "array", "linspace": "array", "concatenate": "array",
    "vstack": "array", "hstack": "array", "column_stack": "array", "diff": "array", "clip": "array", "log": "array",
    "exp": "array", "unique": "array", "stack": "array", "zeros_like": "array", "where": "array", "full": "array",
}  # fmt: skip
_LIBRARIES = frozenset(("np", "numpy", "pd", "pandas", "math", "statistics", "collections"))
"""Modules whose functions give what :data:`_CALLS` says; other libraries have functions of the same names."""
_SAME_KIND = frozenset(("copy", "fillna", "dropna", "astype", "reshape", "clip", "sum", "mean", "rename", "query"))
"""Methods whose result is of their object's kind, where that is an array or a table."""


def kind_of(value: ast.expr, scope: ast.AST) -> str:
    """Guess the kind of a result from its expression and the assignments of a scope; empty where nothing tells."""
    return _kind(value, scope, 0)


def _kind(value: ast.expr, scope: ast.AST, depth: int) -> str:
    if depth > 6:
        return ""
    guess = partial(_kind, scope=scope, depth=depth + 1)
    match value:
        case ast.Call(func=ast.Attribute(value=receiver, attr=attr)) if ast.unparse(receiver) not in _LIBRARIES:
            of_receiver = guess(receiver)
            if attr in _SAME_KIND and of_receiver in ("array", "table"):
                return of_receiver
            return _CALLS.get(attr, "") if _CALLS.get(attr) == "table" or attr in ("tolist", "split", "score") else ""
        case ast.Call():
            return _CALLS.get(called(value), "")
        case ast.IfExp(body=body, orelse=orelse):
            return guess(body) or guess(orelse)
        case ast.BinOp(left=left, right=right):
            kinds = {guess(left), guess(right)}
            return next((name for name in ("table", "array", "list", "number") if name in kinds), _quotient(value))
        case ast.Subscript(value=whole, slice=part):
            of_whole = guess(whole)
            return of_whole if isinstance(part, ast.Slice | ast.Compare) or of_whole == "table" else ""
        case ast.Constant(value=bool()):
            return ""
        case ast.Constant(value=int() | float()):
            return "number"
        case ast.Name(id=name):
            bound = [node.value for node in ast.walk(scope) if isinstance(node, ast.Assign) and _binds(node, name)]
            return next(filter(None, map(guess, bound)), "")
    return _DISPLAYS.get(type(value), "")


def _quotient(value: ast.BinOp) -> str:
    return "number" if isinstance(value.op, ast.Div) else "array" if isinstance(value.op, ast.MatMult) else ""


def _binds(node: ast.Assign, name: str) -> bool:
    return isinstance(node.targets[0], ast.Name) and node.targets[0].id == name
