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
from autograder.extensions.trust.calibration_seeds import Redrawing, redraw
from autograder.records.run import CellRun
from autograder.syntax.names import bindings

Run = Callable[[str], CellRun]
"""Runs a cell in a kernel."""
Start = Callable[[], AbstractContextManager[Run]]
"""Starts a kernel that has the probe as a module in its folder."""
MAX_CALLS = 4
"""Most calls of one function that a test holds."""
_PROBE = "__import__('solution_probe')"
_IMPORTS = {"np.": "import numpy as np", "torch.": "import torch", "tf.": "import tensorflow as tf"}
_FREE = frozenset({0.0, 1.0})
"""Numbers that an answer may hold without having been told."""
_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:e[-+]?\d+)?", re.I)
Expected = dict[str, Mapping[str, str]]
"""Expression → its form and the expected text, as the probe describes them."""


@dataclass
class Question:
    """An answer, and the test that is proposed for it."""

    grade_id: str
    answer: str
    """The solved cell, with markers."""
    told: str
    """What students read in the cell and above it."""
    asserts: tuple[str, ...] = ()
    """The author's own assertions, which stood in the cell."""
    test: str = ""
    """Empty: a person grades the answer."""


@dataclass(frozen=True)
class Part:
    """A statement of an answer's cell."""

    statement: ast.stmt
    binds: frozenset[str]
    reads: frozenset[str]
    is_answer: bool
    """Whether students write in it."""
    is_behavior: bool
    """Whether they write in a method of a class, but not where it is made: its parameters do not tell."""

    @property
    def defines(self) -> bool:
        """Whether it defines a function or class."""
        return isinstance(self.statement, _DEFINITIONS)


@dataclass(frozen=True)
class _Names:
    """Names of a notebook."""

    given: str
    """All that students get as it is: a name of an answer that is not in it is the author's own."""
    bound_by: Mapping[str, frozenset[int]]
    """Name → code cells that bind it to anything but a module."""


def propose(cells: Sequence[tuple[str, Question | None]], start: Start, given: str) -> str:
    """Run a solution twice, the second time with other seeds, and write the tests of its answers.

    Args:
        cells: each code cell of the solution, and the question that it answers.
        start: starts a kernel.
        given: all that students get as it is.

    Returns:
        Which cell failed, and how: nothing from there on has a test of values. Empty: none.
    """
    sources = [source for source, _ in cells]
    bound: dict[str, set[int]] = {}
    for number, source in enumerate(sources):
        found = bindings(source)
        for name in found.assigned | (found.definitions.keys() - found.imported):
            bound.setdefault(name, set()).add(number)
    names = _Names(given, {name: frozenset(numbers) for name, numbers in bound.items()})
    with start() as run:
        first, failure, reached = _observed(cells, run, names)
    other = redraw(sources, [()] * len(sources), Redrawing("import"))
    again = [(source, question) for source, (_, question) in zip(other, cells, strict=True)]
    with start() as run:
        second, _, _ = _observed(again[:reached], run, names, first)
    for number, (_, question) in enumerate(cells):
        if question is not None:
            theirs = second.get(number, {})
            question.test = written_test(
                question, {t: v for t, v in first.get(number, {}).items() if theirs.get(t) == v}
            )
    return failure


