"""Lines that allow in a test what its solution does not show: ``# examine: fit changes X``.

They stand in comments of the test, or in course.yaml (``examine: {allow: {ID: [fit changes X]}}``). A line has one of
these forms. Names are those that stand in the test.

- ``FUNCTION changes ARGUMENT``: a call of that function or method in this test may change the argument, named as it is
  written in the call.
- ``answers read NAME``: the value that the test binds to the name goes to the kernel.
- ``answers give KIND``: values may be of a narrow, masked, nullable, large or wide kind: ``uint8``, ``masked``,
  ``Int64``, ``large``; with ``nan``, they may hold NaN and infinity. With ``object``, an object answers by its own
  methods where the solution gave a value.
- ``answers write FILE``: calls may write over, or remove, this file of the test's; ``in_#.txt`` stands for all numbers.
- ``answers draw``: a seed that the test sets is the kernel's, too.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import posixpath
import re
import tokenize
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from autograder._util.syntax import AST_CACHE_SIZE, parsed
from autograder.errors import CourseError
from autograder.syntax.places import CallPosition, end_of

MARK = re.compile(r"#\s*examine:\s*(.*?)\s*")
_FORMS = "`FUNCTION changes ARGUMENT`, `answers read NAME`, `answers give KIND`, `answers write FILE` or `answers draw`"


@dataclass(frozen=True)
class Stated:
    """What the lines about one test allow."""

    changes: dict[tuple[int, int], frozenset[int | str]] = field(default_factory=dict)
    """Line and column at which a call ends → its arguments that may change."""
    reads: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    draws: bool = False

    def changed(self, position: CallPosition) -> Set[int | str]:
        """Return the arguments of the call at a place that may change."""
        return self.changes.get((position.line, position.column), frozenset()) if position.is_test else frozenset()


@functools.lru_cache(maxsize=AST_CACHE_SIZE)
def stated(source: str, allow: tuple[str, ...] = ()) -> Stated:
    """Read the lines about a test.

    Args:
        source: the test, whose comments may have lines.
        allow: the lines of course.yaml.

    Raises:
        CourseError: a line has none of the forms, or names a call or argument that the test does not have.
    """
    if "examine:" not in source and not allow:
        return Stated()
    changes: dict[tuple[int, int], frozenset[int | str]] = {}
    reads, kinds, files, draws = set[str](), set[str](), set[str](), False
    for line in (*_lines(source), *allow):
        match line.split():
            case [function, "changes", argument]:
                calls = dict(_calls(source, function, argument))
                if not calls:
                    raise CourseError(f"`# examine: {line}`: this test calls no {function} with {argument}")
                changes |= {place: changes.get(place, frozenset()) | keys for place, keys in calls.items()}
            case ["answers", "read", name]:
                reads.add(name)
            case ["answers", "give", kind]:
                kinds.add(kind)
            case ["answers", "write", file]:
                files.add(posixpath.normpath(file))
            case ["answers", "draw"]:
                draws = True
            case _:
                raise CourseError(f"`# examine: {line}` is not understood; write {_FORMS}")
    return Stated(changes, frozenset(reads), frozenset(kinds), frozenset(files), draws)


def _lines(source: str) -> Iterator[str]:
    """Yield what follows ``# examine:`` in the comments of a test."""
    with contextlib.suppress(tokenize.TokenError, SyntaxError):  # a test that is not Python is reported elsewhere
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT and (match := MARK.fullmatch(token.string)):
                yield match[1]


def _calls(source: str, function: str, argument: str) -> Iterator[tuple[tuple[int, int], frozenset[int | str]]]:
    """Yield where each call of a function with an argument ends, and the argument's keys."""
    tree = parsed(source)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call) and _name(node.func) == function:
            keys: set[int | str] = {key for key, value in enumerate(node.args) if ast.unparse(value) == argument}
            keys |= {k.arg for k in node.keywords if k.arg and argument in (k.arg, ast.unparse(k.value))}
            if keys:
                yield end_of(node), frozenset(keys)


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
