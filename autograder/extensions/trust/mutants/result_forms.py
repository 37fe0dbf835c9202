"""Honest results in another form: another order, type or index, where the task leaves them open."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

from autograder._util.syntax import own_nodes, parsed
from autograder.extensions.trust.mutants import form_helpers
from autograder.extensions.trust.mutants.result_types import FLOAT, FRAME, ResultTypes
from autograder.syntax.cell_matching import bound_names

ORDER = r"\border|sort|ascend|descend|alphabet|\bin turn\b|est (\w+ )?first\b"
"""Pattern of the words by which a task settles an order."""
RANK = r"smallest|largest|\bfirst\b|\blast\b"
"""Pattern of words that may settle one."""
LIBRARIES = {"np": "import numpy as np", "torch": "import torch"}
"""Name by which a form needs a library → statement that imports it."""
_WHOLE = r"\bint(eger)?s?\b|\bint\d|whole|float|decimal|dtype"
_NUMBERED = r"reset_index|as_index=False|ignore_index"
OTHER_ORDER, AS_FLOATS, OTHER_DIGITS = (
    "another order of what is different",
    "floats for whole numbers",
    "floats with another last digit",
)


@dataclass(frozen=True, slots=True)
class ResultForm:
    """One way to give the same result in another form."""

    type: str
    """Pattern of the result's type, as the solution's run showed it."""
    operator: str
    pattern: str
    """Expression in which ``_x`` is the result."""
    settled: str
    """Pattern of the words by which a task settles this form, so that no other is right."""
    needed: str = ""
    """Pattern that the answer's source must match."""
    helper: str = ""
    """Functions that the expression calls, with ``_given``: what the result was made from."""
    asks: str = ""
    """What only the author knows whether the task fixes it: a loss of points is asked about."""


_LISTS_INSIDE = ("lists for the tuples inside", "_inside(_x, tuple, list)")
_TUPLES_INSIDE = ("tuples for the lists inside", "_inside(_x, list, tuple)")
_TYPE_INSIDE = "whether what this result holds is lists or tuples"
_ORDER_OF_RESULT = "the order of this result"
_ARRAY, _DICT, _TABLE = r"ndarray .*", "dict|Counter|OrderedDict|defaultdict", rf"{FRAME}|Series.*"
_FLOATS = rf"{FLOAT}|ndarray float\d+|list|tuple|dict|{FRAME}|Series float\d+|Tensor"

