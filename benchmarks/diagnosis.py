"""How often a diagnosis is right: faulty networks of known faults, and honest ones, each diagnosed at its budget.

Prints what share of the told findings name the fault (precision), what share of the faults is told (recall), how many
honest networks get a finding, and how many told changes lower the loss on a holdout that the diagnosis never saw.
Beside it what "it is the learning rate" and the signs alone, without any trial, would score on the same networks.
Results are kept in a file, line by line, so that a run can be interrupted and continued.

    benchmarks/diagnosis.py --workers 2 results.jsonl     130 faulty and 210 honest networks, and 30 honest ones of the
                                                          lessons, about 15 minutes of processor time
    benchmarks/diagnosis.py --faulty 0 --honest 0 lessons.jsonl
    benchmarks/diagnosis.py --pytorch torch.jsonl         the same networks as modules of PyTorch, without the lessons
    benchmarks/diagnosis.py --many --faulty 39 --honest 12 --lessons 0 many.jsonl
    benchmarks/diagnosis.py --only-print results.jsonl
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "agg")
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

from autograder.sandbox.base import thread_settings  # noqa: E402 - found by the line above

os.environ.update(thread_settings(1))  # as in an examiner: two processes with two threads each would wait busily

import numpy as np  # noqa: E402 - reads how many threads it may have
from faulty_networks import Program, faulty, honest, patient  # noqa: E402
from lesson_networks import LESSONS, LessonNetwork, lesson_networks  # noqa: E402
from torch_twins import has_torch_twin, torch_twin  # noqa: E402

from autograder.extensions.diagnosis.trials import counterfactuals as engine  # noqa: E402
from autograder.extensions.diagnosis.trials.symptoms import constant_loss  # noqa: E402
from autograder.extensions.diagnosis.trials.training_bench import TrainingBench  # noqa: E402

HURTS = 0.1
"""A fault counts if its network is so much worse than honest ones of its task, as a share of the constant's loss."""
GOOD = 0.1
"""An honest network counts if it is at most so much worse than the best quarter of its task."""


