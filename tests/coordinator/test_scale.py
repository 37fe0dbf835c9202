"""The simulation of a very large batch, and that docs/scale.md quotes what it says."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/scale.md"


@pytest.fixture(scope="module")
def simulation() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scale_simulation", ROOT / "benchmarks/scale_simulation.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_one_slot_takes_the_sum_of_all(simulation: ModuleType) -> None:
    done = simulation.play([10.0, 20.0, 30.0], simulation.Cluster(1, 1, up_seconds=5, coordinator_seconds=0))
    assert (done.seconds, done.busy, done.lost, done.deaths, done.tail) == (65.0, 60.0, 0.0, 0, 0.0)


def test_the_longest_first_leave_the_shortest_tail(simulation: ModuleType) -> None:
    cluster = simulation.Cluster(1, 2, up_seconds=0, coordinator_seconds=0)
    assert simulation.play([1.0, 1.0, 1.0, 1.0, 4.0], cluster).seconds == 6
    best = simulation.play([4.0, 1.0, 1.0, 1.0, 1.0], cluster)
    assert (best.seconds, best.tail) == (4.0, 0.0)


def test_one_coordinator_bounds_how_many_start_in_a_second(simulation: ModuleType) -> None:
    done = simulation.play([1.0] * 1000, simulation.Cluster(100, 10, up_seconds=0, coordinator_seconds=0.1))
    assert done.seconds == pytest.approx(101.0, abs=1)


def test_what_dies_is_done_again_and_everything_ends(simulation: ModuleType) -> None:
    cluster = simulation.Cluster(4, 4, days_between_deaths=0.01, up_seconds=10, coordinator_seconds=0)
    done = simulation.play([30.0] * 1000, cluster)
    assert done.deaths > 5
    assert done.busy == pytest.approx(30_000 + done.lost)
    assert done.lost > 0
    assert done.seconds > 30_000 / 16


def test_the_recorded_times_are_those_of_a_class(simulation: ModuleType) -> None:
    """Drawn with a fixed seed, and nothing else."""
    rows = json.loads(simulation.RECORDED.read_text())["submissions"]
    assert len(rows) == 20
    times = simulation.run_times(simulation.RECORDED, 1000)
    assert times == simulation.run_times(simulation.RECORDED, 1000)
    assert set(times) == {simulation._seconds(row) for row in rows}


def quoted() -> str:
    return re.findall(r"^\| machines × slots .*?(?=\n\n)", PAGE.read_text(encoding="utf-8"), re.M | re.S)[0]


@pytest.mark.prose
def test_the_page_quotes_the_simulation(
    simulation: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its table, and what it says of one submission."""
    monkeypatch.setattr(sys, "argv", ["scale_simulation.py"])
    simulation.main()
    said, table = capsys.readouterr().out.strip().split("\n\n")
    assert quoted() == table
    assert said in PAGE.read_text(encoding="utf-8")


def test_the_page_quotes_the_recorded_bytes(simulation: ModuleType) -> None:
    rows = json.loads(simulation.RECORDED.read_text())["submissions"]
    for what, name in (("submission", "submitted/"), ("result", "result.json"), ("notebook", "annotated notebook"),
                       ("details", "examiner's details"), ("feedback", "feedback page"), ("log", "log")):  # fmt: skip
        mean = sum(row["bytes"][what] for row in rows) / len(rows)
        line = re.search(
            rf"^\| {re.escape(name)} \| ([\d.,]+) KiB \| ([\d.,]+) GiB \|", PAGE.read_text(encoding="utf-8"), re.M
        )
        assert line is not None, name
        assert line[1] == f"{mean / 1024:.1f}"
        assert line[2] == f"{mean * 100_000 / 2**30:.1f}"
