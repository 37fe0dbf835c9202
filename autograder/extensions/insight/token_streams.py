"""Tokens of code and words of texts, each with the line on which it stands.

Student code need not parse, and nothing here interprets it: one regular expression reads it from left to right.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from autograder._util.syntax import parsed

MAX_TOKENS = 20_000
"""Tokens of a student's notebook that are compared."""
VARIABLE = "v"
"""Token in place of each name that the student chose."""

# Each alternative that has begun also ends: an open string reaches to the end of its line or of the cell. So the time
# is in proportion to the length, whatever a student wrote.
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)
    |(?P<string>(?:\b[rRbBuUfF]{1,2})?(?:
        \"\"\"(?s:.*?)(?:\"\"\"|\Z) | \'\'\'(?s:.*?)(?:\'\'\'|\Z)
        |"(?:[^"\\\n]++|\\.)*+\\?"? | '(?:[^'\\\n]++|\\.)*+\\?'?))
    |(?P<number>\b\d[\w.]*+(?:(?<=[eE])[+-]\d+)?)
    |(?P<name>\w+)
    |(?P<sign>\*\*|//|[-+*/%@&|^<>=!]=|->|<<|>>|[^\s\w])""",
    re.VERBOSE,
)
_WORD = re.compile(r"\w+")
_LIBRARY = frozenset({*keyword.kwlist, *dir(builtins)})


@dataclass(frozen=True, slots=True)
class Token:
    """A token or word of a student's cells."""

    text: str
    cell: int
    """Number of the cell among those that the student wrote."""
    line: int
    """Line of the cell, from 0."""


def code_tokens(sources: Iterable[tuple[int, str]], *, names: frozenset[str] | None = None) -> list[Token]:
    """Read the first :data:`MAX_TOKENS` tokens of code cells; comments and docstrings are left out.

    Args:
        sources: number and source of each cell.
        names: names that become :data:`VARIABLE`, unless an attribute has them; None: no name does.
    """
    return list(islice(_code_tokens(sources, names or frozenset()), MAX_TOKENS))


def _code_tokens(sources: Iterable[tuple[int, str]], names: frozenset[str]) -> Iterator[Token]:
    for cell, source in sources:
        before, last = "", -1
        for text, line, kind in _scan(source):
            if kind == "comment" or (kind == "string" and _is_docstring(text, before, line, last)):
                continue
            if kind == "name" and text in names and before != ".":
                text = VARIABLE
            yield Token(text.replace('"', "'") if kind == "string" else text, cell, line)
            before, last = text, line


def words(sources: Iterable[tuple[int, str]]) -> list[Token]:
    """Read the first :data:`MAX_TOKENS` words of texts in small letters."""
    tokens = (
        Token(word.group().lower(), cell, number)
        for cell, source in sources
        for number, line in enumerate(source.splitlines())
        for word in _WORD.finditer(line)
    )
    return list(islice(tokens, MAX_TOKENS))


def comments(source: str) -> list[str]:
    """List the first :data:`MAX_TOKENS` comments of a code cell, without their signs."""
    texts = (text.lstrip("# ").strip() for text, _, kind in _scan(source) if kind == "comment")
    return list(islice(texts, MAX_TOKENS))


def chosen_names(sources: Iterable[str], exam_words: frozenset[str]) -> frozenset[str]:
    """Collect the names that code binds: variables, arguments, and functions that the exam does not name.

    Args:
        sources: cells of one student; one that does not parse binds none.
        exam_words: words of the exam, which keep their meaning.
    """
    names: set[str] = set()
    for source in sources:
        tree = parsed(re.sub(r"(?m)^([^\S\n]*)[%!].*$", r"\1pass", source))
        for node in ast.walk(tree) if tree is not None else ():
            match node:
                case ast.Name(name, ast.Store()) | ast.arg(name) | ast.ExceptHandler(name=str(name)):
                    names.add(name)
                case ast.FunctionDef(name) | ast.ClassDef(name) if name not in exam_words:
                    names.add(name)
    return frozenset(names - _LIBRARY)


def words_of(sources: Iterable[str]) -> frozenset[str]:
    """Collect all words of code or text as they stand."""
    return frozenset(word for source in sources for word in _WORD.findall(source))


def _is_docstring(text: str, before: str, line: int, last: int) -> bool:
    """Tell whether a string stands by itself: it begins a line, and no bracket or sign before it is open."""
    return line > last and before in ("", ":") and text.lstrip("rRuU").startswith(('"', "'"))


def _scan(source: str) -> Iterator[tuple[str, int, str]]:
    """Yield text, line and kind of each token."""
    line, position = 0, 0
    for match in _TOKEN.finditer(source):
        line += source.count("\n", position, match.start())
        position = match.start()
        yield match.group(), line, str(match.lastgroup)
