"""Questions that an answer feeds: whose tests look at what its cell binds or changes."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass

from autograder._util.syntax import parsed
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.observations import Act
from autograder.syntax.cell_matching import bound_names
from autograder.syntax.magics import without_magics

WORD = re.compile(r"[^\W\d]\w*")
_CHANGING = frozenset((
    "fit", "fit_transform", "partial_fit", "compile", "build", "set_weights", "load_weights", "set_value", "assign",
    "assign_add", "assign_sub", "load_state_dict", "train_on_batch", "step", "append", "extend", "update", "pop",
))  # fmt: skip
"""Methods that change their object even where their result is used. A call alone on its line always changes it."""


@dataclass(frozen=True, slots=True)
class Feeds:
    """Questions that an answer feeds, by their ids."""

    direct: tuple[str, ...]
    """Questions whose tests use what the cell binds or changes; else all, else the next one."""
    every: tuple[str, ...]
    """Also those that it reaches through other cells."""


def feeds(exam: Exam, index: int) -> Feeds:
    """List the questions that a cell feeds, by the names in it, in later cells and in tests.

    A test that reads no name which an answer reaches, as it looks at a file, tests the answer before it.
    """
    direct, every = _by_names(exam, index)
    if nameless := _nameless_tests(exam, index):
        direct, every = _in_order(exam, {*direct, *nameless}), _in_order(exam, {*every, *nameless})
    if not every:
        every = [str(cell.grade_id) for cell in exam.cells[index + 1 :] if is_tested(cell)][:1]
    return Feeds(tuple(direct or every), tuple(every))


def _by_names(exam: Exam, index: int) -> tuple[list[str], list[str]]:
    """List the questions whose tests use names of a cell, and those that these names reach through other cells."""
    modules = _modules(exam)
    touched_here = touched(exam.cells[index].source) - modules
    reached = set(touched_here)
    direct, every = [], []
    for cell in exam.cells[index + 1 :]:
        names = _reads(exam, cell)
        if is_tested(cell):
            direct += [str(cell.grade_id)] if names & touched_here else []
            every += [str(cell.grade_id)] if names & reached else []
        elif cell.role is not Role.TEST and names & reached:
            reached |= touched(cell.source) - modules
    return direct, every


def _nameless_tests(exam: Exam, index: int) -> list[str]:
    """List the tests between an answer and the next one that no answer reaches by a name."""
    following = itertools.takewhile(lambda cell: cell.role is not Role.ANSWER, exam.cells[index + 1 :])
    tests = [str(cell.grade_id) for cell in following if is_tested(cell)]
    if not tests or exam.cells[index].role is not Role.ANSWER:
        return []
    answers = [number for number, cell in enumerate(exam.cells[: index + 1]) if cell.role is Role.ANSWER]
    reached = {test for number in answers for test in _by_names(exam, number)[1]}
    return [test for test in tests if test not in reached]


def _in_order(exam: Exam, tests: Collection[str]) -> list[str]:
    return [str(cell.grade_id) for cell in exam.cells if cell.grade_id in tests]


def used_later(exam: Exam, index: int) -> tuple[str, ...]:
    """List the names that a cell binds or changes, and that a later cell or test uses."""
    names = {name for cell in exam.cells[index + 1 :] for name in _reads(exam, cell)}
    if exam.cells[index].is_answer_file:  # given modules may take what it defines
        tree = parsed(exam.cells[index].source) or ast.Module([], [])
        names |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return tuple(sorted(touched(exam.cells[index].source) & names - _modules(exam)))


def _reads(exam: Exam, cell: ExamCell) -> frozenset[str]:
    """Collect the names that a cell uses.

    A text in a test is a name if the solution's run saw the test look at it: ``scalars=["cost"]`` names a series.
    """
    if cell.cell_type != "code":
        return frozenset()
    of_files = frozenset[str]().union(*(touched(one.source) for one in exam.answer_files))
    return _reads_here(exam, cell) | (of_files & _attributes(_source(cell)) if of_files else frozenset())


@functools.lru_cache(maxsize=1024)
def _attributes(source: str) -> frozenset[str]:
    """Collect the names that a cell takes from modules: ``layers.relu``, ``from layers import relu``."""
    nodes = list(ast.walk(parsed(source) or ast.Module([], [])))
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return frozenset(imported | {node.attr for node in nodes if isinstance(node, ast.Attribute)})


def _reads_here(exam: Exam, cell: ExamCell) -> frozenset[str]:
    if exam.observations is None or cell.role is not Role.TEST or cell.in_kernel:
        return used(_source(cell))
    looked_at = (fact.subject.split(" ") for fact in exam.observations.facts if fact.act is Act.ANSWERS)
    return used(_source(cell), frozenset(name for test, name in looked_at if test == cell.grade_id))


def _source(cell: ExamCell) -> str:
    """Return what runs of a cell, here or in the student's kernel."""
    return cell.source or cell.in_kernel


def is_tested(cell: ExamCell) -> bool:
    """Tell whether a cell is a question that tests grade, with points to lose."""
    return cell.role is Role.TEST and cell.points > 0


@functools.lru_cache(maxsize=1024)
def touched(source: str) -> frozenset[str]:
    """Collect the names that a cell binds, and those of objects that it changes: ``model`` of ``model.fit(X, y)``."""
    bound = bound_names(source) or frozenset()
    tree = parsed(without_magics(source))
    if tree is None:
        return bound
    alone = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    changed = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            changed += [node.func.value] if node in alone or node.func.attr in _CHANGING else []
        elif isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store):
            changed.append(node.value)
    return bound | ({node.id for node in changed if isinstance(node, ast.Name)} - _local(tree))


@functools.lru_cache(maxsize=1024)
def used(source: str, names_read: frozenset[str] | None = None) -> frozenset[str]:
    """Collect the names that a cell uses before it binds them, and texts that are names.

    Of a cell that is no Python, all words count.

    Args:
        source: the cell.
        names_read: names that its run was seen to read, the only ones that a text may be; None: it may be any.
    """
    tree = parsed(without_magics(source))
    if tree is None:
        return frozenset(WORD.findall(source))
    first: dict[str, ast.Name] = {}
    for node in _names(tree):
        earliest = first.setdefault(node.id, node)
        if (node.lineno, _is_store(node)) < (earliest.lineno, _is_store(earliest)):
            first[node.id] = node
    local = _local(tree)
    names = {name for name, node in first.items() if not _is_store(node) and name not in local}
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return frozenset(
        names | {text for text in texts if WORD.fullmatch(text) and (names_read is None or text in names_read)}
    )


def _names(tree: ast.AST) -> list[ast.Name]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name)]


def _is_store(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _local(tree: ast.Module) -> set[str]:
    """Collect the names that functions and comprehensions bind, for themselves."""
    scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.comprehension)
    functions = [node for node in ast.walk(tree) if isinstance(node, scopes)]
    inner = [one for function in functions for one in ast.walk(function)]
    names = {node.id for node in inner if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {node.arg for node in inner if isinstance(node, ast.arg)}


def _modules(exam: Exam) -> frozenset[str]:
    return frozenset(name for cell in exam.cells if cell.cell_type == "code" for name in _imported(cell.source))


@functools.lru_cache(maxsize=1024)
def _imported(source: str) -> frozenset[str]:
    tree = parsed(without_magics(source))
    nodes = ast.walk(tree) if tree is not None else ()
    imported = [alias for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names]
    return frozenset((alias.asname or alias.name).split(".")[0] for alias in imported)
