"""Documents that otter reads as R, which are not examined."""

from __future__ import annotations

import re
from pathlib import Path

from autograder.errors import CourseError
from autograder.release.languages import ONLY_PYTHON

_R_SUFFIXES = frozenset({".rmd", ".qmd"})
_BLOCK = re.compile(r"#\s+(?:(?:begin|end)\s+(?:question|prompt|solution|tests)\b|assignment\s+config)", re.IGNORECASE)


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
                    f"{ONLY_PYTHON}; {todo}"
                )
