"""Formulas in TeX as pieces of MathML, which a browser typesets without a script.

latex2mathml makes a tree of a formula. It becomes *pieces*, see :mod:`autograder.exchange.pieces`; what their
lists do not allow never reaches a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import unescape
from typing import TYPE_CHECKING

from autograder._util.text import visible
from autograder.exchange.pieces import HtmlPiece, can_have, is_well_formed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_CHARACTERS = 2000
"""Largest number of characters of a formula; a longer one is shown as its source."""
MAX_PIECES = 5000
"""Largest number of pieces of a formula."""
MAX_DEPTH = 50
"""Largest depth of a formula's elements; the Markdown around them and the page have a depth of their own."""
_ENVIRONMENT = r"\\begin\{([a-zA-Z]{1,20}\*?)\}[^$]{0,2000}?\\end\{\1\}"
FORMULA = re.compile(rf"\$\$[^$]{{1,2000}}\$\$|{_ENVIRONMENT}|\$(?![\s$])[^$`\n]{{1,1000}}(?<![\s\\])\$(?!\d)")
"""A formula within a line of text: ``$…$``, ``$$…$$`` or ``\\begin{…}…\\end{…}``."""
DISPLAYED = re.compile(rf"(?:\$\$[^$]{{1,2000}}\$\$|{_ENVIRONMENT})[ \t]*(?=\n|\Z)")
"""A formula that fills whole lines."""

_DEFINES = re.compile(r"\\(?:new|renew|provide|def|gdef|edef|xdef|let|Declare)")
# A macro can grow without bounds, and in a notebook it would hold for later cells, too.
_KNOWN_NAMES = {
    "align": "align*",  # numbers would begin with 1 in each formula
    "aligned": "split",
    **dict.fromkeys(("gather", "gather*", "gathered"), "matrix"),
}
"""Environments that latex2mathml lacks → those of the same shape that it has."""
_KNOWN_COMMANDS = (
    (re.compile(r"\\arg(?![A-Za-z])"), r"\\operatorname{arg}"),
    (re.compile(r"\\label\{[^{}]*\}"), ""),
)
"""Commands that latex2mathml lacks, and what stands for them."""
_EDGE = re.compile(r"\\(begin|end)\{([a-z]{1,20}\*?)\}")
_COMMAND = re.compile(r"\\[A-Za-z]")
_INVISIBLE = re.compile("[\u2061-\u2064]")
_NAME = re.compile(r"[^\W\d_]{2,}")
_ROWS = frozenset({"mrow", "mtd", "mstyle", "msqrt"})
_THIN_SPACE = ["mspace", "width", "0.167em"]


def formula(source: str) -> Sequence[HtmlPiece]:
    """Typeset a formula: the pieces of MathML, or of its source if it cannot be converted.

    Args:
        source: the formula with its ``$`` signs or its environment.
    """
    pieces = _typeset(source)
    return pieces if pieces is not None else (["formula"], visible(source), None)


def _typeset(source: str) -> list[HtmlPiece] | None:
    """Convert a formula to MathML; None if a part of it cannot be."""
    if len(source) > MAX_CHARACTERS or _DEFINES.search(source):
        return None
    display = "inline" if source.startswith("$") and not source.startswith("$$") else "block"
    try:
        from latex2mathml.converter import convert_to_element

        pieces: list[HtmlPiece] = []
        for fragment in _pieces(convert_to_element(_respelled(source), display=display)):
            pieces.append(fragment)
            if len(pieces) > MAX_PIECES:
                return None
    except Exception:  # also RecursionError: the library has no list of what it raises
        return None
    return pieces if is_well_formed(pieces, "p") else None


def _respelled(source: str) -> str:
    """Return the formula without its ``$`` signs, in words that latex2mathml has."""
    for command, replacement in _KNOWN_COMMANDS:
        source = command.sub(replacement, source)
    return _EDGE.sub(lambda edge: f"\\{edge[1]}{{{_KNOWN_NAMES.get(edge[2], edge[2])}}}", source.strip("$"))


def _pieces(element: Element, depth: int = 0) -> Iterator[HtmlPiece]:
    if depth > MAX_DEPTH:
        raise ValueError(depth)
    if element.get("linebreak") or element.text == "&":
        raise ValueError(element.tag)  # rows and columns outside a table: an environment that the library lacks
    attributes = [(name, value) for name, value in element.attrib.items() if can_have(element.tag, name, value)]
    yield [element.tag, *(word for attribute in attributes for word in attribute)]
    if element.text:
        yield _text(element.text)
    children = list(element)
    for index, child in enumerate(children):
        if index and _needs_space(element.tag, children[index - 1], child):
            yield from (_THIN_SPACE, None)
        yield from _pieces(child, depth + 1)
        if child.tail:
            yield _text(child.tail)
    yield None


def _text(source: str) -> str:
    text = visible(_INVISIBLE.sub("", unescape(source)), MAX_CHARACTERS)
    if _COMMAND.search(text):
        raise ValueError(text)  # a command that the library does not know
    return text


def _needs_space(parent: str, left: Element, right: Element) -> bool:
    r"""Tell whether a function's name, as in ``\log x``, would stick to its neighbor."""
    if parent not in _ROWS or "mo" in (left.tag, right.tag) or "mspace" in (left.tag, right.tag):
        return False
    return any(_NAME.fullmatch(_base(one)) for one in (left, right))


def _base(element: Element) -> str:
    """Return the text of a name that may have an index."""
    while element.tag in ("msub", "msup", "msubsup", "munder") and len(element):
        element = element[0]
    return (element.text or "") if element.tag in ("mi", "mo") else ""
