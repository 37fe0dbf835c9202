"""Signals that stop a command, and the advice how to continue."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from autograder.errors import Terminated
from autograder.records.course import Assignment, Course

if TYPE_CHECKING:
    from autograder.coordinator.batch_log import BatchLog

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes: 128 + SIGINT, 128 + SIGTERM."""

AGAIN_SECONDS = 0.1


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Turn SIGTERM into :class:`Terminated` within the block, so that it ends a command as Ctrl-C does; lose neither.

    Nothing changes in a process that ignores SIGTERM (``nohup`` and the like), or in any thread but the main one.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def stop(*_: object) -> None:
        raise Terminated

    report, timers = sys.unraisablehook, []

    def send_again_or_report(unraisable: sys.UnraisableHookArgs) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            timers.append(_send_again(unraisable.exc_value))
        else:
            report(unraisable)

    signal.signal(signal.SIGTERM, stop)
    sys.unraisablehook = send_again_or_report
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()
        sys.unraisablehook = report
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _send_again(stop: KeyboardInterrupt) -> threading.Timer:
    """Send the signal of ``stop`` again in a moment, from a thread.

    Python drops an exception that is raised while an object is finalized or a weak reference is cleared, as SQLAlchemy
    does often. A signal at that moment would be lost with it. The thread lets the finalizer end first.
    """
    number = signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT
    timer = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), number))
    timer.daemon = True
    timer.start()
    return timer


def exit_code(stop: KeyboardInterrupt) -> int:
    """Return 128 plus the signal's number, as shells do."""
    return TERMINATED if isinstance(stop, Terminated) else INTERRUPTED


@contextlib.contextmanager
def advice_on_interrupt(log: BatchLog) -> Iterator[None]:
    """Add notes to an interrupt within the block: what is done, the command that continues, the log's path."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if log.path is not None:
            stop.add_note(f"{len(log.done)} of {len(log.due)} are graded; their grades are kept.")
        stop.add_note(f"continue {log.again(log.left)}")
        if log.path is not None:
            stop.add_note(f"log      {log.path}")
        raise


def resume_command(course: Course, assignment: Assignment) -> Callable[[Sequence[str]], str]:
    """Return a function that gives the command which grades the remaining students.

    It is the command as it was given or, in a demo, the equivalent ``autograder grade``. A forced batch would start
    over, so the command then names the remaining students.
    """
    context = click.get_current_context()
    if context.command.name != "grade":
        return lambda left: shlex.join(["autograder", "grade", assignment.name, "--course", str(course.root)])
    forced = context.params["force"]
    return lambda left: command_line(context, **({"only": tuple(left)} if left and forced else {}))


def command_line(context: click.Context, **changed: Any) -> str:
    """Write the command as it was given, for a shell; ``changed`` replaces the values of some parameters."""
    words = context.command_path.split()
    values = {**context.params, **changed}
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in changed or context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            words += _words(parameter, values)
    return shlex.join(words)


def _words(parameter: click.Parameter, parameters: Mapping[str, Any]) -> list[str]:
    value = parameters[parameter.name or ""]
    values = [str(item) for item in (value if parameter.multiple else [value])]
    if not isinstance(parameter, click.Option):
        return values
    if parameter.is_flag:
        return [max(parameter.opts, key=len)] if value else []
    return [word for item in values for word in (max(parameter.opts, key=len), item)]
