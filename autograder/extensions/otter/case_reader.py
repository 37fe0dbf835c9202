"""Test cells of an otter question: one cell is one case."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import yaml

from autograder._util.syntax import parsed
from autograder.extensions.otter.blocks import CellPart
from autograder.extensions.otter.otter_settings import QuestionSettings
from autograder.extensions.otter.setting_values import Points, read_mapping, unknown_keys

_BEGIN = re.compile(r'(?:.\s*=\s*)?""?"?\s*#\s*BEGIN\s*TEST\s*CONFIG', re.IGNORECASE)
_END = re.compile(r'""?"?\s*#\s*END\s*TEST\s*CONFIG', re.IGNORECASE)
_HIDDEN = re.compile(r"\bhidden\b", re.IGNORECASE)
_SETTINGS: dict[str, Any] = {
    "hidden": bool,
    "points": (int, float),
    "success_message": str,
    "failure_message": str,
    "name": object,
}
_KINDS = {
    "hidden": "true or false",
    "points": "a number from 0",
    "success_message": "text in quotes",
    "failure_message": "text in quotes",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One test case of a question."""

    piece: CellPart
    tree: ast.Module
    """The code, with the source's line numbers."""
    hidden: bool = False
    points: float | None = None
    """As the source says; None: by the question."""
    success: str = ""
    failure: str = ""
    printed: str = ""
    """Text that the saved outputs say the cell prints."""
    shown: str = ""
    """Text of the value at its end, as saved."""
    silent: bool = False
    """A semicolon at the end: the value is not shown."""
    ignored: tuple[str, ...] = ()
    """Warnings of keys that otter ignores."""


def read_case(cell_part: CellPart, *, ok_format: bool) -> Case:
    """Read a test cell.

    Raises:
        CourseError: it is no code, not Python, or its settings do not fit.
    """
    if cell_part.cell.cell_type != "code":
        raise cell_part.fault(f"a test is a code cell, not {cell_part.cell.cell_type}")
    lines = cell_part.lines
    tree = _tree(cell_part)
    hidden = lines[0].lstrip().startswith("#") and bool(_HIDDEN.search(lines[0]))
    settings: dict[str, Any] = {}
    ignored: tuple[str, ...] = ()
    begin = 0
    if _BEGIN.match(lines[0]):
        begin = next((n for n, line in enumerate(lines) if _END.match(line)), 0)
        if not begin:
            raise cell_part.fault('the test config has no """ # END TEST CONFIG', 1)
        settings, ignored = _settings(cell_part, lines[1:begin])
        tree = ast.Module([node for node in tree.body if node.lineno > begin + 1], [])
    if not tree.body:
        raise cell_part.fault("the test has no code")
    printed, display = _outputs(cell_part)
    case = Case(
        cell_part,
        tree,
        hidden=settings.get("hidden", hidden),
        points=settings.get("points"),
        success=settings.get("success_message") or "",
        failure=settings.get("failure_message") or "",
        printed=printed,
        shown=display,
        silent=_ends_in_semicolon(lines),
        ignored=ignored,
    )
    if not ok_format:
        _check_function(case)
    _check_imports(case)
    return case


def resolved(question: QuestionSettings, cases: Sequence[Case], fault: Any) -> list[float]:
    """Return the points of each case, by otter's rules.

    Args:
        question: its settings.
        cases: its cases.
        fault: makes an error about the question from a message.

    Raises:
        CourseError: the points do not fit.
    """
    total: Points = question.points
    stated = [case.points for case in cases]
    if isinstance(total, dict):
        total = total["each"] * len(cases)
    if isinstance(total, list):
        if len(total) != len(cases):
            raise fault(f"'points' has {len(total)} entries, and the question has {len(cases)} test cells")
        stated, total = list(total), None
    stated_sum = sum(points for points in stated if points is not None)
    open_cases = sum(points is None for points in stated)
    if total is not None:
        if stated_sum > total + 1e-9:
            raise fault(f"its test cells have {stated_sum:g} points, more than the question's {total:g}")
        share = max(total - stated_sum, 0.0) / open_cases if open_cases else 0.0
    else:
        share = 1 / open_cases if open_cases and not stated_sum else 0.0
    return [float(share if points is None else points) for points in stated]


def with_points(cases: Sequence[Case], points: Sequence[float]) -> list[Case]:
    """Give each case its points."""
    return [replace(case, points=own) for case, own in zip(cases, points, strict=True)]


def _tree(cell_part: CellPart) -> ast.Module:
    source = "\n".join(cell_part.lines)
    tree = parsed(source)
    if tree is None:
        try:
            compile(source, "<test>", "exec", ast.PyCF_ONLY_AST)
        except SyntaxError as error:
            line = error.lineno or 1
            raise cell_part.fault(f"the test is not Python: {error.msg}: {_excerpt(cell_part, line)}", line) from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise cell_part.fault(f"the test is not Python: {error}") from None
    assert tree is not None
    return tree


