"""The ways to disturb a batch. Each gives what it counted, and raises :class:`Lost` where something was lost."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from autograder.course.configuration import load_course
from autograder.records.course import Course
from interruptions.course import make_class
from interruptions.processes import Batch, Ended, descendants, groups, kill, left
from interruptions.state import differences, grades, halves, litter, recorded


class Lost(AssertionError):
    """A grade is gone, doubled, or another one; or something was left behind."""


def demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Lost(otherwise)


@dataclass
class Lab:
    """A class, how it is graded when nobody disturbs, and fresh copies of it to disturb."""

    folder: Path
    count: int
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    copies: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.before, self.others = groups(), descendants(os.getpid())
        self.original = self.folder / "original"
        make_class(self.original, self.count)
        self.undisturbed = undisturbed = self.copy()
        began = time.monotonic()
        self.ended = ended = Batch(undisturbed).wait()
        self.seconds = time.monotonic() - began
        demand(ended.code == 0, f"undisturbed, exit code {ended.code}: {ended.said}")
        self.grades, self.recorded = grades(undisturbed), recorded(undisturbed)
        demand(None not in self.grades.values() and len(self.grades) == self.count, "undisturbed, not all are graded")
        self.tidy("undisturbed")

    def copy(self, root: Path | None = None) -> Course:
        self.copies += 1
        root = root or self.folder / f"copy-{self.copies}"
        shutil.copytree(self.original, root, dirs_exist_ok=True)
        return load_course(root)

    def tidy(self, when: str, *, empty_groups: bool = False) -> None:
        """No process outlives a batch, and no control group: but for an empty one that the next batch removes, where it
        was killed just when it had made one."""
        running = left(self.others)
        demand(not running, f"{when}: still running: {running}")
        deadline = time.monotonic() + 3
        while (stale := self._stale(empty_groups)) and time.monotonic() < deadline:
            time.sleep(0.05)
        demand(not stale, f"{when}: control groups are left: {stale}")

    def _stale(self, empty_groups: bool) -> set[Path]:
        found = groups() - self.before
        return {group for group in found if not empty_groups or (group / "cgroup.procs").read_text()}

    def check_between(self, course: Course, when: str, *, empty_groups: bool = True) -> int:
        """After an interruption: whole folders or none, and whoever has a grade has the right one. Counts them."""
        self.tidy(when, empty_groups=empty_groups)
        demand(not halves(course), f"{when}: half-written: {halves(course)}")
        found = {student: grade for student, grade in grades(course).items() if grade is not None}
        wrong = differences({s: self.grades[s] for s in found}, found)
        demand(not wrong, f"{when}: other grades than undisturbed: {wrong}")
        return len(found)

    def check_end(self, course: Course, ended: Ended, when: str) -> None:
        """After the run that ended by itself: one current grade each, everywhere the undisturbed one."""
        demand(ended.code == 0, f"{when}: exit code {ended.code}: {ended.said}")
        done = self.check_between(course, when, empty_groups=False)
        demand(done == self.count, f"{when}: {self.count - done} have no grade")
        demand(recorded(course) == self.recorded, f"{when}: {differences(self.recorded, recorded(course))} differ")
        demand(not litter(course), f"{when}: left behind: {litter(course)}")
        self.counts["submissions compared"] += self.count
        shutil.rmtree(course.root)


def coordinator(lab: Lab, kills: int) -> None:
    """kill -9 of the command itself at random moments, again and again, until its class is graded."""
    done = 0
    while done < kills:
        course = lab.copy()
        while True:
            batch = Batch(course)
            until = time.monotonic() + lab.random.uniform(0.1, max(4.0, lab.seconds / 10))
            while done < kills and batch.running() and time.monotonic() < until:
                time.sleep(0.01)
            if not batch.running() or done >= kills:
                age(course)
                lab.check_end(course, _again(course, batch.wait()), f"after {done} kills of the coordinator")
                break
            batch.kill()
            done += 1
            lab.counts["kills of the coordinator"] += 1
            lab.check_between(course, f"after kill {done} of the coordinator")


def service(lab: Lab, kills: int) -> None:
    """The class arrives one by one while a command watches, and that is killed, or one of its processes, again and
    again; the last one ends as with Ctrl-C, and a batch finds nothing to do for most of them."""
    course = lab.copy()
    waiting = course.root / "waiting"
    course.directory("submitted").rename(waiting)
    course.directory("submitted").mkdir()
    arriving = sorted(waiting.iterdir())
    done = 0
    while done < kills or arriving:
        watching = Batch(course, watching=True)
        until = time.monotonic() + lab.random.uniform(0.5, max(6.0, lab.seconds / 5))
        while watching.running() and (time.monotonic() < until or (done >= kills and arriving)):
            time.sleep(lab.random.uniform(0.05, 0.3))
            if arriving:
                student = arriving.pop(0)
                student.rename(course.directory("submitted") / student.name)
            if done < kills and lab.random.random() < 0.3:
                victims = watching.find(lab.random.choice(("examiner", "supervisor", "kernel", "template")))
                if victims:
                    kill(lab.random.choice(victims))
                    done += 1
                    lab.counts["kills of a service's process"] += 1
        if not watching.running():  # it may, if its own run of the solution was killed twice
            ended = watching.wait()
            demand("no run of the solution" in ended.said, f"a service ended by itself: {ended.said}")
            demand(ended.code == 3, f"a service ended with exit code {ended.code}: {ended.said}")
        elif done < kills:
            watching.kill()
            done += 1
            lab.counts["kills of a service"] += 1
            lab.check_between(course, f"after kill {done} of a service")
        else:
            ended = watching.end()
            demand(ended.code == 0, f"a service that was ended: exit code {ended.code}: {ended.said}")
    waiting.rmdir()
    lab.check_between(course, "after a service was ended")
    age(course)
    lab.check_end(course, Batch(course).wait(), "after services")


def part(lab: Lab, kind: str, kills: int, start: str = "warm") -> None:
    """kill -9 of one of a batch's processes at random moments; what that costs, the next run makes good."""
    done = 0
    while done < kills:
        course = lab.copy()
        batch = Batch(course, start=start)
        while done < kills and batch.running():
            time.sleep(lab.random.uniform(0.2, 1.5))
            victims = batch.find(kind)
            if victims and batch.running():
                kill(lab.random.choice(victims))
                done += 1
                lab.counts[f"kills of a {kind}"] += 1
        first = batch.wait()
        when = f"after a {kind} was killed"
        demand(first.code in (0, 3), f"{when}: exit code {first.code}: {first.said}")
        graded = lab.check_between(course, when)
        demand((graded < lab.count) == (first.code == 3), f"{when}: exit code {first.code}, {graded} graded")
        lab.counts[f"not graded at first ({kind})"] += lab.count - graded
        lab.check_end(course, _again(course, first), when)


