"""Languages of otter sources: only Python in notebooks is examined, and neither R nor what otter reads as R."""

from __future__ import annotations

import re
from pathlib import Path

from autograder._util.notebook_format import NotebookNode
from autograder.errors import CourseError

_PYTHON = frozenset({"python", "python3", "ipython"})
_R_SUFFIXES = frozenset({".rmd", ".qmd"})
_BLOCK = re.compile(r"#\s+(?:(?:begin|end)\s+(?:question|prompt|solution|tests)\b|assignment\s+config)", re.IGNORECASE)
_ONLY_PYTHON = "only Python can be examined"


def check_notebook(notebook: NotebookNode, label: str) -> None:
    """Refuse a notebook with code in another language than Python.

    Raises:
        CourseError: its kernel's language is another one, and it has code.
    """
    spec, about = notebook.metadata.get("kernelspec", {}), notebook.metadata.get("language_info", {})
    named = spec.get("language") or about.get("name") or ("R" if spec.get("name") == "ir" else "python")
    if str(named).lower() not in _PYTHON and any(cell.cell_type == "code" for cell in notebook.cells):
        raise CourseError(f"{label}: the notebook's language is {str(named)!r}; {_ONLY_PYTHON}")


def check_folder(folder: Path) -> None:
    """Refuse R Markdown and Quarto documents with blocks of otter's: otter reads both as R.

    Raises:
        CourseError: there is one; the message names its first block's line.
    """
    for path in sorted(path for path in folder.glob("*") if path.suffix.lower() in _R_SUFFIXES):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:  # not a file; a release says so
            continue
        for number, line in enumerate(lines, 1):
            if _BLOCK.search(line):
                todo = "move it out of source/; if its code is Python, save it as a notebook"
                raise CourseError(
                    f"source/{folder.name}/{path.name}: line {number}: otter reads {path.suffix} as R, and "
                    f"{_ONLY_PYTHON}; {todo}"
                )
