"""Faults of a student's module that are worth a word before it is handed in: on the student's own machine."""

from __future__ import annotations

import ast
import warnings

from autograder.records.limits import MAX_ANSWER_BYTES


def module_fault(name: str, content: bytes) -> str:
    """Return why a module will not run when it is graded, as a sentence; empty if nothing speaks against it.

    Args:
        name: its path beside the notebook.
        content: its bytes, in the encoding that it states.
    """
    if len(content) > MAX_ANSWER_BYTES:
        return f"{name} has more than {MAX_ANSWER_BYTES >> 20} MiB, which is too large for a module; it earns nothing."
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        position = f", line {line}" if line else ""
        reason = getattr(error, "msg", None) or error
        return f"{name}{position}: {reason}; Python cannot read it, so it earns nothing."
    return ""
