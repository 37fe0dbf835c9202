"""The package's docstrings are read once: short first lines, short sentences, and more than the function's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.docstrings import faults, modules, texts

PACKAGE = Path(__file__).parents[2] / "autograder"
ROOMS = sorted({room for room, _ in modules(PACKAGE)})


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_of_a_room_are_read_once(room: str) -> None:
    listed = [
        f"{path.relative_to(PACKAGE)}:{line}: {fault}"
        for own, path in modules(PACKAGE)
        if own == room
        for line, fault in faults(path.read_text(encoding="utf-8"))
    ]
    assert listed == []


WITHOUT_A_NOUN = ("Of", "Those", "It", "Who", "Whoever")
MAX_WHATS = 215
"""Texts that begin with "What". There were 211: lower it when you rework some, and never raise it."""


def beginning_with(*words: str) -> list[str]:
    return [
        f"{path.relative_to(PACKAGE)}:{line}: {text}"
        for _, path in modules(PACKAGE)
        for line, text in texts(path.read_text(encoding="utf-8"))
        if text.split(maxsplit=1)[:1] and text.split(maxsplit=1)[0].rstrip(":,") in words
    ]


def test_a_text_begins_with_the_noun_that_it_is_about() -> None:
    assert beginning_with(*WITHOUT_A_NOUN) == []


def test_texts_that_begin_with_what_become_fewer() -> None:
    assert len(beginning_with("What")) <= MAX_WHATS


@pytest.mark.parametrize(
    ("docstring", "message"),
    [
        (" ".join(["Return"] * 21) + ".", "a first line of 21 words"),
        ("Read a file.\n\n    " + " ".join(["word"] * 29) + ".", "a sentence of 29 words"),
        ("Return the path of a page.", "no more than the name"),
        ("Return the path below ``reports/`` where an audit's page lies.", ""),
        ("Read a file.\n\n    >>> " + " ".join(["word"] * 29) + "\n    ", ""),
    ],
)
def test_a_fault_is_named(docstring: str, message: str) -> None:
    source = f'def page_path():\n    """{docstring}"""\n'
    assert [fault.partition(":")[0] for _, fault in faults(source)] == ([message] if message else [])
