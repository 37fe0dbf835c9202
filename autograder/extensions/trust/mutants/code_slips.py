"""Code slips: the small mistakes of somebody who knows what to do, one in each mutant.

The operators are those of mutation testing (comparison, arithmetic, constants, statements), with some that numerical
code invites: axes, reductions, ends of ranges.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping

from autograder.extensions.trust.calibration_seeds import SEEDING_NAMES, keyword_seeds
from autograder.extensions.trust.mutants.syntax_edits import New, Operator

Edits = Iterator[tuple[str, New]]

_COMPARISONS: Mapping[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: Mapping[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
}
_ORDERED = (ast.Sub, ast.Div, ast.Pow, ast.MatMult)
_SIGNS: Mapping[type[ast.AST], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.Is: "is",
    ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in", ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/",
    ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**", ast.MatMult: "@",
}  # fmt: skip
_OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "mean": ("sum", "median"),
    "sum": ("mean",),
    "reduce_mean": ("reduce_sum",),
    "reduce_sum": ("reduce_mean",),
    "max": ("min",),
    "min": ("max",),
    "reduce_max": ("reduce_min",),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "log": ("log10",),
    "std": ("var",),
    "var": ("std",),
    "any": ("all",),
    "all": ("any",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "floor": ("ceil",),
    "ceil": ("floor",),
    "add": ("subtract",),
    "subtract": ("add",),
    "multiply": ("divide",),
    "divide": ("multiply",),
    "assign_sub": ("assign_add",),
    "assign_add": ("assign_sub",),
    "softmax": ("sigmoid", "log_softmax"),
    "hstack": ("vstack",),
    "vstack": ("hstack",),
}
"""Functions and methods that are mistaken for one another. Where a module has no such function, the mutant raises."""
_DROPPED_CALLS = frozenset((
    "log", "exp", "sqrt", "abs", "fabs", "round", "int", "float", "negative", "sorted", "square", "softmax", "sigmoid",
    "softplus", "clip", "maximum", "minimum", "transpose", "ravel", "flatten", "copy", "mean", "moveaxis",
    "reduce_mean", "normalize", "reversed", "unique", "cumsum", "strip", "lstrip", "rstrip", "lower", "upper", "title",
    "astype", "reset_index", "sort_index", "sort_values", "dropna", "fillna", "drop_duplicates",
))  # fmt: skip
"""Calls that are forgotten: the method's object, or a function's first argument, stands there instead."""
_MODULES = frozenset((
    "np", "numpy", "jnp", "math", "cmath", "scipy", "pd", "tf", "keras", "K", "ops", "torch", "nn", "F", "T", "random",
))  # fmt: skip
"""Names by which modules go: ``np.copy(x)`` is a function, and ``x.copy()`` a method."""
UNTOUCHED = frozenset((
    "seed", "random_state", "verbose", "name", "title", "label", "color", "figsize", "epochs", "batch_size",
    "steps_per_execution", "jit_compile", "run_eagerly", "n_jobs",
))  # fmt: skip
"""Keywords whose values are no matter of code slips: they change nothing, or other families change them."""


def comparison(node: ast.AST) -> Edits:
    """Replace a comparison by its neighbor, or turn it round."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for replacement in _COMPARISONS.get(type(node.ops[0]), ()):
            yield _instead(replacement, type(node.ops[0])), ast.Compare(node.left, [replacement()], node.comparators)


def arithmetic(node: ast.AST) -> Edits:
    """Replace an arithmetic operator, swap its operands, or drop one of them."""
    if not isinstance(node, ast.BinOp) or _is_text(node.left):
        return
    for replacement in _ARITHMETIC.get(type(node.op), ()):
        yield _instead(replacement, type(node.op)), ast.BinOp(node.left, replacement(), node.right)
    if isinstance(node.op, _ORDERED):
        yield "operands the wrong way round", ast.BinOp(node.right, node.op, node.left)
    yield "a term or factor left out", node.left


