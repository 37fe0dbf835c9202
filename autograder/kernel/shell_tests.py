"""Test cells that run in the student's process, as the instructor marked them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from . import description


def run(shell: Any, source: str) -> dict[str, Any]:
    """Run a test cell in IPython's shell, as the notebook's own cells run.

    Returns:
        ``passed``; ``points``, the number in which the cell ends, or None; ``error``, which describes what it raised;
        ``line``, the cell's line that raised it, or 0.
    """
    displayed: list[Any] = []
    with _unheard(shell, displayed):
        result = shell.run_cell(source, store_history=True)
    error = result.error_before_exec or result.error_in_exec
    return {
        "passed": error is None,
        "points": _number(displayed[-1]) if displayed else None,
        "error": None if error is None else description.error(error),
        "line": 0 if error is None else _line(error, shell.user_ns),
    }


@contextlib.contextmanager
def _unheard(shell: Any, displayed: list[Any]) -> Iterator[None]:
    """Collect the values of expressions; drop what the cell displays, and tracebacks.

    The kernel's event loop is busy with the present request, so the cell gets one of its own where it awaits something.
    """
    from IPython.core import displaypub

    capturing: Any = displaypub.CapturingDisplayPublisher
    history = shell.history_manager
    publisher, hook = shell.display_pub, shell.display_trap.hook
    outer = asyncio._get_running_loop()
    shell.display_pub = capturing()
    shell.display_trap.hook = displayed.append
    enabled, history.enabled = history.enabled, False  # its file belongs to the kernel's own process and thread
    shell._showtraceback = lambda *_: None
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(outer)
        del shell._showtraceback
        history.enabled = enabled
        shell.display_trap.hook = hook
        shell.display_pub = publisher


def _number(value: Any) -> Any:
    if type(value) in (int, float):
        return float(value)
    is_number = type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 and value.dtype.kind in "iuf"
    return float(value) if is_number else None


def _line(error: BaseException, names: dict[str, Any]) -> int:
    """Return the line of the first frame that has the notebook's names as its globals."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals is not names:
        trace = trace.tb_next
    if trace is not None:
        return trace.tb_lineno
    return getattr(error, "lineno", None) or 0
