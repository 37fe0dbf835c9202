"""Places where a submission is graded behind real walls: what people see there while a fault lasts, and after it."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from autograder.cli import main
from autograder.coordinator.assignment import Options, observed_release
from autograder.course.configuration import load_course
from autograder.exchange import result_json
from autograder.extensions.platforms import conclusion, program
from autograder.extensions.platforms.package import pack
from autograder.extensions.platforms.package_settings import PackageSettings
from autograder.extensions.platforms.platform_table import PLATFORMS
from autograder.extensions.watch import arrivals, watching
from autograder.records.course import Course
from helpers.tiny import submit

SECONDS = 120
EARLIER = "<p>The page of an earlier hand-in.</p>"
Seen = tuple[str, str, str]
"""What the student sees, what staff see, and what a monitor of the machine sees."""


def until(holds: Callable[[], Any]) -> Any:
    """Wait until something holds, and return it."""
    deadline = time.monotonic() + SECONDS
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


class OfCourse:
    """A place that grades in a course: ada and bob have handed in, and ada has a page of an earlier hand-in."""

    def __init__(self, root: Path, disk: Path, said: str) -> None:
        self.root, self.disk, self.said = root, disk, re.compile(said)

    @property
    def course(self) -> Course:
        return load_course(self.root)

    @property
    def page(self) -> Path:
        return self.root / "feedback/ada/hw/nb.html"

    def damage(self) -> Callable[[], object]:
        people = self.root / "people.csv"
        text = people.read_text()
        people.write_text("nobody\nknows,what\n")
        return lambda: people.write_text(text)

    def raise_limits(self) -> None:
        settings = self.root / "course.yaml"
        settings.write_text(settings.read_text().replace("examiner_memory_mib: 512", "examiner_memory_mib: 4096"))

    def prepare(self) -> None:
        self.page.parent.mkdir(parents=True)
        self.page.write_text(EARLIER)
        for student in ("ada", "bob"):
            submit(self.course, student)

    def shown(self) -> str:
        return "earlier page" if self.page.read_text() == EARLIER else "graded"

    def reason(self, text: str) -> str:
        return "the reason" if self.said.search(text) else "nothing"

    def score(self) -> float:
        assert EARLIER not in self.page.read_text()
        return result_json.read(self.course.autograded("ada", "hw") / result_json.NAME).score


class Batches(OfCourse):
    """``autograder grade``."""

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        self.prepare()
        yield

    def tried(self) -> Seen:
        done = CliRunner().invoke(main, ["grade", "hw", "--workers", "1", "--course", str(self.root)])
        return self.shown(), self.reason(" ".join(done.output.split())), f"exit code {done.exit_code}"

    def graded_after(self) -> float:
        assert self.tried()[2] == "exit code 0"
        return self.score()


class Watches(OfCourse):
    """``autograder grade --watch``, in a thread."""

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        self.prepare()
        waiting = self.root / "waiting"
        self.course.directory("submitted").rename(waiting)
        self.course.directory("submitted").mkdir()
        self.lines: list[str] = []
        stopping = threading.Event()

        class Stoppable(arrivals.Arrivals):
            def look(self) -> Any:
                if stopping.is_set():
                    raise KeyboardInterrupt
                return super().look()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(watching, "Arrivals", Stoppable)
            patch.setattr(watching, "warn", self.lines.append)
            patch.setattr(watching, "complain", lambda error: self.lines.append(str(error)))
            patch.setattr(arrivals, "RETRY_SECONDS", 1.0)
            watch = threading.Thread(target=watching.watch, args=(self.root, "hw", Options(workers=1)))
            watch.start()
            try:
                until(lambda: any(line.startswith("grading what arrives") for line in self.lines))
                self.arrive = lambda: [path.rename(self.root / "submitted" / path.name) for path in waiting.iterdir()]
                yield
            finally:
                stopping.set()
                watch.join()

    def tried(self) -> Seen:
        self.arrive()
        until(lambda: self.shown() == "graded" or self.reason("\n".join(self.lines)) == "the reason")
        again = "tried again" in "".join(self.lines)
        return self.shown(), f"{self.reason(chr(10).join(self.lines))}{', again' if again else ''}", "the lines"

    def graded_after(self) -> float:
        if "needed more than" in "".join(self.lines):  # it is not tried again as it is
            submit(self.course, "ada", "def double(x):\n    return x + x")
        until(lambda: self.shown() == "graded")
        return self.score()


class Doors(OfCourse):
    """``autograder serve``: the pages and the worker."""

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        from autograder.extensions.serve import health, services
        from helpers.doors import Door

        self.page.parent.mkdir(parents=True)
        self.page.write_text(EARLIER)
        with pytest.MonkeyPatch.context() as patch, Door.opened(self.root) as self.door, self.door.worker() as worker:
            patch.setattr(services, "RETRY_SECONDS", 2.0)
            patch.setattr(health, "MIN_FREE_BYTES", 1 << 20)
            self.worker = worker
            self.receipt = self.door.hand_in().headers["Location"]
            yield

    def works_until(self, holds: Callable[[], Any]) -> None:
        def look() -> Any:
            self.worker.look()
            self.worker.beat()
            return holds()

        until(look)

    def tried(self) -> Seen:
        from autograder.extensions.serve.models import Job

        job = Job.objects.get
        self.works_until(lambda: job().is_final or job().next_try or self.worker._is_stuck)
        staff, student = self.door.visitor("meier"), self.door.visitor("ada")
        (word,) = re.findall(r'<span class="chip [^"]*">([^<]*)', student.get(self.receipt).content.decode())
        lists = {}  # of its list, or the overview where the queue itself cannot be written
        for name in ("graded", "for a person", "refused", "not graded yet"):
            page = staff.get("/staff/submissions/", {"list": name}).content.decode()
            if self.receipt.strip("/").split("/")[-1] in page:
                lists[name] = self.reason(page)
        ((name, reason),) = (lists or {"alert": self.reason(staff.get("/staff/").content.decode())}).items()
        list_words = name if reason == "nothing" else f"{name}: {reason}"
        return word, list_words, f"/healthz {self.door.visitor().get('/healthz').status_code}"

    def graded_after(self) -> float:
        from autograder.extensions.serve.models import Job, JobState

        job = Job.objects.get()
        if job.state == JobState.PERSON:
            self.door.visitor("meier").post("/staff/acts/again/hw/ada/")
        self.works_until(lambda: Job.objects.latest("number").state == JobState.DONE)
        assert self.door.visitor().get("/healthz").status_code == 200
        return self.score()


class OnPlatform(OfCourse):
    """The program in a platform's container, with the package of the course."""

    name: str

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        self.platform = PLATFORMS[self.name]
        self.container = self.disk / "container"
        submission = submit(self.course, "ada")
        (self.container / "results").mkdir(parents=True)
        (self.container / self.platform.submission).symlink_to(submission, target_is_directory=True)
        self.pack()
        provisional = (self.container / self.platform.source / "provisional").read_bytes()
        if provisional:  # as the script does that starts the program
            (self.container / self.platform.results).write_bytes(provisional)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(program, "WORK_FOLDER", str(self.disk))
            yield

    def pack(self) -> None:
        course = self.course
        release, _ = observed_release(course, course.assignments["hw"])
        chosen = PackageSettings(step=2.0)
        packed = pack(course, course.assignments["hw"], release, self.platform, sandbox="bubblewrap", chosen=chosen)
        for name, (content, _) in packed.grading.items():
            path = self.container / self.platform.source / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)

    def damage(self) -> Callable[[], object]:
        exam = self.container / self.platform.source / "exam"
        content = exam.read_bytes()
        exam.write_bytes(content[:-1])
        return lambda: exam.write_bytes(content)

    def raise_limits(self) -> None:
        super().raise_limits()
        self.pack()

    def tried(self) -> Seen:
        import io

        with contextlib.redirect_stdout(io.StringIO()) as printed:
            program.main(self.platform, self.container)
        path = self.container / self.platform.results
        text = path.read_text() if path.exists() else ""
        said = f"{text}{printed.getvalue()}"
        words = "not graded" if conclusion.NOT_GRADED in said or conclusion.STOPPED in said else "graded"
        return words, self.reason(printed.getvalue()), self.counted(text)

    def counted(self, text: str) -> str:
        """What the platform counts, by what it reads."""
        return f"{json.loads(text)['score']:g} points" if text else "no results"

    def graded_after(self) -> float:
        words, _, counted = self.tried()
        assert words == "graded"
        return 2.0 if counted == "2 points" else 0.0


class Gradescope(OnPlatform):
    """Gradescope."""

    name = "gradescope"

    def counted(self, text: str) -> str:
        content = json.loads(text)
        return f"{sum(test['score'] for test in content['tests']):g} points"


class PrairieLearn(OnPlatform):
    """PrairieLearn."""

    name = "prairielearn"

    def counted(self, text: str) -> str:
        content = json.loads(text)
        return f"{2 * content['score']:g} points" if content["gradable"] else "no attempt"


class Artemis(OnPlatform):
    """Artemis."""

    name = "artemis"

    def counted(self, text: str) -> str:
        if not text:
            return "no result"
        return f"{sum(2 for case in ET.fromstring(text).iter('testcase') if case.find('failure') is None)} points"


PLACES: dict[str, type[Batches | Watches | Doors | OnPlatform]] = {
    "batch": Batches,
    "watch": Watches,
    "door": Doors,
    "Gradescope": Gradescope,
    "PrairieLearn": PrairieLearn,
    "Artemis": Artemis,
}