def sign_and_logic(node: ast.AST) -> Edits:
    """Drop a minus or a ``not``; exchange ``and`` and ``or``."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield "a minus left out", node.operand
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "a `not` left out", node.operand
    if isinstance(node, ast.BoolOp):
        replacement = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "`and` and `or` exchanged", ast.BoolOp(replacement, node.values)


def constant(node: ast.AST) -> Edits:
    """Change a number by one, and a truth value to the other."""
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield f"{not node.value} for {node.value}", ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield "a number one too large", ast.Constant(node.value + 1)
        if node.value != 0:
            yield "a number one too small", ast.Constant(node.value - 1)
    elif isinstance(node.value, float):
        yield "a number one too large", ast.Constant(node.value + 1)


def condition(node: ast.AST) -> Edits:
    """Negate a condition, or forget its ``else``."""
    if isinstance(node, ast.IfExp):
        yield "a condition negated", ast.IfExp(node.test, node.orelse, node.body)
        yield from (("one branch for all cases", branch) for branch in (node.body, node.orelse))
    if isinstance(node, ast.If):
        test = ast.UnaryOp(ast.Not(), node.test)
        yield "a condition negated", [ast.If(test, node.body, node.orelse)]
        if node.orelse:
            yield "an `else` left out", [ast.If(node.test, node.body, [])]
        yield "an `if` left out", node.body


def statement(node: ast.AST) -> Edits:
    """Drop a statement; update a variable the wrong way, or only once."""
    if isinstance(node, ast.AugAssign):
        replacement = _ARITHMETIC.get(type(node.op), (ast.Add,))[0]
        yield _instead(replacement, type(node.op)), [ast.AugAssign(node.target, replacement(), node.value)]
        yield "= for an update", [ast.Assign([node.target], node.value, lineno=node.lineno)]
    if isinstance(node, ast.Assign | ast.AugAssign):
        yield "a statement left out", []
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "a statement left out", []
    if isinstance(node, ast.Break):
        yield "a `break` left out", []


def result(node: ast.AST) -> Edits:
    """Return nothing, only a part, or the parts the wrong way round."""
    if not isinstance(node, ast.Return) or node.value is None:
        return
    yield "`return` without the value", [ast.Return(ast.Constant(None))]
    if isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
        first, second, *remaining = node.value.elts
        yield "results the wrong way round", [ast.Return(ast.Tuple([second, first, *remaining], ast.Load()))]
        yield "only the first result", [ast.Return(first)]


def ends(node: ast.AST) -> Edits:
    """Begin or end a range one too soon or too late, and forget a slice."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range" and node.args:
        index = 0 if len(node.args) == 1 else 1
        if not isinstance(node.args[index], ast.Constant):
            for sign, words in ((ast.Sub(), "too soon"), (ast.Add(), "too late")):
                arguments = list(node.args)
                arguments[index] = ast.BinOp(node.args[index], sign, ast.Constant(1))
                yield f"a range that ends one {words}", ast.Call(node.func, arguments, [])
        if len(node.args) == 1:
            yield "a range from 1", ast.Call(node.func, [ast.Constant(1), *node.args], [])
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        yield "a slice left out", node.value


def axis(node: ast.AST) -> Edits:
    """Take the other axis, or forget it; forget that a table is to be changed in place."""
    if not isinstance(node, ast.Call):
        return
    for number, keyword in enumerate(node.keywords):
        if keyword.arg in ("axis", "dim", "keepdims", "keepdim", "inplace"):
            remaining = [*node.keywords[:number], *node.keywords[number + 1 :]]
            yield f"`{keyword.arg}` left out", ast.Call(node.func, node.args, remaining)
            if keyword.arg in ("axis", "dim") and (value := _number(keyword.value)) is not None:
                changed = ast.keyword(keyword.arg, ast.Constant(1 if value == 0 else 0))
                yield "the other axis", ast.Call(node.func, node.args, [*remaining, changed])


def call(node: ast.AST) -> Edits:
    """Call a function that is mistaken for the right one, forget a call, or swap its first two arguments."""
    if not isinstance(node, ast.Call):
        return
    name = called(node)
    for replacement in _OTHER_NAMES.get(name, ()):
        function: ast.expr = ast.Name(replacement, ast.Load())
        if isinstance(node.func, ast.Attribute):
            function = ast.Attribute(node.func.value, replacement, ast.Load())
        yield f"{replacement} for {name}", ast.Call(function, node.args, node.keywords)
    if name in _DROPPED_CALLS:
        if (receiver := _receiver(node)) is not None:
            yield f"{name} left out", receiver
        elif node.args and not isinstance(node.args[0], ast.Starred):
            yield f"{name} left out", node.args[0]
    plain = [not isinstance(one, ast.Starred | ast.Constant) for one in node.args[:2]]
    if plain == [True, True] and ast.dump(node.args[0]) != ast.dump(node.args[1]) and name not in _ANY_ORDER:
        first, second, *remaining = node.args
        yield "arguments the wrong way round", ast.Call(node.func, [second, first, *remaining], node.keywords)