FORMS: tuple[ResultForm, ...] = (
    ResultForm("list", "a tuple for a list", "tuple(_x)", r"\blists?\b"),
    ResultForm("list", "an array for a list", "np.array(_x)", r"\blists?\b|\barray"),
    ResultForm("list", "a generator for a list", "(value for value in _x)", r"\blists?\b|\barray|\btuple"),
    ResultForm("list|dict", *_LISTS_INSIDE, r"\btuple|\bpair", helper=form_helpers.INSIDE, asks=_TYPE_INSIDE),
    ResultForm("list", *_TUPLES_INSIDE, r"\blists\b", helper=form_helpers.INSIDE, asks=_TYPE_INSIDE),
    ResultForm("dict", *_TUPLES_INSIDE, r"\blists\b|\ba list\b", helper=form_helpers.INSIDE, asks=_TYPE_INSIDE),
    ResultForm(
        rf"list|{_ARRAY}",
        OTHER_ORDER,
        "_other_order(_x, _given)",
        ORDER,
        helper=form_helpers.OTHER_ORDER,
        asks=_ORDER_OF_RESULT,
    ),
    ResultForm(
        "list",
        "another order of what is equal",
        "_other_ties(_x, _own, _given)",
        r"stable|\bties?\b|equal|\bturn\b|order (of|in)\b|same order",
        helper=form_helpers.OTHER_TIES,
        asks="the order of what is equal",
    ),
    ResultForm(
        "int|str|float",
        "another one of the best",
        "_other_best(_x, _own, _given)",
        r"\bfirst\b|\blast\b|earliest|latest",
        helper=form_helpers.OTHER_BEST,
        asks="which one counts of several that are equally good",
    ),
    ResultForm(
        "str",
        "a text with another end of its last line",
        r"(_x[:-1] if _x.endswith('\n') else _x + '\n') if '\n' in _x else _x",
        r"newline|\\n|end of (the|its) last line",
        asks="whether the text ends with a newline",
    ),
    ResultForm(
        _FLOATS, OTHER_DIGITS, "_other_digits(_x, _given)", r"\bround|decimal|digit", helper=form_helpers.OTHER_DIGITS
    ),
    ResultForm("tuple", "a list for a tuple", "list(_x)", r"\btuple|\bpair|\bshape"),
    ResultForm(
        "tuple",
        "an array for a tuple",
        "np.array(_x) if {type(v) for v in _x} in ({int}, {float}) else _x",
        r"\btuple|\bpair|\bshape",
    ),
    ResultForm("(frozen)?set", "a list for a set", "list(_x)", r"\bsets?\b"),
    ResultForm(_DICT, "another order of a dict", "dict(reversed(_x.items()))", ORDER),
    ResultForm(_DICT, "a subclass for a dict", "__import__('collections').OrderedDict(_x)", r"\b(plain|ordinary) dict"),
    ResultForm(_ARRAY, "a list for an array", "np.asarray(_x).tolist()", r"array|matrix|vector|shape|numpy"),
    ResultForm(_ARRAY, "a copy of an array", "np.array(_x)", r"\bview|in place"),
    ResultForm(_ARRAY, "a view for an array", "np.array(_x)[...]", r"\bview|\bcopy"),
    ResultForm(
        r"ndarray float\d+",
        "whole numbers for floats, where all are whole",
        "_x.astype(int) if np.ndim(_x) and np.all(_x == np.floor(_x)) else _x",
        _WHOLE,
    ),
    ResultForm(r"ndarray u?int\d+", AS_FLOATS, "np.asarray(_x, dtype=float)", _WHOLE),
    ResultForm(
        r"ndarray (float|u?int)(8|16|32)",
        "numbers of the usual width",
        "_x.astype('float64' if _x.dtype.kind == 'f' else 'int64')",
        r"(int|float)\d+|dtype|\bbits?\b|\bbytes?\b|precision",
    ),
    ResultForm(r"Series u?int\d+", AS_FLOATS, "_x.astype(float)", _WHOLE),
    ResultForm(FRAME, AS_FLOATS, "_x.astype({name: float for name in _x.select_dtypes('integer')})", _WHOLE),
    ResultForm("bool", "a truth value of numpy's", "np.bool_(_x)", r"Python bool|`bool`"),
    ResultForm("int|float", "a number of numpy's", "np.asarray(_x)[()]", r"Python (number|float|int)"),
    ResultForm(
        "int|float",
        "a tensor for a number",
        "torch.tensor(_x)",
        r"Python (number|float|int)|\b(a|as) float\b",
        asks="whether this number may be a tensor",
    ),
    ResultForm(r"(float|u?int)\d+ .*", "a plain number for one of numpy's", "_x.item()", r"numpy"),
    ResultForm(FLOAT, "a whole number for a float", "int(_x) if _x.is_integer() else _x", _WHOLE),
    ResultForm(FRAME, "columns in another order", "_x[_x.columns[::-1]]", ORDER),
    ResultForm(_TABLE, "rows in another order", "_x.iloc[::-1]", ORDER + "|same table"),
    ResultForm(
        _TABLE, "rows with other numbers in the index", "_x.set_axis(range(7, 7 + len(_x)))", "index", _NUMBERED
    ),
    ResultForm(
        _TABLE,
        "an index without a name",
        "_x.rename_axis(index=None)",
        r"index[^.]{0,20}\bnamed?\b|\bnamed? [^.]{0,20}index",
        asks="the name of the index",
    ),
)
"""Forms that Python's, numpy's and pandas' results may have."""


def question(operator: str, task: str) -> str:
    """Return what an author is asked if this form loses points; empty for one that is right without doubt."""
    form = next((form for form in FORMS if form.operator == operator), None)
    may_fix_order = form is not None and ORDER in form.settled and re.search(RANK, task, re.IGNORECASE)
    return _ORDER_OF_RESULT if may_fix_order else form.asks if form is not None else ""


def result_forms(
    source: str, tree: ast.Module, used: Sequence[str], types: ResultTypes, task: str, imported: Set[str]
) -> Iterator[tuple[str, str]]:
    """Yield an answer with its results in each form that the task leaves open.

    Args:
        source: the instructor's source.
        tree: its syntax tree.
        used: names that later cells and tests use of it.
        types: types of its results.
        task: what students are told, in words and in released code.
        imported: names of :data:`LIBRARIES` that the notebook imports.
    """
    yield from _collected(source, tree, used, task)
    for node, form in itertools.product(tree.body, FORMS):
        needed = {name for name in LIBRARIES if f"{name}." in form.pattern}
        if _is_open(form, ast.unparse(node), task) and needed <= imported:
            after = _in_form(source, node, used, types, form)
            if parsed(after) is not None:
                yield form.operator, after


