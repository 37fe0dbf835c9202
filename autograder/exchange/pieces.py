"""Rendered cells as plain data, and their conversion to HTML.

Cells are rendered in the process that grades their submission. That process is not trusted, so it sends no HTML but
*pieces*, a list in JSON. A piece is a text; ``[element]`` or ``[element, value]``, which opens an element; or ``null``,
which closes the innermost one::

    [["p"], "see ", ["a", "https://keras.io"], ["code"], "fit", null, null, null]

An element of MathML has names and values of its attributes instead: ``["math", "display", "block"]``.

Elements, the content that each may hold, and their values are closed lists. Reading pieces takes time in proportion to
their length.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from autograder._util.text import visible

if TYPE_CHECKING:
    from markupsafe import Markup

HtmlPiece = str | Sequence[str] | None

RENDERED = "rendered"
"""Key in a cell's metadata, beside the kit's other keys: its source as pieces."""
MAX_CELLS = 300
MAX_SOURCE = 40_000
MAX_PAGE = 12_000_000
"""Bounds of a page: cells, characters of a source, characters in all."""
MAX_CHARACTERS = 1_000_000
"""Largest number of characters of one cell's pieces.

A source of 40,000 characters comes near it only if each of them is a token.
"""
MAX_CACHED_CHARACTERS = 50_000
"""Largest number of characters of pieces whose HTML is cached, so that the cache stays small."""
MAX_DEPTH = 100
"""Largest depth of nested elements; the renderer of Markdown stops before."""
CODE, MARKDOWN = "code cell", "markdown cell"
"""Names of the outermost element around all pieces of a cell."""

COLORED = frozenset(
    (
        "k",
        "kn",
        "kc",
        "ow",
        "s1",
        "s2",
        "sd",
        "sa",
        "si",
        "se",
        "c1",
        "ch",
        "cm",
        "mi",
        "mf",
        "mh",
        "nf",
        "nc",
        "nd",
        "nn",
    )
)
"""Pygments' names for the kinds of tokens that have a color in templates/styles/answer.css."""
_INLINE = frozenset({"em", "strong", "s", "code", "a", "missing", "formula", "math", "br"})
_HEADINGS = frozenset({"h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | {"p", "ul", "ol", "blockquote", "pre", "hr", "table"}
_CELLS = frozenset({"th", "td"})
_VOID = frozenset({"br", "hr"})
_PHRASES = _HEADINGS | _CELLS | {"p", "em", "strong", "s", "a"}

_TOKENS = frozenset({"mi", "mn", "mo", "mtext"})
_SCHEMATA = frozenset(("mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover"))
_GROUPS = frozenset({"math", "mrow", "mstyle", "mphantom", "mpadded", "menclose", "mtd"})
_EXPRESSIONS = _TOKENS | _SCHEMATA | (_GROUPS - {"math", "mtd"}) | {"mspace", "mtable"}
_MATHML = _EXPRESSIONS | {"math", "mtr", "mtd"}
"""Elements of MathML: none that loads, links, holds HTML or reacts to its reader."""

_CHILDREN: dict[str, frozenset[str]] = {
    CODE: COLORED,
    MARKDOWN: _BLOCKS,
    **dict.fromkeys(_PHRASES, _INLINE),
    "blockquote": _BLOCKS,
    "li": _BLOCKS | _INLINE,
    "ul": frozenset({"li"}),
    "ol": frozenset({"li"}),
    "pre": frozenset({"code"}),
    "table": frozenset({"thead", "tbody"}),
    "thead": frozenset({"tr"}),
    "tbody": frozenset({"tr"}),
    "tr": _CELLS,
    **dict.fromkeys(_GROUPS | _SCHEMATA, _EXPRESSIONS),
    "mtable": frozenset({"mtr"}),
    "mtr": frozenset({"mtd"}),
}
_HOLD_TEXT = _PHRASES | COLORED | _TOKENS | {CODE, "li", "code", "missing", "formula"}
_VALUES = {
    "a": re.compile(r"(?i:(?:https?|ftp)://|mailto:)[!-~]{1,4000}|[!-9;-~]{1,4000}"),
    "ol": re.compile(r"[0-9]{1,9}"),
    "th": re.compile(r"left|center|right"),
    "td": re.compile(r"left|center|right"),
}
"""Allowed values of elements; no other element has one. An address without a colon stays on this site."""


_TRUTH = re.compile(r"true|false")
_EMS = re.compile(r"[0-3](?:\.[0-9]{1,3})?em")
_ATTRIBUTES = {
    "math": {"display": re.compile(r"inline|block")},
    "mi": {"mathvariant": re.compile(r"normal|bold|italic|bold-italic|sans-serif|monospace")},
    "mn": {"mathvariant": re.compile(r"bold|bold-italic|sans-serif|monospace")},
    "mtext": {"mathvariant": re.compile(r"bold|italic|bold-italic|sans-serif|monospace")},
    "mo": {
        **dict.fromkeys(("stretchy", "fence", "separator", "movablelimits"), _TRUTH),
        "form": re.compile(r"prefix|infix|postfix"),
        "minsize": _EMS,
        "maxsize": _EMS,
    },
    "mspace": {"width": re.compile(r"-?0(?:\.[0-9]{1,3})?em|[0-9](?:\.[0-9]{1,3})?em")},
    "mfrac": {"linethickness": re.compile(r"0(?:em|pt)?")},
    "mover": {"accent": _TRUTH},
    "munder": {"accentunder": _TRUTH},
    "mstyle": {"displaystyle": _TRUTH, "scriptlevel": re.compile(r"[0-2]")},
    "mtable": {"displaystyle": _TRUTH},
    "mtd": {"columnalign": re.compile(r"left|center|right")},
}
"""Attributes that an element of MathML may have, and their values. Lengths are small: no text is moved onto another."""


def can_have(element: str, attribute: str, value: str) -> bool:
    """Tell whether an element of MathML may have this attribute with this value."""
    allowed = _ATTRIBUTES.get(element, {}).get(attribute)
    return allowed is not None and allowed.fullmatch(value) is not None


def can_open(element: str, value: str) -> bool:
    """Tell whether an element may have this value."""
    return element in _VALUES and _VALUES[element].fullmatch(value) is not None


def is_well_formed(pieces: Iterable[HtmlPiece], parent: str) -> bool:
    """Tell whether these pieces may stand in the element ``parent``."""
    try:
        for _ in _html_pieces(pieces, parent):
            pass
    except ValueError:
        return False
    return True


def packed(pieces: Iterable[HtmlPiece]) -> str:
    """Write the pieces as text, for :func:`html`."""
    return json.dumps(list(pieces), ensure_ascii=False, separators=(",", ":"))


def html(text: str, cell: str) -> Markup | None:
    """Convert pieces to HTML: each text escaped, each element from the lists above and closed.

    Args:
        text: text that :func:`packed` made, or any other.
        cell: :data:`CODE` or :data:`MARKDOWN`.

    Returns:
        The HTML; None for text that :func:`packed` did not make.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    return (_cached_html if len(text) <= MAX_CACHED_CHARACTERS else _html)(text, cell)


def _html(text: str, cell: str) -> Markup | None:
    from markupsafe import Markup

    try:
        pieces = json.loads(text)
        _require(type(pieces) is list)
        texts = "".join(piece for piece in pieces if type(piece) is str)
        _require(visible(texts, len(texts)) == texts)
        return Markup("".join(_html_pieces(pieces, cell)))
    except (ValueError, RecursionError):
        return None


_cached_html = functools.lru_cache(maxsize=512)(_html)
"""Cached conversion: most cells of a page are the instructor's, and on the page of every student."""


def _html_pieces(pieces: Iterable[Any], cell: str) -> Iterator[str]:
    """Yield the HTML; raise :class:`ValueError` for pieces that are not well-formed."""
    from markupsafe import escape

    opened = [cell]
    for node in pieces:
        if type(node) is str:
            _require(opened[-1] in _HOLD_TEXT)
            yield escape(node)
        elif node is None:
            _require(len(opened) > 1)
            ended = opened.pop()
            yield "</span>" if opened[-1] == CODE else _end(ended)
        else:
            _require(type(node) is list)
            element, *values = node
            _require(type(element) is str and element in _CHILDREN.get(opened[-1], ()))
            yield _begin_colored(element, values) if opened[-1] == CODE else _begin(element, values)
            if element not in _VOID:
                opened.append(element)
            _require(len(opened) <= MAX_DEPTH)
    _require(len(opened) == 1)


def _begin_colored(color: str, values: Sequence[Any]) -> str:
    _require(not values)
    return f'<span class="{color}">'


def _begin(element: str, values: Sequence[Any]) -> str:
    from markupsafe import escape

    if element == "formula":
        _require(not values)
        return '<code class="formula">'
    if element == "missing":
        _require(not values)
        return '<span class="missing">'
    if not values:
        return f"<{element}>"
    if element in _MATHML:
        return f"<{element}{_attributes(element, values)}>"
    (value,) = values
    _require(type(value) is str and can_open(element, value))
    if element == "a":
        return f'<a href="{escape(value)}" rel="noopener noreferrer nofollow">'
    return f'<ol start="{value}">' if element == "ol" else f'<{element} style="text-align:{value}">'


def _attributes(element: str, words: Sequence[Any]) -> str:
    from markupsafe import escape

    names, values = words[::2], words[1::2]
    _require(all(type(word) is str for word in words) and len(names) == len(values) == len(set(names)))
    pairs = list(zip(names, values, strict=True))
    _require(all(can_have(element, name, value) for name, value in pairs))
    return "".join(f' {name}="{escape(value)}"' for name, value in pairs)


def _end(element: str) -> str:
    if element == "formula":
        return "</code>"
    return "</span>" if element == "missing" else f"</{element}>"


def _require(met: bool) -> None:
    if not met:
        raise ValueError
