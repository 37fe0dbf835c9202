"""The graders to compare on a batch, and the students' own work alone as the floor below all of them.

Each grader takes an exercise, makes its files in a fresh folder, and grades a number of students. The time is that of
the command that an instructor would give, from its start to its end. Making the release, or otter's autograder.zip, is
not timed.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from exercise import NOTEBOOK, Exercise
from measurement import markdown, said, spent

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # nbgrader calls alembic by its name
    "PYTHONPATH": str(ROOT),
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


@dataclass(frozen=True)
class Timed:
    """A batch that was graded."""

    students: int
    wall: float
    cpu: float
    """Seconds of the whole batch."""
    scores: Mapping[str, float] | None
    """Student → score; None where nothing is graded, only run."""


Grader = Callable[[Exercise, int, Path, float], Timed]
"""(exercise, students, an empty folder, seconds after which it is stopped) → what it took."""


# --- this kit -------------------------------------------------------------------------------------------


def ours(workers: int, start: str, training: str = "fast") -> Grader:
    """`autograder grade`; ``start``: ``cold`` or ``warm``; ``training``: as course.yaml has it."""

    def grade(exercise: Exercise, students: int, folder: Path, limit: float) -> Timed:
        replace(exercise, training=training).write_course(folder, students)
        command = [sys.executable, "-m", "autograder"]
        spent([*command, "release", exercise.name], cwd=folder, env=ENVIRONMENT)
        how = ["--start", start] if start in starts() else []
        options = ["--workers", str(workers), *how, "--quiet", "--json", "grades.json"]
        took = spent([*command, "grade", exercise.name, *options], cwd=folder, env=ENVIRONMENT, limit=limit)
        found = json.loads((folder / "grades.json").read_text())
        return Timed(students, took.wall, took.cpu, {g["student"]: g["score"] for g in found["grades"]})

    return grade


def starts() -> tuple[str, ...]:
    """The values of `autograder grade --start`; none where it has no such option and starts are cold."""
    said = spent([sys.executable, "-m", "autograder", "grade", "--help"], env=ENVIRONMENT).output
    return ("cold", "warm") if "--start" in said else ()


# --- the others -----------------------------------------------------------------------------------------


def nbgrader(exercise: Exercise, students: int, folder: Path, limit: float) -> Timed:
    """`nbgrader autograde`, which grades one after the other in kernels of this environment."""
    exercise.write_course(folder, students)
    command = [sys.executable, "-m", "nbgrader"]
    spent([*command, "generate_assignment", exercise.name], cwd=folder, env=ENVIRONMENT)
    took = spent([*command, "autograde", exercise.name], cwd=folder, env=ENVIRONMENT, limit=limit)
    query = (
        "SELECT s.student_id, sum(g.auto_score) FROM grade g JOIN submitted_notebook n ON g.notebook_id = n.id "
        "JOIN submitted_assignment s ON n.assignment_id = s.id GROUP BY s.student_id"
    )
    with sqlite3.connect(folder / "gradebook.db") as connection:
        scores = dict(connection.execute(query).fetchall())
    return Timed(students, took.wall, took.cpu, scores)


def otter(python: Path) -> Grader:
    """`otter run` for each submission, as a grading image does it; otter is installed for ``python``."""

    def grade(exercise: Exercise, students: int, folder: Path, limit: float) -> Timed:
        exercise.write_otter(folder, students)
        command = [python.with_name("otter")]
        environment = {**ENVIRONMENT, "PYTHONPATH": "", "PATH": f"{python.parent}:{os.environ['PATH']}"}
        options = ["--tests-dir", "tests", "--output-path", "autograder.zip", "--no-environment"]
        spent([*command, "generate", *options, *exercise.files], cwd=folder, env=environment)
        wall = cpu = 0.0
        scores = {}
        for number in range(students):
            student = exercise.student(number)
            notebook = f"{student}/{NOTEBOOK}.ipynb"
            options = ["--autograder", "autograder.zip", "--output-dir", student]
            took = spent([*command, "run", *options, notebook], cwd=folder, env=environment, limit=limit - wall)
            wall, cpu = wall + took.wall, cpu + took.cpu
            found = json.loads((folder / student / "results.json").read_text())
            scores[student] = sum(test.get("score", 0.0) for test in found["tests"])
        return Timed(students, wall, cpu, scores)

    return grade


def make_otter(folder: Path, packages: Sequence[str]) -> Path:
    """A virtual environment with otter-grader 7, and ``packages`` in the versions that are here; its python."""
    from importlib.metadata import version

    python = folder / "bin/python"
    if not python.exists():
        said(f"making {folder} with otter-grader and {', '.join(packages)}: minutes")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pinned = [f"{name}=={version(name)}" for name in packages]
        subprocess.run([python, "-m", "pip", "install", "-q", "otter-grader==7.*", "ipykernel", *pinned], check=True)
    return python


# --- the student's own work -----------------------------------------------------------------------------


def scripts(exercise: Exercise, students: int, folder: Path, limit: float) -> Timed:
    """Each student's code as a script in a process of its own, imports included; no test."""
    paths = exercise.write_scripts(folder, students)
    wall = cpu = 0.0
    for path in paths:
        took = spent([sys.executable, path.name], cwd=folder, env=ENVIRONMENT, limit=limit - wall)
        wall, cpu = wall + took.wall, cpu + took.cpu
    return Timed(students, wall, cpu, None)