A_LIST = "a list for a generator"
OPERATORS = frozenset(form.operator for form in FORMS) | {A_LIST}
"""Names of these rewrites."""


def _collected(source: str, tree: ast.Module, used: Sequence[str], task: str) -> Iterator[tuple[str, str]]:
    """Let a function return a list of what it yields, unless that may never end."""
    if re.search(_ENDLESS, source) or re.search(_ONE_BY_ONE, task, re.IGNORECASE):
        return
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in used and _yields(node):
            call = f"list({node.name}_one_by_one(*arguments, **named))"
            outer = f"{node.name}_one_by_one = {node.name}\n\ndef {node.name}(*arguments, **named):\n    return {call}"
            yield A_LIST, f"{source}\n\n{outer}"


_ENDLESS = r"\bwhile\b|\b(count|cycle|repeat)\(|\.send\("
_ONE_BY_ONE = r"generator|iterator|\blazy|\byield|one at a time"
"""Words by which a task settles that values come one by one."""


def _yields(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own_nodes(function))


def _is_open(form: ResultForm, source: str, task: str) -> bool:
    if re.search(form.settled, task, re.IGNORECASE):
        return False
    return bool(re.search(form.needed, source))


def _in_form(source: str, node: ast.stmt, used: Sequence[str], types: ResultTypes, form: ResultForm) -> str:
    """Write an answer so that the results of a statement have a form; unchanged where no type allows it."""
    if isinstance(node, ast.FunctionDef):
        return _of_functions(source, [node], "", types, form) if node.name in used else source
    if isinstance(node, ast.ClassDef):
        methods = [one for one in node.body if isinstance(one, ast.FunctionDef) and not one.decorator_list]
        return _of_functions(source, methods, f"{node.name}.", types, form) if node.name in used else source
    if _gives_several(getattr(node, "value", None), form) or "_own" in form.pattern:
        return source
    patterns = {name: _pattern(form, types.get(name, frozenset())) for name in used if name in _bound(node)}
    lines = [
        f"{name} = {pattern.replace('_x', name).replace('_given', '[]')}"
        for name, pattern in patterns.items()
        if pattern
    ]
    return _with_helper(source, form, lines) if lines else source


def _of_functions(
    source: str, functions: Sequence[ast.FunctionDef], owner: str, types: ResultTypes, form: ResultForm
) -> str:
    """Give the results of functions a form, or of methods; those that Python itself calls stay."""
    lines: list[str] = []
    for function in functions:
        pattern = _pattern(form, types.get(f"{function.name}()", frozenset()))
        returns = (node.value for node in own_nodes(function) if isinstance(node, ast.Return))
        if pattern and not function.name.startswith("__") and not any(_gives_several(one, form) for one in returns):
            changed = pattern.replace("_x", "result").replace("_own", "own").replace("_given", "given")
            name = f"{owner}{function.name}"
            lines.append(f"{name} = _in_form({name}, lambda result, own, given: {changed})")
    if not lines:
        return source
    body = (parsed(source) or ast.Module([], [])).body
    names = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    unchanged = sorted(names - {function.name for function in functions})
    lines += [f"{name} = _in_form({name}, lambda result, own, given: result)" for name in unchanged]
    return _with_helper(source, form, [form_helpers.IN_FORM.strip("\n"), *lines])


def _with_helper(source: str, form: ResultForm, lines: Sequence[str]) -> str:
    """Append lines to an answer, behind the form's helper, which knows the answer's own names and numbers."""
    nodes = ast.walk(parsed(source) or ast.Module([], []))
    constants = (node.value for node in nodes if isinstance(node, ast.Constant))
    numbers = sorted({one for one in constants if isinstance(one, float)})
    names = sorted(bound_names(source) or ())
    helper = form.helper.replace("_NUMBERS", repr(numbers)).replace("_NAMES", repr(names)).strip("\n")
    return "\n".join([source.rstrip("\n"), *filter(None, [helper]), *lines])


def _pattern(form: ResultForm, types: frozenset[str]) -> str:
    """Return the expression of a form; of several types, only those that match change. Empty where none does."""
    matching = {each for each in types if re.fullmatch(form.type, each)}
    if not matching or matching == types:
        return form.pattern if matching else ""
    classes = tuple(sorted({each.split()[0] for each in matching}))
    return f"({form.pattern}) if type(_x).__name__ in {classes} else _x"


def _gives_several(value: ast.expr | None, form: ResultForm) -> bool:
    """Tell whether a tuple is written as several results, which students do not write otherwise."""
    return isinstance(value, ast.Tuple) and form.type == "tuple"


def _bound(node: ast.stmt) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