def _observed(
    cells: Sequence[tuple[str, Question | None]], run: Run, names: _Names, wanted: Mapping[int, Expected] | None = None
) -> tuple[dict[int, Expected], str, int]:
    """Run cells until one fails; ask for values after their cells, and for calls at the end, as hidden tests do.

    Args:
        cells: the code cells.
        run: a kernel.
        names: the notebook's names.
        wanted: for each cell the expressions; None: what its answer binds, and the calls that the notebook shows.

    Returns:
        What was seen, for each cell; how a cell failed; how many did not.
    """
    found: dict[int, Expected] = {}
    texts: dict[int, list[str]] = {} if wanted is None else {n: list(seen) for n, seen in wanted.items()}
    failure, reached = "", len(cells)
    for number, (source, question) in enumerate(cells):
        if wanted is not None or not number:
            run(f"{_PROBE}.reseed({number + (wanted is not None)})")
        result = run(source)
        if result.status not in ("ok", "skipped"):
            failure, reached = f"code cell {number + 1}: {result.error or result.status}", number
            break
        if wanted is None and question is not None and _is_told(question):
            texts[number] = list(_values(question, number, names))
        values = [text for text in texts.get(number, ()) if text.isidentifier()]
        found[number] = _ask(run, f"evaluated(globals(), {values!r})") if values else {}
        for earlier in () if wanted is not None else [n for n in texts if n <= number]:
            shown = list(_calls(source, _functions(cells[earlier][1], names)))
            new = _ask(run, f"calls(globals(), {shown!r})") if shown else []
            texts[earlier] = list(dict.fromkeys([*texts[earlier], *new]))
    for number, asked in texts.items():
        calls = [text for text in asked if not text.isidentifier()][:MAX_CALLS]
        if number < reached and calls:
            found[number] = found[number] | _ask(run, f"evaluated(globals(), {calls!r})")
    return found, failure, reached


def _ask(run: Run, question: str) -> Any:
    """Ask the probe in the kernel; nothing if it cannot answer."""
    result = run(f"{_PROBE}.answer({_PROBE}.{question})")
    text = "".join(str(output.get("text", "")) for output in result.outputs)
    line = next((line for line in text.splitlines() if line.startswith(MARK)), "")
    return json.loads(line.removeprefix(MARK)) if line else {}


# --- what an answer's cell says -----------------------------------------------------------------------


def parts_of(answer: str) -> list[Part]:
    """Return the statements that hold an answer, or read a name that depends on one."""
    regions = regions_of(answer)

    def is_answer(node: ast.stmt) -> bool:
        shared = (overlap((node.lineno - 1, node.end_lineno or node.lineno), region) for region in regions)
        return any(start < end for start, end in shared)

    parts: list[Part] = []
    dependent: set[str] = set()
    tree = tree_of(answer)
    for statement in tree.body if tree else ():
        reads = _read(statement)
        if not is_answer(statement) and not reads & dependent:
            continue
        defined = getattr(statement, "name", "")
        binds = {defined} if defined else _bound(statement, is_answer, dependent)
        dependent |= binds
        methods = statement.body if isinstance(statement, ast.ClassDef) else []
        behavior = any(is_answer(each) and getattr(each, "name", "") != "__init__" for each in methods)
        parts.append(Part(statement, frozenset(binds), reads, is_answer(statement), behavior))
    return parts


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _read(node: ast.AST) -> frozenset[str]:
    return frozenset(
        each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)
    )


def _bound(statement: ast.stmt, is_answer: Callable[[ast.stmt], bool], dependent: Set[str]) -> set[str]:
    """Return the names of a statement that depend on an answer: a given loop's counter does not."""
    simple = [node for node in ast.walk(statement) if isinstance(node, ast.stmt) and not hasattr(node, "body")]
    binds: set[str] = set()
    for _ in simple:  # in a loop, what is bound below is read above
        binds |= {
            name
            for node in simple
            if is_answer(node) or _read(node) & (binds | dependent)
            for inner in ast.walk(node)
            for name in _stored(inner)
        }
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


def _is_told(question: Question) -> bool:
    """Tell whether students were told each number, text and class of the answer; else it is the author's own choice."""
    told = question.told.lower()
    numbers = _FREE | {float(text) for text in _NUMBER.findall(told)}
    for region in REGION.finditer(question.answer):
        tree = tree_of(textwrap.dedent(region[2].rstrip(" \t")))
        if tree is None:
            return False
        silent = {id(inner) for node in ast.walk(tree) if _is_said(node) for inner in ast.walk(node)}
        for node in (node for node in ast.walk(tree) if id(node) not in silent):
            value = node.value if isinstance(node, ast.Constant) else None
            if isinstance(value, int | float) and float(value) not in numbers:
                return False
            if isinstance(value, str | bytes | complex) and str(value).lower() not in told:
                return False
            called = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
            if called[:1].isupper() and called.lower() not in told:
                return False
    return True