def _receiver(node: ast.Call) -> ast.expr | None:
    """Return the object of a method's call; None where a module's function, or a plain one, is called."""
    if not isinstance(node.func, ast.Attribute):
        return None
    root: ast.expr = node.func.value
    while isinstance(root, ast.Attribute):
        root = root.value
    return None if isinstance(root, ast.Name) and root.id in _MODULES else node.func.value


_ANY_ORDER = frozenset(("add", "multiply", "maximum", "minimum", "print", "max", "min", "zip", "set"))

OPERATORS: tuple[Operator, ...] = (
    comparison, arithmetic, sign_and_logic, constant, condition, statement, result, ends, axis, call,
)  # fmt: skip


def orders(tree: ast.Module) -> Iterator[tuple[ast.stmt, ast.stmt]]:
    """Yield neighboring statements whose order matters: one uses what the other binds."""
    for node in ast.walk(tree):
        for block in (getattr(node, name, None) for name in ("body", "orelse")):
            for first, second in itertools.pairwise(block) if isinstance(block, list) else ():
                if isinstance(first, _SIMPLE) and isinstance(second, _SIMPLE) and _depend(first, second):
                    yield first, second


_SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.If, ast.For)


def _depend(first: ast.stmt, second: ast.stmt) -> bool:
    names = [[node for node in ast.walk(one) if isinstance(node, ast.Name)] for one in (first, second)]
    bound = [{node.id for node in one if isinstance(node.ctx, ast.Store)} for one in names]
    used = [{node.id for node in one} for one in names]
    return bool(bound[0] & used[1] or bound[1] & used[0])


def called(node: ast.Call) -> str:
    """Return the last part of a called function's name: ``mean`` of ``np.mean(x)``."""
    function = node.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def untouched(tree: ast.AST) -> set[ast.AST]:
    """Collect the nodes that a code slip would change to no purpose: texts, seeds, names, and how training is told."""
    nodes: set[ast.AST] = set(_numbers_of_seeds(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in UNTOUCHED:
            nodes.update(ast.walk(node.value))
        if isinstance(node, ast.Call) and called(node) in SEEDING_NAMES | {"print", "fit", "compile", "savefig"}:
            nodes.update(inner for argument in node.args for inner in ast.walk(argument))
            nodes.add(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            nodes.update((node, node.value))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _is_aside(node.value):
            nodes.update(ast.walk(node))
    return nodes


def _numbers_of_seeds(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the numbers that names of seeds are bound to: ``SEED = 7`` before ``default_rng(SEED)``."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    seeds = [argument for node in calls if called(node) in SEEDING_NAMES for argument in node.args]
    seeds += [seed for node in calls for seed in keyword_seeds(node)]
    names = {seed.id for seed in seeds if isinstance(seed, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id in names for t in node.targets):
            yield from ast.walk(node.value)


def settings(tree: ast.AST) -> set[ast.AST]:
    """Collect the numbers that set up a model, as in ``KNeighborsClassifier(5)``: its size is no slip of code."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node)[:1].isupper()]
    parts = [part for node in calls for part in (*node.args, *node.keywords)]
    return {node for part in parts for node in ast.walk(part) if isinstance(node, ast.Constant)}


def _is_aside(node: ast.Call) -> bool:
    """Tell whether a statement plots, prints or seeds: an answer without it is no wrong one."""
    root: ast.expr = node.func
    while isinstance(root, ast.Attribute):
        root = root.value
    return called(node) in SEEDING_NAMES or (
        isinstance(root, ast.Name) and root.id in ("plt", "print", "display", "ax")
    )


def _instead(new: type[ast.AST], old: type[ast.AST]) -> str:
    return f"{_SIGNS[new]} for {_SIGNS[old]}"


def _number(node: ast.expr) -> int | None:
    """Return a whole number that stands in the source, with its sign."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return -value if type(value) is int else None
    return None


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
