"""Finder of sentences that decide: code that takes something from a text which the kit wrote for people."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set

TEXTS = frozenset(
    {
        "detail",
        "message",
        "reason",
        "note",
        "remark",
        "remarks",
        "sentence",
        "words",
        "problem",
        "warning",
        "why",
        "said",
        "finding",
    }
)
"""Names of the attributes and variables that hold texts for people."""
ERRORS = frozenset({"error", "exception", "fault", "failure"})
"""Names of variables that hold exceptions: their ``str`` is such a text."""
METHODS = frozenset(
    {"startswith", "endswith", "partition", "rpartition", "removeprefix", "removesuffix", "find", "index", "count"}
)
PATTERNS = frozenset({"match", "search", "fullmatch", "findall", "finditer", "split"})


MIN_WORDS = 3
"""Words from which a constant is a sentence for people, and no name."""


def sentence_names(source: str, of_others: Mapping[str, Set[str]]) -> set[str]:
    """Return the names by which a module knows sentences that it, or another module, holds as constants.

    Args:
        source: the module.
        of_others: module → names of its own sentences.
    """
    names = set()
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_sentence(value):
                names.add(name)
            case ast.ImportFrom(module=module, names=imported):
                theirs = of_others.get(module or "", set())
                names |= {alias.asname or alias.name for alias in imported if alias.name in theirs}
    return names


def _is_sentence(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str(text)):
            return len(text.split()) >= MIN_WORDS
        case ast.JoinedStr(values=parts):
            texts = (part.value if isinstance(part, ast.Constant) else "x" for part in parts)
            return len("".join(map(str, texts)).split()) >= MIN_WORDS
        case ast.Tuple(elts=items) | ast.Set(elts=items) | ast.List(elts=items):
            return any(map(_is_sentence, items))
    return False


def switches(source: str, sentences: Set[str] = frozenset()) -> Iterator[tuple[int, str]]:
    """Yield line and code of each place that asks a text for people what is in it.

    Args:
        source: the module.
        sentences: names of constants that hold sentences.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr=name), args=[ast.Name(id=asked)]) if name in METHODS:
                if asked in sentences:
                    yield node.lineno, ast.unparse(node)
                    continue
            case ast.Compare(left=left, comparators=[right]):
                if any(isinstance(side, ast.Name) and side.id in sentences for side in (left, right)):
                    yield node.lineno, ast.unparse(node)
                    continue
        match node:
            case ast.Call(func=ast.Attribute(value=asked, attr=name)) if name in METHODS and _is_text(asked):
                yield node.lineno, ast.unparse(node)
            case ast.Call(func=ast.Attribute(attr=name), args=[*_, asked]) if name in PATTERNS and _is_text(asked):
                yield node.lineno, ast.unparse(node)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[asked]) if _is_text(asked):
                yield node.lineno, ast.unparse(node)
            case ast.Compare(left=asked, ops=[ast.Eq() | ast.NotEq()], comparators=[other]):
                if _is_text(asked) and not (isinstance(other, ast.Constant) and other.value == ""):
                    yield node.lineno, ast.unparse(node)


def _is_text(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in TEXTS
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=name)]):
            return name in ERRORS
        case ast.Call(func=ast.Attribute(value=inner)):  # such as detail.strip()
            return _is_text(inner)
        case ast.Subscript(value=inner):
            return _is_text(inner)
    return False