def _is_said(node: ast.AST) -> bool:
    """Tell whether a node's texts are for readers: a docstring, a message, what is printed."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "print"
    return isinstance(node, ast.JoinedStr | ast.Raise)


def _functions(question: Question | None, names: _Names) -> frozenset[str]:
    """Return the functions and classes in which students write, that they know, and that no other cell binds."""
    return frozenset(
        name
        for part in parts_of(question.answer if question else "")
        if part.is_answer and part.defines
        for name in part.binds
        if len(names.bound_by.get(name, ())) == 1 and _is_known(name, names)
    )


def _values(question: Question, number: int, names: _Names) -> Iterator[str]:
    """Yield the names that an answer binds to what follows from given values: else the value is the author's choice."""
    follows: set[str] = set()
    for part in parts_of(question.answer):
        if not part.defines:
            given = {name for name in part.reads if any(n <= number for n in names.bound_by.get(name, ()))}
            if (given - part.binds) or part.reads & follows:
                follows |= part.binds
                yield from (name for name in sorted(part.binds) if _is_known(name, names))


def _is_known(name: str, names: _Names) -> bool:
    return not name.startswith("_") and re.search(rf"\b{re.escape(name)}\b", names.given) is not None


def _calls(source: str, functions: frozenset[str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield calls of functions: the name, and the texts of the arguments with ``name=`` before those by keyword."""
    tree = tree_of(source) if functions else None
    for node in ast.walk(tree) if tree else ():
        match node:
            case ast.Call(ast.Name(name), arguments, keywords) if name in functions:
                if all(each.arg for each in keywords) and not any(isinstance(each, ast.Starred) for each in arguments):
                    named = [(f"{each.arg}=", ast.unparse(each.value)) for each in keywords]
                    yield name, [*(("", ast.unparse(each)) for each in arguments), *named]


# --- the test ------------------------------------------------------------------------------------------


def written_test(question: Question, expected: Expected) -> str:
    """Write a test cell from what the solution gave; empty if something that students write would not be tested."""
    parts = parts_of(question.answer)
    written = {name for part in parts if part.is_answer for name in part.binds}
    direct = {text: value for text, value in expected.items() if text.partition("(")[0] in written}
    for chosen in (direct, expected):
        if _covers(parts, question.asserts, chosen):
            hidden = [_line(text, value) for text, value in chosen.items()]
            lines = [*question.asserts]
            if hidden:
                lines = [*lines, "### BEGIN HIDDEN TESTS", *hidden, "### END HIDDEN TESTS"]
            needed = [line for form, line in _IMPORTS.items() if any(form in line for line in hidden)]
            head = ["from autograder import check", *needed, ""] if hidden else []
            return "\n".join([*head, *lines])
    return ""


def _covers(parts: Sequence[Part], asserts: Iterable[str], expected: Expected) -> bool:
    """Tell whether a test sees each answer of a cell: by its own name, or by one that depends on it."""
    seen = {node.id for text in asserts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    behavior = seen | {text.partition("(")[0] for text, value in expected.items() if value["form"] != "parameters"}
    seen = behavior | {text.partition("(")[0] for text in expected}
    for part in reversed(parts):
        if part.binds & (behavior if part.is_behavior else seen):
            seen |= part.reads
            behavior |= part.reads if part.binds & behavior else set()
        elif part.is_answer:
            return False
    return True


def _line(code: str, value: Mapping[str, str]) -> str:
    """Write the comparison of an expression with what the solution gives."""
    expected, label = value["expected"], code if len(code) <= 60 else code.partition("(")[0]
    name = f"name={label!r}" if '"' in label or "\\" in label else f'name="{label}"'
    match value["form"]:
        case "equal":
            return f"assert {code} == {expected}"
        case "list" | "tuple" | "dict" as form:
            return f"assert {form}({code}) == {expected}"
        case "parameters":
            return f"check.parameters({code}, exactly={expected}, {name})"
    return f"check.close({code}, {expected}, {name})"
