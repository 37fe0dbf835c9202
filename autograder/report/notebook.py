"""A masked notebook as view records: markdown rendered without HTML, code highlighted, outputs made inert."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder import pictures
from autograder.text import bounded, visible

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markupsafe import Markup
    from nbformat import NotebookNode

MAX_CELLS = 300
MAX_SOURCE = 40_000
MAX_TEXT = 20_000
MAX_OUTPUTS = 60
MAX_PAGE = 12_000_000
"""Bounds of a page: cells, characters of a source and of a text output, outputs of a cell, characters in
all."""


@dataclass(frozen=True, slots=True)
class OutputView:
    """One output: ``kind`` is ``text``, ``error`` or ``image``."""

    kind: str
    text: str = ""
    uri: str = ""
    """A data: URI of a picture that the kit encoded, where ``kind`` is ``image``."""


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell as the template shows it. ``html`` is safe Markup."""

    kind: str
    """``markdown``, ``code`` or ``raw``."""
    role: str
    html: Markup
    note: str
    run: str
    grade_id: str
    outputs: tuple[OutputView, ...] = ()
    count: int | None = None


def views(notebook: NotebookNode) -> tuple[list[CellView], int]:
    """(the cells to show, how many are left out). The whole stays within :data:`MAX_PAGE` characters."""
    shown: list[CellView] = []
    room = MAX_PAGE
    for cell in notebook.cells[:MAX_CELLS]:
        view = _cell(cell)
        room -= len(view.html) + sum(len(output.text) + len(output.uri) for output in view.outputs)
        if room < 0:
            break
        shown.append(view)
    return shown, len(notebook.cells) - len(shown)


def _cell(cell: Any) -> CellView:
    about = _mapping(cell.metadata.get("autograder"))
    nbgrader = _mapping(cell.metadata.get("nbgrader"))
    role = str(about.get("role", "free"))
    kind = cell.cell_type
    outputs = tuple(_outputs(cell)) if kind == "code" and role != "test" else ()
    count = cell.get("execution_count") if kind == "code" else None
    return CellView(
        kind=kind,
        role=role,
        html={"markdown": markdown, "code": code}.get(kind, _plain)(cell.source),
        note=str(about.get("note", "")),
        run=str(about.get("run", "")),
        grade_id=str(nbgrader.get("grade_id", "")),
        outputs=outputs,
        count=count if isinstance(count, int) else None,
    )


# --- sources -----------------------------------------------------------------------------------------


SAME = 512
"""So many sources are rendered once: most cells of a page are the instructor's, and on everybody's page."""


@functools.lru_cache(maxsize=SAME)
def markdown(text: str) -> Markup:
    """CommonMark and tables; HTML is shown as text, images are named and not loaded, links leave no trace."""
    from markupsafe import Markup

    return Markup(_renderer().render(visible(text, MAX_SOURCE)))


@functools.cache
def _renderer() -> MarkdownIt:
    """markdown-it refuses javascript:, vbscript:, file: and data: links by itself."""
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
    renderer.add_render_rule("image", _image)
    renderer.add_render_rule("link_open", _link)
    # A cell's headings go under the page's own.
    for rule in ("heading_open", "heading_close"):
        renderer.add_render_rule(rule, _heading)
    return renderer


def _image(_: Any, tokens: Any, index: int, *__: Any) -> str:
    from markupsafe import escape

    # A remote image would tell its server who reads the page.
    return f'<span class="missing">[image: {escape(tokens[index].content or "no description")}]</span>'


def _link(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    return str(self.renderToken(tokens, index, options, env))


def _heading(self: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    token = tokens[index]
    if not token.meta.get("lowered"):
        token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        token.meta["lowered"] = True
    return str(self.renderToken(tokens, index, options, env))


@functools.lru_cache(maxsize=SAME)
def code(text: str) -> Markup:
    """Python, highlighted with Pygments' class names."""
    from markupsafe import Markup
    from pygments import highlight

    return Markup(highlight(visible(text, MAX_SOURCE), *_highlighting()))


@functools.cache
def _highlighting() -> tuple[Any, Any]:
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)


def _plain(text: str) -> Markup:
    from markupsafe import escape

    return escape(visible(text, MAX_SOURCE))


# --- outputs -----------------------------------------------------------------------------------------


def _outputs(cell: Any) -> Iterator[OutputView]:
    outputs = list(cell.get("outputs", ()))
    for output in outputs[:MAX_OUTPUTS]:
        view = _output(output)
        if view is not None:
            yield view
    if len(outputs) > MAX_OUTPUTS:
        yield OutputView("text", f"… {len(outputs) - MAX_OUTPUTS:,} more outputs left out …")


def _output(output: Mapping[str, Any]) -> OutputView | None:
    kind = output.get("output_type")
    if kind == "stream":
        return OutputView("text", visible(_joined(output.get("text")), MAX_TEXT))
    if kind == "error":
        trace = "\n".join(line for line in output.get("traceback") or () if isinstance(line, str))
        said = trace or f"{output.get('ename', '')}: {output.get('evalue', '')}"
        return OutputView("error", visible(said, MAX_TEXT))
    data = _mapping(output.get("data"))
    for mime in pictures.MIMES:
        if mime in data:
            uri = pictures.data_uri(mime, _joined(data[mime]))
            return OutputView("image", uri=uri) if uri else OutputView("text", "[an image that can not be shown]")
    if "text/plain" in data:
        return OutputView("text", visible(_joined(data["text/plain"]), MAX_TEXT))
    for mime, value in data.items():
        return OutputView("text", f"[{visible(str(mime), 100)}]\n{visible(_joined(value), 2000)}")
    return None


def _joined(text: Any) -> str:
    if isinstance(text, list | tuple):
        text = "".join(line for line in text if isinstance(line, str))
    return bounded(text, 4_200_000) if isinstance(text, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
