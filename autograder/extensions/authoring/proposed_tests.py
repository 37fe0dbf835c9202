"""Tests that are proposed from what a solution was seen to compute, twice and from other seeds."""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from autograder.extensions.authoring.answer_regions import REGION, overlap, regions_of, tree_of
from autograder.extensions.authoring.kernel_side.solution_probe import MARK
from autograder.extensions.trust.calibration_seeds import POSITIONAL
from autograder.records.run import CellRun
from autograder.syntax.names import bindings

Run = Callable[[str], CellRun]
"""Runs a cell in a kernel."""
Start = Callable[[], AbstractContextManager[Run]]
"""Starts a kernel that has the probe as a module in its folder."""
MAX_CALLS = 4
"""Most calls that a test holds."""
_PROBE = "__import__('solution_probe')"
_IMPORTS = {"np.": "import numpy as np", "torch.": "import torch", "tf.": "import tensorflow as tf"}
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:e[-+]?\d+)?", re.I)
Expected = dict[str, Mapping[str, str]]
"""Expression → its form and the expected text, as the probe describes them."""


@dataclass
class ImportedQuestion:
    """An answer in code, and the test that is proposed for it."""

    answer: str
    """The solved cell, with markers."""
    told: str
    """Text that students read in the cell and above it."""
    asserts: tuple[str, ...] = ()
    """The author's own assertions, which stood in the cell."""
    test: str = ""
    """Empty: a person grades the answer."""


ImportedCell = tuple[str, ImportedQuestion | None]
"""A code cell of the solution, and the question that it answers."""


@dataclass(frozen=True)
class AnswerPart:
    """A statement of an answer's cell."""

    binds: frozenset[str]
    reads: frozenset[str]
    is_answer: bool
    """Whether students write in it."""
    is_definition: bool
    is_behavior: bool
    """Whether they write in a method of a class, but not where it is made: its parameters do not tell."""


@dataclass(frozen=True)
class _NotebookNames:
    """Facts that decide about names."""

    released: str
    """All that students get as it is: a name of an answer that is not in it is the author's own."""
    bound_by: Mapping[str, Sequence[int]]
    """Name → code cells that bind it to anything but a module."""

    def knows(self, name: str) -> bool:
        """Tell whether students can know a name."""
        return not name.startswith("_") and re.search(rf"\b{re.escape(name)}\b", self.released) is not None


def propose(cells: Sequence[ImportedCell], start: Start, released: str) -> str:
    """Run a solution twice, the second time with other seeds, and write the tests of its answers.

    Args:
        cells: the code cells of the solution.
        start: starts a kernel.
        released: all that students get as it is.

    Returns:
        Which cell failed, and how: nothing from there on has a test of values. Empty: none.
    """
    bound: dict[str, list[int]] = {}
    for number, (source, _) in enumerate(cells):
        names = bindings(source)
        for name in names.assigned | (names.definitions.keys() - names.imported):
            bound.setdefault(name, []).append(number)
    notebook = _NotebookNames(released, bound)
    with start() as run:
        first, failure, reached = _observed(cells, run, notebook)
    code = "random numpy " + " ".join(source for source, _ in cells)
    seeding = sorted(name for name in POSITIONAL if re.search(rf"\b{name.partition('.')[0]}\b", code))
    with start() as run:
        run(f"{_PROBE}.shift_seeds({seeding!r})")
        second, _, _ = _observed(cells[:reached], run, notebook, first)
    for number, (_, question) in enumerate(cells):
        if question is not None:
            again = second.get(number, {})
            agreed = {text: value for text, value in first.get(number, {}).items() if again.get(text) == value}
            question.test = written_test(question, agreed)
    return failure