FLOOR = """\
import importlib, json, os, runpy, sys, time
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
began, used, running = time.perf_counter(), 0.0, set()
for path in [*sys.argv[3:], *[None] * int(sys.argv[2])]:
    if running and (path is None or len(running) == int(sys.argv[2])):
        child, status, usage = os.wait4(-1, 0)
        assert status == 0, path
        running.remove(child)
        used += usage.ru_utime + usage.ru_stime
    if path is not None:
        child = os.fork()
        if not child:
            runpy.run_path(path)
            os._exit(0)
        running.add(child)
print(json.dumps([time.perf_counter() - began, used]))
"""


def floor(at_once: int) -> Grader:
    """The same scripts, so many at a time, forked from a process that has imported what they import."""

    def run(exercise: Exercise, students: int, folder: Path, limit: float) -> Timed:
        paths = exercise.write_scripts(folder, students)
        names = [path.name for path in paths]
        command = [sys.executable, "-c", FLOOR, json.dumps(exercise.imports), str(at_once), *names]
        took = spent(command, cwd=folder, env={**ENVIRONMENT, "PYTHONPATH": f"{folder}:{ROOT}"}, limit=limit)
        wall, cpu = json.loads(took.output.splitlines()[-1])
        return Timed(students, wall, cpu, None)

    return run


# --- the comparison -------------------------------------------------------------------------------------

NBGRADER = "`nbgrader autograde`"
OWN_WORK = "the student's own work, after imports"
FLOOR_NAME = f"{OWN_WORK}, two at a time"


@dataclass(frozen=True)
class Competitor:
    name: str
    grade: Grader
    slow: bool = False
    """Graded with few students: one takes as long as another."""
    extra: bool = False
    """Left out of a short comparison."""


def own(workers: Sequence[int]) -> list[Competitor]:
    """This kit with so many workers, from a cold start and, where it has one, from a warm one."""
    return [
        Competitor(
            f"`autograder grade --workers {count}`, {start} start",
            ours(count, start),
            extra=(count, start) != (2, "warm"),
        )
        for start in starts() or ("cold",)
        for count in workers
    ]


def floors() -> list[Competitor]:
    """The students' own work alone: one at a time, and two."""
    return [Competitor(OWN_WORK, floor(1), extra=True), Competitor(FLOOR_NAME, floor(2))]


def parser(description: str, students: int, few: int) -> argparse.ArgumentParser:
    """The options that the comparisons have in common."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--submissions", type=int, default=students, metavar="N", help=f"of each (default: {students})")
    made.add_argument("--few", type=int, default=few, metavar="N", help=f"of each slow one (default: {few})")
    made.add_argument("--rounds", type=int, default=1, help="how often each is measured, in turn (default: once)")
    made.add_argument("--limit", type=float, default=900, metavar="S", help="seconds for each (default: 900)")
    made.add_argument("--quick", action="store_true", help="4 submissions, 2 of the slow ones")
    made.add_argument(
        "--short", action="store_true", help="two workers from a warm start, nbgrader, two scripts at a time"
    )
    made.add_argument("--only", default="", metavar="TEXT", help="those whose name has this in it")
    return made


def compared(exercise: Exercise, competitors: Sequence[Competitor], given: argparse.Namespace) -> str:
    """The table: each competitor in turn, as the options of :func:`parser` say, medians of the rounds.

    Raises:
        AssertionError: a score is not what it is to be.
    """
    chosen = [c for c in competitors if given.only in c.name and not (given.short and c.extra)]
    students, few = (4, 2) if given.quick else (given.submissions, min(given.few, given.submissions))
    taken: dict[str, list[Timed | None]] = {c.name: [] for c in chosen}
    for number in range(given.rounds):
        for competitor in chosen:
            count = few if competitor.slow else students
            said(f"round {number + 1} of {given.rounds}: {competitor.name}, {count} submissions")
            with tempfile.TemporaryDirectory() as folder:
                try:
                    timed = competitor.grade(exercise, count, Path(folder), given.limit)
                except subprocess.TimeoutExpired:
                    taken[competitor.name].append(None)
                    continue
            if timed.scores is not None:
                wanted = {exercise.student(n): exercise.score(n) for n in range(count)}
                assert timed.scores == wanted, f"{competitor.name} gave {_differing(timed.scores, wanted)}"
            taken[competitor.name].append(timed)
    return f"Rounds: {given.rounds}.\n\n{_table(taken, given.limit)}"


def _differing(scores: Mapping[str, float], wanted: Mapping[str, float]) -> str:
    return "; ".join(f"{k}: {scores.get(k)}, not {v:g}" for k, v in wanted.items() if scores.get(k) != v)


def _table(taken: Mapping[str, Sequence[Timed | None]], limit: float) -> str:
    def each(name: str) -> tuple[float, float] | None:
        """Wall and CPU seconds a submission."""
        done = [timed for timed in taken.get(name, ()) if timed is not None]
        if not done:
            return None
        return statistics.median(t.wall / t.students for t in done), statistics.median(t.cpu / t.students for t in done)

    peer, least = each(NBGRADER), each(FLOOR_NAME)
    lines = []
    for name, all_timed in taken.items():
        mine = each(name)
        if mine is None:
            lines.append([name, "", f"stopped after {limit:g} s", "", "", ""])
            continue
        count = next(timed.students for timed in all_timed if timed is not None)
        faster = f"{peer[0] / mine[0]:.2f}" if peer else ""
        above = f"{mine[0] / least[0]:.2f}" if least else ""
        lines.append([name, str(count), f"{mine[0]:.2f} s", f"{mine[1]:.2f} s", faster, above])
    head = ["", "submissions", "wall clock each", "CPU each", "times faster than nbgrader", "times the floor"]
    return markdown(head, lines)
