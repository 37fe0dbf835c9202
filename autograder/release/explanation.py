"""What a solution was seen to do, in sentences for the author of its tests."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator

from autograder._util.syntax import parsed
from autograder._util.text import one_line
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.observations import NAN, OBJECT, RESULT, SHAPES, TENSORS, Act, Fact

UNSEEN = "The solution was not run: nothing is allowed, and where that decides, a person grades."
_FORMS = {"condition": "a condition on columns", "annotation": "an annotation"}
NOTHING = "nothing beyond values of its own"


def explained(exam: Exam) -> Iterator[str]:
    """Yield lines: each test, and below it what an answer may do there because the solution does it."""
    if exam.observations is None:
        yield UNSEEN
        return
    for cell in exam.cells:
        facts = [fact for fact in exam.observations.facts if fact.is_of(str(cell.grade_id))]
        if cell.role is not Role.TEST or (cell.in_kernel and not facts):
            continue
        yield f"{cell.grade_id}:"
        yield from (f"  asks {', '.join(names)} of {file}" for file, names in _asked_definitions(exam, cell))
        lines = dict.fromkeys(line for fact in facts if (line := sentence(fact, cell)))
        yield from (f"  {line}" for line in lines or [NOTHING])
    for fact in exam.observations.facts:
        if fact.act is Act.COMPILED:
            yield f"the model `{fact.subject}` is evaluated as your solution compiles it: {_compiled(fact.value)}"


def _asked_definitions(exam: Exam, test: ExamCell) -> Iterator[tuple[str, list[str]]]:
    """Yield each answer file that a test asks, with the functions and classes of it that the test names."""
    nodes = list(ast.walk(parsed(test.source) or ast.Module([], [])))
    used = {n.id for n in nodes if isinstance(n, ast.Name)} | {n.attr for n in nodes if isinstance(n, ast.Attribute)}
    for cell in exam.answer_files:
        tree = parsed(cell.source) or ast.Module([], [])
        definitions = dict.fromkeys(n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef))
        if definitions.keys() & used:
            yield cell.file, [name for name in definitions if name in used]


def sentence(fact: Fact, cell: ExamCell) -> str:
    """Say what a fact about a test lets an answer do; empty for a fact that allows nothing."""
    name = fact.subject.partition(" ")[2]
    line = _line(fact.place, cell)
    subject = f"`{name.removeprefix('.')}`" if name else "the call"
    match fact.act:
        case Act.CHANGES if fact.value == RESULT:
            return f"{line}: the test may change in place what {subject} returns, which your solution holds"
        case Act.CHANGES:
            return f"{line}: {subject} may change its {_argument(fact.value)}"
        case Act.READS:
            return f"{line}: {subject} gets the test's `{fact.value}`, which it reads as a global"
        case Act.SHARES:
            return f"`{fact.value}` has one state in the notebook and in the test"
        case Act.GIVES if fact.value.startswith(f"{NAN} "):
            allowed = f"{f'`{name}`' if name else 'what arrives'} may have NaN or infinity, as your solution's"
            return allowed if fact.place == cell.grade_id else f"{line}: {allowed}"
        case Act.GIVES if name and fact.place == cell.grade_id:
            return f"the answer `{name}` may be of kind {fact.value}"
        case Act.GIVES:
            return f"{line}: what {f'{subject} gives' if name else 'arrives'} may be of kind {fact.value}"
        case Act.ARRIVES if fact.value == OBJECT and name and fact.place == cell.grade_id:
            return f"the answer `{name}` may be an object, whose own methods answer"
        case Act.ARRIVES if fact.value == OBJECT:
            passes = name.endswith("passes")
            source = f"{name.removesuffix('passes').strip() or 'the call'} {'passes' if passes else 'gives'}"
            return f"{line}: what {source} may be an object, whose own methods answer"
        case Act.EMPTY if fact.value.startswith("="):
            return f"{line}: {subject} may leave its {_argument(fact.value[1:])} without items"
        case Act.EMPTY if name and fact.place == cell.grade_id:
            return f"the answer `{name}` may be empty"
        case Act.EMPTY:
            return f"{line}: what {f'{subject} gives' if name else 'arrives'} may be empty where your solution's was"
        case Act.HOLDS if fact.value.endswith(" tensor"):
            return f"{line if fact.place != cell.grade_id else 'answers'}: tensors arrive as they are"
        case Act.GETS:
            return f"{line}: the answer gets objects of {fact.value}, with all that they refer to"
        case Act.DRAWS:
            return f"{line}: the seed is the notebook's, too, as your solution loses points with another"
        case Act.QUERIES:
            return f"SQL of the answer may {fact.value}"
        case Act.WRITES:
            return f"calls may write over the test's {fact.value}, or remove it"
        case Act.TEXTS:
            kind, _, syntax = fact.value.partition(": ")
            return f"the answer's text is compiled as {_FORMS[kind]} (your solution's has {syntax})"
        case Act.KEEPS:
            return f"the network may hold {int(fact.value):,} numbers beside its weights (the check {name!r})"
        case Act.COMPUTES:
            check, _, of = name.rpartition(" ")
            if of == SHAPES:
                return f"a network that was never called is read by the inputs of your solution's (the check {check!r})"
            return f"a network that computes what your solution's does is what is asked (the check {check!r})"
        case Act.MISSES:
            return "your solution loses points here: where an answer does, a person decides"
    return ""  # what calls return is no permission


def _argument(key: str) -> str:
    if key[:1] == TENSORS:
        line, _, position = key[1:].partition(".")
        return f"the tensor that line {line} passes as number {int(position) + 1}, and its gradient"
    return f"argument {int(key) + 1}" if key.isdecimal() else f"argument `{key}`"


def _line(position: str, cell: ExamCell) -> str:
    """Name the line of a place, with its source where it stands in the test itself."""
    parts = position.removeprefix(f"{cell.grade_id}:").split(":")
    if len(parts) < 2 or not parts[-2].isdecimal():
        return "somewhere"
    number, lines = int(parts[-2]), cell.source.splitlines()
    if len(parts) > 2:
        return f"line {number} of {':'.join(parts[:-2]).strip('<>')}"
    source = one_line(lines[number - 1].strip(), 60) if 0 < number <= len(lines) else ""
    return f"line {number} ({source})" if source else f"line {number}"


def _compiled(value: str) -> str:
    try:
        return ", ".join(f"{key} {item}" for key, item in json.loads(value).items() if item)
    except (ValueError, AttributeError):
        return one_line(value, 200)
