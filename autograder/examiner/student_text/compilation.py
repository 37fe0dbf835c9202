"""The texts that may become code while a test cell is examined: a closed list, and the instructor's own.

A text may be compiled if it is a literal, or a constant in the test or in the instructor's statements that the test
uses. A constant in the file of the code that compiles it may be, too. So may a text that one of a few libraries builds
only from names that it has checked. The origin of a text is not examined: any other text may be the student's.
"""

from __future__ import annotations

import ast
import functools
import linecache
import timeit
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any

from autograder._util.syntax import AST_CACHE_SIZE
from autograder.examiner.student_text.callers import frames, is_importing, module_of

MAX_PLAIN = 10_000
"""Most characters of a text whose syntax is examined."""

_LITERAL = (
    ast.Module, ast.Expr, ast.Load, ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.USub,
)  # fmt: skip
_ANNOTATION = (*_LITERAL, ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.BitOr)
"""Nodes of an annotation; none of them is a call."""
_CONDITION = (
    *_LITERAL, ast.Name, ast.BinOp, ast.operator, ast.unaryop, ast.BoolOp, ast.boolop, ast.Compare, ast.cmpop,
)  # fmt: skip
"""Nodes of a condition on the columns of a table."""
_CALLERS_NAMES = "__pd_eval_local_"
"""Prefix that pandas writes for ``@``, which reads variables of the caller."""

GENERATORS = frozenset((
    # Python's own: of fields and names that they have checked to be identifiers.
    "collections", "dataclasses", "enum", "multiprocessing.sharedctypes", "unittest.mock",
    # Of shapes and orders, and of signatures and bytecode of functions that exist.
    "attr._make", "hypothesis.internal.reflection", "jinja2.debug", "mpmath.libmp.libhyper",
    "networkx.utils.decorators", "numba.core.ir_utils", "numba.core.untyped_passes",
    "numba.experimental.jitclass.base", "numba.np.arrayobj", "numba.np.ufunc.array_exprs",
    "numba.parfors.parfor_lowering", "numba.stencils.stencil", "pytensor.link.numba.cache", "pytensor.link.utils",
    "scipy._lib._bunch", "scipy.optimize._nonlin", "scipy.stats._distn_infrastructure",
    "sqlalchemy.util.langhelpers", "sympy.polys.monomials", "tensorflow.python.framework.load_library",
))  # fmt: skip
"""Modules that compile texts (or syntax trees) that they built themselves."""

REWRITERS = {
    ("pandas.core.frame", "query"): "expr",
    ("pandas.core.frame", "eval"): "expr",
    ("pandas.core.generic", "query"): "expr",
    ("pandas.core.generic", "eval"): "expr",
    ("pandas.core.computation.eval", "eval"): "expr",
    ("jinja2.environment", "from_string"): "source",
    ("jinja2.environment", "compile_expression"): "source",
    ("sympy.parsing.sympy_parser", "parse_expr"): "s",
    ("patsy.highlevel", "dmatrix"): "formula_like",
    ("patsy.highlevel", "dmatrices"): "formula_like",
}
"""Functions that rewrite a text before it is compiled → their parameter for the original text. That text must be a
constant."""

