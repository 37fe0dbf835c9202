"""The place of an answer file beside the notebook, before the first cell runs.

Runs in the student's kernel, as the text of a cell: it needs nothing of the kit.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path


def put_beside(path: str, content: bytes, released: bytes) -> None:
    """Write the student's module; the released one stands in for a file that Python cannot read.

    Args:
        path: its place beside the notebook.
        content: the student's.
        released: as students got it.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(content, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        position = f", line {line}" if line else ""
        print(f"{path}{position}: {getattr(error, 'msg', None) or error}", file=sys.stderr)
        print("Python cannot read this file, so it ran as it was released.", file=sys.stderr)
        content = released
    target.write_bytes(content)
    importlib.invalidate_caches()
