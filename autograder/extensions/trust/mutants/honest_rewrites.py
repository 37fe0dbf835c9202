"""Honest rewrites: what the instructor's answer says, as another student might write it. Each must earn the same."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Container, Iterator, Sequence

from autograder._util.syntax import parsed
from autograder.extensions.trust.calibration_seeds import KEYWORDS, SEEDING_NAMES, keyword_seeds
from autograder.extensions.trust.mutants.code_slips import called
from autograder.extensions.trust.mutants.syntax_edits import New, Operator, expression, replaced

Edits = Iterator[tuple[str, New]]
SEEDS = (11, 23, 42)
OTHER_NAMES = "other names"
FREE = frozenset({OTHER_NAMES, *(f"seed {seed}" for seed in SEEDS)})
"""Rewrites whose names or numbers are free, so that no comparison of values takes them for the solution's."""


# --- one place -----------------------------------------------------------------------------------------


def operands(node: ast.AST) -> Edits:
    """Exchange the operands of a product; write powers and quotients as products, and a difference as a sum."""
    if not isinstance(node, ast.BinOp):
        return
    if isinstance(node.op, ast.Mult) and not _has_text(node):
        yield "factors exchanged", ast.BinOp(node.right, ast.Mult(), node.left)
    power = ast.unparse(node.right) if isinstance(node.op, ast.Pow) else ""
    if power in ("2", "3"):
        square = ast.BinOp(node.left, ast.Mult(), node.left)
        yield "a power as a product", square if power == "2" else ast.BinOp(square, ast.Mult(), node.left)
    if isinstance(node.op, ast.Mult) and ast.dump(node.left) == ast.dump(node.right):
        yield "a product as a power", ast.BinOp(node.left, ast.Pow(), ast.Constant(2))
    if isinstance(node.op, ast.Div) and not isinstance(node.right, ast.Constant):
        inverse = ast.BinOp(ast.Constant(1), ast.Div(), node.right)
        yield "a quotient as a product", ast.BinOp(node.left, ast.Mult(), inverse)
    if isinstance(node.op, ast.Sub):
        yield "a difference as a sum", ast.BinOp(node.left, ast.Add(), ast.UnaryOp(ast.USub(), node.right))


def comparisons(node: ast.AST) -> Edits:
    """Write a comparison from the other side."""
    turned = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in turned:
        yield (
            "a comparison from the other side",
            ast.Compare(node.comparators[0], [turned[type(node.ops[0])]()], [node.left]),
        )


def conditions(node: ast.AST) -> Edits:
    """Exchange the branches of a condition."""
    if isinstance(node, ast.If) and node.orelse:
        yield "branches exchanged", [ast.If(ast.UnaryOp(ast.Not(), node.test), node.orelse, node.body)]
    if isinstance(node, ast.IfExp):
        yield "branches exchanged", ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.orelse, node.body)


def results(node: ast.AST) -> Edits:
    """Name a result before it is returned."""
    if isinstance(node, ast.Return) and node.value is not None:
        result = ast.Name("result", ast.Load())
        assigned = ast.Assign([ast.Name("result", ast.Store())], node.value, lineno=node.lineno)
        yield "a result with a name", [assigned, ast.Return(result)]


def loops(node: ast.AST) -> Edits:
    """Write a list comprehension as a loop."""
    if isinstance(node, ast.Assign | ast.Return) and isinstance(node.value, ast.ListComp):
        comprehension = node.value
        if len(comprehension.generators) == 1 and not comprehension.generators[0].is_async:
            generator = comprehension.generators[0]
            body: list[ast.stmt] = [ast.Expr(ast.Call(expression("collected.append"), [comprehension.elt], []))]
            for test in reversed(generator.ifs):
                body = [ast.If(test, body, [])]
            loop = ast.For(generator.target, generator.iter, body, [], lineno=node.lineno)
            start = ast.Assign([ast.Name("collected", ast.Store())], ast.List([], ast.Load()), lineno=node.lineno)
            end = copy.copy(node)
            end.value = ast.Name("collected", ast.Load())
            yield "a loop for a comprehension", [start, loop, end]


OPERATORS: tuple[Operator, ...] = (operands, comparisons, conditions, results, loops)


# --- the whole cell ------------------------------------------------------------------------------------


def whole_cells(
    source: str, tree: ast.Module, used: Sequence[str], public_words: Container[str]
) -> Iterator[tuple[str, str]]:
    """Yield rewrites of a whole answer.

    Args:
        source: the instructor's source.
        tree: its syntax tree.
        used: names that later cells and tests use of it.
        public_words: words that students read; a name of the answer that is none of them is the instructor's own.
    """
    yield "comments and prints", f"print('here I am')\n{source}\n# that is all\nprint('done')"
    yield from _other_names(source, tree, [name for name in used if name in public_words])
    yield from _helpers(source, tree)
    yield from _hints(tree)
    yield from _other_seeds(source, tree, public_words)


