"""The tables of docs/benchmarks.md: each is made from a file in benchmarks/results/."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = sorted((ROOT / "benchmarks/results").glob("*.json"))
PAGE = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "benchmarks/tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables = load_script()


def test_the_page_is_what_the_script_writes() -> None:
    assert tables.page(PAGE) == PAGE, "run python benchmarks/tables.py"


def test_every_table_is_made_from_a_file_and_every_file_is_shown_once() -> None:
    assert sorted(name for _, name, _ in tables.MARKERS.findall(PAGE)) == sorted(path.stem for path in RESULTS)
    assert re.findall(r"^\|.*", tables.MARKERS.sub("", PAGE), re.M) == []


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_a_file_says_when_and_on_what_it_was_measured(path: Path) -> None:
    result = json.loads(path.read_text(encoding="utf-8"))
    assert list(result) == ["date", "machine", "versions", "head", "align", "rows"]
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", result["date"])
    assert result["machine"]


def test_a_row_of_another_length_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result: dict[str, Any] = json.loads(RESULTS[0].read_text(encoding="utf-8"))
    result["rows"][0].append("1 s")
    (tmp_path / "long.json").write_text(json.dumps(result))
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    with pytest.raises(ValueError, match=r"^long\.json: each row needs a text for each of the \d+ columns"):
        tables.table("long")
