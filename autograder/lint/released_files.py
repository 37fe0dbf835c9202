"""Cells of the notebook that write over a released file which is too large to be copied for each notebook."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Collection, Iterator

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
