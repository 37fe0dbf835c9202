"""How a command is stopped from outside, and how a person goes on from there."""

from __future__ import annotations

import contextlib
import shlex
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from autograder.errors import Terminated
from autograder.records import Assignment, Course

if TYPE_CHECKING:
    from autograder.grading.batch_log import BatchLog

INTERRUPTED, TERMINATED = 130, 143
"""Exit codes: 128 + SIGINT, 128 + SIGTERM."""


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Within, SIGTERM raises :class:`Terminated`, so that it ends a command as Ctrl-C does.

    Whoever ignores it (``nohup`` and its like), or calls from another thread than the first, is left alone.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def stop(*_: object) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def exit_code(stop: KeyboardInterrupt) -> int:
    """128 and the signal's number, as shells say it."""
    return TERMINATED if isinstance(stop, Terminated) else INTERRUPTED


@contextlib.contextmanager
def says_how_to_go_on(log: BatchLog) -> Iterator[None]:
    """A batch that is stopped within tells a person what stands, the command that goes on, and where its log is."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if log.path is not None:
            stop.add_note(f"{len(log.done)} of {len(log.due)} are graded and stay so.")
        stop.add_note(f"go on    {log.again(log.left)}")
        if log.path is not None:
            stop.add_note(f"log      {log.path}")
        raise


def grading_again(course: Course, assignment: Assignment) -> Callable[[Sequence[str]], str]:
    """Gives the command that grades those who are left: as it was given or, where a demonstration called for it, as it
    would be. A forced one would begin anew, so that it names them."""
    context = click.get_current_context()
    if context.command.name != "grade":
        return lambda left: shlex.join(["autograder", "grade", assignment.name, "--course", str(course.root)])
    forced = context.params["force"]
    return lambda left: command_line(context, **({"only": tuple(left)} if left and forced else {}))


def command_line(context: click.Context, **changed: Any) -> str:
    """The command as it was given, for a shell; ``changed``: other values for some of its parameters."""
    words = context.command_path.split()
    given = {**context.params, **changed}
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in changed or context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            words += _words(parameter, given)
    return shlex.join(words)


def _words(parameter: click.Parameter, given: Mapping[str, Any]) -> list[str]:
    value = given[parameter.name or ""]
    values = [str(item) for item in (value if parameter.multiple else [value])]
    if not isinstance(parameter, click.Option):
        return values
    if parameter.is_flag:
        return [max(parameter.opts, key=len)] if value else []
    return [word for item in values for word in (max(parameter.opts, key=len), item)]
