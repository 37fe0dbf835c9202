"""Places in the instructor's code: the call, attribute or seed that a test is executing."""

from __future__ import annotations

import ast
import bisect
import functools
import itertools
import linecache
import sys
from dataclasses import dataclass
from types import CodeType, FrameType

from autograder._util.syntax import AST_CACHE_SIZE, parsed

_KIT = "autograder."


@dataclass(frozen=True, slots=True)
class CallPosition:
    """The place where an expression of the instructor's ends; no two calls end at the same parenthesis."""

    subject: str
    """Grade id of the test, file or module where that is another one, line, and number of the place in the line."""
    line: int = 0
    column: int = 0
    is_test: bool = False
    """Whether it stands in the test itself, and not in a helper or a library."""

    @classmethod
    def at(cls, test: str, source: str, node: ast.expr) -> CallPosition:
        """Return the place of an expression in the source of a test."""
        line, column = end_of(node)
        return cls(f"{test}:{line}:{_number(source, line, column)}", line, column, True)

    def of(self, name: str) -> str:
        """Return the place as the subject of facts about a function of that name."""
        return f"{self.subject} {name}" if name else self.subject


def end_of(node: ast.expr) -> tuple[int, int]:
    """Return line and column at which an expression of a source ends."""
    return node.end_lineno or 0, node.end_col_offset or 0


def innermost(test: str) -> CallPosition:
    """Return the place of the innermost frame that is not the kit's, while ``test`` is examined."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(_KIT):
        frame = frame.f_back
    if frame is None:
        return CallPosition(test)
    line, column = _end(frame.f_code, frame.f_lasti)
    file = frame.f_code.co_filename
    is_test = file == f"<test {test}>"
    module = "" if is_test else file if file.startswith("<") else str(frame.f_globals.get("__name__", ""))
    number = _number("".join(linecache.getlines(file)), line, column) if file.startswith("<") else column
    subject = ":".join(map(str, (test, *([module] if module else []), line, number)))
    return CallPosition(subject, line, column, is_test)


_ends: dict[tuple[int, int], tuple[CodeType, tuple[int, int]]] = {}
MAX_ENDS = 10_000


def _end(code: CodeType, instruction: int) -> tuple[int, int]:
    """Return line and column at which the expression of an instruction ends."""
    key = id(code), instruction
    entry = _ends.get(key)
    if entry is None or entry[0] is not code:
        if len(_ends) >= MAX_ENDS:
            _ends.clear()
        positions = itertools.islice(code.co_positions(), instruction // 2, None)
        _, line, _, column = next(positions, (None,) * 4)
        entry = _ends[key] = code, (line or 0, column or 0)
    return entry[1]


def _number(source: str, line: int, column: int) -> int:
    """Return how many expressions of the line end before a column: another seed of more digits moves no place."""
    return bisect.bisect_left(_columns(source).get(line, []), column)


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _columns(source: str) -> dict[int, list[int]]:
    """Return the columns at which expressions end, sorted, by line."""
    columns: dict[int, set[int]] = {}
    for node in ast.walk(parsed(source) or ast.Module([], [])):
        if isinstance(node, ast.expr):
            columns.setdefault(node.end_lineno or 0, set()).add(node.end_col_offset or 0)
    return {line: sorted(each) for line, each in columns.items()}


def callee(source: str, position: CallPosition) -> str:
    """Return the name before the parentheses of a call in a test's source; empty if there is none."""
    return _callees(source).get((position.line, position.column), "") if position.is_test else ""


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def _callees(source: str) -> dict[tuple[int, int], str]:
    calls = [node for node in ast.walk(parsed(source) or ast.Module([], [])) if isinstance(node, ast.Call)]
    return {end_of(call): call.func.id for call in calls if isinstance(call.func, ast.Name)}