def main() -> None:
    """Diagnose what is not in the file yet, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--faulty", type=int, default=130)
    parser.add_argument("--honest", type=int, default=210)
    parser.add_argument("--lessons", type=int, default=30, help="honest networks of the lessons")
    parser.add_argument("--many", action="store_true", help="tasks of 30,000 rows, whose trainings are long")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes other networks")
    parser.add_argument("--seconds", type=float, default=engine.DEFAULT_SECONDS)
    parser.add_argument("--share", default="0/1", help="1/2: the second half of the networks, for a second process")
    parser.add_argument("--workers", type=int, default=1, help="processes that share the networks")
    parser.add_argument("--pytorch", action="store_true", help="modules of PyTorch, where they show the fault")
    parser.add_argument("--only-print", action="store_true")
    chosen = parser.parse_args()
    if chosen.workers > 1 and not chosen.only_print:
        together(chosen.workers)
    elif not chosen.only_print:
        run(chosen)
    rows = [json.loads(line) for line in chosen.results.read_text().splitlines()]
    if drawn := [row for row in rows if row["task"] not in LESSONS]:
        print_tables(drawn)
    print_lessons([row for row in rows if row["task"] in LESSONS])


def together(workers: int) -> None:
    """Let processes of this script share the networks; each writes whole lines to the same file."""
    arguments = [sys.executable, *sys.argv, "--workers", "1", "--share"]
    processes = [subprocess.Popen([*arguments, f"{n}/{workers}"], stdout=subprocess.DEVNULL) for n in range(workers)]
    if sum(process.wait() for process in processes):
        raise SystemExit("a process failed; begin again, and it goes on where it ended")


def run(chosen: argparse.Namespace) -> None:
    """Diagnose the networks, honest and faulty ones in turn."""
    warnings.simplefilter("ignore")
    done = set()
    if chosen.results.exists():
        done = {tuple(json.loads(line)["key"]) for line in chosen.results.read_text().splitlines()}
    part, parts = map(int, chosen.share.split("/"))
    for index, program in enumerate(_in_turn(chosen)):
        kind = "lesson" if isinstance(program, LessonNetwork) else "faulty" if program.fault else "honest"
        key = (kind, chosen.seed, index)
        if chosen.pytorch and not has_torch_twin(program):
            continue
        if index % parts == part and key not in done:
            row = {"key": key, **diagnosed(program, chosen.seconds, pytorch=chosen.pytorch)}
            with chosen.results.open("a") as file:
                file.write(json.dumps(row) + "\n")


def _in_turn(chosen: argparse.Namespace) -> Iterator[Program | LessonNetwork]:
    programs = [
        list(faulty(chosen.faulty, chosen.seed, many=chosen.many)),
        list(honest(chosen.honest, 100 + chosen.seed, many=chosen.many)),
        list(patient(chosen.honest, 200 + chosen.seed) if chosen.many else ()),
    ]
    while any(programs):
        for kind in programs:
            if kind:
                yield kind.pop(0)
    yield from lesson_networks(chosen.lessons)


def diagnosed(program: Program | LessonNetwork, seconds: float, *, pytorch: bool = False) -> dict[str, Any]:
    """Diagnose one network, and measure what its told changes do on the holdout."""
    task = program.data()
    searches: list[engine.Search] = []

    class Watched(engine.Search):
        def diagnosis(self, recipe: Any) -> Any:
            searches.append(self)
            self.own = recipe
            return super().diagnosis(recipe)

        def _search(self, recipe: Any, tried: Any) -> None:
            self.own = recipe  # with the epochs that are tried
            super()._search(recipe, tried)

    original, engine.Search = engine.Search, Watched  # type: ignore[misc]
    settings = engine.Settings(program.epochs, program.batch_size, loss=task.goal, seed=program.number)
    if pytorch:
        task, model, changes = torch_twin(program, task)
        settings = replace(settings, **changes)
    else:
        model = program.model()
    began = time.process_time()  # an examiner has built the network before
    try:
        diagnosis = engine.diagnose(model, task.x, task.y, settings, seconds)
    finally:
        engine.Search = original  # type: ignore[misc]
    used = time.process_time() - began
    (search,) = searches
    recipes = [search.own, *(told.changed for told in search.told)]
    holdout = [_holdout_loss(search, recipe, task) for recipe in recipes]
    if not pytorch:
        import keras

        keras.backend.clear_session()
    return {
        "task": task.name,
        "fault": program.fault,
        "detail": program.detail,
        "program": repr(program),
        "constant": constant_loss(task.goal, task.y_holdout),
        "suspected": [candidate.kind for candidate in search.suspected],
        "told": [finding.trial.kind for finding in diagnosis.findings],
        "tried": [(trial.kind, trial.before, trial.after) for trial in diagnosis.tried],
        "holdout": holdout,
        "note": diagnosis.note,
        "seconds": used,
    }


def _holdout_loss(search: engine.Search, recipe: Any, task: Any) -> float | None:
    """Return the mean loss on the holdout of the networks that the diagnosis trained; None if they diverged."""
    holdout = recipe.architecture.arranged(task.x_holdout)
    data = replace(search.bench.data, compared=holdout, compared_labels=task.y_holdout)
    bench = TrainingBench(data, search.goal, float("inf"))
    bench.rows = search.bench.rows
    losses = [bench.train(recipe, 1000 * search.seed + number).rows[-1].mean() for number in range(3)]
    return float(np.mean(losses)) if np.isfinite(losses).all() else None


# --- tables -------------------------------------------------------------------------------------------


def print_tables(rows: list[dict[str, Any]]) -> None:
    """Print the scores of three ways to tell a fault, and the faults one by one."""
    reference = {name: _reference(rows, name) for name in {row["task"] for row in rows}}

    def loss(row: dict[str, Any]) -> float:
        value = row["holdout"][0]
        return float("inf") if value is None else (value - reference[row["task"]]) / row["constant"]

    hurt = [row for row in rows if row["fault"] and loss(row) > HURTS]
    healthy = [row for row in rows if not row["fault"] and loss(row) < GOOD]
    print(f"{len(hurt)} of {sum(bool(r['fault']) for r in rows)} faulty networks are worse; ", end="")
    print(f"{len(healthy)} of {sum(not r['fault'] for r in rows)} honest ones are good\n")
    ways = {
        "tried before told": lambda row: row["told"],
        "signs alone": lambda row: row["suspected"][:2],
        "always the learning rate": lambda row: ["rate"],
    }
    print("| | precision | recall | false alarms, good networks | false alarms, all honest ones |")
    print("|---|---:|---:|---:|---:|")
    for name, tell in ways.items():
        told = sum(len(tell(row)) for row in hurt)
        right = sum(row["fault"] in tell(row) for row in hurt)
        alarms = [sum(bool(tell(row)) for row in group) / max(1, len(group)) for group in (healthy, _honest(rows))]
        print(f"| {name} | {right / max(1, told):.2f} | {right / max(1, len(hurt)):.2f} ", end="")
        print(f"| {100 * alarms[0]:.1f} % | {100 * alarms[1]:.1f} % |")
    steps = [(a, b) for row in rows for a, b in zip(row["holdout"], row["holdout"][1:], strict=False)]
    lower = sum(b is not None and (a is None or b < a) for a, b in steps)
    print(f"\ntold changes that lower the loss on the holdout: {lower} of {len(steps)}")
    first = sum(bool(row["told"]) and row["told"][0] == row["fault"] for row in hurt)
    print(f"first finding names the fault: {first} of {sum(bool(row['told']) for row in hurt)}")
    seconds = [row["seconds"] for row in rows]
    print(f"seconds: median {np.median(seconds):.1f}, 95 % {np.percentile(seconds, 95):.1f}, most {max(seconds):.1f}\n")
    print("| fault | networks | told | told first | other findings |\n|---|---:|---:|---:|---|")
    for detail in dict.fromkeys(row["detail"] for row in hurt):
        group = [row for row in hurt if row["detail"] == detail]
        other = [kind for row in group for kind in row["told"] if kind != row["fault"]]
        right = sum(row["fault"] in row["told"] for row in group)
        at_first = sum(row["told"][:1] == [row["fault"]] for row in group)
        print(f"| {detail} | {len(group)} | {right} | {at_first} | {', '.join(other)} |")


def print_lessons(rows: list[dict[str, Any]]) -> None:
    """Print how many honest networks of each lesson are tried, and how many get a finding."""
    print("\n| lesson | networks | tried | false alarms | findings |\n|---|---:|---:|---:|---|")
    for lesson in LESSONS:
        group = [row for row in rows if row["task"] == lesson]
        tried = sum("takes too long" not in row["note"] for row in group)
        told = [kind for row in group for kind in row["told"]]
        print(f"| {lesson} | {len(group)} | {tried} | {sum(bool(row['told']) for row in group)} | {', '.join(told)} |")


def _honest(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if not row["fault"]]


def _reference(rows: list[dict[str, Any]], task: str) -> float:
    """Return the loss that the best quarter of a task's honest networks reaches."""
    losses = [row["holdout"][0] for row in _honest(rows) if row["task"] == task and row["holdout"][0] is not None]
    return float(np.percentile(losses, 25)) if losses else 0.0


if __name__ == "__main__":
    main()
