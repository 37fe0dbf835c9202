"""A masked notebook as view records: markdown rendered without HTML, code highlighted, outputs made inert."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

MAX_IMAGE_BYTES = 3_000_000
MAX_IMAGE_PIXELS = 40_000_000


@dataclass(frozen=True, slots=True)
class OutputView:
    """One output: ``kind`` is ``text``, ``error`` or ``image``."""

    kind: str
    text: str = ""
    uri: str = ""
    """A data: URI of a checked image, where ``kind`` is ``image``."""


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


def code(text: str) -> Markup:
    """Python, highlighted with Pygments' class names."""
    from markupsafe import Markup
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return Markup(highlight(visible(text, MAX_SOURCE), PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)))


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
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            uri = image_uri(mime, _joined(data[mime]))
            return OutputView("image", uri=uri) if uri else OutputView("text", "[an image that can not be shown]")
    if "text/plain" in data:
        return OutputView("text", visible(_joined(data["text/plain"]), MAX_TEXT))
    for mime, value in data.items():
        return OutputView("text", f"[{visible(str(mime), 100)}]\n{visible(_joined(value), 2000)}")
    return None


def image_uri(mime: str, text: str) -> str | None:
    """A ``data:`` URI of a PNG or JPEG whose bytes say that they are one, of bounded size and area; else
    None."""
    if len(text) > MAX_IMAGE_BYTES * 4 // 3 + 100_000:
        return None
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    size = _png_size(raw) if mime == "image/png" else _jpeg_size(raw) if mime == "image/jpeg" else None
    if size is None or len(raw) > MAX_IMAGE_BYTES or not 0 < size[0] * size[1] <= MAX_IMAGE_PIXELS:
        return None
    # Encoded anew: not a byte of the student's text gets into the attribute.
    return f"data:{mime};base64,{base64.b64encode(raw).decode()}"


def _png_size(raw: bytes) -> tuple[int, int] | None:
    if not raw.startswith(b"\x89PNG\r\n\x1a\n") or raw[12:16] != b"IHDR" or len(raw) < 33:
        return None
    return int.from_bytes(raw[16:20], "big"), int.from_bytes(raw[20:24], "big")


def _jpeg_size(raw: bytes) -> tuple[int, int] | None:
    """Width and height from the first start-of-frame segment (ITU T.81, B.2.2)."""
    at = 2
    while raw.startswith(b"\xff\xd8\xff") and at + 9 <= len(raw) and raw[at] == 0xFF:
        marker = raw[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(raw[at + 7 : at + 9], "big"), int.from_bytes(raw[at + 5 : at + 7], "big")
        at += 2 + max(2, int.from_bytes(raw[at + 2 : at + 4], "big"))
    return None


def _joined(text: Any) -> str:
    if isinstance(text, list | tuple):
        text = "".join(line for line in text if isinstance(line, str))
    return bounded(text, 4_200_000) if isinstance(text, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
