"""Source notebook from what an otter course still has: its ``autograder.zip``, and the notebook that students got.

Test files are read as syntax and never run. The notebook that comes of it is one for ``otter assign``, without
solutions: it can be graded at once, and be released as soon as somebody has written them in.
"""

from __future__ import annotations

import ast
import builtins
import doctest
import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from autograder._util.notebook_format import NotebookNode, nbformat
from autograder._util.syntax import parsed
from autograder.errors import CourseError
from autograder.examiner.names import loaded_names

_IMPORTS = ast.Import | ast.ImportFrom
ANSWER_TAG = "otter_answer_cell"
_CHECK = re.compile(r"^\s*grader\.check\(\s*[\"']([^\"']+)[\"']\s*\)\s*;?\s*$", re.MULTILINE)
_INIT = re.compile(r"^\s*grader\s*=\s*otter\.Notebook\(", re.MULTILINE)
_SETTINGS = ("seed", "seed_variable", "grade_from_log", "plugins", "score_threshold", "points_possible")
"""Keys of ``otter_config.json`` that change a grade."""


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


def source_notebook(
    notebook: NotebookNode, tests: Mapping[str, OtterTest], config: Mapping[str, Any], files: tuple[str, ...]
) -> NotebookNode:
    """Make the source notebook of a student's notebook and the tests of its questions.

    Args:
        notebook: as students got it.
        tests: question → its test.
        config: the content of ``otter_config.json``.
        files: paths of the files that the release is to have.

    Raises:
        CourseError: a question's check cell is missing.
    """
    cells: list[NotebookNode] = []
    asked: list[str] = []
    for cell in notebook.cells:
        checked = _checked(cell)
        names = [name for name in (*checked, *_carried(cell)) if name in tests and name not in asked]
        is_init = cell.cell_type == "code" and _INIT.search(cell.source) and not _more_than_init(cell.source)
        if not is_init and not any(name in checked for name in names):
            cells.append(_bare(cell))
        for name in names:
            asked.append(name)
            cells += _question(tests[name], _answers(cells), check_cell=name in checked)
    absent = sorted(tests.keys() - set(asked))
    if absent:
        raise CourseError(f'the notebook has no cell grader.check("{absent[0]}"), and the zip has a test of that name')
    ok_format = all(test.ok_format for test in tests.values())
    if not ok_format and any(test.ok_format for test in tests.values()):
        raise CourseError("the zip has tests in both of otter's formats; one assignment has one of them")
    head = _config(config, notebook, ok_format=ok_format, files=files)
    metadata = {key: value for key, value in notebook.metadata.items() if key != "otter"}
    made: NotebookNode = nbformat.from_dict(
        {
            "cells": [_raw(f"# ASSIGNMENT CONFIG\n{head}"), *cells],
            "metadata": metadata,
            "nbformat": 4,
            "nbformat_minor": 4,
        }
    )
    return made


def bare_notebook(questions: Iterable[str], imports: Sequence[str] = ()) -> NotebookNode:
    """Make a notebook of nothing but imports and the questions' check cells."""
    cells = [_node("code", "\n".join(imports), outputs=[], execution_count=None)] if imports else []
    cells += [_node("code", f'grader.check("{name}")', outputs=[], execution_count=None) for name in questions]
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    made: NotebookNode = nbformat.from_dict(
        {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 4}
    )
    return made


def order_in(notebook: NotebookNode) -> list[str]:
    """Return the questions whose tests a notebook calls, in the order in which they are called for the first time."""
    return list(dict.fromkeys(name for cell in notebook.cells for name in (*_checked(cell), *_carried(cell))))