def _other_names(source: str, tree: ast.Module, used: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Rename what a function binds for itself, and what no other cell uses."""
    copied = copy.deepcopy(tree)
    names: set[str] = set()
    for node in ast.walk(copied):
        if isinstance(node, ast.FunctionDef):
            parameters = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
            shared = {
                name for one in ast.walk(node) if isinstance(one, ast.Global | ast.Nonlocal) for name in one.names
            }
            bound = {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
            names |= bound - parameters - shared
    top = {one.id for node in copied.body for one in _outside(node) if isinstance(one.ctx, ast.Store)}
    top |= {node.name for node in copied.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    arguments = {one.arg for one in ast.walk(copied) if isinstance(one, ast.arg)}
    names = {name for name in names | top if name not in used and name not in arguments and name != "_"}
    if names:
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in names]
        renamed = replaced(source, [(node, f"my_{node.id.strip('_')}") for node in nodes])
        for name in sorted(names):
            renamed = re.sub(rf"\b(def|class)(\s+){name}\b", rf"\1\2my_{name.strip('_')}", renamed)
        for node in ast.walk(copied):
            if isinstance(node, ast.Name) and node.id in names:
                node.id = f"my_{node.id.strip('_')}"
            elif isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names:
                node.name = f"my_{node.name.strip('_')}"
        again = parsed(renamed)
        yield OTHER_NAMES, renamed if again and ast.unparse(again) == ast.unparse(copied) else ast.unparse(copied)


def _outside(node: ast.AST) -> Iterator[ast.Name]:
    """Yield the names outside functions and classes."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Lambda):
        return
    if isinstance(node, ast.Name):
        yield node
    for inner in ast.iter_child_nodes(node):
        yield from _outside(inner)


def _helpers(source: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Let a helper do the work of a function; write a function of one expression as a lambda."""
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for node in functions:
        if node.decorator_list or node.args.vararg or node.args.kwarg or node.args.kwonlyargs or node.args.defaults:
            continue
        arguments = ", ".join(one.arg for one in (*node.args.posonlyargs, *node.args.args))
        call = f"{node.name}_helper({arguments})"
        outer = f"{node.name}_helper = {node.name}\n\ndef {node.name}({arguments}):\n    return {call}"
        if not _calls_itself(node):
            yield "a helper function", f"{source}\n\n{outer}"
        body = node.body[1:] if ast.get_docstring(node) is not None else node.body
        if (
            len(functions) == len(tree.body) == 1
            and len(body) == 1
            and isinstance(body[0], ast.Return)
            and body[0].value
        ):
            yield "a lambda", f"{node.name} = lambda {arguments}: {ast.unparse(body[0].value)}"


def _calls_itself(node: ast.FunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == node.name for one in ast.walk(node))


def _hints(tree: ast.Module) -> Iterator[tuple[str, str]]:
    copied = copy.deepcopy(tree)
    functions = [node for node in copied.body if isinstance(node, ast.FunctionDef)]
    for node in functions:
        node.returns = ast.Name("object", ast.Load())
        for parameter in node.args.args:
            parameter.annotation = ast.Constant("the argument")
    if functions:
        yield "type hints", ast.unparse(copied)


def _other_seeds(source: str, tree: ast.Module, public_words: Container[str]) -> Iterator[tuple[str, str]]:
    """Train from other seeds; draw from others, too, where the task says nothing of a seed."""
    is_open = any(_seeds(tree)) and not any(word in public_words for word in SEEDING_NAMES | KEYWORDS)
    for seed in SEEDS if is_open or _trains(tree) else ():
        yield f"seed {seed}", seeded(source, tree, seed)


def _trains(tree: ast.Module) -> bool:
    """Tell whether a cell draws random numbers when it runs, by building or training a network."""
    outside = [node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    calls = [one for node in outside for one in ast.walk(node) if isinstance(one, ast.Call)]
    return any(called(one) in ("fit", "Sequential", "Model", "Linear") for one in calls)


def seeded(source: str, tree: ast.Module, seed: int) -> str:
    """Write a cell with its own seeds replaced, and one set at its beginning."""
    body = replaced(source, [(node, str(seed)) for node in _seeds(tree)])
    return "\n".join(["import sys as _sys", *(line.format(seed=seed) for line in _SEED_LINES), body])


_SEED_LINES = (
    "if 'numpy' in _sys.modules:\n    _sys.modules['numpy'].random.seed({seed})",
    "if 'keras' in _sys.modules:\n    _sys.modules['keras'].utils.set_random_seed({seed})",
    "if 'torch' in _sys.modules:\n    _sys.modules['torch'].manual_seed({seed})",
)


def _seeds(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the whole numbers in calls that seed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            seeding = node.args[:1] if called(node) in SEEDING_NAMES else []
            seeding += keyword_seeds(node)
            yield from (one for one in seeding if isinstance(one, ast.Constant) and type(one.value) is int)


# --- pieces --------------------------------------------------------------------------------------------


def _has_text(node: ast.AST) -> bool:
    return any(isinstance(one, ast.JoinedStr | ast.List) or _is_text(one) for one in ast.walk(node))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
