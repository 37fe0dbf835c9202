"""Answers in files that are released as they are, such as a rendered copy of the solved notebook."""

from __future__ import annotations

import html
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.records.exam import Exam, ExamCell, Role
from autograder.release.markers import Markers

MAX_FILE_BYTES = 8 << 20
"""Larger files are not searched."""
_MAX_PAGE_BYTES = 1 << 20
MIN_BLOCK, MIN_FOUND, CERTAIN = 12, 24, 80
"""Characters, without spaces, of a part of an answer that is looked for; of those that are enough if they are half of
the notebook's answers; and of those that are enough in any case."""
_TAG = re.compile(r"<[^<>]*>")
_ESCAPED = re.compile(r"\\[nrt]|\\(?=[\"'()\\])")
_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
_PDF_TEXT = re.compile(rb"\(((?:\\.|[^\\()])*)\)")


class AnswerTexts:
    """What students are to write in an assignment's notebooks, in the instructor's words."""

    def __init__(self, exams: Iterable[Exam], markers: Markers) -> None:
        marks = [text for pair in markers.pairs for text in (pair.begin, pair.end)]
        answers = (Role.ANSWER, Role.MANUAL)
        self.blocks = {
            exam.notebook: {block for cell in exam.cells if cell.role in answers for block in _blocks(cell, marks)}
            for exam in exams
        }

    def found_in(self, path: Path) -> str:
        """Say that a file has the answers of a notebook; empty if it has none, or is a module."""
        if path.suffix == ".py" or path.stat().st_size > MAX_FILE_BYTES or not any(self.blocks.values()):
            return ""
        texts = [_squeezed(text) for text in _texts(path.read_bytes())]
        for notebook, blocks in self.blocks.items():
            found_characters = sum(len(block) for block in blocks if any(block in text for text in texts))
            if found_characters >= CERTAIN or (
                found_characters >= MIN_FOUND and found_characters * 2 >= sum(map(len, blocks))
            ):
                return f"it has the answers of {notebook}.ipynb, as a copy with its solutions has"
        return ""


def _blocks(cell: ExamCell, marks: list[str]) -> Iterator[str]:
    """Yield the parts of an answer that students do not see, without spaces."""
    released_lines = set(cell.released.splitlines())
    hidden = [
        "" if line in released_lines or any(mark in line for mark in marks) else line
        for line in cell.source.splitlines()
    ]
    for part in "\n".join(hidden).split("\n\n"):
        if len(block := _squeezed(part)) >= MIN_BLOCK:
            yield block


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _texts(data: bytes) -> Iterator[str]:
    """Yield what a file says: as it stands, and without the tags of a page and the escapes of JSON."""
    if data.startswith(b"%PDF"):
        yield _of_pdf(data)
    elif b"\0" not in data[:8192]:
        text = data.decode("utf-8", "replace")
        for plain in (text, html.unescape(_TAG.sub("", text))):
            yield plain
            yield _ESCAPED.sub("", plain)


def _of_pdf(data: bytes) -> str:
    """Return the texts of a PDF's pages whose letters are their own codes."""
    pages = []
    for stream in _STREAM.finditer(data):
        try:
            page = zlib.decompressobj().decompress(stream[1], _MAX_PAGE_BYTES)
        except zlib.error:
            page = stream[1]
        pages += _PDF_TEXT.findall(page)
    return _ESCAPED.sub("", b"".join(pages).decode("latin-1"))