def _again(course: Course, first: Ended) -> Ended:
    """The run after an interrupted one; the same as the first where there is nothing to make good."""
    return Batch(course).wait() if first.code else first


def age(course: Course) -> None:
    """What was written aside by a killed command is removed by a later one, when it is old enough to be nobody's."""
    for path in litter(course):
        with contextlib.suppress(FileNotFoundError):
            os.utime(path, (0, 0))


def full_disk(lab: Lab, shares: tuple[float, ...]) -> None:
    """The course on a file system of its own (root only), with room for a share of what a batch writes: an error that
    says so, exit code 3, and it goes on when there is space."""
    needed = _kib(lab.undisturbed.root) - _kib(lab.original)
    for room in (round(share * needed) for share in shares):
        with _small_disk(lab.folder / "disk") as disk:
            course = lab.copy(disk / "course")
            ballast = disk / "ballast"
            _fill(ballast, room)
            when = f"with {room} KiB free"
            ended = Batch(course).wait()
            demand(ended.code == 3, f"{when}: exit code {ended.code}: {ended.said}")
            demand("No space left on device" in ended.said or "full" in ended.said, f"{when}: {ended.said}")
            demand("Traceback" not in ended.said, f"{when}: {ended.said}")
            lab.counts["full disks"] += 1
            lab.counts["graded before the disk was full"] += lab.check_between(course, when)
            ballast.unlink()
            age(course)
            lab.check_end(course, Batch(course).wait(), f"{when}, and then more")


