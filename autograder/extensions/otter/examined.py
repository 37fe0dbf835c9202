"""A question's test cell as the examiner runs it: each case in a function with its own name.

A case's assignments stay in it, as they do in otter: a case reads the notebook's names, and binds its own.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from textwrap import indent

from autograder.extensions.otter.blocks import CellPart
from autograder.extensions.otter.case_reader import Case, asked_of_env, function_of, parameters
from autograder.extensions.otter.otter_settings import QuestionSettings

HEAD = "from autograder.check.cases import case as _otter_case, environment as _otter_env, given as _otter_given"
_RECORDING_HEAD = HEAD.replace("import case as", "import recorded_case as")
_SEED = (
    "import random as _otter_random, numpy as _otter_numpy\n"
    "_otter_random.seed({seed})\n_otter_numpy.random.seed({seed})"
)
ALL_OR_NOTHING = "from autograder.check import all_or_nothing as _otter_all"
_SOURCE_COMMENT = "# source: "
_INDENT = "    "


def examined_code(
    question: QuestionSettings, cases: Sequence[Case], *, ok_format: bool, seed: int | None = None
) -> str:
    """Write the test cell of a question.

    Args:
        question: its settings.
        cases: its cases, with their points.
        ok_format: the cases are doctests; else functions.
        seed: for the random generators, before the first case.
    """
    blocks = [
        f"{_source_comment(case.piece, case.tree.body[0])}\n{block}"
        for case, block in zip(cases, _case_blocks(question, cases, ok_format=ok_format), strict=True)
    ]
    head = [HEAD] if seed is None else [HEAD, _SEED.format(seed=seed)]
    if question.all_or_nothing:
        inner = "\n".join(_indented(block) for block in blocks)
        return "\n".join([*head, ALL_OR_NOTHING, "with _otter_all():", inner]) + "\n"
    return "\n".join([*head, *blocks]) + "\n"


def _case_blocks(question: QuestionSettings, cases: Sequence[Case], *, ok_format: bool) -> Iterator[str]:
    """Yield the code of each case; comments in it say where statements are in the source."""
    weightless = not any(case.points for case in cases)
    for number, case in enumerate(cases, 1):
        options = {"weight": 1.0 if weightless else float(case.points or 0.0)}
        details: dict[str, object] = {"hidden": case.hidden, "success": case.success, "failure": case.failure}
        details |= {"printed": case.printed, "shown": case.shown} if ok_format else {}
        text = "".join(f", {key}={value!r}" for key, value in (options | details).items() if value or key == "weight")
        text += ', printed=""' if ok_format and not case.printed else ""
        opening = f"with _otter_case({case_name(question.name, number)!r}{text}) as _otter_show:"
        body = "\n".join(_doctest(case) if ok_format else _function(case))
        yield f"{opening}\n{indent(body, _INDENT)}"


def is_otter_test(code: str) -> bool:
    """Tell whether a test cell's code is of :func:`examined_code`."""
    return code.startswith(HEAD)


def recording_code(code: str) -> str:
    """Return a test cell's code with cases that record what they show, instead of comparing it."""
    return code.replace(HEAD, _RECORDING_HEAD, 1) if is_otter_test(code) else code


def case_name(question: str, number: int) -> str:
    """Return the name of a question's case; cases are counted from 1."""
    return f"{question} - {number}"


def place_in_source(code: str, line: int) -> str:
    """Return the source's cell and line for a line of a test cell; empty if it is none of ours."""
    for text in reversed(code.splitlines()[:line]):
        if text.strip().startswith(_SOURCE_COMMENT):
            return text.strip().removeprefix(_SOURCE_COMMENT)
    return ""


def _source_comment(cell_part: CellPart, node: ast.stmt) -> str:
    return f"{_SOURCE_COMMENT}cell {cell_part.number}, line {cell_part.first + node.lineno - 1}"


def _indented(code: str) -> str:
    """Indent code whose strings span no lines, as :func:`ast.unparse` writes it."""
    return indent(code, _INDENT)


