"""Counts which features of the handles the test cells of courses need, with each course's own solution.

``python -m conformance.features CORPUS [--course FOLDER …] --json FILE``: a course below CORPUS is a stranger's and runs
in a sandbox without network; a ``--course`` is one's own. A feature is needed by a test cell if one of the functions
that are its heart was called while the cell was examined.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from autograder.sandbox.interpreter import Interpreter
from conformance.corpus import Unit, lay_out, units
from conformance.ours import use_own_gradebook
from conformance.theirs import walled

ROOM = "autograder.examiner."
HEARTS = {
    "an argument that a call changes": "remote.changes:change_in_place",
    "an attribute that the test changes in place": "remote.attribute_copies:AttributeCopies.keep",
    "a function, iterator or file of the test's": "remote.callbacks:Callbacks.answer",
    "an object of the test's own class": "remote.lent_objects:LentObjects.describe",
    "an object of a library's class as argument": "remote.library_objects:parts",
    "a value of the test that a function reads": "remote.lending:Lending._encodable",
    "a variable that functions and the test share": "remote.shared_globals:SharedGlobals.rebind",
    "a class of the student's": "remote.classes:Classes._new",
    "a class of the test's derived from the student's": "remote.derived_classes:derive",
    "isinstance with a library's class": "remote.kinds:may_be_claimed",
    "type() of an object in the kernel": "remote.kinds:kind_checks.<locals>.type_of",
    "an operator of the student's": "remote.operators:_binary.<locals>.method",
    "an exception of the student's": "remote.exceptions:rebuilt_exception",
    "iteration over an object in the kernel": "remote.proxy:RemoteObject.__iter__",
    "a context manager of the student's": "remote.proxy:RemoteObject.__exit__",
    "a coroutine of the student's": "remote.coroutines:awaiting",
    "an empty figure to draw on": "figures.figure_lending:FigureLending._lend",
    "a figure of the student's": "figures.drawing:draw",
    "source or signature of a function": "remote.inspection:signature",
    "input, print or open replaced": "remote.console:Console.replaced",
    "a library patched": "patches:_module",
    "__main__ patched": "main_module:MainModule.__setattr__",
    "unittest": "unittest_runs:collect_results.<locals>.watched",
    "an empty array compared with a number": "empty_arrays:_only_one_is_empty",
    "a seed for the kernel, too": "seeds:_seed_both.<locals>.seed",
    "evaluate or fit of a model": "evaluations:EvaluationGuard.measure",
    "files": "workspace:Workspace.entered",
    "a database": "test_environment.databases:Connection.__init__",
    "a text that becomes code": "test_environment.compilation:TrustedTexts.allows",
    "the student's kernel, by a mark": "kernel_tests:run_in_kernel",
    "a predicting model in the kernel": "remote.model:RemoteModel.__call__",
}
"""Feature → the function at its heart, below the room. One that gives something back counts only where it does."""
CONDITIONAL = (
    "remote.kinds:may_be_claimed",
    "patches:_module",
    "remote.lending:Lending._encodable",
    "remote.library_objects:parts",
    "remote.console:Console.replaced",
    "empty_arrays:_only_one_is_empty",
)
_CELL = "examination:_examine_cell"


class Profile:
    """The features of each test cell of one course, noted by a profile hook."""

    def __init__(self) -> None:
        self.features: dict[str, set[str]] = defaultdict(set)
        self._names = {heart: feature for feature, heart in HEARTS.items()}
        self._cells: list[str] = []

    def __call__(self, frame: FrameType, event: str, argument: Any) -> None:
        module = frame.f_globals.get("__name__", "")
        if event not in ("call", "return") or not str(module).startswith(ROOM):
            return
        heart = f"{module[len(ROOM) :]}:{frame.f_code.co_qualname}"
        if heart == _CELL:
            if event == "call":
                self._cells.append(str(frame.f_locals["cell"].grade_id))
                self.features[self._cells[-1]] |= set()
            else:
                self._cells.pop()
        elif self._cells and heart in self._names and (argument if heart in CONDITIONAL else event == "call"):
            self.features[self._cells[-1]].add(self._names[heart])


def count_here(root: Path) -> dict[str, list[str]]:
    """Run the solutions of a course in this process, and return the features of each test cell."""
    from helpers import tiny

    from autograder.coordinator import observation, proof
    from autograder.course.configuration import load_course
    from autograder.release.build import build, solution_texts

    course = load_course(root)
    rows: dict[str, list[str]] = {}
    for name, assignment in course.assignments.items():
        counting = Profile()
        release = build(course, assignment)
        texts = solution_texts(release.exams)
        folder = proof.proof_folder(course, name)
        work = observation.observing(proof._work(course, release, folder, "solution", texts), folder / "observed")
        sys.setprofile(counting)
        try:
            tiny.grade_here(work)
        finally:
            sys.setprofile(None)
        rows |= {f"{name}/{test}": sorted(features) for test, features in counting.features.items()}
    return rows


def count(unit: Unit, seconds: int) -> dict[str, list[str]]:
    """Count a stranger's notebook behind a wall; empty if its solution cannot be run."""
    with tempfile.TemporaryDirectory(prefix="features-", ignore_cleanup_errors=True) as scratch:
        lay_out(unit, Path(scratch))
        use_own_gradebook(Path(scratch))
        tests = Path(__file__).parents[1]
        bound = {"/tests": tests, str(tests.parent / "autograder"): tests.parent / "autograder"}
        program = f"import sys; sys.path[:0] = ['/tests', {str(tests.parent)!r}]; from conformance import features"
        command = [Interpreter.current().executable, "-c", f"{program}; features.main(['--here', '/course'])"]
        try:
            done = subprocess.run(
                walled(Path(scratch), command, bound), capture_output=True, text=True, timeout=seconds, check=False
            )
            return dict(json.loads(done.stdout.splitlines()[-1]))
        except (subprocess.TimeoutExpired, ValueError, IndexError):
            return {}


