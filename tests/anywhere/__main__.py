"""Tries the kit in many places on the disk: doctor, a release, and the grading of two submissions from templates.

Prints how long each took; exit code 1 if something fails, a score differs, or grading takes too long compared with an
open folder. ``python -m anywhere --help`` lists what can be chosen.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from helpers.pipeline import ASSIGNMENT, Student, hand_in, make_course, release

from anywhere.places import Environment, Make, Place, copied, everywhere, installed, made, open_folder, wheels, why_not
from autograder.coordinator.templates import NOT_FORKED

MAX_RATIO = 1.3
MORE_PAIRS = 2
"""Times the number of pairs that a place gets whose first pairs are too slow: a machine may be busy."""
ABLE = "This machine can grade."
SECONDS = 600
WRONG_ANSWER = {"mean": "def mean(values):\n    return 2"}


class Failed(Exception):
    """The kit does not work in a place."""


@dataclass
class Times:
    """Seconds that the steps took in one place."""

    doctor: float = 0.0
    release: float = 0.0
    grade: list[float] = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)
    """Of the open folder's grading, each beside one in this place."""

    @property
    def ratio(self) -> float:
        """How much longer grading takes than in the open folder."""
        return statistics.median(self.grade) / statistics.median(self.baseline)


def main() -> int:
    names = list(everywhere(Path("/")))
    parser = argparse.ArgumentParser(prog="anywhere", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=names[1:], default=names[1:], metavar="PLACE", help="these places")
    parser.add_argument("--pairs", type=int, default=3, help="gradings in each place, beside one in the open folder")
    parser.add_argument("--open", type=Path, default=open_folder(), help="a folder that everybody may enter")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the copies are removed
    with ExitStack() as stack:
        course = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="anywhere-course-"))) / "course"
        prepare(course)
        collected = wheels(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="anywhere-wheels-"))))
        print("pip installs from wheels in each place" if collected else "not installed: .venv is copied to each place")
        environment = installed(collected) if collected else copied
        places = everywhere(chosen.open)
        baseline = stack.enter_context(made(*places[names[0]], environment))
        try:
            line(names[0], tried(baseline, course, Times()))
            scores = grade(baseline, course)[1]
        except Failed as error:
            print(f"{names[0]:22} FAILED: {error}")
            return 1
        held = [
            compared(name, places[name], environment, baseline, course, scores, chosen.pairs)
            for name in names[1:]
            if name in chosen.only
        ]
    return 0 if all(held) else 1


def prepare(course: Path) -> None:
    """Make a course with two submissions."""
    course.mkdir(mode=0o755)
    written = make_course(course)
    release(written, proof=False)
    hand_in(written, "ada", Student({}, {}))
    hand_in(written, "bob", Student(WRONG_ANSWER, {}))


def compared(
    name: str,
    where: tuple[Path, Make],
    environment: Environment,
    baseline: Place,
    course: Path,
    scores: str,
    pairs: int,
) -> bool:
    """Try one place, and say how it went; return whether all is well."""
    folder, make = where
    if why := why_not(folder):
        print(f"{name:22} not tried: {why}", flush=True)
        return True
    try:
        with made(folder, make, environment) as place:
            times = tried(place, course, Times())
            measure(place, baseline, course, times, scores, pairs)
            if times.ratio > MAX_RATIO:
                measure(place, baseline, course, times, scores, MORE_PAIRS * pairs)
    except Failed as error:
        print(f"{name:22} FAILED: {error}", flush=True)
        return False
    line(name, times)
    return times.ratio <= MAX_RATIO


def tried(place: Place, course: Path, times: Times) -> Times:
    """Run doctor and a release with its proof."""
    said, times.doctor = run(place, "doctor")
    if ABLE not in said:
        raise Failed(f"doctor does not say {ABLE!r}:\n{said}")
    shutil.copytree(course, place.courses / "released")
    _, times.release = run(place, "release", ASSIGNMENT, "--course", place.courses / "released")
    return times


def measure(place: Place, baseline: Place, course: Path, times: Times, scores: str, pairs: int) -> None:
    """Grade in the open folder and in a place, in turn."""
    for _ in range(pairs):
        times.baseline.append(grade(baseline, course)[0])
        seconds, there = grade(place, course)
        times.grade.append(seconds)
        if there != scores:
            raise Failed(f"other scores than in the open folder:\n{there}\n{scores}")


def grade(place: Place, course: Path) -> tuple[float, str]:
    """Grade both submissions; return the seconds and the table of grades."""
    fresh = place.courses / "graded"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(course, fresh)
    _, seconds = run(place, "grade", ASSIGNMENT, "--course", fresh)
    run(place, "export", "--course", fresh)
    return seconds, (fresh / "grades.csv").read_text()


def run(place: Place, *words: str | Path) -> tuple[str, float]:
    """Run the kit's command line in a place; return what it printed and the seconds."""
    began = time.monotonic()
    done = subprocess.run(
        place.command(*words), cwd=place.courses, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    seconds = time.monotonic() - began
    said = done.stdout + done.stderr
    if done.returncode != 0:
        raise Failed(f"`autograder {words[0]}` ended with status {done.returncode}:\n{said}")
    if NOT_FORKED in said:
        raise Failed(f"`autograder {words[0]}` was not warm:\n{said}")
    return said, seconds


def line(name: str, times: Times) -> None:
    """Print a place's line of the table."""
    text = f"{name:22} doctor {times.doctor:5.1f} s   release {times.release:5.1f} s"
    if times.grade:
        median, beside = statistics.median(times.grade), statistics.median(times.baseline)
        text += f"   grade {median:5.1f} s   open folder {beside:5.1f} s   {times.ratio:.2f} times"
        text += "" if times.ratio <= MAX_RATIO else "   TOO SLOW"
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
