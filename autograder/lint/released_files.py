"""Cells of the notebook that write over a large released file, and texts that show a file which is not released."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from autograder.records.exam import ExamCell
from autograder.syntax.written_files import writes

CellFault = tuple[ast.AST, str, str]
"""Place, reason and remedy."""


def writes_over_released(tree: ast.Module, files: Collection[str]) -> Iterator[CellFault]:
    """Find calls that write a file that is read-only where notebooks are graded.

    Args:
        tree: a cell that is not a test.
        files: paths of the files that are bound read-only.
    """
    for node, name in writes(tree, {}):
        if name in files:
            yield (
                node,
                f"{name!r} is released and too large to be copied for each notebook, so it cannot be written where "
                "notebooks are graded",
                f"write to another name, or copy it first: shutil.copyfile({name!r}, 'my_{posixpath.basename(name)}')",
            )


_LINK = re.compile(r"""\]\(\s*<?([^\s)>]+)|<img\b[^>]*\bsrc\s*=\s*["']([^"']+)""", re.IGNORECASE)


def links_to_nothing(cell: ExamCell, files: Collection[str]) -> Iterator[str]:
    """Yield the paths that a text of the notebook shows or links, and that no student gets.

    Args:
        cell: a Markdown cell.
        files: paths of the files that students get, in the notebook's folder.
    """
    text = re.sub(r"(`+)(?!`).*?\1", "", cell.released, flags=re.DOTALL)
    for found in _LINK.finditer(text):
        address = urlsplit(found[1] or found[2])
        path = posixpath.normpath(unquote(address.path))
        is_there = any(PurePosixPath(name).is_relative_to(path) for name in files)
        if not (address.scheme or address.netloc or path.startswith("/")) and address.path and not is_there:
            yield path
