"""Signals that end a command, and the command that goes on."""

from __future__ import annotations

import signal
import threading

import click
import pytest
from click.testing import CliRunner

from autograder import stopping
from autograder.errors import Terminated


def test_sigterm_is_an_interrupt_within_and_what_it_was_afterwards() -> None:
    with pytest.raises(Terminated) as stopped, stopping.terminable():  # noqa: PT012
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("it goes on")
    assert isinstance(stopped.value, KeyboardInterrupt)
    assert stopping.exit_code(stopped.value) == 143
    assert stopping.exit_code(KeyboardInterrupt()) == 130
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_who_ignores_sigterm_goes_on_ignoring_it() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stopping.terminable():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_another_thread_than_the_first_is_left_alone() -> None:
    entered = []

    def enter() -> None:
        with stopping.terminable():
            entered.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert entered == [signal.SIG_DFL]


@click.command()
@click.argument("assignment")
@click.option("-w", "--workers", type=int, default=2)
@click.option("--student", "only", multiple=True)
@click.option("--force", is_flag=True)
@click.option("--quiet", is_flag=True)
def command(**_: object) -> None:
    context = click.get_current_context()
    click.echo(stopping.command_line(context))
    click.echo(stopping.command_line(context, only=("x y",), force=False))


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
