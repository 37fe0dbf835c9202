"""Rendering of cells for the feedback page, within a time limit: code highlighted, Markdown without HTML.

It happens in the process that grades the submission. The process that makes pages only reads its result, see
:mod:`autograder.exchange.pieces`. A source that is not rendered, because time is up or for another reason, is
shown as plain text.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import FrameType
from typing import Any

from markdown_it import MarkdownIt
from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES

from autograder._util.text import visible
from autograder.exchange.formulas import DISPLAYED, FORMULA, formula
from autograder.exchange.pieces import (
    COLORED,
    MAX_CELLS,
    MAX_CHARACTERS,
    MAX_PAGE,
    MAX_SOURCE,
    HtmlPiece,
    can_open,
    packed,
)
from autograder.records.exam import Exam

MAX_SECONDS = 5.0
"""Processor time for all cells of a submission. An ordinary notebook takes a few hundredths of a second."""
MAX_CELL_SECONDS = 1.0
"""Processor time for one cell, so that an endless one does not cost the others their colors."""


Source = tuple[str, str]
"""Pair of a cell's type and its source."""


def render(notebooks: Iterable[Sequence[Source]], seconds: float = MAX_SECONDS) -> list[list[str]]:
    """Render each cell for the feedback page, while time is left.

    Call it in the main thread only. Patterns of highlighters and of Markdown can take minutes for a malicious source;
    Python's :mod:`re` checks for signals while it matches, so that a timer ends it.

    Returns:
        For each notebook the pieces of each cell, see :mod:`~autograder.exchange.pieces`; empty for a
        source that is shown as plain text.
    """
    seconds_left = seconds
    rendered = []
    for notebook in notebooks:
        room = MAX_PAGE
        cells: list[str] = []
        for cell_type, source in notebook:
            text, spent = _rendered(cell_type, source, seconds_left) if len(cells) < MAX_CELLS else (None, 0.0)
            seconds_left -= spent
            fits = text is not None and len(text) <= min(MAX_CHARACTERS, room)
            cells.append(text if text is not None and fits else "")
            room -= len(cells[-1])
        rendered.append(cells)
    return rendered


def render_trusted(cell_type: str, source: str) -> str:
    """Render a text of the course's own people, without a time limit; empty if a library fails.

    Any thread may call it.
    """
    try:
        return _RENDERERS[cell_type](source) if cell_type in _RENDERERS else ""
    except Exception:  # colors are not worth a page
        return ""


def _rendered(cell_type: str, source: str, seconds: float) -> tuple[str | None, float]:
    """Return the pieces of a source, and the processor time that rendering took."""
    renderer = _RENDERERS.get(cell_type)
    if renderer is None or (stored := _released.get((cell_type, source))) is not None or seconds <= 0:
        return (None if renderer is None else stored), 0.0
    began = time.process_time()
    text = _within(min(seconds, MAX_CELL_SECONDS), renderer, source)
    return text, time.process_time() - began


def render_released(exam: Exam) -> None:
    """Render the instructor's cells once in a template, so that no fork has to."""
    for cell in exam.cells:
        if (renderer := _RENDERERS.get(cell.cell_type)) is not None:
            _released[cell.cell_type, cell.released] = renderer(cell.released)


_released: dict[tuple[str, str], str] = {}
"""Cache: kind and source of an instructor's cell → its pieces."""


class _RenderingTimeUp(BaseException):
    """A signal that time is up, which no library's ``except Exception`` catches."""


def _within(seconds: float, act: Callable[[str], str], source: str) -> str | None:
    """Return ``act(source)``; None if it takes more processor time, or a library fails."""

    def expire(signum: int, frame: FrameType | None) -> None:
        raise _RenderingTimeUp

    previous = signal.signal(signal.SIGVTALRM, expire)
    try:
        try:
            # Repeated every tenth of a second: an exception raised in a destructor, for instance, is lost.
            signal.setitimer(signal.ITIMER_VIRTUAL, seconds, 0.1)
            return act(source)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except (_RenderingTimeUp, Exception):  # colors are not worth a grade
        return None
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)  # the exception may have come before the timer was turned off
        signal.signal(signal.SIGVTALRM, previous)


