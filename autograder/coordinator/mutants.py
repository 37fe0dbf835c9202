"""Answers for the proof of a release: the solution, with functions that return nothing right, or another type.

A mutant that does nothing and keeps full marks shows that the tests would give them to a student who did nothing. One
whose results are right, in another type of sequence or with numbers that are rounded otherwise, should keep them. All
functions are changed at once, so that a kind of mutant costs one execution.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from autograder._util.syntax import own_nodes, parsed
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.observations import MODEL, Act
from autograder.syntax.names import bindings

Function = ast.FunctionDef

ZEROS = """
def _zeros(value):
    if hasattr(value, "iloc"):
        return value.iloc[:0].reindex(value.index, fill_value=0)
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return value * 0
    if type(value) in (list, tuple):
        return type(value)(map(_zeros, value))
    return type(value)() if type(value) in (bool, int, float, complex, str, dict, set) else None
"""
"""Source of the function ``_zeros``: a value of the same type and shape in which nothing is right."""
SEQUENCE = """
def _sequence(value):
    import sys
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "_right":
            return value
        frame = frame.f_back
    if type(value) in (list, tuple):
        return (tuple if type(value) is list else list)(value)
    return value.tolist() if type(value).__name__ == "ndarray" and value.ndim else value
"""
"""Source of the function ``_sequence``: the same items in another type, unless another function of the answer asks."""

ROUNDED = """
def _rounded(value):
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if type(value) in (list, tuple):
        return type(value)(map(_rounded, value))
    if type(value) is dict:
        return dict(zip(value, map(_rounded, value.values())))
    if type(value) is float or (kind == "f" and type(value).__name__ in ("float64", "float32", "float16")):
        number = float(value)
        digits = len(repr(number).partition("e")[0].replace(".", "").strip("0-"))
        return type(value)(number * (1 + 1e-12)) if digits > 8 and number * 1024 % 1 else value
    if not (type(value).__module__.startswith(("numpy", "pandas")) and kind == "f" and value.dtype.itemsize == 8):
        return value
    import numpy
    with numpy.errstate(all="ignore"):
        numbers = numpy.asarray(value)
        scale = 10.0 ** (8 - numpy.ceil(numpy.log10(numpy.abs(numbers))))
        is_chosen = (numpy.round(numbers * scale) / scale == numbers) | (numbers * 1024 % 1 == 0)
    return value * numpy.where(is_chosen, 1, 1 + 1e-12)
"""
"""Source of the function ``_rounded``: floats that were computed, in another rounding.

Numbers of at most eight digits were chosen, and multiples of 1/1024 are exact: they stay, in arrays as well.
"""


@dataclass(frozen=True, slots=True)
class WeakSolution:
    """A solution whose functions all do the same simple thing."""

    result: str
    """What each function returns, in words: ``None``, ``its input``; one of :data:`RIGHT` for right results."""
    exams: tuple[Exam, ...]
    """Exams with the changed answers as their solution."""
    functions: tuple[frozenset[str], ...]
    """Names of the changed functions of each exam."""


def mutants(exams: tuple[Exam, ...]) -> Iterator[WeakSolution]:
    """Yield a mutant of each kind that changes a function which a test names."""
    for kind in _KINDS:
        mutated, changed = [], []
        for exam in exams:
            names: set[str] = set()
            cells = tuple(_changed(exam, cell, kind, names) for cell in exam.cells)
            mutated.append(replace(exam, cells=cells))
            changed.append(frozenset(names))
        if any(changed):
            yield WeakSolution(kind, tuple(mutated), tuple(changed))


def tests_of(exam: Exam, function: str) -> list[ExamCell]:
    """Return the tests with points that name a function."""
    word = re.compile(rf"\b{re.escape(function)}\b")
    return [c for c in exam.cells if c.role is Role.TEST and c.points > 0 and word.search(c.source)]


def _only_steps(exam: Exam, function: str) -> bool:
    """Tell whether all tests look at what a function does to a model, whatever it returns."""
    step = re.compile(rf"\btraining_step\(\s*{re.escape(function)}\b")
    return all(step.search(cell.source) for cell in tests_of(exam, function))


def _changed(exam: Exam, cell: ExamCell, kind: str, names: set[str]) -> ExamCell:
    """Change the functions of an answer, and add their names to ``names``."""
    tree = parsed(cell.source) if cell.role is Role.ANSWER and cell.cell_type == "code" else None
    if tree is None:
        return cell
    lines = cell.source.split("\n")
    for node in reversed(tree.body):
        if not isinstance(node, ast.FunctionDef) or _is_generator(node) or not tests_of(exam, node.name):
            continue
        if kind == OTHER_SEQUENCE and sequence_of(exam, node.name) is None:
            continue
        if kind == OTHER_ROUNDING and types_of(exam, f"{node.name}()") <= _WITHOUT_FLOATS:
            continue
        body = None if kind == _STILL_WORKS and _only_steps(exam, node.name) else _KINDS[kind](node)
        if body is None or ast.dump(ast.Module(body, [])) == ast.dump(ast.Module(_without_text(node), [])):
            continue
        first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        text = node.body[:1] if ast.get_docstring(node) is not None else []
        changed = ast.FunctionDef(
            node.name, node.args, [*text, *body], node.decorator_list, node.returns, node.type_comment
        )
        lines[first - 1 : node.end_lineno] = ast.unparse(ast.fix_missing_locations(changed)).split("\n")
        names.add(node.name)
    if kind == OTHER_ROUNDING:
        assigned = bindings(cell.source).assigned
        bound = sorted(n for n in assigned if tests_of(exam, n) and not types_of(exam, n) <= _WITHOUT_FLOATS)
        lines += [ROUNDED, *(f"{name} = _rounded({name})" for name in bound)] if bound else []
        names.update(bound)
    return replace(cell, source="\n".join(lines))


def _is_generator(node: Function) -> bool:
    return any(isinstance(part, ast.Yield | ast.YieldFrom) for part in ast.walk(node))


def _without_text(node: Function) -> list[ast.stmt]:
    return node.body[1:] if ast.get_docstring(node) is not None else node.body


def _input(node: Function) -> list[ast.stmt] | None:
    arguments = [*node.args.posonlyargs, *node.args.args]
    return [ast.Return(ast.Name(arguments[0].arg, ast.Load()))] if arguments else None


def _constant(value: object) -> list[ast.stmt]:
    return [ast.Return(ast.Constant(value))]  # type: ignore[arg-type]


def sequence_of(exam: Exam, function: str) -> str | None:
    """Return ``list``, ``tuple`` or ``array``, which the solution's function was seen to return; None for all else."""
    classes = {seen.split()[0] for seen in types_of(exam, f"{function}()")}
    return _SEQUENCES.get(classes.pop()) if len(classes) == 1 else None


