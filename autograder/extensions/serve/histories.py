"""Checker of histories: does each receipt end in exactly one grade, or in words about why it has none?

It knows nothing of how a door works. A receipt has ``receipt``, ``student``, ``assignment`` and ``sha256``: what a
client was given. A row of the history has the same, and ``state``, ``score`` and ``note``: what the server says at the
end. ``autograder serve check`` takes the receipts from the records beside the uploads, and from a file of clients.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.errors import UsageError

Row = Mapping[str, Any]
GRADED, FOR_PERSON, REFUSED = FINAL = "done", "for person", "refused"
SAME = ("student", "assignment", "sha256")
"""Keys that a receipt and its row agree in."""


def faults(receipts: Sequence[Row], history: Sequence[Row]) -> list[str]:
    """List what contradicts the promise; a row without a receipt does not: its answer was lost."""
    return [*_lost(receipts, history), *_unfinished(history)]


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
            yield f"{row['receipt']}: it has not ended yet, and is {row['state']!r}"
        elif row["state"] == GRADED and row["score"] is None:
            yield f"{row['receipt']}: graded, without a score"
        elif row["state"] == REFUSED and row["score"] is not None:
            yield f"{row['receipt']}: refused, with a score"
        elif row["state"] != GRADED and row["score"] is None and not row["note"]:
            yield f"{row['receipt']}: not graded, without words"


def unequal(history: Sequence[Row]) -> list[str]:
    """List equal files of an assignment that have different scores: one was late, or the tests have changed since."""
    scores: dict[tuple[str, str], set[float]] = {}
    for row in history:
        if row["state"] == GRADED and row["score"] is not None:
            scores.setdefault((row["assignment"], row["sha256"]), set()).add(row["score"])
    return [f"{name}, {sha256}: {sorted(found)}" for (name, sha256), found in scores.items() if len(found) > 1]


def read(path: Path) -> list[Row]:
    """Read rows, a JSON object a line; UsageError: something else is in it."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return [{key: str(row[key]) for key in ("receipt", *SAME)} for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        keys = ", ".join(("receipt", *SAME))
        raise UsageError(f"{path} is no list of receipts, a JSON object a line with {keys} ({error})") from error


def records(uploads: Path) -> list[Row]:
    """Read the records that a door wrote beside its uploads, each before the receipt was given."""
    return [{"receipt": path.stem, **json.loads(path.read_bytes())} for path in sorted(uploads.glob("*.json"))]


def changed(uploads: Path, history: Sequence[Row]) -> Iterator[str]:
    """Yield a sentence for each upload that is not the file that came."""
    for row in history:
        if row["file"]:  # what was refused is deleted
            path = uploads / row["file"]
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
                yield f"{row['receipt']}: {path.name} is not the file that came"
