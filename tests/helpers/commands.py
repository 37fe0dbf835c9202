"""All subcommands of the kit, those of its extensions among them."""

from __future__ import annotations

import click

from autograder._util import registry
from autograder.cli import main


def commands() -> dict[str, click.Command]:
    """Return name → command; those of other packages that are installed here are left out."""
    context = click.Context(main)
    others = {name for name in registry.names(registry.COMMANDS) if not registry.is_own(registry.COMMANDS, name)}
    return {
        name: command
        for name in main.list_commands(context)
        if name not in others and (command := main.get_command(context, name))
    }
