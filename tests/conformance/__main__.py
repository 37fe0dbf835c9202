"""Releases and grades every course of a folder here and in nbgrader, and prints where they differ.

``python -m conformance CORPUS --results FOLDER``; a second run goes on where the first was stopped. nbgrader runs in a
sandbox without network. The exit code is 1 if a notebook is refused that nbgrader gives full marks, or a score differs.
With ``--sample`` it compares half of the notebooks that sample_list.py names, in checkouts called ``owner+name``.
With ``--features FILE`` it then counts what the test cells need of the handles.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conformance import features, ours, table, theirs
from conformance.corpus import Unit, in_turns, units
from conformance.sample_list import HELD_OUT, LOOKED_AT
from conformance.verdict import DIFFERENT, REFUSED, SKIPPED, Verdict, judge

SAMPLES = {"looked-at": LOOKED_AT, "held-out": HELD_OUT}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__)
    parser.add_argument("corpus", type=Path, help="a folder of courses")
    parser.add_argument("--results", type=Path, required=True, help="a folder that keeps what was found")
    parser.add_argument("--only", default="", help="notebooks with this text in their name (course/folder/notebook)")
    parser.add_argument("--sample", choices=SAMPLES, help="only these notebooks of sample_list.py")
    parser.add_argument("--jobs", type=int, default=1, help="notebooks at a time")
    parser.add_argument("--seconds", type=int, default=600, help="limit of each side, and of a count, for a notebook")
    parser.add_argument("--cell-seconds", type=int, default=60, help="limit of a cell in nbgrader")
    parser.add_argument("--audit", type=float, default=0, metavar="MINUTES", help="audit the tests of proved notebooks")
    parser.add_argument("--again", action="store_true", help="run the kit again, and keep what nbgrader found")
    parser.add_argument("--json", type=Path, help="write all results to this file as well")
    parser.add_argument("--features", type=Path, metavar="FILE", help="count what test cells need, and write it here")
    parser.add_argument("--course", type=Path, action="append", default=[], help="--features: one's own course, too")
    chosen = parser.parse_args(arguments)
    chosen.results.mkdir(parents=True, exist_ok=True)
    drawn = SAMPLES[chosen.sample] if chosen.sample else None
    every = in_turns(units(chosen.corpus, drawn))
    found = [unit for unit in every if chosen.only in (unit if isinstance(unit, str) else unit.name)]

    def compared(unit: Unit | str) -> Verdict:
        if isinstance(unit, str):
            return Verdict(unit, SKIPPED, "no notebook with nbgrader's metadata")
        return Verdict(unit.name, SKIPPED, unit.skip) if unit.skip else compare(unit, chosen)

    verdicts = []
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for verdict in pool.map(compared, found):
            verdicts.append(verdict)
            print("\n".join(table.lines(verdict)), flush=True)
    print("\n".join(table.summary_lines(table.summary(verdicts))))
    if chosen.json:
        chosen.json.write_text(json.dumps(table.as_json(verdicts), indent=1), encoding="utf-8")
    if chosen.features:
        strangers = [unit for unit in found if isinstance(unit, Unit)]
        features.count_all(strangers, chosen.course, chosen.only, chosen.seconds, chosen.features)
    bad = any(v.category == REFUSED or any(s.verdict == DIFFERENT for s in v.scores) for v in verdicts)
    return int(bad)


def compare(unit: Unit, chosen: argparse.Namespace) -> Verdict:
    """Run both sides, as far as their results are not kept yet."""
    kept = chosen.results / unit.slug
    submitted, their_file, our_file = kept / "submitted", kept / "theirs.json", kept / "ours.json"
    if not their_file.is_file():
        kept.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
            result = theirs.grade(unit, Path(folder), chosen.seconds, chosen.cell_seconds)
            theirs.keep(Path(folder) / "submitted", submitted)
        their_file.write_text(json.dumps(result), encoding="utf-8")
    graded = json.loads(their_file.read_text(encoding="utf-8"))
    if graded.get("refused"):
        return judge(unit.name, graded, {})
    if chosen.again or not our_file.is_file():
        with tempfile.TemporaryDirectory(prefix="conformance-", ignore_cleanup_errors=True) as folder:
            result = ours.grade(unit, Path(folder), submitted, chosen.seconds, chosen.audit)
        our_file.write_text(json.dumps(result), encoding="utf-8")
    return judge(unit.name, graded, json.loads(our_file.read_text(encoding="utf-8")))


if __name__ == "__main__":
    sys.exit(main())
