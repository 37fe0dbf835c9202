"""Reader of what an examiner writes for the teacher about one question: tracebacks, and the lines of checks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from autograder._util.syntax import parsed

_TRACEBACK = "Traceback (most recent call last):"
_IN_TEST = re.compile(r'  File "<test [^"]*>", line (\d+)')
_STARTER = "_pytest_run("
"""Beginning of the statement that starts a pytest function: the author has not written it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What ended one statement of a test."""

    line: int
    """In the test's code, counted from 1; 0 if the examiner named none."""
    code: str = ""
    said: tuple[str, ...] = ()
    """The exception and the values that were compared: ``AssertionError``, ``double(3) is 7``."""


def failures(detail: str) -> list[Failure]:
    """Read the failures in the detail of a question, in order."""
    blocks = detail.split(f"{_TRACEBACK}\n")
    notes = tuple(line for line in blocks[0].splitlines() if line.strip())
    return [*([Failure(0, "", notes)] if notes else []), *map(_failure, blocks[1:])]


def _failure(block: str) -> Failure:
    lines = block.rstrip().splitlines()
    frames = [index for index, line in enumerate(lines) if line.startswith('  File "')]
    own = [(int(match[1]), index) for index in frames if (match := _IN_TEST.match(lines[index]))]
    own = [(number, index) for number, index in own if not lines[index + 1].strip().startswith(_STARTER)] or own
    number, at = own[0] if own else (0, 0)
    code = lines[at + 1].strip() if own and at + 1 < len(lines) else ""
    rest = lines[frames[-1] + 1 :] if frames else lines
    begins = next((index for index, line in enumerate(rest) if line and not line.startswith(" ")), len(rest))
    return Failure(number, code, tuple(line for line in rest[begins:] if line.strip()))


def check_lines(source: str) -> dict[str, int]:
    """Find the lines of the checks of a test that are named in it: ``name="accuracy"`` → the line."""
    tree = parsed(source)
    named: dict[str, int] = {}
    for call in ast.walk(tree) if tree is not None else ():
        for name in _names(call):
            named.setdefault(name, getattr(call, "lineno", 0))
    return named


def _names(node: ast.AST) -> Iterator[str]:
    """Yield how a check may be called in results: by its argument ``name``, else by the function."""
    if not isinstance(node, ast.Call):
        return
    yield from (str(k.value.value) for k in node.keywords if k.arg == "name" and isinstance(k.value, ast.Constant))
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "check":
        yield node.func.attr
