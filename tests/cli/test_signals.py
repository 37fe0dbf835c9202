"""Signals that end a command, and the command that goes on."""

from __future__ import annotations

import signal
import threading
import time
import weakref

import click
import pytest
from click.testing import CliRunner

from autograder.cli import signals
from autograder.errors import Terminated


def test_sigterm_is_an_interrupt_within_and_what_it_was_afterwards() -> None:
    with pytest.raises(Terminated) as stopped, signals.terminable():  # noqa: PT012
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("it goes on")
    assert isinstance(stopped.value, KeyboardInterrupt)
    assert signals.exit_code(stopped.value) == 143
    assert signals.exit_code(KeyboardInterrupt()) == 130
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_who_ignores_sigterm_goes_on_ignoring_it() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with signals.terminable():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_another_thread_than_the_first_is_left_alone() -> None:
    entered = []

    def enter() -> None:
        with signals.terminable():
            entered.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [signal.SIG_DFL]


@pytest.mark.parametrize(("number", "stop"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_a_signal_that_comes_while_an_object_is_finalized_is_not_lost(
    number: signal.Signals, stop: type[KeyboardInterrupt]
) -> None:
    """Python itself only prints "Exception ignored in" and goes on."""

    class Engine:
        pass

    engine = Engine()
    cleared = []

    def finalize(reference: object) -> None:
        cleared.append(reference)
        signal.raise_signal(number)

    reference = weakref.ref(engine, finalize)
    with pytest.raises(KeyboardInterrupt) as stopped, signals.terminable():  # noqa: PT012
        del engine
        assert cleared == [reference]
        time.sleep(10)
        pytest.fail("it goes on")
    assert type(stopped.value) is stop


@click.command()
@click.argument("assignment")
@click.option("-w", "--workers", type=int, default=2)
@click.option("--student", "only", multiple=True)
@click.option("--force", is_flag=True)
@click.option("--quiet", is_flag=True)
def command(**_: object) -> None:
    context = click.get_current_context()
    click.echo(signals.command_line(context))
    click.echo(signals.command_line(context, only=("x y",), force=False))


@pytest.mark.parametrize(
    ("given", "whole", "changed"),
    [
        ("hw", "kit grade hw", "kit grade hw --student 'x y'"),
        ("--force -w 3 hw", "kit grade hw --workers 3 --force", "kit grade hw --workers 3 --student 'x y'"),
        (
            "hw --student a --student 'b $c'",
            "kit grade hw --student a --student 'b $c'",
            "kit grade hw --student 'x y'",
        ),
        ("hw --quiet", "kit grade hw --quiet", "kit grade hw --student 'x y' --quiet"),
    ],
)
def test_a_command_line_is_said_again_with_what_was_given_and_no_defaults(given: str, whole: str, changed: str) -> None:
    said = CliRunner().invoke(command, given, prog_name="kit grade", catch_exceptions=False)
    assert said.output.splitlines() == [whole, changed]
