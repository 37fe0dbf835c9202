"""What a command needs of the machine, asked before it begins."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import click

from autograder.errors import HostError
from autograder.platforms import require_linux, require_posix


class GradingCommand(click.Command):
    """A command that executes notebooks, which needs the sandbox."""

    def invoke(self, ctx: click.Context) -> Any:
        """Refuse where it cannot work, then run."""
        require_linux(f"`{ctx.command_path}`")
        require_packages(ctx)
        return super().invoke(ctx)


class InstructorCommand(click.Command):
    """A command for instructors that executes nothing."""

    def invoke(self, ctx: click.Context) -> Any:
        """Refuse where it cannot work, then run."""
        require_posix(f"`{ctx.command_path}`")
        require_packages(ctx)
        return super().invoke(ctx)


def require_packages(ctx: click.Context) -> None:
    """Refuse an instructor's command where only what students need is installed."""
    if find_spec("nbgrader") is None:
        raise HostError(f"`{ctx.command_path}` needs packages that students do not: pip install 'nbexaminer[grade]'")
