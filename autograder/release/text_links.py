"""Texts of notebooks that show or link a file which students do not get."""

from __future__ import annotations

import contextlib
import posixpath
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from autograder.records.exam import Exam
from autograder.syntax.written_files import written_paths

_LINK = re.compile(r"""\]\(\s*<?([^\s)>]+)|<img\b[^>]*\bsrc\s*=\s*["']([^"']+)""", re.IGNORECASE)
_CODE = re.compile(r"(`+|~~~+)(?!`).*?\1|(\${1,2}).+?\2|<!--.*?-->|^(?: {4}|\t).*?$", re.DOTALL | re.MULTILINE)
"""Code, formulas and comments."""


def broken_links(exams: Sequence[Exam], files: Collection[str]) -> Iterator[str]:
    """Name the links and pictures of released texts that lead to no file of the release.

    Args:
        exams: the exams.
        files: paths of the released files, in the notebooks' folder.
    """
    released = [PurePosixPath(name) for name in (*files, *(f"{exam.notebook}.ipynb" for exam in exams))]
    for exam in exams:
        for number, cell in enumerate(exam.cells, 1):
            for path in _paths(cell.released) if cell.cell_type == "markdown" else ():
                if not any(name.is_relative_to(path) for name in released) and path not in written_paths(exam):
                    yield (
                        f"source/{exam.assignment}/{exam.notebook}.ipynb: cell {number}: the text links {path!r}, "
                        f"which students do not get; put the file into source/{exam.assignment}/, beside the notebook, "
                        "or list it in files of course.yaml"
                    )


def _paths(text: str) -> Iterator[str]:
    """Yield the relative paths that a text of Markdown links, without what stands in code."""
    for link in _LINK.finditer(_CODE.sub("", text)):
        with contextlib.suppress(ValueError):  # https://[your-machine]:8888 stands for an address
            address = urlsplit(link[1] or link[2])
            path = posixpath.normpath(unquote(address.path))
            is_other_lesson = path.startswith("../") and path.endswith(".ipynb")
            is_relative = not (address.scheme or address.netloc or path.startswith("/") or is_other_lesson)
            if is_relative and PurePosixPath(path).suffix:
                yield path