def _observed(
    cells: Sequence[ImportedCell], run: Run, notebook: _NotebookNames, previous: Mapping[int, Expected] | None = None
) -> tuple[dict[int, Expected], str, int]:
    """Run cells until one fails; ask for values after them, and for calls at the end, as hidden tests do.

    Args:
        cells: the code cells.
        run: a kernel.
        notebook: its names.
        previous: what another run gave, which is asked for again; None: names of answers, and calls in the notebook.

    Returns:
        Number of a cell → what its expressions give; how a cell failed; how many did not.
    """
    results: dict[int, Expected] = {}
    texts = {number: list(expected) for number, expected in (previous or {}).items()}
    failure, reached = "", len(cells)
    for number, (source, question) in enumerate(cells):
        cell_run = run(source)
        if cell_run.status not in ("ok", "skipped"):
            failure, reached = f"code cell {number + 1}: {cell_run.error or cell_run.status}", number
            break
        if previous is None and question is not None and _is_told(question):
            texts[number] = list(_values(question, number, notebook))
        values = [text for text in texts.get(number, ()) if text.isidentifier()]
        results[number] = _ask(run, f"evaluated(globals(), {values!r})") if values else {}
        for earlier in [n for n in texts if n <= number] if previous is None else ():
            calls = list(_calls(source, _functions(cells[earlier][1], notebook)))
            literal = _ask(run, f"literal_calls(globals(), {calls!r})") if calls else ()
            texts[earlier] = list(dict.fromkeys([*texts[earlier], *literal]))
    for number, expressions in texts.items():
        calls_of_cell = [text for text in expressions if not text.isidentifier()][:MAX_CALLS]
        if number < reached and calls_of_cell:
            results[number] |= _ask(run, f"evaluated(globals(), {calls_of_cell!r})")
    return results, failure, reached


def _ask(run: Run, question: str) -> Any:
    """Ask the probe in the kernel; nothing if it cannot answer."""
    outputs = run(f"{_PROBE}.answer({_PROBE}.{question})").outputs
    lines = "".join(str(output.get("text", "")) for output in outputs).splitlines()
    return next((json.loads(line.removeprefix(MARK)) for line in lines if line.startswith(MARK)), {})


# --- what an answer's cell says -----------------------------------------------------------------------


def parts_of(answer: str) -> list[AnswerPart]:
    """Return the statements that hold an answer, or read a name that depends on one."""
    regions = regions_of(answer)

    def is_answer(node: ast.stmt) -> bool:
        shared = (overlap((node.lineno - 1, node.end_lineno or node.lineno), region) for region in regions)
        return any(start < end for start, end in shared)

    parts: list[AnswerPart] = []
    dependent: set[str] = set()
    tree = tree_of(answer)
    for statement in tree.body if tree else ():
        reads = _read_names(statement)
        if is_answer(statement) or reads & dependent:
            is_definition = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            binds = {str(getattr(statement, "name", ""))} if is_definition else _bound(statement, is_answer, dependent)
            dependent |= binds
            methods = statement.body if isinstance(statement, ast.ClassDef) else []
            is_behavior = any(is_answer(node) and getattr(node, "name", "") != "__init__" for node in methods)
            parts.append(AnswerPart(frozenset(binds), reads, is_answer(statement), is_definition, is_behavior))
    return parts


def _read_names(statement: ast.AST) -> frozenset[str]:
    names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
    return frozenset(name.id for name in names if isinstance(name.ctx, ast.Load))


def _bound(statement: ast.stmt, is_answer: Callable[[ast.stmt], bool], dependent: Set[str]) -> set[str]:
    """Return the names of a statement that depend on an answer: a given loop's counter does not."""
    simple = [node for node in ast.walk(statement) if isinstance(node, ast.stmt) and not hasattr(node, "body")]
    binds: set[str] = set()
    for _ in simple:  # in a loop, what is bound below is read above
        for node in simple:
            if is_answer(node) or _read_names(node) & (binds | dependent):
                binds |= {name for inner in ast.walk(node) for name in _stored(inner)}
    return binds


def _stored(node: ast.AST) -> Iterator[str]:
    """Yield the name that a node binds, or whose object it changes."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
        while isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        if isinstance(node, ast.Name):
            yield node.id
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]


def _is_told(question: ImportedQuestion) -> bool:
    """Tell whether students were told each number, text and class of the answer; else it is the author's own choice."""
    text = question.told.lower()
    numbers = {0.0, 1.0, *map(float, _NUMBER.findall(text))}
    trees = [tree_of(textwrap.dedent(region[2].rstrip(" \t"))) for region in REGION.finditer(question.answer)]
    for node in (node for tree in trees if tree for node in _computing(tree)):
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, int | float | complex) and value not in numbers:
            return False
        word = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
        words = [word] if word[:1].isupper() else [value] if isinstance(value, str) else []
        if not all(word.lower() in text for word in words):
            return False
    return None not in trees