_TOLERANT = ("tensorflow.python.autograph.", "hypothesis.internal.lambda_sources")
"""Modules that continue without the code that they wanted to compile."""


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def constants(source: str) -> frozenset[str]:
    """Return the texts that are constants in Python source, stripped of surrounding spaces."""
    try:
        nodes = list(ast.walk(_parsed(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    texts = [value.decode("latin-1") if isinstance(value, bytes) else value for value in values]
    return frozenset(text.strip() for text in texts if isinstance(text, str))


def constants_of(frame: FrameType) -> frozenset[str]:
    """Return the texts that are constants in the file of the frame's code."""
    return constants("".join(linecache.getlines(frame.f_code.co_filename, frame.f_globals)))


def _parsed(source: str) -> ast.Module:
    """Parse as ``ast.parse`` does, from a function that the audit hook can recognize."""
    tree: ast.Module = compile(source, "<looked at>", "exec", ast.PyCF_ONLY_AST)  # type: ignore[assignment]
    return tree


def is_own_parsing(frame: FrameType) -> bool:
    """Return whether this module itself is parsing a text."""
    return frame.f_code is _parsed.__code__


def _text(source: str | bytes) -> str:
    return (source if isinstance(source, str) else source.decode("utf-8", "replace")).strip()


class TrustedTexts:
    """The instructor's texts that one test cell may compile."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        self.sources = sources

    @functools.cached_property
    def own(self) -> frozenset[str]:
        """The cell's sources, which the examiner reads while it prepares the cell, and their constants."""
        return frozenset().union(map(str.strip, self.sources), *map(constants, self.sources))

    def allows(self, source: Any, frame: FrameType) -> bool:
        """Return whether the source may be compiled.

        Args:
            source: a text, its bytes, or a syntax tree.
            frame: the frame of the function that compiles it.
        """
        if module_of(frame) in GENERATORS or is_importing(frame):
            return True
        if not isinstance(source, str | bytes):
            return False
        text = _text(source)
        if self.is_constant(text, frame) or _is_made_of(text, _LITERAL):
            return True
        rule = _RULES.get(module_of(frame))
        return (rule is not None and rule(self, text, frame)) or self.is_rewritten(frame)

    def grammar(self, source: Any, frame: FrameType) -> str:
        """Describe an allowed text that may be the student's: what it is, and the kinds of syntax in it.

        Returns:
            For example ``condition: BoolOp, Compare, Constant, Name``; empty for constants, and texts that are not run.
        """
        rule = _RULES.get(module_of(frame))
        text = _text(source) if isinstance(source, str | bytes) else ""
        is_parsed_only = rule is _of_ast and (frame.f_back is None or not _is_of_pandas(frame.f_back))
        if rule is None or rule not in _RULE_NAMES or is_parsed_only:
            return ""
        if self.is_constant(text, frame) or self.is_rewritten(frame):
            return ""
        kinds = {type(node).__name__ for node in ast.walk(_parsed(text)) if isinstance(node, ast.expr)}
        return f"{_RULE_NAMES[rule]}: {', '.join(sorted(kinds))}"

    def is_constant(self, text: str, frame: FrameType | None) -> bool:
        """Return whether the text is a constant of the instructor's, or of the file of that frame's code."""
        if text in self.own:
            return True
        return frame is not None and text in constants_of(frame)

    def is_rewritten(self, frame: FrameType) -> bool:
        """Return whether a known function built the text by rewriting a constant."""
        for caller in frames(frame):
            name = REWRITERS.get((module_of(caller), caller.f_code.co_name))
            text = caller.f_locals.get(name) if name else None
            if type(text) is str and self.is_constant(text.strip(), caller.f_back):
                return True
        return False


def tolerates_refusal(frame: FrameType) -> bool:
    """Return whether the caller continues without the compiled code, so that the refusal need not be reported."""
    return any(module_of(one).startswith(_TOLERANT) for one in frames(frame))


def is_transformed_function(frame: FrameType) -> bool:
    """Return whether TensorFlow's AutoGraph imports its rewriting of a function that exists in this process.

    Such a function is the instructor's or a library's.
    """
    for caller in frames(frame):
        if module_of(caller) == "tensorflow.python.autograph.pyct.transpiler" and "fn" in caller.f_locals:
            return type(caller.f_locals["fn"]) is FunctionType
    return False


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _is_made_of(text: str, nodes: tuple[type, ...]) -> bool:
    """Return whether a text is an expression of such nodes only."""
    if len(text) > MAX_PLAIN:
        return False
    try:
        tree = _parsed(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(isinstance(node, nodes) for node in ast.walk(tree)) and all(map(_is_harmless, ast.walk(tree)))


def _is_harmless(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow | ast.LShift):
        return False  # a few characters can compute for hours
    return not isinstance(node, ast.Name) or not node.id.startswith(_CALLERS_NAMES)


# --- rules for single libraries ------------------------------------------------------------------------


def _of_ast(texts: TrustedTexts, text: str, frame: FrameType) -> bool:
    """Allow ``ast.parse``, because a tree is not compiled; but pandas itself executes what a tree says."""
    return _is_condition(texts, text, frame) if frame.f_back and _is_of_pandas(frame.f_back) else True


def _is_of_pandas(frame: FrameType) -> bool:
    return module_of(frame).startswith("pandas.")


def _is_condition(texts: TrustedTexts, text: str, frame: FrameType) -> bool:
    """Return whether the text is a condition on columns.

    Its names must be columns, not variables of a caller of ``pandas.eval``.
    """
    of_table = any(module_of(one) in ("pandas.core.frame", "pandas.core.generic") for one in frames(frame))
    return of_table and _is_made_of(text, _CONDITION)


def _is_annotation(texts: TrustedTexts, text: str, frame: FrameType) -> bool:
    return _is_made_of(text, _ANNOTATION)


def _of_timeit(texts: TrustedTexts, text: str, frame: FrameType) -> bool:
    """Allow timeit's own lines around statements of the instructor's."""
    lines = {line for one in texts.own for line in _lines(one)} | _TIMED
    return set(_lines(text)) <= lines


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


_TIMED = {
    line
    for init in ("", ", _stmt=_stmt", ", _setup=_setup", ", _setup=_setup, _stmt=_stmt", ", _stmt=_stmt, _setup=_setup")
    for stmt in ("pass", "_stmt()")
    for setup in ("pass", "_setup()")
    for line in _lines(timeit.template.format(init=init, setup=setup, stmt=stmt))  # type: ignore[attr-defined]
}


def _of_patsy(texts: TrustedTexts, text: str, frame: FrameType) -> bool:
    """Allow a part of a formula that is a constant, whatever its spaces."""
    part = "".join(text.split())
    return any(part in "".join(one.split()) for one in texts.own)


_SYMPYS = frozenset(["abs", "complex", "float", "int", "len", "list", "max", "min", "range", "sum", "tuple"])


def _of_lambdify(texts: TrustedTexts, text: str, frame: FrameType) -> bool:
    """Allow a function without texts whose only builtins are those of arithmetic.

    A symbol may have any name, so its name could be code.
    """
    import builtins

    try:
        nodes = list(ast.walk(_parsed(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    words = {node.attr for node in nodes if isinstance(node, ast.Attribute)} | names
    literals = [node.value for node in nodes if isinstance(node, ast.Constant)]
    plain = all(value is None or isinstance(value, int | float | complex) for value in literals)
    private = any(word.startswith("_") and not word.startswith(("_Dummy", "_lambdify")) for word in words)
    return plain and not private and not (names & set(dir(builtins))) - _SYMPYS


Rule = Callable[[TrustedTexts, str, FrameType], bool]
_RULES: dict[str, Rule] = {
    "annotationlib": _is_annotation,
    "ast": _of_ast,
    "inspect": _is_annotation,
    "numexpr.necompiler": _is_condition,
    "patsy.eval": _of_patsy,
    "sympy.utilities.lambdify": _of_lambdify,
    "timeit": _of_timeit,
    "typing": _is_annotation,
    "typing_extensions": _is_annotation,
}
"""Module → whether it may compile this text."""
_RULE_NAMES: dict[Rule, str] = {_of_ast: "condition", _is_condition: "condition", _is_annotation: "annotation"}
"""Rule that lets a student's text pass → what such a text is."""
