"""Source notebook from what an otter course still has: its ``autograder.zip``, and the notebook that students got.

Test files are read as syntax and never run. The notebook that comes of it is one for ``otter assign``, without
solutions: it can be graded at once, and be released as soon as somebody has written them in.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from autograder._util.notebook_format import NotebookNode, nbformat
from autograder._util.syntax import parsed
from autograder.errors import CourseError
from autograder.extensions.otter.question_tests import OtterCase, OtterTest, read_test

ANSWER_TAG = "otter_answer_cell"
_CHECK = re.compile(r"^\s*grader\.check\(\s*[\"']([^\"']+)[\"']\s*\)\s*;?\s*$", re.MULTILINE)
_INIT = re.compile(r"^\s*grader\s*=\s*otter\.Notebook\(", re.MULTILINE)
_SETTINGS = ("seed", "seed_variable", "grade_from_log", "plugins", "score_threshold", "points_possible")
"""Keys of ``otter_config.json`` that change a grade."""


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
    placed: list[str] = []
    for cell in notebook.cells:
        checked = _checked(cell)
        names = [name for name in (*checked, *_carried(cell)) if name in tests and name not in placed]
        is_init = cell.cell_type == "code" and _INIT.search(cell.source) and not _more_than_init(cell.source)
        if not is_init and not any(name in checked for name in names):
            cells.append(_bare(cell))
        for name in names:
            placed.append(name)
            cells += _question(tests[name], _answers(cells), check_cell=name in checked)
    absent = sorted(tests.keys() - set(placed))
    if absent:
        raise CourseError(f'the notebook has no cell grader.check("{absent[0]}"), and the zip has a test of that name')
    ok_format = all(test.ok_format for test in tests.values())
    if not ok_format and any(test.ok_format for test in tests.values()):
        raise CourseError("the zip has tests in both of otter's formats; one assignment has one of them")
    head = _config(config, notebook, ok_format=ok_format, files=files)
    metadata = {key: value for key, value in notebook.metadata.items() if key != "otter"}
    source: NotebookNode = nbformat.from_dict(
        {
            "cells": [_raw(f"# ASSIGNMENT CONFIG\n{head}"), *cells],
            "metadata": metadata,
            "nbformat": 4,
            "nbformat_minor": 4,
        }
    )
    return source


def bare_notebook(questions: Iterable[str], imports: Sequence[str] = ()) -> NotebookNode:
    """Make a notebook of nothing but imports and the questions' check cells."""
    cells = [_node("code", "\n".join(imports), outputs=[], execution_count=None)] if imports else []
    cells += [_node("code", f'grader.check("{name}")', outputs=[], execution_count=None) for name in questions]
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    bare: NotebookNode = nbformat.from_dict(
        {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 4}
    )
    return bare


def order_in(notebook: NotebookNode) -> list[str]:
    """Return the questions whose tests a notebook calls, in the order in which they are called for the first time."""
    return list(dict.fromkeys(name for cell in notebook.cells for name in (*_checked(cell), *_carried(cell))))


def import_statements(notebook: NotebookNode) -> dict[str, str]:
    """Return the names that a notebook's cells import at their top level, with the statement that binds each."""
    statements: dict[str, str] = {}
    for cell in notebook.cells:
        tree = parsed(cell.source) if cell.cell_type == "code" else None
        for node in tree.body if tree is not None else ():
            if isinstance(node, ast.Import):
                statements |= {a.asname or a.name.split(".")[0]: ast.unparse(ast.Import([a])) for a in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                statements |= {a.asname or a.name: ast.unparse(ast.ImportFrom(node.module, [a], 0)) for a in node.names}
    return statements


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
    config_file = folder / "otter_config.json"
    try:
        config = json.loads(config_file.read_text(encoding="utf-8")) if config_file.is_file() else {}
    except ValueError as error:
        raise CourseError(f"otter_config.json: not JSON ({error})") from None
    if not isinstance(config, dict):
        raise CourseError("otter_config.json: not a mapping")
    files_folder = folder / "files"
    files = tuple(sorted(p.relative_to(files_folder).as_posix() for p in files_folder.rglob("*") if p.is_file()))
    return tests, config, files


# --- the notebook ------------------------------------------------------------------------------------


def _checked(cell: NotebookNode) -> list[str]:
    """Return the questions that a cell checks."""
    return _CHECK.findall(cell.source) if cell.cell_type == "code" else []


def _carried(cell: NotebookNode) -> list[str]:
    """Return the questions whose tests run behind a cell without a call: all their cases are hidden."""
    otter_metadata = cell.metadata.get("otter")
    names = otter_metadata.get("tests") if isinstance(otter_metadata, dict) else None
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _answers(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Take the answer cells at the end of ``cells``: those that otter has tagged."""
    answers: list[NotebookNode] = []
    while cells and ANSWER_TAG in cells[-1].metadata.get("tags", ()):
        cell = cells.pop()
        cell.metadata["tags"] = [tag for tag in cell.metadata["tags"] if tag != ANSWER_TAG]
        answers.insert(0, cell)
    return answers


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
    otter_metadata = notebook.metadata.get("otter", {})
    name = config.get("assignment_name") or (
        otter_metadata.get("assignment_name") if isinstance(otter_metadata, dict) else None
    )
    settings: dict[str, Any] = {"name": name} if name else {}
    settings |= {"export_cell": False}
    settings |= {} if ok_format else {"tests": {"ok_format": False}}
    settings |= {"files": sorted({PurePosixPath(path).parts[0] for path in files})} if files else {}
    generate = {key: config[key] for key in _SETTINGS if config.get(key)}
    return _yaml(settings | ({"generate": generate} if generate else {}))


def _more_than_init(source: str) -> bool:
    """Tell whether a cell does more than otter's own first cell."""
    lines = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return any(not _INIT.match(line) and line.strip() != "import otter" for line in lines)


def _bare(cell: NotebookNode) -> NotebookNode:
    more: dict[str, Any] = {"outputs": [], "execution_count": None} if cell.cell_type == "code" else {}
    metadata = {key: value for key, value in cell.metadata.items() if key in ("tags", "editable", "deletable")}
    return _node(cell.cell_type, cell.source, metadata=metadata, **more)


def _raw(text: str) -> NotebookNode:
    return _node("raw", text.rstrip("\n"))


def _node(cell_type: str, source: str, **more: Any) -> NotebookNode:
    node: NotebookNode = nbformat.from_dict({"cell_type": cell_type, "metadata": {}, "source": source} | more)
    return node


def _yaml(settings: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)) if settings else ""