@contextlib.contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


def _kib(folder: Path) -> int:
    """What a folder takes in a tmpfs, where pages have 4 KiB and folders need none."""
    return sum(4 * -(-path.stat().st_size // 4096) for path in folder.rglob("*") if path.is_file())


def _fill(ballast: Path, room: int) -> None:
    """All but ``room`` KiB."""
    free = shutil.disk_usage(ballast.parent).free - room * 1024
    with ballast.open("wb") as file:
        file.write(bytes(max(0, free)))


def locked_gradebook(lab: Lab, patience: float, held: float) -> None:
    """Another process holds the gradebook for ``held`` seconds while the batch has ``patience`` seconds for it."""
    course = lab.copy()
    demand(Batch(course).wait().code == 0, "the gradebook cannot be made")
    shutil.rmtree(course.root / "autograded")
    book = sqlite3.connect(course.gradebook, isolation_level=None)
    book.execute("BEGIN EXCLUSIVE")
    batch = Batch(course, patience=patience)
    when = f"with a gradebook that is locked for {held:g} s, waited for {patience:g} s"
    while batch.running() and not _all_graded(course, lab.count):
        time.sleep(0.05)
    time.sleep(held)
    if held > patience:
        ended = batch.wait()
        demand(ended.code == 3, f"{when}: exit code {ended.code}: {ended.said}")
        demand("is locked by another process" in ended.said, f"{when}: {ended.said}")
        demand(lab.check_between(course, when) == lab.count, f"{when}: not all are graded: {ended.said}")
        book.close()
        ended = Batch(course).wait()
    else:
        book.close()
        ended = batch.wait()
    lab.counts["locked gradebooks"] += 1
    lab.check_end(course, ended, when)


def _all_graded(course: Course, count: int) -> bool:
    return len(list((course.root / "autograded").glob("*/hw/result.json"))) == count


def two_at_once(lab: Lab) -> None:
    """A second batch on the course is refused and takes nothing from the first."""
    course = lab.copy()
    first = Batch(course)
    while not (course.root / "autograded").exists():
        demand(first.running(), "the first batch ended early")
        time.sleep(0.05)
    for _ in range(3):
        second = Batch(course).wait()
        demand(second.code == 3, f"a second batch: exit code {second.code}: {second.said}")
        demand("has been at work since" in second.said, second.said)
        lab.counts["second batches refused"] += 1
    lab.check_end(course, first.wait(), "after second batches")


PARTS = ("examiner", "template", "supervisor", "monitor", "init", "kernel")
COLD_PARTS = ("supervisor", "bwrap", "init", "kernel")
"""Where each kernel is started by itself and not forked from a template."""


def everything(kills: int, part_kills: int) -> dict[str, Callable[[Lab], None]]:
    """All scenarios by name."""
    return {
        "coordinator": lambda lab: coordinator(lab, kills),
        **{kind: partial(part, kind=kind, kills=part_kills) for kind in PARTS},
        **{f"cold-{kind}": partial(part, kind=kind, kills=part_kills, start="cold") for kind in COLD_PARTS},
        "service": lambda lab: service(lab, part_kills),
        "full-disk": lambda lab: full_disk(lab, (0, 0.15, 0.4, 0.75)),
        "locked": lambda lab: (locked_gradebook(lab, 2.0, 6.0), locked_gradebook(lab, 30.0, 4.0))[0],
        "two-at-once": two_at_once,
    }
