"""Commands that other packages register: they stand beside the kit's, and a broken one harms no other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from helpers.installed import installed

from autograder import cli
from autograder._util import registry
from autograder.errors import HostError

HELLO = """
import click

@click.command(short_help="Greet a student.")
@click.argument("student")
def hello(student):
    '''Greet STUDENT.'''
    click.echo(f"Hello, {student}")
"""
ENTRY_POINTS = """
[autograder.commands]
hello = greeting:hello
grade = greeting:hello
broken = greeting_broken:nothing
number = greeting_number:NUMBER

[other]
hullo = greeting:hello
"""


@pytest.fixture(autouse=True)
def greeting(tmp_path: Path) -> Iterator[Path]:
    modules = {"greeting": HELLO, "greeting_broken": "raise OSError('no <disk>')", "greeting_number": "NUMBER = 3"}
    with installed(tmp_path, "course-greeting", modules, ENTRY_POINTS) as folder:
        yield folder


def autograder(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, list(arguments), catch_exceptions=False, prog_name="autograder")


def test_a_registered_command_is_listed_with_its_help_and_runs() -> None:
    assert "hello Greet a student." in " ".join(autograder("--help").stdout.split())
    assert "Greet STUDENT." in autograder("hello", "--help").stdout
    assert autograder("hello", "ada").stdout == "Hello, ada\n"


def test_no_package_takes_the_name_of_one_of_the_kits_commands() -> None:
    assert "Grade, record and report" in autograder("--help").stdout
    assert "--dry-run" in autograder("grade", "--help").stdout


def test_a_command_that_cannot_be_loaded_is_an_error_of_its_own() -> None:
    listed = " ".join(autograder("--help").stdout.split())
    assert "broken Cannot be loaded." in listed
    assert "number Cannot be loaded." in listed
    said = autograder("broken", "--any", "thing")
    assert said.exit_code == 3
    assert "error: 'broken' of the package course-greeting cannot be loaded: OSError: no <disk>" in said.stderr
    assert "number is no click.Command" in autograder("number").stderr


def test_only_the_command_that_is_called_is_imported() -> None:
    sys.modules.pop("greeting_broken", None)
    autograder("hello", "ada")
    assert "greeting_broken" not in sys.modules


def test_a_name_that_nobody_registers_is_said() -> None:
    with pytest.raises(HostError, match=r"no installed package registers 'hullo' in autograder\.commands"):
        registry.load(registry.COMMANDS, "hullo")


def test_of_two_packages_with_one_name_the_first_by_module_counts(tmp_path: Path) -> None:
    later = {"zz_greeting": HELLO.replace("Hello", "Later")}
    entry = "[autograder.commands]\nhello = zz_greeting:hello\n"
    with installed(tmp_path / "later", "aa-greeting", later, entry):
        assert autograder("hello", "ada").stdout == "Hello, ada\n"


def test_the_metadata_of_the_current_folder_do_not_count(greeting: Path) -> None:
    """``python -m autograder`` in a folder with packages registers none of them: the folder may be a student's."""
    run = [sys.executable, "-m", "autograder", "hello", "ada"]
    said = subprocess.run(run, cwd=greeting, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert "No such command 'hello'" in said.stderr