def _excerpt(cell_part: CellPart, line: int) -> str:
    lines = cell_part.lines
    return lines[line - 1].strip()[:80] if line <= len(lines) else ""


def _settings(cell_part: CellPart, lines: list[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Read a test config; return its values, and warnings of keys that otter ignores."""
    section = "the test config"
    reader, pairs = read_mapping(cell_part, lines, 2, section)
    values: dict[str, Any] = {}
    for key, (key_node, node) in pairs.items():
        if key not in _SETTINGS:
            if "hidden" in difflib.get_close_matches(key.lower(), _SETTINGS):  # the test would be released
                raise unknown_keys(reader, [key_node], section, [*_SETTINGS])
            reader.ignore(key_node, section, _SETTINGS)
            continue
        value = yaml.SafeLoader("").construct_object(node, deep=True)
        if value is None:
            continue
        kind = _SETTINGS[key]
        wrong = not isinstance(value, kind) or (key == "points" and (isinstance(value, bool) or not 0 <= value < 1e9))
        if wrong:
            raise reader.error(node, f"{key!r} must be {_KINDS[key]}, not {value!r}")
        values[key] = value
    return values, tuple(reader.ignored)


def _outputs(cell_part: CellPart) -> tuple[str, str]:
    """Return what the cell prints and the value that it shows, as saved; figures and warnings are left out."""
    printed, display = "", ""
    for output in cell_part.cell.get("outputs", ()):
        if output.output_type == "stream" and output.name == "stdout":
            printed += output.text
        elif output.output_type == "execute_result":
            display += output.get("data", {}).get("text/plain", "")
    return printed, display


def _ends_in_semicolon(lines: Sequence[str]) -> bool:
    code = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return bool(code) and code[-1].partition(" #")[0].rstrip().endswith(";")


def _check_imports(case: Case) -> None:
    for node in ast.walk(case.tree):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            raise case.piece.fault(f"from {node.module} import *: import the names that the test uses", node.lineno)


def check_files(case: Case, of_the_grader: Sequence[str]) -> None:
    """Refuse a test that needs files which are not where it runs.

    Args:
        case: the test.
        of_the_grader: ``autograder_files``: tests may import them; a file of data has another place here.

    Raises:
        CourseError: it names a file of data that is only the grader's.
    """
    data = {name for name in of_the_grader if not name.endswith(".py")}
    for node in ast.walk(case.tree):
        if isinstance(node, ast.Constant) and node.value in data:
            line = getattr(node, "lineno", 0)
            reason = f"tests do not run beside {node.value}, one of autograder_files"
            raise case.piece.fault(f"{reason}; put it into hidden/, and read check.hidden_data({node.value!r})", line)


# --- exception format --------------------------------------------------------------------------------


def _check_function(case: Case) -> None:
    body = case.tree.body
    if not isinstance(body[0], ast.FunctionDef) or len(body) > 2:
        todo = "write one function, with at most one call of it below"
        raise case.piece.fault(f"a test of the exception format is a function; {todo}", body[0].lineno)
    [*asked_of_env(case)]


def function_of(case: Case) -> ast.FunctionDef:
    """Return the function of a case of the exception format."""
    function = case.tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    return function


def parameters(function: ast.FunctionDef) -> list[str]:
    """Return the names that the function's parameters ask for."""
    arguments = function.args
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def asked_of_env(case: Case) -> Iterator[str]:
    """Yield the names that a test asks ``env`` for, each as a literal.

    Raises:
        CourseError: ``env`` is used in another way, so that the names cannot be read from the test.
    """
    function = function_of(case)
    if "env" not in parameters(function):
        return
    literal: dict[ast.AST, str] = {}
    for node in ast.walk(function):
        match node:
            case ast.Subscript(ast.Name("env") as name, ast.Constant(str(text)), ast.Load()):
                literal[name] = text
            case ast.Call(ast.Attribute(ast.Name("env") as name, "get"), [ast.Constant(str(text)), *_]):
                literal[name] = text
            case ast.Compare(ast.Constant(str(text)), [ast.In() | ast.NotIn()], [ast.Name("env") as name]):
                literal[name] = text
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node.id == "env" and node not in literal:
            todo = 'ask for each name: env["x"], env.get("x"), "x" in env; or make it a parameter of the function'
            raise case.piece.fault(f"which names this test takes from env cannot be read from it; {todo}", node.lineno)
    for text in literal.values():
        if not text.isidentifier():
            raise case.piece.fault(f"env has no name {text!r}", function.lineno)
    yield from dict.fromkeys(literal.values())
