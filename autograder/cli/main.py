"""The ``autograder`` command: its subcommands, and errors as messages and exit codes."""

from __future__ import annotations

from typing import Any

import click

from autograder import __version__
from autograder._util import registry
from autograder.cli import signals
from autograder.cli.collect import collect
from autograder.cli.demo import demo
from autograder.cli.doctor import doctor
from autograder.cli.feedback import feedback
from autograder.cli.grade import grade
from autograder.cli.output import NOT_GRADED, USAGE, WRONG, complain, print_all_characters, warn
from autograder.cli.release import release
from autograder.cli.report import report
from autograder.cli.second_look import second_look
from autograder.cli.submit import submit
from autograder.cli.trial import trial
from autograder.errors import AutograderError, HostError, UsageError

_REMOVED = {
    "convert": "a course grades sources of otter-grader and of nbgrader as they stand, and an assignment may mix them",
}
"""Command of an earlier version → what to do instead."""


class _Group(click.Group):
    """A group of the kit's commands and the registered ones, which shows errors as messages; tracebacks are for bugs.

    A registered command never takes the name of one of the kit's.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List all commands by name; nothing is imported."""
        return sorted({*self.commands, *registry.names(registry.COMMANDS)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; a registered one is imported now."""
        if cmd_name in self.commands or cmd_name not in registry.names(registry.COMMANDS):
            return super().get_command(ctx, cmd_name)
        try:
            loaded = registry.load(registry.COMMANDS, cmd_name)
        except HostError as error:
            return _broken(cmd_name, error)
        return (
            loaded
            if isinstance(loaded, click.Command)
            else _broken(cmd_name, HostError(f"{cmd_name} is no click.Command"))
        )

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line."""
        print_all_characters()
        return super().main(*args, **kwargs)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the subcommand; one that was removed or is not installed says what to do instead."""
        if args[0] in _REMOVED:
            ctx.fail(f"'{args[0]}' was removed: {_REMOVED[args[0]]}")
        if absent := registry.absence(args[0], registry.COMMANDS):
            ctx.fail(f"'{args[0]}' {absent}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand and turn errors into exit codes."""
        try:
            with signals.terminable():
                return super().invoke(ctx)
        except UsageError as error:
            complain(error)
            ctx.exit(USAGE)
        except HostError as error:
            complain(error)
            ctx.exit(NOT_GRADED)
        except AutograderError as error:
            complain(error)
            ctx.exit(WRONG)
        except KeyboardInterrupt as stop:
            warn("\n".join(["\nStopped.", *getattr(stop, "__notes__", [])]))
            ctx.exit(signals.exit_code(stop))


def _broken(name: str, error: HostError) -> click.Command:
    """Make a command in place of one that cannot be loaded: help shows it, and a call raises the error."""

    @click.command(name, short_help="Cannot be loaded.", add_help_option=False)
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def refuse(arguments: tuple[str, ...]) -> None:
        raise error

    refuse.ignore_unknown_options = True
    return refuse


_HELP = """\
Release notebooks, collect submissions, grade them from outside the student's process.

\b
A course is a folder:        A term with it:
  course.yaml                  autograder doctor
  source/<assignment>/         autograder release keras-fully-connected
  release/<assignment>/        autograder collect keras-fully-connected downloads.zip
  submitted/<student>/…        autograder grade keras-fully-connected
  autograded/<student>/…       autograder report keras-fully-connected
  feedback/<student>/…         autograder feedback keras-fully-connected
  reports/                     autograder audit keras-fully-connected

\b
To see all of it on a made-up class:  autograder demo
"""


@click.group(
    cls=_Group,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 the course or the input is wrong, 2 usage, 3 some submissions could not be graded.",
)
@click.version_option(__version__, prog_name="autograder")
def main() -> None:
    """Run the command line."""


_COMMANDS = (
    collect, demo, doctor, feedback, grade, release, report, second_look, submit, trial,
)  # fmt: skip
for command in _COMMANDS:
    main.add_command(command)
