"""Wording: other words in sentences of the kit change what people read, and no decision."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from helpers.other_words import PACKAGE, reworded, sentences

SENTENCES = 10


def outcome(folder: Path, places: Sequence[str] = ()) -> Any:
    """What is decided and said of a class, with other words at these places."""
    command = [sys.executable, "-m", "helpers.other_words", str(folder), *places]
    done = subprocess.run(command, cwd=PACKAGE.parent / "tests", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return outcome(tmp_path_factory.mktemp("plain") / "course")


def chosen(said: str, seed: int | None) -> dict[str, str]:
    """Ten sentences at random, or all, by their places, of those that stand at one place and are said of the class."""
    found = [pair for path in sorted(PACKAGE.rglob("*.py")) for pair in sentences(path)]
    whole = "\n".join(text for _, text in found)
    once = [(place, text) for place, text in found if text.strip() in said and whole.count(text.strip()) == 1]
    return dict(once if seed is None else random.Random(seed).sample(once, SENTENCES))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [48, 49, 50, None])
def test_sentences_with_other_words_change_pages_and_no_decision(tmp_path: Path, plain: Any, seed: int | None) -> None:
    sentences_of_kit = chosen("\n".join(plain["texts"]), seed)
    changed = outcome(tmp_path / "course", list(sentences_of_kit))
    assert changed["decisions"] == plain["decisions"], sentences_of_kit
    said = "\n".join(changed["texts"])
    unsaid = {place: text for place, text in sentences_of_kit.items() if reworded(text).strip() not in said}
    assert unsaid == {}