# --- code --------------------------------------------------------------------------------------------

_LEXER = PythonLexer(stripnl=False)


def code(source: str) -> str:
    """Highlight Python: the pieces of a code cell."""
    return packed(_colored(visible(source, MAX_SOURCE)))


def _colored(source: str) -> Iterator[HtmlPiece]:
    """Yield each run of tokens of one color; tokens without a color are plain text."""
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


def _run(color: str, text: str) -> Iterator[HtmlPiece]:
    if text:
        yield from ([color], text, None) if color else (text,)


# --- Markdown ----------------------------------------------------------------------------------------

# The parser refuses javascript:, vbscript:, file: and data: links by itself.
_MARKDOWN = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])


def _take_formula(state: Any, silent: bool) -> bool:
    """Take a formula whole, as Jupyter does: its underscores and stars are no emphasis."""
    match = FORMULA.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        state.push("formula", "", 0).content = match.group()
    state.pos = match.end()
    return True


def _take_displayed_formula(state: Any, first: int, last: int, silent: bool) -> bool:
    """Take a formula that fills whole lines: a minus at the start of a line begins no list."""
    begin = state.bMarks[first] + state.tShift[first]
    if not state.src.startswith(("$$", "\\begin{"), begin) or state.is_code_block(first):
        return False
    lines = state.getLines(first, min(last, first + MAX_FORMULA_LINES), state.blkIndent, False).lstrip(" ")
    match = DISPLAYED.match(lines)
    if match is None:
        return False
    if not silent:
        state.push("paragraph_open", "p", 1)
        state.push("formula", "", 0).content = match.group().rstrip()
        state.push("paragraph_close", "p", -1)
        state.line = first + match.group().count("\n") + 1
    return True


MAX_FORMULA_LINES = 50
_MARKDOWN.inline.ruler.before("escape", "formula", _take_formula)
_MARKDOWN.block.ruler.before(
    "fence", "displayed_formula", _take_displayed_formula, {"alt": ["paragraph", "reference", "blockquote", "list"]}
)


def markdown(source: str) -> str:
    """Render CommonMark and tables: the pieces of a Markdown cell. HTML is text, images are named and not loaded."""
    return packed(_marked_up(_MARKDOWN.parse(visible(source, MAX_SOURCE))))


def _marked_up(tokens: Iterable[Any]) -> Iterator[HtmlPiece]:
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


def _opened(token: Any) -> HtmlPiece:
    # A cell's headings go under the page's own.
    element = f"h{min(6, int(token.tag[1]) + 2)}" if token.type == "heading_open" else token.tag
    style = str(token.attrs.get("style", "")).removeprefix("text-align:")
    value = str(token.attrs.get({"a": "href", "ol": "start"}.get(element, ""), style))
    return [element, value] if can_open(element, value) else [element]


def _text(token: Any) -> Iterator[HtmlPiece]:
    yield visible(token.content, MAX_SOURCE)  # an entity can stand for any character


def _code_inline(token: Any) -> Iterator[HtmlPiece]:
    yield from (["code"], *_text(token), None)


def _code_block(token: Any) -> Iterator[HtmlPiece]:
    yield from (["pre"], *_code_inline(token), None)


def _image(token: Any) -> Iterator[HtmlPiece]:
    # A remote image would reveal the page's reader to its server.
    yield from (["missing"], f"[image: {visible(token.content, MAX_SOURCE) or 'no description'}]", None)


_LEAVES: dict[str, Callable[[Any], Iterator[HtmlPiece]]] = {
    "code_inline": _code_inline,
    "code_block": _code_block,
    "fence": _code_block,
    "formula": lambda token: iter(formula(token.content)),
    "image": _image,
    "softbreak": lambda _: iter(["\n"]),
    "hardbreak": lambda _: iter([["br"]]),
    "hr": lambda _: iter([["hr"]]),
}

_RENDERERS = {"code": code, "markdown": markdown}

# These libraries build tables at first use. Build them now: in the template of examiners, and under no timer.
code("import this")
markdown("# One\n\n- *two* $x$")