def _doctest(case: Case) -> Iterator[str]:
    """Yield the lines of a case that shows the value of its last expression."""
    *before, last = case.tree.body
    lines = [line for node in before for line in _statement(case, node)]
    if isinstance(last, ast.Expr) and not case.silent:
        lines += [_source_comment(case.piece, last), f"_otter_show({_code(last.value)})"]
    else:
        lines += _statement(case, last)
    names = ", ".join(f"{name}={name}" for name in sorted(_read_first(case.tree)))
    yield f"def _otter_body({names}):"
    yield indent("\n".join(lines), _INDENT)
    yield "_otter_body()"


def _function(case: Case) -> Iterator[str]:
    """Yield the lines of a case that is a function, called with the notebook's values."""
    function = function_of(case)
    names = [*asked_of_env(case)]
    env = f"_otter_env({', '.join(f'{name}=lambda: {name}' for name in names)})"
    values = (f"{n}={env}" if n == "env" else f"{n}=_otter_given(lambda: {n})" for n in parameters(function))
    yield "def _otter_body():"
    yield indent("\n".join([*_statement(case, function), f"{function.name}({', '.join(values)})"]), _INDENT)
    yield "_otter_body()"


def _statement(case: Case, node: ast.stmt) -> list[str]:
    return [_source_comment(case.piece, node), _code(node)]


def _code(node: ast.AST) -> str:
    """Unparse code on lines that may be indented: a text over several lines is written with escapes."""
    return ast.unparse(_OneLine().visit(copy.deepcopy(node)))


class _OneLine(ast.NodeTransformer):
    """Transformer that removes what :func:`ast.unparse` would write over several lines: docstrings."""

    def _without_docstring(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        body: list[ast.stmt] = getattr(node, "body", [])
        if ast.get_docstring(node, clean=False) is not None:  # type: ignore[arg-type]
            body[:1] = [] if len(body) > 1 else [ast.copy_location(ast.Pass(), body[0])]
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _without_docstring


# --- names -------------------------------------------------------------------------------------------


def _read_first(tree: ast.Module) -> set[str]:
    """Return the names that a case reads before it binds them: they become the function's parameters."""
    certain: set[str] = set()
    loaded: set[str] = set()
    bound: set[str] = set()
    for statement in tree.body:
        loaded |= _loaded(statement) - certain
        stored = _stored(statement)
        bound |= stored
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Import | ast.ImportFrom) or _defines(statement):
            certain |= stored
    return loaded & bound


def _defines(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef | ast.ClassDef | ast.With | ast.For)


def _own_nodes(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield the nodes that run with the statement, without the bodies of functions."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            pending.extend([*node.args.defaults, *(d for d in node.args.kw_defaults if d)])
            pending.extend(getattr(node, "decorator_list", ()))
        else:
            pending.extend(ast.iter_child_nodes(node))


def _loaded(statement: ast.stmt) -> set[str]:
    names = {n.id for n in _own_nodes(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    changed = statement.target if isinstance(statement, ast.AugAssign) else None
    names |= {changed.id} if isinstance(changed, ast.Name) else set()
    if isinstance(statement, ast.For | ast.With):  # what its head binds, its body may read
        names -= _stored_by_head(statement)
    return names - _of_comprehensions(statement)


def _of_comprehensions(statement: ast.stmt) -> set[str]:
    parts = (n for n in _own_nodes(statement) if isinstance(n, ast.comprehension))
    return {n.id for part in parts for n in ast.walk(part.target) if isinstance(n, ast.Name)}


def _stored_by_head(statement: ast.For | ast.With) -> set[str]:
    targets = [statement.target] if isinstance(statement, ast.For) else [i.optional_vars for i in statement.items]
    return {n.id for t in targets if t for n in ast.walk(t) if isinstance(n, ast.Name)}


def _stored(statement: ast.stmt) -> set[str]:
    names: set[str] = set()
    for node in _own_nodes(statement):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return names - _of_comprehensions(statement)
