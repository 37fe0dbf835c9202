"""A rendered cell as plain data, and its way onto a page.

Cells are rendered in the process that grades their submission. What that process says is checked here and not
believed, so it hands over no HTML but *pieces*, a list in JSON: a text, ``[element]`` or ``[element, value]``, which
opens an element, and ``null``, which closes the innermost one::

    [["p"], "see ", ["a", "https://keras.io"], ["code"], "fit", null, null, null]

Elements, what each may hold and what values may be are closed lists. To read pieces takes time in proportion to their
length.
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

Piece = str | Sequence[str] | None

RENDERED = "rendered"
"""Beside what the kit says of a cell in its metadata: its source as pieces."""
MAX_CELLS = 300
MAX_SOURCE = 40_000
MAX_PAGE = 12_000_000
"""Bounds of a page: cells, characters of a source, characters in all."""
MAX_CHARACTERS = 1_000_000
"""Of the pieces of one cell as text. A source of 40,000 characters comes near it only where each is a token."""
MAX_REMEMBERED_CHARACTERS = 50_000
"""Of pieces whose HTML is kept, so that what is kept stays small."""
MAX_DEPTH = 100
"""Of elements in each other; the renderer of Markdown stops before."""
CODE, MARKDOWN = "code cell", "markdown cell"
"""What surrounds all pieces of a cell."""

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
"""Pygments' names for the kinds of tokens that templates/style.css gives a color."""
_INLINE = frozenset({"em", "strong", "s", "code", "a", "missing", "formula", "br"})
_HEADINGS = frozenset({"h3", "h4", "h5", "h6"})
_BLOCKS = _HEADINGS | {"p", "ul", "ol", "blockquote", "pre", "hr", "table"}
_CELLS = frozenset({"th", "td"})
_VOID = frozenset({"br", "hr"})
_PHRASES = _HEADINGS | _CELLS | {"p", "em", "strong", "s", "a"}

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
}
_HOLD_TEXT = _PHRASES | COLORED | {CODE, "li", "code", "missing", "formula"}
_VALUES = {
    "a": re.compile(r"(?i:(?:https?|ftp)://|mailto:)[!-~]{1,4000}|[!-9;-~]{1,4000}"),
    "ol": re.compile(r"[0-9]{1,9}"),
    "th": re.compile(r"left|center|right"),
    "td": re.compile(r"left|center|right"),
}
"""What an element's value may be; no other element has one. An address without a colon leads nowhere else."""


def can_open(element: str, value: str) -> bool:
    """Tell whether an element may have this value."""
    return element in _VALUES and _VALUES[element].fullmatch(value) is not None


def packed(pieces: Iterable[Piece]) -> str:
    """Write the pieces as text, which :func:`html` reads."""
    return json.dumps(list(pieces), ensure_ascii=False, separators=(",", ":"))


def html(said: str, cell: str) -> Markup | None:
    """Write the pieces in ``said`` as HTML: each text escaped, each element from the lists above and closed.

    Args:
        said: what :func:`packed` made, or anything else.
        cell: :data:`CODE` or :data:`MARKDOWN`.

    Returns:
        None where ``said`` is anything else.
    """
    if len(said) > MAX_CHARACTERS:
        return None
    return (_remembered if len(said) <= MAX_REMEMBERED_CHARACTERS else _html)(said, cell)


def _html(said: str, cell: str) -> Markup | None:
    from markupsafe import Markup

    try:
        pieces = json.loads(said)
        _require(type(pieces) is list)
        texts = "".join(piece for piece in pieces if type(piece) is str)
        _require(visible(texts, len(texts)) == texts)
        return Markup("".join(_written(pieces, cell)))
    except (ValueError, RecursionError):
        return None


_remembered = functools.lru_cache(maxsize=512)(_html)
"""Most cells of a page are the instructor's, and on everybody's page."""


def _written(pieces: list[Any], cell: str) -> Iterator[str]:
    """Raises :class:`ValueError` where the pieces are not well-formed."""
    from markupsafe import escape

    opened = [cell]
    for piece in pieces:
        if type(piece) is str:
            _require(opened[-1] in _HOLD_TEXT)
            yield escape(piece)
        elif piece is None:
            _require(len(opened) > 1)
            yield _end(opened.pop())
        else:
            _require(type(piece) is list)
            element, *values = piece
            _require(type(element) is str and element in _CHILDREN.get(opened[-1], ()))
            yield _begin(element, values)
            if element not in _VOID:
                opened.append(element)
            _require(len(opened) <= MAX_DEPTH)
    _require(len(opened) == 1)


def _begin(element: str, values: Sequence[Any]) -> str:
    from markupsafe import escape

    if element == "formula":
        _require(not values)
        return '<code class="formula">'
    if element in COLORED or element == "missing":
        _require(not values)
        return f'<span class="{element}">'
    if not values:
        return f"<{element}>"
    (value,) = values
    _require(type(value) is str and can_open(element, value))
    if element == "a":
        return f'<a href="{escape(value)}" rel="noopener noreferrer nofollow">'
    return f'<ol start="{value}">' if element == "ol" else f'<{element} style="text-align:{value}">'


def _end(element: str) -> str:
    if element == "formula":
        return "</code>"
    return "</span>" if element in COLORED or element == "missing" else f"</{element}>"


def _require(met: bool) -> None:
    if not met:
        raise ValueError
