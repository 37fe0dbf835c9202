"""Writes the tables of docs/benchmarks.md from benchmarks/results/: each stands between two markers.

A file there has ``date`` (when its figures were published), ``machine``, ``versions`` (each library's), ``head``,
``align`` (``left`` or ``right``, for each column) and ``rows``: the figures as texts, with their units.
"""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parents[1] / "docs/benchmarks.md"
MARKERS = re.compile(r"(<!-- results: ([\w-]+) -->\n).*?(<!-- end of results -->)", re.S)
RULES = {"left": "---", "right": "---:"}


def table(name: str) -> str:
    """Return the Markdown of a file of results: its table, and a line that says where and when it was measured."""
    result = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    lines = [result["head"], *result["rows"]]
    if {len(line) for line in lines} != {len(result["align"])}:
        raise ValueError(f"{name}.json: each row needs a text for each of the {len(result['align'])} columns")
    head, *rows = ("".join(f"| {cell} " if cell else "| " for cell in line) + "|" for line in lines)
    rule = "|".join(RULES[align] for align in result["align"])
    return "\n".join([head, f"|{rule}|", *rows, "", _source(name, result), ""])


def _source(name: str, result: dict[str, Any]) -> str:
    day = datetime.date.fromisoformat(result["date"])
    published = f"published on {day.day} {day:%B %Y}"
    versions = ", ".join(f"{library} {version}" for library, version in result["versions"].items())
    machine = "; ".join(filter(None, [result["machine"], versions]))
    return f"*[{name}.json](../benchmarks/results/{name}.json), {published}. Machine: {machine}.*"


def page(text: str) -> str:
    """Return the page with all tables written anew."""
    return MARKERS.sub(lambda match: f"{match[1]}{table(match[2])}{match[3]}", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
