"""Which texts may become code while a test cell is examined: a closed list, and the instructor's own.

A text may be compiled if it stands as a constant in the test, in the instructor's statements that the test uses, or in
the file of the code that compiles it; if it is a literal; or if one of a few libraries makes it of nothing but names
that it has checked. Where it came from is not asked: any other text may be the student's.
"""

from __future__ import annotations

import ast
import functools
import linecache
import timeit
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any

from autograder.examiner.test_environment.callers import frames, is_importing, module_of
from autograder.records import AST_CACHE_SIZE

MAX_PLAIN = 10_000
"""Characters of a text that is looked at for what it does."""

_LITERAL = (
    ast.Module, ast.Expr, ast.Load, ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.USub,
)  # fmt: skip
_ANNOTATION = (*_LITERAL, ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.BitOr)
"""Nothing of it is called."""
_CONDITION = (
    *_LITERAL, ast.Name, ast.BinOp, ast.operator, ast.unaryop, ast.BoolOp, ast.boolop, ast.Compare, ast.cmpop,
)  # fmt: skip
"""On the columns of a table."""
_OF_LOCALS = "__pd_eval_local_"
"""What pandas writes for ``@``: the names of whoever calls it."""

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
"""Modules that compile texts (or syntax trees) of their own making."""

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
"""Functions that change a text before they, or what they call, compile it → their parameter for the text as it was
given. It has to stand where any other would."""

_GIVES_UP = ("tensorflow.python.autograph.", "hypothesis.internal.lambda_sources")
"""Modules that go on without what they wanted to compile."""


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def constants(source: str) -> frozenset[str]:
    """The texts that stand in Python source, without the spaces around them."""
    try:
        nodes = list(ast.walk(_parsed(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    texts = [value.decode("latin-1") if isinstance(value, bytes) else value for value in values]
    return frozenset(text.strip() for text in texts if isinstance(text, str))


def constants_of(frame: FrameType) -> frozenset[str]:
    """The texts that stand in the file of the frame's code."""
    return constants("".join(linecache.getlines(frame.f_code.co_filename, frame.f_globals)))


def _parsed(source: str) -> ast.Module:
    """As ``ast.parse``, by a call that can be told from that of anybody else."""
    tree: ast.Module = compile(source, "<looked at>", "exec", ast.PyCF_ONLY_AST)  # type: ignore[assignment]
    return tree


def own(frame: FrameType) -> bool:
    """Whether it is this module that looks at a text."""
    return frame.f_code is _parsed.__code__


class Texts:
    """The texts of the instructor's that one test cell may compile."""

    def __init__(self, sources: tuple[str, ...]) -> None:
        self.sources = sources

    @functools.cached_property
    def own(self) -> frozenset[str]:
        return frozenset().union(*map(constants, self.sources))

    def allows(self, source: Any, frame: FrameType) -> bool:
        """Whether what is about to be compiled may be.

        Args:
            source: a text, its bytes, or a syntax tree.
            frame: of the function that compiles it.
        """
        if module_of(frame) in GENERATORS or is_importing(frame):
            return True
        if not isinstance(source, str | bytes):
            return False
        text = (source if isinstance(source, str) else source.decode("utf-8", "replace")).strip()
        if self.stands(text, frame) or _consists(text, _LITERAL):
            return True
        rule = _RULES.get(module_of(frame))
        return (rule is not None and rule(self, text, frame)) or self.stood(frame)

    def stands(self, text: str, frame: FrameType | None) -> bool:
        """Whether it is a constant of the instructor's, or of the file of that frame's code."""
        if text in self.own:
            return True
        return frame is not None and text in constants_of(frame)

    def stood(self, frame: FrameType) -> bool:
        """Whether it was made of a text that stands there, by a function that is known to rewrite."""
        for one in frames(frame):
            name = REWRITERS.get((module_of(one), one.f_code.co_name))
            given = one.f_locals.get(name) if name else None
            if type(given) is str and self.stands(given.strip(), one.f_back):
                return True
        return False


def gives_up(frame: FrameType) -> bool:
    """Whether the caller goes on without what it wanted to compile, and nobody has to know."""
    return any(module_of(one).startswith(_GIVES_UP) for one in frames(frame))


def is_transformed_function(frame: FrameType) -> bool:
    """Whether TensorFlow's AutoGraph imports what it made of a function that is one here: of the instructor's, or of a
    library."""
    for one in frames(frame):
        if module_of(one) == "tensorflow.python.autograph.pyct.transpiler" and "fn" in one.f_locals:
            return type(one.f_locals["fn"]) is FunctionType
    return False


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _consists(text: str, nodes: tuple[type, ...]) -> bool:
    """Whether a text is an expression of such nodes alone."""
    if len(text) > MAX_PLAIN:
        return False
    try:
        tree = _parsed(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(isinstance(node, nodes) for node in ast.walk(tree)) and all(map(_is_harmless, ast.walk(tree)))


def _is_harmless(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow | ast.LShift):
        return False  # ten characters that compute for hours
    return not isinstance(node, ast.Name) or not node.id.startswith(_OF_LOCALS)


# --- who asks ------------------------------------------------------------------------------------------


def _of_ast(texts: Texts, text: str, frame: FrameType) -> bool:
    """``ast.parse`` makes a tree, and a tree is not compiled. pandas does itself what a tree says."""
    return _is_condition(texts, text, frame) if frame.f_back and _is_of_pandas(frame.f_back) else True


def _is_of_pandas(frame: FrameType) -> bool:
    return module_of(frame).startswith("pandas.")


def _is_condition(texts: Texts, text: str, frame: FrameType) -> bool:
    """Where the names are those of columns, and not of whoever calls ``pandas.eval``."""
    of_table = any(module_of(one) in ("pandas.core.frame", "pandas.core.generic") for one in frames(frame))
    return of_table and _consists(text, _CONDITION)


def _is_annotation(texts: Texts, text: str, frame: FrameType) -> bool:
    return _consists(text, _ANNOTATION)


def _of_timeit(texts: Texts, text: str, frame: FrameType) -> bool:
    """timeit's own lines around statements of the instructor's."""
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


def _of_patsy(texts: Texts, text: str, frame: FrameType) -> bool:
    """A part of a formula that stands there, with other spaces."""
    part = "".join(text.split())
    return any(part in "".join(one.split()) for one in texts.own)


_SYMPYS = frozenset(["abs", "complex", "float", "int", "len", "list", "max", "min", "range", "sum", "tuple"])


def _of_lambdify(texts: Texts, text: str, frame: FrameType) -> bool:
    """A function whose names are no builtins but those of arithmetic, without a text in it: a symbol may be named as
    one likes."""
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


_RULES: dict[str, Callable[[Texts, str, FrameType], bool]] = {
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
