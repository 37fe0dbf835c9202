"""The table of attacks in docs/security.md names tests that are there, for each of its numbers."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
ROWS = re.findall(r"^\| (\d+) \|.*?`([\w/]*test_\w+\.py)`", (HERE.parents[1] / "docs/security.md").read_text(), re.M)
ELSEWHERE = {int(number): file for number, file in ROWS if "/" in file}
"""Attacks on what stands outside of tests/security: the door, and pages."""


def numbers(name: str) -> set[int]:
    """``test_19_and_20_…`` → 19, 20. What is of many (``test_06_to_11_…``) stands for none of them."""
    first, word, last = re.match(r"test_(\d\d)(?:_(to|and)_(\d\d))?", name).groups()  # type: ignore[union-attr]
    return {"to": set(), "and": {int(first), int(last or 0)}}.get(word, {int(first)})


def test_each_row_has_a_test_and_a_control() -> None:
    listed = [int(number) for number, _ in ROWS]
    assert listed == list(range(1, 84))
    names = [n for path in HERE.glob("test_*.py") for n in re.findall(r"^def (test_\d\d_\w+)", path.read_text(), re.M)]
    controls = {number for name in names if "control" in name for number in numbers(name)}
    attacks = {number for name in names if "control" not in name for number in numbers(name)}
    assert attacks == set(listed) - set(ELSEWHERE)
    assert attacks - controls == set()


def test_the_files_in_the_table_hold_the_number() -> None:
    for file in ELSEWHERE.values():
        assert (HERE.parents[1] / file).is_file(), file
    for number, file in ROWS:
        if int(number) in ELSEWHERE:
            continue
        found = re.findall(r"^def (test_\d\d_\w+)", (HERE / file).read_text(), re.M)
        assert any(int(number) in numbers(name) for name in found), (number, file)
