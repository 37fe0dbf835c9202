"""Test files that otter has written: read as syntax, in either of its formats, and never run."""

from __future__ import annotations

import ast
import builtins
import doctest
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.errors import CourseError
from autograder.syntax.names import loaded_names

_IMPORTS = ast.Import | ast.ImportFrom


@dataclass(frozen=True, slots=True)
class OtterCase:
    """One case of a test file."""

    code: str
    hidden: bool = True
    printed: str = ""
    shown: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Points and messages."""


@dataclass(frozen=True, slots=True)
class OtterTest:
    """One test file: a question."""

    name: str
    ok_format: bool
    cases: tuple[OtterCase, ...]
    points: Any = None
    all_or_nothing: bool = False


def read_test(source: str, label: str) -> OtterTest:
    """Read a test file of otter's, in either of its formats.

    Raises:
        CourseError: it is not as otter writes such files.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise CourseError(f"{label}: not Python: {error}") from None
    bound = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if "test" in bound:
        return _ok_test(_literal(bound["test"], label), label)
    if "name" not in bound:
        raise CourseError(f"{label}: not a test file of otter's: it binds neither test nor name")
    plain = {key: _literal(bound[key], label) for key in ("name", "points", "all_or_nothing") if key in bound}
    cases = tuple(_function_case(node, tree, label) for node in tree.body if isinstance(node, ast.FunctionDef))
    return OtterTest(str(plain["name"]), False, cases, plain.get("points"), bool(plain.get("all_or_nothing")))


def names_asked(test: OtterTest) -> set[str]:
    """Return the names that a test takes from the notebook."""
    names: set[str] = set()
    for case in test.cases:
        tree = ast.parse(case.code)
        stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        stored |= {a.asname or a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, _IMPORTS) for a in n.names}
        stored |= {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        names |= loaded_names(case.code) - stored - set(dir(builtins))
        if not test.ok_format and isinstance(tree.body[0], ast.FunctionDef):
            names |= {argument.arg for argument in ast.walk(tree.body[0].args) if isinstance(argument, ast.arg)}
    return names - {"env"}


def _literal(node: ast.expr, label: str) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise CourseError(f"{label}: line {node.lineno}: not a literal; test files are read, and never run") from None


def _ok_test(test: Any, label: str) -> OtterTest:
    try:
        (suite,) = test["suites"]
        cases = tuple(_ok_case(case, label) for case in suite["cases"])
        points, whole = test.get("points"), bool(test.get("all_or_nothing"))
        return OtterTest(str(test["name"]), True, cases, points, whole)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CourseError(f"{label}: not a test of otter's ({type(error).__name__}: {error})") from None


def _ok_case(case: Mapping[str, Any], label: str) -> OtterCase:
    settings = {key: case[key] for key in ("points", "success_message", "failure_message") if case.get(key) is not None}
    try:
        examples = doctest.DocTestParser().get_examples(textwrap.dedent(case["code"]))
    except ValueError as error:
        raise CourseError(f"{label}: {error}") from None
    *before, last = examples
    printed = "".join(example.want for example in before)
    code = "".join(_printing(example) if example.want else example.source for example in before) + last.source
    hidden = bool(case.get("hidden", True))
    if _shows(last.source):
        return OtterCase(code, hidden, printed, last.want.removesuffix("\n"), settings)
    return OtterCase(code, hidden, printed + last.want, "", settings)


def _printing(example: doctest.Example) -> str:
    """Return an example that has an output before the last, as a statement that prints it."""
    return f"print(repr({example.source.strip()}))\n" if _shows(example.source) else example.source


def _shows(source: str) -> bool:
    """Tell whether a notebook shows the value of a statement: it is an expression, and does not print."""
    match ast.parse(source).body:
        case [*_, ast.Expr(ast.Call(ast.Name("print")))]:
            return False
        case [*_, ast.Expr()]:
            return True
    return False


def _function_case(function: ast.FunctionDef, tree: ast.Module, label: str) -> OtterCase:
    calls = [d for d in function.decorator_list if isinstance(d, ast.Call) and ast.unparse(d.func) == "test_case"]
    if len(calls) != 1 or len(function.decorator_list) != 1:
        todo = "a function of a test file is decorated with @test_case(…), and nothing else"
        raise CourseError(f"{label}: line {function.lineno}: {function.name}: {todo}")
    options = {str(keyword.arg): _literal(keyword.value, label) for keyword in calls[0].keywords}
    function.decorator_list = []
    imports = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom) and "otter" not in ast.unparse(n)]
    function.body[:0] = imports
    settings = {k: options[k] for k in ("points", "success_message", "failure_message") if options.get(k) is not None}
    return OtterCase(ast.unparse(function), bool(options.get("hidden", False)), settings=settings)