def table(by_course: Mapping[str, Iterable[list[str]]]) -> Iterator[str]:
    """Yield the lines of the table: cells and courses that need each feature, most needed first."""
    cells: Counter[str] = Counter()
    courses: Counter[str] = Counter()
    total = 0
    for rows in by_course.values():
        needed = [set(row) for row in rows]
        total += len(needed)
        cells.update(feature for row in needed for feature in row)
        courses.update(set().union(*needed))
    yield f"{total} test cells of {sum(1 for rows in by_course.values() if rows)} courses"
    for feature in sorted(HEARTS, key=lambda feature: -cells[feature]):
        yield f"{cells[feature]:6}  {cells[feature] / max(total, 1):7.2%}  {courses[feature]:3}  {feature}"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="conformance.features", description=__doc__)
    parser.add_argument("corpus", type=Path, nargs="?", help="a folder of strangers' courses")
    parser.add_argument("--course", type=Path, action="append", default=[], help="a course of one's own")
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=int, default=300, help="limit for a notebook")
    parser.add_argument("--json", type=Path, help="write the features of each test cell to this file as well")
    chosen = parser.parse_args(arguments)
    if chosen.here:
        print("\n" + json.dumps(count_here(chosen.here)))
        return
    rows: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for course in chosen.course:
        rows[course.name] |= count_here(course)
    for unit in units(chosen.corpus) if chosen.corpus else ():
        if isinstance(unit, Unit) and not unit.skip:
            features = {f"{unit.slug}/{test}": needed for test, needed in count(unit, chosen.seconds).items()}
            rows[unit.course] |= features
            print(f"{len(features):4}  {unit.name}", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print("\n".join(table({course: tests.values() for course, tests in rows.items()})))


if __name__ == "__main__":
    main()
