"""Words of ``check`` that extensions register: an installed package's, and the kit's own."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.installed import installed

from autograder import check
from autograder._util import registry
from autograder.check.asking import ask
from autograder.sandbox.kernel_job import AGENT, program_files

WORDS = """
[autograder.checks]
registered_even = checks_of_a_package.even:is_even
close = checks_of_a_package.even:is_even
"""
MODULES = {
    "checks_of_a_package/__init__": "",
    "checks_of_a_package/even": "def is_even(number, *, strict=False):\n    return number % 2 == 0",
    "checks_of_a_package/kernel_side/__init__": "def halved(number):\n    return number / 2",
}


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Path]:
    """The folder of a package that registers a word, and one that the core has."""
    (tmp_path / "checks_of_a_package/kernel_side").mkdir(parents=True)
    with installed(tmp_path, "checks-of-a-package", MODULES, WORDS):
        yield tmp_path / "checks_of_a_package"
    for name in [name for name in sys.modules if name.startswith("checks_of_a_package")]:
        del sys.modules[name]


@pytest.mark.usefixtures("package")
def test_a_word_of_another_package_is_one_of_check() -> None:
    assert "registered_even" in dir(check)
    assert "checks_of_a_package.even" not in sys.modules
    assert check.registered_even(4)


@pytest.mark.usefixtures("package")
def test_no_package_replaces_a_word_of_the_core() -> None:
    assert check.close.__module__ == "autograder.check.values"


def test_what_it_needs_beside_the_students_code_lies_in_the_agents_folder(package: Path) -> None:
    shown = program_files()[f"{AGENT}/extensions/checks_of_a_package/kernel_side"]
    assert shown == package / "kernel_side"


@pytest.mark.usefixtures("package")
def test_a_question_is_asked_by_the_name_that_the_agent_finds_it_by(monkeypatch: pytest.MonkeyPatch) -> None:
    from checks_of_a_package.kernel_side import halved  # type: ignore[import-not-found]

    assert ask(halved, 8) == 4  # here, the object is asked here

    class Remote:
        def ask(self, *question: object) -> object:
            return question

    class Handle:
        _remote = Remote()

    monkeypatch.setattr("autograder.check.asking.reference_of", lambda value: "a reference")
    handle = Handle()
    assert ask(halved, handle) == ("ask_model", "checks_of_a_package.kernel_side:halved", handle)


def test_the_interpreter_says_which_word_is_meant_by_a_misspelled_one() -> None:
    program = "from autograder import check\ncheck.training_stepp(1)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "has no attribute 'training_stepp'. Did you mean: 'training_step'?" in done.stderr


def test_a_module_that_cannot_be_found_has_no_known_arguments(tmp_path: Path) -> None:
    with installed(tmp_path / "x", "broken-checks", {}, "[autograder.checks]\nbroken = no_such_module.at_all:f\n"):
        assert registry.source(registry.CHECKS, "broken") is None


def test_the_kits_own_are_there_without_metadata(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kit lies beside a notebook, no metadata says where it is."""
    own = [word for word in registry.names(registry.CHECKS) if registry.is_own(registry.CHECKS, word)]
    words = {word: registry.location(registry.CHECKS, word) for word in own}
    monkeypatch.setattr(registry, "entry_points", importlib.metadata.EntryPoints)
    monkeypatch.setattr(registry, "version", lambda distribution: None)
    registry.forget()
    try:
        assert {word: registry.location(registry.CHECKS, word) for word in registry.names(registry.CHECKS)} == words
        assert registry.names(registry.COMMANDS) == []
        assert check.training_step.__name__ == "training_step"
    finally:
        monkeypatch.undo()
        registry.forget()
