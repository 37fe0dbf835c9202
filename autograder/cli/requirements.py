"""Requirements of a command on the machine, checked before it begins."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import click

from autograder._util.libraries import with_extra
from autograder._util.platforms import require_linux, require_posix
from autograder.errors import HostError


class GradingCommand(click.Command):
    """A command that executes notebooks, which needs the sandbox."""

    def invoke(self, ctx: click.Context) -> Any:
        """Check the requirements, then run."""
        require_linux(f"`{ctx.command_path}`")
        require_packages(ctx)
        return super().invoke(ctx)


class InstructorCommand(click.Command):
    """A command for instructors that executes nothing."""

    def invoke(self, ctx: click.Context) -> Any:
        """Check the requirements, then run."""
        require_posix(f"`{ctx.command_path}`")
        require_packages(ctx)
        return super().invoke(ctx)


def require_packages(ctx: click.Context) -> None:
    """Refuse an instructor's command where only the packages for students are installed."""
    if find_spec("nbgrader") is None or find_spec("autograder.coordinator") is None:
        raise HostError(f"`{ctx.command_path}` needs packages that students do not: {with_extra('grade')}")
