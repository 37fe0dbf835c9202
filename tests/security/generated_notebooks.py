"""Notebooks that are damaged, and notebooks whose cells and metadata were edited, made from a seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import generated_notebooks

LEAVES: list[Any] = [
    None,
    True,
    -1,
    0,
    4,
    5,
    10**400,
    0.5,
    "",
    "x",
    "code",
    "\ud800",
    [],
    {},
    [[]],
    {"a": 1},
    ["x"] * 3,
]
RAW = [
    b"NaN", b"Infinity", b"-1e999", b"1" * 5000, b"[" * 200 + b"]" * 200, b'{"a":1,"a":2}', b"\xff\xfe", b"'x'", b"undefined",
    b'"\\ud800"', b"01", b"1.", b"/**/1", b"", b'{"__proto__": 1}', b"[" * 5000,
]  # fmt: skip


def damaged(seed: int, count: int, honest: dict[str, Any]) -> Iterator[bytes]:
    """The bytes of a notebook, of which one to three places are wrong."""
    chance = random.Random(seed)
    for _ in range(count):
        kind = chance.random()
        if kind < 0.5:
            yield with_wrong_leaves(honest, chance)
        elif kind < 0.75:
            yield with_raw_text(honest, chance)
        else:
            yield with_wrong_bytes(json.dumps(honest).encode(), chance)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def with_wrong_leaves(honest: dict[str, Any], chance: random.Random) -> bytes:
    made = copy.deepcopy(honest)
    for _ in range(chance.choice([1, 1, 2, 3])):
        container, key = chance.choice(list(places(made)))
        if chance.random() < 0.2 and isinstance(container, dict):
            del container[key]
        else:
            container[key] = copy.deepcopy(chance.choice(LEAVES))
    return json.dumps(made).encode("utf-8", "surrogatepass")


def with_raw_text(honest: dict[str, Any], chance: random.Random) -> bytes:
    """Something in the place of a value that strict JSON does not have."""
    made = copy.deepcopy(honest)
    container, key = chance.choice(list(places(made)))
    container[key] = "@RAW@"
    return json.dumps(made).encode().replace(b'"@RAW@"', chance.choice(RAW))


def with_wrong_bytes(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice([1, 1, 5])):
        place = chance.randrange(len(changed))
        if chance.random() < 0.3:
            del changed[place : place + chance.randrange(1, 200)]
        else:
            changed[place] = chance.choice(b'{}[]",:\\0\xff\x00ne ')
        if not changed:
            break
    return bytes(changed)


# --- edits of cells and metadata ------------------------------------------------------------------------


def edited(seed: int, count: int, honest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The notebook after one to eight edits."""
    chance = random.Random(seed)
    for _ in range(count):
        made = copy.deepcopy(honest)
        for _ in range(chance.randrange(1, 9)):
            chance.choice(EDITS)(made["cells"], chance)
        yield made


def delete(cells: list[Any], chance: random.Random) -> None:
    if cells:
        cells.pop(chance.randrange(len(cells)))


def duplicate(cells: list[Any], chance: random.Random) -> None:
    if cells:
        cells.insert(chance.randrange(len(cells) + 1), copy.deepcopy(chance.choice(cells)))


def retype(cells: list[Any], chance: random.Random) -> None:
    if cells:
        cell = chance.choice(cells)
        cell["cell_type"] = chance.choice(["code", "markdown", "raw"])
        for key in ("outputs", "execution_count"):
            cell.pop(key, None)
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)


def reorder(cells: list[Any], chance: random.Random) -> None:
    chance.shuffle(cells)


def rewrite_test(cells: list[Any], chance: random.Random) -> None:
    """A test that passes, or that says what it is worth."""
    tests = [cell for cell in cells if marks(cell).get("grade")]
    if tests:
        chance.choice(tests)["source"] = chance.choice(["", "100", "pass", "assert True", "1e9", "raise SystemExit(0)"])


def edit_marks(cells: list[Any], chance: random.Random) -> None:
    """Points, ids, flags, schema: anything."""
    graded = [cell for cell in cells if marks(cell)]
    if graded:
        key = chance.choice(
            ["points", "grade_id", "grade", "solution", "locked", "task", "schema_version", "cell_type", "checksum"]
        )
        ids = [marks(cell).get("grade_id") for cell in graded]
        marks(chance.choice(graded))[key] = chance.choice([*LEAVES, *ids, 1000, -5, 1e308, 2, 3])


def swap_marks(cells: list[Any], chance: random.Random) -> None:
    """Tests become answers, answers become tests."""
    if len(cells) > 1:
        one, other = chance.sample(cells, 2)
        one["metadata"], other["metadata"] = other["metadata"], one["metadata"]


def marks(cell: dict[str, Any]) -> dict[str, Any]:
    found = cell.get("metadata", {}).get("nbgrader")
    return found if isinstance(found, dict) else {}


EDITS = [delete, duplicate, retype, reorder, rewrite_test, edit_marks, edit_marks, swap_marks]


def naive_maximum(notebook: dict[str, Any]) -> float:
    """What a grader counts that believes the notebook it gets."""
    points = [generated_notebooks.marks(cell).get("points", 0) for cell in notebook["cells"]]
    return float(sum(p for p in points if type(p) in (int, float) and abs(p) < 1e300))