def _computing(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree but docstrings, messages and what is printed."""
    is_text = isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Constant)
    is_print = isinstance(tree, ast.Call) and ast.unparse(tree.func) == "print"
    if not (is_text or is_print or isinstance(tree, ast.JoinedStr | ast.Raise)):
        yield tree
        for node in ast.iter_child_nodes(tree):
            yield from _computing(node)


def _functions(question: ImportedQuestion | None, notebook: _NotebookNames) -> frozenset[str]:
    """Return the functions and classes in which students write, that they know, and that no other cell binds."""
    parts = parts_of(question.answer) if question else []
    names = [name for part in parts if part.is_answer and part.is_definition for name in part.binds]
    return frozenset(name for name in names if len(notebook.bound_by.get(name, ())) == 1 and notebook.knows(name))


def _values(question: ImportedQuestion, number: int, notebook: _NotebookNames) -> Iterator[str]:
    """Yield the names that an answer binds to what follows from given values: else the value is the author's choice."""
    inputs = {name for name, cells in notebook.bound_by.items() if min(cells) <= number}
    for part in parts_of(question.answer):
        if not part.is_definition and part.reads & inputs - part.binds:
            yield from sorted(filter(notebook.knows, part.binds))


def _calls(source: str, functions: frozenset[str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield calls of functions: the name, and the texts of the arguments with ``name=`` before those by keyword."""
    tree = tree_of(source) if functions else None
    for node in ast.walk(tree) if tree else ():
        match node:
            case ast.Call(ast.Name(name), arguments, keywords) if name in functions:
                by_name = [(f"{keyword.arg}=", ast.unparse(keyword.value)) for keyword in keywords]
                if ("None=" not in dict(by_name)) and not any(isinstance(node, ast.Starred) for node in arguments):
                    yield name, [*(("", ast.unparse(argument)) for argument in arguments), *by_name]


# --- the test ------------------------------------------------------------------------------------------


def written_test(question: ImportedQuestion, expected: Expected) -> str:
    """Write a test cell from what the solution gave; empty if something that students write would not be tested."""
    parts = parts_of(question.answer)
    names = {name for part in parts if part.is_answer for name in part.binds}
    direct = {text: value for text, value in expected.items() if _subject(text) in names}
    for chosen in (direct, expected):
        if _covers(parts, question.asserts, chosen):
            hidden = [_line(text, value) for text, value in chosen.items()]
            imports = [line for form, line in _IMPORTS.items() if any(form in text for text in hidden)]
            head = ["from autograder import check", *imports, ""] if hidden else []
            marked = ["### BEGIN HIDDEN TESTS", *hidden, "### END HIDDEN TESTS"] if hidden else []
            return "\n".join([*head, *question.asserts, *marked])
    return ""


def _subject(expression: str) -> str:
    return expression.partition("(")[0]


def _covers(parts: Sequence[AnswerPart], asserts: Iterable[str], expected: Expected) -> bool:
    """Tell whether a test sees each answer of a cell, by its name or by one that depends on it."""
    behavior = {name for text in asserts for name in _read_names(ast.parse(text))}
    behavior |= {_subject(text) for text, value in expected.items() if value["form"] != "parameters"}
    tested = behavior | set(map(_subject, expected))
    for part in reversed(parts):
        if part.binds & (behavior if part.is_behavior else tested):
            tested |= part.reads
            behavior |= part.reads if part.binds & behavior else frozenset()
        elif part.is_answer:
            return False
    return True


def _line(code: str, value: Mapping[str, str]) -> str:
    """Write the comparison of an expression with what the solution gives."""
    expected, label = value["expected"], code if len(code) <= 60 else _subject(code)
    name = f"name={label!r}" if '"' in label or "\\" in label else f'name="{label}"'
    match value["form"]:
        case "equal":
            return f"assert {code} == {expected}"
        case "list" | "tuple" | "dict" as form:
            return f"assert {form}({code}) == {expected}"
        case "parameters":
            return f"check.parameters({code}, exactly={expected}, {name})"
    return f"check.close({code}, {expected}, {name})"
