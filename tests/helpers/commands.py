"""All subcommands of the command line, the registered ones among them."""

from __future__ import annotations

import click

from autograder.cli import main


def commands() -> dict[str, click.Command]:
    """Return name → command."""
    context = click.Context(main)
    return {name: command for name in main.list_commands(context) if (command := main.get_command(context, name))}
