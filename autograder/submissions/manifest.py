"""Conventions that packing and collecting share: times, and submission.json's version."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from pathlib import Path

from autograder._util.text import one_line
from autograder.records.dates import ORIGIN, TIMESTAMP

MANIFEST = "submission.json"
"""Name of the file in every zip that pack makes: format, assignment, student, timestamp, sha256 of each file."""
FORMAT = 1
"""Version of submission.json."""


def read_timestamp(folder: Path) -> datetime | None:
    """Read when a submission was handed in (UTC) from nbgrader's timestamp.txt; None without it."""
    path = folder / TIMESTAMP
    if path.is_symlink() or not path.is_file():
        return None
    with path.open("rb") as file:
        return parse_timestamp(file.read(100))


def read_origin(folder: Path) -> str:
    """Read of which commit a submission is; empty: of none."""
    path = folder / ORIGIN
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as file:
        return one_line(file.read(200).decode("utf-8", "replace"), 200)


def parse_timestamp(data: bytes) -> datetime | None:
    """Parse the text of a timestamp.txt, nbgrader's or Sakai's, as UTC; None if it is not a time."""
    text = data[:100].decode("utf-8", "replace").strip()
    if match := re.fullmatch(r"(\d{14})\d{3}", text):  # Sakai's: down to the millisecond, without a zone
        with contextlib.suppress(ValueError):
            return datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    try:
        return datetime.fromisoformat(text.replace(" UTC", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):
        from nbgrader.utils import parse_utc

    try:
        parsed: datetime = parse_utc(text)
        return parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError):
        return None


def format_timestamp(timestamp: datetime) -> str:
    """Format a time as nbgrader does: ``2026-11-24 15:50:56.000000 UTC``."""
    return timestamp.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