def names_asked(test: OtterTest) -> set[str]:
    """Return the names that a test takes from the notebook."""
    asked: set[str] = set()
    for case in test.cases:
        tree = ast.parse(case.code)
        stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
        stored |= {a.asname or a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, _IMPORTS) for a in n.names}
        stored |= {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        asked |= loaded_names(case.code) - stored - set(dir(builtins))
        if not test.ok_format and isinstance(tree.body[0], ast.FunctionDef):
            asked |= {argument.arg for argument in ast.walk(tree.body[0].args) if isinstance(argument, ast.arg)}
    return asked - {"env"}


def import_statements(notebook: NotebookNode) -> dict[str, str]:
    """Return the names that a notebook's cells import at their top level, with the statement that binds each."""
    found: dict[str, str] = {}
    for cell in notebook.cells:
        tree = parsed(cell.source) if cell.cell_type == "code" else None
        for node in tree.body if tree is not None else ():
            if isinstance(node, ast.Import):
                found |= {a.asname or a.name.split(".")[0]: ast.unparse(ast.Import([a])) for a in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found |= {a.asname or a.name: ast.unparse(ast.ImportFrom(node.module, [a], 0)) for a in node.names}
    return found


def read_folder(folder: Path) -> tuple[dict[str, OtterTest], dict[str, Any], tuple[str, ...]]:
    """Read the unpacked zip: tests by question, ``otter_config.json``, and the paths below ``files/``.

    Raises:
        CourseError: it has no tests, or one cannot be read.
    """
    tests = {}
    for path in sorted((folder / "tests").glob("*.py")):
        test = read_test(path.read_text(encoding="utf-8"), f"tests/{path.name}")
        tests[test.name] = test
    if not tests:
        raise CourseError("the zip has no tests/*.py: it is not an autograder.zip of otter's, or not one for Python")
    own = folder / "otter_config.json"
    try:
        config = json.loads(own.read_text(encoding="utf-8")) if own.is_file() else {}
    except ValueError as error:
        raise CourseError(f"otter_config.json: not JSON ({error})") from None
    if not isinstance(config, dict):
        raise CourseError("otter_config.json: not a mapping")
    given = folder / "files"
    files = tuple(sorted(p.relative_to(given).as_posix() for p in given.rglob("*") if p.is_file()))
    return tests, config, files


# --- test files --------------------------------------------------------------------------------------


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


# --- the notebook ------------------------------------------------------------------------------------


def _checked(cell: NotebookNode) -> list[str]:
    """Return the questions that a cell checks."""
    return _CHECK.findall(cell.source) if cell.cell_type == "code" else []


def _carried(cell: NotebookNode) -> list[str]:
    """Return the questions whose tests run behind a cell without a call: all their cases are hidden."""
    own = cell.metadata.get("otter")
    names = own.get("tests") if isinstance(own, dict) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _answers(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Take the answer cells at the end of ``cells``: those that otter has tagged."""
    taken: list[NotebookNode] = []
    while cells and ANSWER_TAG in cells[-1].metadata.get("tags", ()):
        cell = cells.pop()
        cell.metadata["tags"] = [tag for tag in cell.metadata["tags"] if tag != ANSWER_TAG]
        taken.insert(0, cell)
    return taken


def _question(test: OtterTest, answers: list[NotebookNode], *, check_cell: bool) -> Iterator[NotebookNode]:
    settings: dict[str, Any] = {"name": test.name}
    if not check_cell:
        settings["check_cell"] = False
    if test.points is not None:
        settings["points"] = test.points
    if test.all_or_nothing:
        settings["all_or_nothing"] = True
    yield _raw(f"# BEGIN QUESTION\n{_yaml(settings)}")
    if answers:
        yield from (_raw("# BEGIN PROMPT"), *answers, _raw("# END PROMPT"))
    yield from (_raw("# BEGIN TESTS"), *map(_test_cell, test.cases), _raw("# END TESTS"))
    yield _raw("# END QUESTION")


def _test_cell(case: OtterCase) -> NotebookNode:
    settings = {**case.settings, "hidden": True} if case.hidden else {**case.settings}
    head = f'""" # BEGIN TEST CONFIG\n{_yaml(settings)}""" # END TEST CONFIG\n' if settings else ""
    outputs: list[dict[str, Any]] = []
    if case.printed:
        outputs.append({"output_type": "stream", "name": "stdout", "text": case.printed})
    if case.shown:
        data = {"text/plain": case.shown}
        outputs.append({"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": data})
    return _node("code", head + case.code.rstrip("\n"), outputs=outputs, execution_count=None)


def _config(config: Mapping[str, Any], notebook: NotebookNode, *, ok_format: bool, files: tuple[str, ...]) -> str:
    named = notebook.metadata.get("otter", {})
    name = config.get("assignment_name") or (named.get("assignment_name") if isinstance(named, dict) else None)
    settings: dict[str, Any] = {"name": name} if name else {}
    settings |= {"export_cell": False}
    settings |= {} if ok_format else {"tests": {"ok_format": False}}
    settings |= {"files": sorted({PurePosixPath(path).parts[0] for path in files})} if files else {}
    kept = {key: config[key] for key in _SETTINGS if config.get(key)}
    return _yaml(settings | ({"generate": kept} if kept else {}))


def _more_than_init(source: str) -> bool:
    """Tell whether a cell does more than otter's own first cell."""
    lines = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return any(not _INIT.match(line) and line.strip() != "import otter" for line in lines)


def _bare(cell: NotebookNode) -> NotebookNode:
    more: dict[str, Any] = {"outputs": [], "execution_count": None} if cell.cell_type == "code" else {}
    kept = {key: value for key, value in cell.metadata.items() if key in ("tags", "editable", "deletable")}
    return _node(cell.cell_type, cell.source, metadata=kept, **more)


def _raw(text: str) -> NotebookNode:
    return _node("raw", text.rstrip("\n"))


def _node(cell_type: str, source: str, **more: Any) -> NotebookNode:
    node: NotebookNode = nbformat.from_dict({"cell_type": cell_type, "metadata": {}, "source": source} | more)
    return node


def _yaml(settings: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)) if settings else ""
