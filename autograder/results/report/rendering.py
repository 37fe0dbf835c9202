"""Cells rendered for the feedback page, within a limit of time: code highlighted, Markdown without HTML.

This happens in the process that grades the submission. Whoever makes pages only reads what it says, see
:mod:`autograder.results.report.pieces`. A source that is not rendered, for want of time or otherwise, is shown as it
stands.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import FrameType
from typing import Any

from markdown_it import MarkdownIt
from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES

from autograder._util.text import visible
from autograder.records import Exam
from autograder.results.report.pieces import (
    COLORED,
    MAX_CELLS,
    MAX_CHARACTERS,
    MAX_PAGE,
    MAX_SOURCE,
    Piece,
    can_open,
    packed,
)

MAX_SECONDS = 5.0
"""Of the processor, for all cells of a submission. An ordinary notebook takes a few hundredths of a second."""
MAX_CELL_SECONDS = 1.0
"""For each of them, so that one that takes for ever does not cost the others their colors."""


Source = tuple[str, str]
"""The type of a cell and its source."""


def render(notebooks: Iterable[Sequence[Source]], seconds: float = MAX_SECONDS) -> list[list[str]]:
    """Render what the feedback page is to show of each cell, while time is left.

    To be called in the main thread. Patterns of highlighters and of Markdown can take minutes for a source that is
    made for it; Python's :mod:`re` looks for signals while it matches, so that a timer ends it.

    Returns:
        For each notebook the pieces of each cell, as :mod:`~autograder.results.report.pieces` has them; empty for a
        source that is shown as it stands.
    """
    left = seconds
    rendered = []
    for notebook in notebooks:
        room = MAX_PAGE
        cells: list[str] = []
        for cell_type, source in notebook:
            said, spent = _rendered(cell_type, source, left) if len(cells) < MAX_CELLS else (None, 0.0)
            left -= spent
            fits = said is not None and len(said) <= min(MAX_CHARACTERS, room)
            cells.append(said if said is not None and fits else "")
            room -= len(cells[-1])
        rendered.append(cells)
    return rendered


def _rendered(cell_type: str, source: str, seconds: float) -> tuple[str | None, float]:
    """Return the pieces of a source, and the processor time that they took."""
    renderer = _RENDERERS.get(cell_type)
    if renderer is None or (known := _released.get((cell_type, source))) is not None or seconds <= 0:
        return (None if renderer is None else known), 0.0
    began = time.process_time()
    said = _within(min(seconds, MAX_CELL_SECONDS), renderer, source)
    return said, time.process_time() - began


def render_released(exam: Exam) -> None:
    """Render the instructor's cells: processes that are forked now need not do it for each submission."""
    for cell in exam.cells:
        if (renderer := _RENDERERS.get(cell.cell_type)) is not None:
            _released[cell.cell_type, cell.released] = renderer(cell.released)


_released: dict[tuple[str, str], str] = {}
"""Kind and source of an instructor's cell → its pieces."""


class _TimeIsUp(BaseException):
    """No library's ``except Exception`` catches it."""


def _within(seconds: float, act: Callable[[str], str], source: str) -> str | None:
    """Return what ``act`` makes of ``source``; None where the processor needs longer for it, or a library fails."""

    def expire(signum: int, frame: FrameType | None) -> None:
        raise _TimeIsUp

    previous = signal.signal(signal.SIGVTALRM, expire)
    try:
        try:
            # Again each tenth: one that is raised where a destructor runs, for instance, is lost.
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.1)
            return act(source)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except (_TimeIsUp, Exception):  # colors are not worth a grade
        return None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)  # it may have come just as it was to be turned off
        signal.signal(signal.SIGVTALRM, previous)


# --- code --------------------------------------------------------------------------------------------

_LEXER = PythonLexer(stripnl=False)


def code(source: str) -> str:
    """Python, highlighted: the pieces of a code cell."""
    return packed(_colored(visible(source, MAX_SOURCE)))


def _colored(source: str) -> Iterator[Piece]:
    """Each run of tokens of one color; what has none is plain text."""
    color, texts = "", [""]
    for kind, text in _LEXER.get_tokens(source):
        name = STANDARD_TYPES.get(kind, "")
        if name not in COLORED:
            name = ""
        if name != color:
            yield from _run(color, "".join(texts))
            color, texts = name, []
        texts.append(text)
    yield from _run(color, "".join(texts))


def _run(color: str, text: str) -> Iterator[Piece]:
    if text:
        yield from ([color], text, None) if color else (text,)


# --- Markdown ----------------------------------------------------------------------------------------

# It refuses javascript:, vbscript:, file: and data: links by itself.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
_FORMULA = re.compile(r"\$\$[^$]{1,2000}\$\$|\$(?![\s$])[^$\n]{1,1000}(?<![\s\\])\$(?!\d)")


def _take_formula(state: Any, silent: bool) -> bool:
    """Take a formula whole, as Jupyter does: its underscores and stars are no emphasis."""
    found = _FORMULA.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.push("formula", "", 0).content = found.group()
    state.pos = found.end()
    return True


_MARKDOWN.inline.ruler.before("escape", "formula", _take_formula)


def markdown(source: str) -> str:
    """CommonMark and tables: the pieces of a Markdown cell. HTML is text, images are named and not loaded."""
    return packed(_marked_up(_MARKDOWN.parse(visible(source, MAX_SOURCE))))


def _marked_up(tokens: Iterable[Any]) -> Iterator[Piece]:
    for token in tokens:
        if token.hidden:
            continue
        if token.type == "inline":
            yield from _marked_up(token.children)
        elif token.nesting > 0:
            yield _opened(token)
        elif token.nesting < 0:
            yield None
        else:
            yield from _LEAVES.get(token.type, _text)(token)


def _opened(token: Any) -> Piece:
    # A cell's headings go under the page's own.
    element = f"h{min(6, int(token.tag[1]) + 2)}" if token.type == "heading_open" else token.tag
    style = str(token.attrs.get("style", "")).removeprefix("text-align:")
    value = str(token.attrs.get({"a": "href", "ol": "start"}.get(element, ""), style))
    return [element, value] if can_open(element, value) else [element]


def _text(token: Any) -> Iterator[Piece]:
    yield visible(token.content, MAX_SOURCE)  # an entity can stand for any character


def _code_inline(token: Any) -> Iterator[Piece]:
    yield from (["code"], *_text(token), None)


def _code_block(token: Any) -> Iterator[Piece]:
    yield from (["pre"], *_code_inline(token), None)


def _formula(token: Any) -> Iterator[Piece]:
    yield from (["formula"], *_text(token), None)


def _image(token: Any) -> Iterator[Piece]:
    # A remote image would tell its server who reads the page.
    yield from (["missing"], f"[image: {visible(token.content, MAX_SOURCE) or 'no description'}]", None)


_LEAVES: dict[str, Callable[[Any], Iterator[Piece]]] = {
    "code_inline": _code_inline,
    "code_block": _code_block,
    "fence": _code_block,
    "formula": _formula,
    "image": _image,
    "softbreak": lambda _: iter(["\n"]),
    "hardbreak": lambda _: iter([["br"]]),
    "hr": lambda _: iter([["hr"]]),
}

_RENDERERS = {"code": code, "markdown": markdown}

# What these libraries build at first use is built now: in the template that examiners are forked from, under no timer.
code("import this")
markdown("# One\n\n- *two*")
