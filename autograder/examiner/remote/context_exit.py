"""The exceptions that a student's ``__exit__`` may suppress: those that the ``with`` block raises on purpose.

Otherwise ``with Connection() as c: assert c.read() == "x"`` would pass if ``__enter__`` returns nothing and
``__exit__`` returns True. The exception of ``c.read`` would disappear, and the assertion with it.
"""

from __future__ import annotations

import ast
import builtins
import itertools
import linecache
from types import TracebackType

from autograder.examiner.remote.callbacks import is_library


def raised_by_test(error: BaseException | None) -> bool:
    """Return whether the test itself raised the exception.

    It does so by ``raise``, or by an expression of constants and Python's own functions, such as ``1 / 0`` or
    ``int("x")``.
    """
    if error is None or getattr(error, "remote", None) is not None:
        return False
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    code = "" if trace is None else _expression(trace)
    try:
        tree = ast.parse(code.strip())
    except SyntaxError:
        return False
    if not tree.body:
        return False
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return isinstance(tree.body[0], ast.Raise) or names <= set(dir(builtins))


def _is_no_test(trace: TracebackType) -> bool:
    module = str(trace.tb_frame.f_globals.get("__name__", ""))
    return module.startswith("autograder.") or is_library(module)


def _expression(trace: TracebackType) -> str:
    """Return the source of the expression that was being computed."""
    code = trace.tb_frame.f_code
    positions = next(itertools.islice(code.co_positions(), trace.tb_lasti // 2, None), (None,) * 4)
    first, last, begin, end = positions
    if first is None or last is None or begin is None or end is None or _is_no_test(trace):
        return ""
    lines = [linecache.getline(code.co_filename, number).encode() for number in range(first, last + 1)]
    if not lines:
        return ""
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    return b"".join(lines).decode(errors="replace")
