"""View records of an annotated notebook: sources as they were rendered at grading, outputs made inert.

Nothing here interprets a student's text: making a page takes time in proportion to its length.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder._util.text import bounded, visible
from autograder.exchange import images, pieces
from autograder.exchange.pieces import MAX_CELLS, MAX_PAGE, MAX_SOURCE, RENDERED

if TYPE_CHECKING:
    from markupsafe import Markup

    from autograder._util.notebook_format import NotebookNode

MAX_TEXT = 20_000
"""Largest number of characters of a text output."""
MAX_OPEN_LINES = 60
"""A longer answer file is folded."""
MAX_OUTPUTS = 60
"""Largest number of outputs of a cell."""


@dataclass(frozen=True, slots=True)
class OutputView:
    """One output: ``kind`` is ``text``, ``error`` or ``image``."""

    kind: str
    text: str = ""
    uri: str = ""
    """A data: URI of a picture that the kit encoded, if ``kind`` is ``image``."""


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell as the template shows it. ``html`` is safe Markup."""

    kind: str
    """``markdown``, ``code`` or ``raw``."""
    role: str
    html: Markup
    rendered: bool
    """Whether ``html`` is rendered; if not, it is the source as plain text."""
    note: str
    run: str
    grade_id: str
    file: str = ""
    """Path of an answer file, which is no cell of the notebook."""
    lines: int = 0
    """Number of lines of its text."""
    number: int | None = None
    """Number in the file that was handed in; 0 if the cell is not in it; None in notebooks that do not tell."""
    outputs: tuple[OutputView, ...] = ()
    count: int | None = None


def views(notebook: NotebookNode) -> tuple[list[CellView], int]:
    """Return the cells to show, within :data:`MAX_PAGE` characters, and how many are left out."""
    cell_views: list[CellView] = []
    room = MAX_PAGE
    cells = notebook.cells[:MAX_CELLS]
    rendered = [_rendered(cell) for cell in cells]
    if sum(map(len, rendered)) > MAX_PAGE:  # an honest examiner writes less
        rendered = [""] * len(cells)
    for cell, text in zip(cells, rendered, strict=True):
        view = _cell(cell, text)
        room -= len(view.html) + sum(len(output.text) + len(output.uri) for output in view.outputs)
        if room < 0:
            break
        cell_views.append(view)
    return cell_views, len(notebook.cells) - len(cell_views)


def _rendered(cell: Any) -> str:
    text = _mapping(cell.metadata.get("autograder")).get(RENDERED)
    return text if isinstance(text, str) else ""


def _cell(cell: Any, pieced: str) -> CellView:
    about = _mapping(cell.metadata.get("autograder"))
    nbgrader = _mapping(cell.metadata.get("nbgrader"))
    role = str(about.get("role", "free"))
    kind = cell.cell_type
    outputs = tuple(_outputs(cell)) if kind == "code" and role != "test" else ()
    count = cell.get("execution_count") if kind == "code" else None
    number = about.get("number")
    html, rendered = _source(cell, pieced or (_instructors(kind, cell.source) if role in INSTRUCTORS else ""))
    return CellView(
        kind=kind,
        role=role,
        html=html if cell.source.strip() else type(html)(),
        rendered=rendered,
        note=str(about.get("note", "")),
        run=str(about.get("run", "")),
        grade_id=str(nbgrader.get("grade_id", "")),
        file=str(about.get("file", "")),
        lines=len(visible(cell.source, MAX_SOURCE).splitlines()),
        number=number if type(number) is int else None,
        outputs=outputs,
        count=count if isinstance(count, int) else None,
    )


# --- sources -----------------------------------------------------------------------------------------


INSTRUCTORS = frozenset({"test", "read-only", "task"})
"""Roles of cells that always come from the exam, whatever was handed in."""


@functools.lru_cache(maxsize=512)
def _instructors(kind: str, source: str) -> str:
    """Render a source of the instructor's to pieces."""
    from autograder.exchange import rendering

    return rendering.render_trusted(kind, source)


def _source(cell: Any, pieced: str) -> tuple[Markup, bool]:
    """Return the source as HTML and True, or, if ``pieced`` is invalid, as plain text and False."""
    from markupsafe import escape

    kind = {"code": pieces.CODE, "markdown": pieces.MARKDOWN}.get(cell.cell_type)
    html = pieces.html(pieced, kind) if pieced and kind is not None else None
    return (escape(visible(cell.source, MAX_SOURCE)), False) if html is None else (html, True)


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
        text = trace or f"{output.get('ename', '')}: {output.get('evalue', '')}"
        return OutputView("error", visible(text, MAX_TEXT))
    data = _mapping(output.get("data"))
    for mime in images.MIMES:
        if mime in data:
            uri = images.data_uri(mime, _joined(data[mime]))
            return OutputView("image", uri=uri) if uri else OutputView("text", "[an image that cannot be shown]")
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
