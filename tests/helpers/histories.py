"""Checker of histories: does each receipt end in exactly one grade, or in words about why it has none?

It knows nothing of the kit. Any system can write the two files, a JSON object a line:

    receipts   receipt, student, assignment, sha256: what a client was given
    history    the same, and state ("done", "for person", "refused", or another one), score, note: what the server says at the end

    PYTHONPATH=tests python -m helpers.histories receipts.jsonl history.jsonl
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
GRADED, FOR_PERSON, REFUSED = FINAL = "done", "for person", "refused"
SAME = ("student", "assignment", "sha256")
"""Keys that a receipt and its row agree in."""


def faults(receipts: Sequence[Row], history: Sequence[Row]) -> list[str]:
    """What contradicts the promise; empty if nothing does. A row without a receipt is none: its answer was lost."""
    return [*_lost(receipts, history), *_unfinished(history), *_unequal(history)]


def _lost(receipts: Sequence[Row], history: Sequence[Row]) -> Iterator[str]:
    counts = Counter(row["receipt"] for row in history)
    rows = {row["receipt"]: row for row in history}
    yield from (f"{receipt}: {count} rows" for receipt, count in counts.items() if count > 1)
    for receipt in receipts:
        row = rows.get(receipt["receipt"])
        if row is None:
            yield f"{receipt['receipt']}: a receipt was given, and nobody knows of it"
        else:
            yield from (f"{receipt['receipt']}: another {key}" for key in SAME if row[key] != receipt[key])


def _unfinished(history: Sequence[Row]) -> Iterator[str]:
    for row in history:
        if row["state"] not in FINAL:
            yield f"{row['receipt']}: it ended as {row['state']!r}"
        elif row["state"] == GRADED and row["score"] is None:
            yield f"{row['receipt']}: graded, without a score"
        elif row["state"] == REFUSED and row["score"] is not None:
            yield f"{row['receipt']}: refused, with a score"
        elif row["state"] != GRADED and row["score"] is None and not row["note"]:
            yield f"{row['receipt']}: not graded, without words"


def _unequal(history: Sequence[Row]) -> Iterator[str]:
    """Equal files of an assignment that have different scores."""
    scores: dict[tuple[str, str], set[float]] = {}
    for row in history:
        if row["state"] == GRADED and row["score"] is not None:
            scores.setdefault((row["assignment"], row["sha256"]), set()).add(row["score"])
    yield from (f"{sha256}: {sorted(values)}" for (_, sha256), values in scores.items() if len(values) > 1)


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


if __name__ == "__main__":
    wrong = faults(*(read(Path(name)) for name in sys.argv[1:3]))
    print("\n".join(wrong) or "each receipt has one end")
    sys.exit(bool(wrong))