def types_of(exam: Exam, name: str) -> set[str]:
    """Return the types of an answer, or of what a function gave, whose name ends in ``()``."""
    facts = exam.observations.facts if exam.observations is not None else ()
    return {f.value for f in facts if f.act is Act.ANSWERS and f.subject.endswith(f" {name}")}


_WITHOUT_FLOATS = {
    "int",
    "str",
    "bool",
    "NoneType",
    "ndarray int64",
    "ndarray bool",
    "Series int64",
    "DataFrame",
    MODEL,
}
_SEQUENCES = {"list": "list", "tuple": "tuple", "ndarray": "array"}


def _zeros(node: Function) -> list[ast.stmt] | None:
    """Call the right function, inside this one, and turn its numbers into zeros.

    A function that returns nothing would be the right one.
    """
    return _around(node, "_zeros", ZEROS) if _results(node) else None


def _in_other_sequence(node: Function) -> list[ast.stmt] | None:
    """Call the right function, and give its items in another sequence; several results are written as they are."""
    several = any(isinstance(result, ast.Tuple) for result in _results(node))
    return None if several else _around(node, "_sequence", SEQUENCE)


def _in_other_rounding(node: Function) -> list[ast.stmt] | None:
    return _around(node, "_rounded", ROUNDED) if _results(node) else None


def _results(node: Function) -> list[ast.expr]:
    returns = [part.value for part in own_nodes(node) if isinstance(part, ast.Return)]
    return [value for value in returns if value is not None]


def _around(node: Function, helper: str, source: str) -> list[ast.stmt]:
    """Call the right function, inside this one, and give its result to a helper."""
    parameters = node.args
    positional: list[ast.expr] = [ast.Name(a.arg, ast.Load()) for a in [*parameters.posonlyargs, *parameters.args]]
    positional += [ast.Starred(ast.Name(parameters.vararg.arg, ast.Load()), ast.Load())] if parameters.vararg else []
    keywords = [ast.keyword(a.arg, ast.Name(a.arg, ast.Load())) for a in parameters.kwonlyargs]
    keywords += [ast.keyword(None, ast.Name(parameters.kwarg.arg, ast.Load()))] if parameters.kwarg else []
    inner = ast.FunctionDef("_right", parameters, node.body, [], None, None)
    call = ast.Call(ast.Name("_right", ast.Load()), positional, keywords)
    return [*ast.parse(source).body, inner, ast.Return(ast.Call(ast.Name(helper, ast.Load()), [call], []))]


_STILL_WORKS = "zeros of the right shape"
OTHER_SEQUENCE, OTHER_ROUNDING = "its result in another sequence", "its numbers rounded otherwise"
RIGHT = (OTHER_SEQUENCE, OTHER_ROUNDING)
_KINDS = {
    "its input": _input,
    "None": lambda node: _constant(None),
    "0": lambda node: _constant(0),
    _STILL_WORKS: _zeros,
    OTHER_SEQUENCE: _in_other_sequence,
    OTHER_ROUNDING: _in_other_rounding,
}
