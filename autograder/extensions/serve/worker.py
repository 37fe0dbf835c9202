"""Worker: takes jobs from the queue and does for each what a command would do, with the command's own functions."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from django.db import OperationalError

from autograder._util.text import one_line
from autograder._util.time_zones import in_words, placed
from autograder.coordinator import locks
from autograder.coordinator.assignment import Options
from autograder.coordinator.submission_grading import ending_of, is_full
from autograder.course.configuration import assignment as find_assignment
from autograder.course.configuration import load_course
from autograder.errors import AutograderError, HostError, UsageError
from autograder.exchange import result_json
from autograder.extensions.serve import acts, course_tables, health, jobs, services, state_folder
from autograder.extensions.serve.acts import REFUSABLE
from autograder.extensions.serve.course_keys import door
from autograder.extensions.serve.hand_in import bring_in
from autograder.extensions.serve.models import COMMANDS, FINAL, GRADED, Job, JobState, Kind
from autograder.extensions.serve.services import Grading, Services
from autograder.extensions.serve.staff_socket import StaffSocket
from autograder.extensions.serve.state_folder import only_worker
from autograder.extensions.serve.worker_pool import WorkerPool
from autograder.records.course import Course
from autograder.records.ending import Ending, EndingKind, Whose, failed
from autograder.records.grade import Grade, NotGraded, StepTimes
from autograder.results import held_grades, publication, second_look
from autograder.results.feedback import write_feedback
from autograder.results.report import to_do
from autograder.submissions.delivery import CollectStatus
from autograder.submissions.hand_ins import HandIns

LOOK_SECONDS = 0.25
"""Seconds between two looks at the queue."""
BEAT_SECONDS = 5.0
MAX_AT_ONCE = 16
"""Most jobs of an assignment that are taken at a time; the service decides how many of them are graded at a time."""
BUSY_SHARE = 0.5
"""Part of its age that a hand-in waits for another try for which the machine was too busy, also alone."""
SETTLE_SECONDS = 300.0
"""Seconds between two looks whether people have decided what waits for them."""
ABANDONED_SECONDS = 3600.0
"""Age of a half-sent upload after which nobody sends the rest."""

_LOG = logging.getLogger("autograder.serve")


@dataclass(eq=False)
class UnderWay:
    """A job that was taken, and what it waits for."""

    job: Job
    gradings: Mapping[str, Grading] = field(default_factory=dict)
    """Student → grading: one, or those of a team."""
    command: subprocess.Popen[bytes] | None = None
    slot: IO[str] | None = None
    """Its place for grading, where courses share them."""

    @property
    def is_done(self) -> bool:
        """Whether nothing of it is waited for any longer."""
        if self.command is not None:
            return self.command.poll() is not None
        return all(grading.done() for grading in self.gradings.values())


class Worker:
    """The only worker of a course.

    Args:
        course: the course.
        options: ``workers`` and ``warm`` count.
    """

    def __init__(self, course: Course, options: Options) -> None:
        self._course = course
        self._services = Services(course.root, options)
        self._under_way: list[UnderWay] = []
        self._pool = WorkerPool.of_environment()
        self._is_stuck = False
        """Whether the queue could not be written at the last look."""
        self._settled = time.monotonic()
        self._tables: Path | None = None
        """The tables of the course for which the dates of all grades were compared."""

    def run(self, stopping: threading.Event) -> None:
        """Do jobs until the event is set, or a signal comes.

        What is under way then waits again, and loses no try.

        Raises:
            HostError: another worker is at work in this course.
        """
        with only_worker(self._course), contextlib.ExitStack() as stack:
            stack.callback(self._services.stop)
            _LOG.info("the worker has begun; %s jobs are taken again", jobs.put_all_back())
            self._remove_abandoned()
            self._answer_staff()
            threading.Thread(target=self._keep_beating, args=(stopping,), daemon=True).start()
            try:
                while not stopping.wait(LOOK_SECONDS):
                    self.look()
            except KeyboardInterrupt:
                jobs.put_all_back(is_stop=True)
                raise
            jobs.put_all_back(is_stop=True)

    def _answer_staff(self) -> None:
        """Answer what staff's pages ask, in threads; without a socket, their pages say that nobody answers."""
        try:
            threading.Thread(target=StaffSocket(self._course.root).serve_forever, daemon=True).start()
        except (HostError, OSError) as error:
            _LOG.error("staff give no points at the door: %s", error)

    def look(self) -> None:
        """Finish what is done, and take what waits; if the queue's disk is full, at a later look."""
        try:
            self._look()
        except OperationalError as error:
            if not is_full(error):
                raise
            if not self._is_stuck:
                _LOG.error("the queue cannot be written: %s", error)
            self._is_stuck = True

    def _look(self) -> None:
        if self._is_stuck:
            jobs.put_all_back(is_stop=True, but=[entry.job.pk for entry in self._under_way])
            self._is_stuck = False
        for entry in [entry for entry in self._under_way if entry.is_done]:
            self._finish(entry)
            self._under_way.remove(entry)
            if entry.slot is not None:
                entry.slot.close()
        self._add_moved()
        self._services.close_old(self._busy)  # before a job is taken: what staff have changed counts for it
        self._take_waiting()
        if time.monotonic() - self._settled > SETTLE_SECONDS:
            self._settled = time.monotonic()
            _settle_decided(self._course)

    def _take_waiting(self) -> None:
        """Take jobs in their order; where other courses have all places for grading, what needs none."""
        number, without, pool = 0, tuple[str, ...](), self._pool
        while (job := self._next(number, without)) is not None:
            number = job.number  # one that is put back waits for the next look
            slot = pool.take() if pool is not None and job.kind in GRADED else None
            if pool is not None and job.kind in GRADED and slot is None:
                without = GRADED
                continue
            try:
                jobs.begin(job)
                self._take(job)
            except BaseException:
                if slot is not None:
                    slot.close()
                raise
            if self._under_way and self._under_way[-1].job is job:
                self._under_way[-1].slot = slot
            elif slot is not None:
                slot.close()
        if pool is not None and not without:
            pool.wish_nothing()

    def _add_moved(self) -> None:
        """Put work into the queue whose dates have moved since it was graded, once the tables have changed."""
        with contextlib.suppress(AutograderError, OSError):  # what is wrong with the course, its hand-ins tell
            course = course_tables.read(self._course.root).course
            if course.tables != self._tables:
                for student, assignment in _moved(course):
                    if not jobs.of_assignment(assignment, student, Kind.AGAIN).exclude(state__in=FINAL).exists():
                        jobs.add(Kind.AGAIN, student, assignment, "")
                self._tables = course.tables  # after the last one: what stops before it is looked at again

    @property
    def _busy(self) -> set[str]:
        return {entry.job.assignment for entry in self._under_way}

    def _keep_beating(self, stopping: threading.Event) -> None:
        """Say that the worker lives, also while an assignment is being opened, which may take minutes."""
        self.beat()
        while not stopping.wait(BEAT_SECONDS):
            self.beat()

    def beat(self) -> None:
        """Note that the worker lives."""
        with contextlib.suppress(OSError):  # a full disk: the pages say that no beat comes
            health.beat(self._course)

    def _next(self, after: int, without: Sequence[str]) -> Job | None:
        """Return the next job after a number that may be taken.

        A command that locks the course runs alone. So does a job that has one try left: it loses that by no fault
        of another job, and uses up no tries of others. Its second try is in company: most faults are the machine's.
        """
        if any(_locks(entry.job) or entry.job.tries >= jobs.MAX_TRIES for entry in self._under_way):
            return None
        numbers = Counter(entry.job.assignment for entry in self._under_way)
        full = {name for name, number in numbers.items() if number >= MAX_AT_ONCE}
        students = {entry.job.student for entry in self._under_way}
        job = jobs.takeable(after, students, self._services.resting | full, without)
        is_alone = job is not None and (_locks(job) or job.tries >= jobs.MAX_TRIES - 1)
        return None if is_alone and self._under_way else job

    # --- taking

    def _take(self, job: Job) -> None:
        try:
            self._do(job)
        except UsageError as error:
            if job.kind in REFUSABLE:
                jobs.finish(job, JobState.REFUSED, note=str(error), detail=str(error))
            else:  # the course has no such assignment now
                self._wait(job, failed(str(error), Whose.COURSE))
        except Exception as error:  # whatever is wrong with one job, the others are done
            self._fail(job, error)

    def _fail(self, job: Job, error: Exception) -> None:
        """End a try that an exception ended; what nobody thought of stands in the log."""
        if not isinstance(error, AutograderError | OSError | OperationalError):
            _LOG.error("job %s failed", job.receipt, exc_info=error)
        self._wait(job, ending_of(error))

    def _wait(self, job: Job, ending: Ending) -> None:
        """Let a job wait that could not be done, and its assignment rest; staff are told why."""
        if job.detail != ending.text:
            _LOG.error("%s cannot be graded now: %s", job.assignment, ending.text)
        # A notebook can starve itself: it is tried for ever, and takes a small part of the time.
        age = (datetime.now(UTC) - job.received).total_seconds() if ending.kind is EndingKind.BUSY else 0.0
        jobs.try_again(job, ending, max(services.RETRY_SECONDS, BUSY_SHARE * age))
        if ending.whose is not Whose.SUBMISSION:
            self._services.rest(job.assignment)

    def _do(self, job: Job) -> None:
        if job.kind in (Kind.PREVIEW, *COMMANDS):
            if job.kind == Kind.POST and not job.by and jobs.is_held(self._course, job.assignment):
                jobs.finish(job, JobState.DONE)  # held back since; what is published is sent by a row of its own
                return
            if _locks(job):
                self._services.close()  # they may hold the course for a moment longer
            self._under_way.append(UnderWay(job, command=_start_command(self._course, job)))
            return
        course = load_course(self._course.root)  # as it is now
        if job.kind in (Kind.HAND_IN, Kind.AGAIN):
            find_assignment(course, job.assignment)
        match job.kind:
            case Kind.HAND_IN:
                self._collect(course, job)
            case Kind.AGAIN:
                self._collect_missed(course, job)
                self._grade(course, job, anew=bool(job.by))  # not where nothing but a date has changed
            case Kind.ASK | Kind.ANSWER:
                write = second_look.ask if job.kind == Kind.ASK else second_look.answer
                write(course, job.student, job.assignment, job.question, job.text)
                self._write_page(course, job)
            case Kind.HOLD:
                held_grades.hold(course, job.assignment, job.by, job.values.get("why", ""))
                jobs.finish(job, JobState.DONE)
            case _:
                with locks.held(course, locks.COLLECTING):
                    acts.do(course, job)
                if job.kind == Kind.USE:
                    self._grade(course, job, anew=False)
                elif job.kind == Kind.OVERRIDE:
                    self._write_page(course, job)
                else:
                    jobs.finish(job, JobState.DONE)  # what an extension moves is graded once the tables are read again

    def _collect(self, course: Course, job: Job) -> None:
        """Bring an upload into submitted/, and have it graded."""
        with locks.held(course, locks.COLLECTING):
            collected = bring_in(course, job)
        _LOG.info("%s %s", job.receipt, one_line(str(collected), 300))
        if collected.status is CollectStatus.REFUSED:
            note = f"It was refused: {collected.reason}"
            jobs.finish(job, JobState.REFUSED, note=note, detail=collected.reason, file="")
            (state_folder.uploads(self._course) / job.file).unlink(missing_ok=True)  # its digest stays in the row
            return
        job.note = collected.reason
        before = collected.timestamp
        is_own = before == job.received  # an earlier try of this job brought it in
        if collected.status is CollectStatus.UNCHANGED and before is not None and not is_own:
            chosen = HandIns(course).chosen(job.student, job.assignment)
            is_last = chosen is None or chosen.folder == course.submitted(job.student, job.assignment)
            counts = "that time counts" if is_last else "another hand-in was chosen, and counts"
            job.note = f"You handed in the same on {in_words(placed(before, course.zone))}; {counts}."
        self._grade(course, job, anew=False)

    def _collect_missed(self, course: Course, job: Job) -> None:
        """Bring in the student's uploads that ended without a grade: their last try may have failed before that."""
        uploads = state_folder.uploads(course)
        with locks.held(course, locks.COLLECTING):
            ended = jobs.of_assignment(job.assignment, job.student).filter(state=JobState.PERSON, score=None)
            for missed in ended.exclude(file="").reverse():  # the oldest first, without what was refused
                if (uploads / missed.file).is_file():
                    _LOG.info("%s %s", missed.receipt, one_line(str(bring_in(course, missed)), 300))

    def _grade(self, course: Course, job: Job, *, anew: bool) -> None:
        """Submit a student's work, and that of the team's others, to the assignment's service."""
        members = HandIns(course).teams(job.assignment).members(job.student)
        students = dict.fromkeys((job.student, *members))
        gradings = {each: self._services.submit(each, job.assignment, self._busy, anew=anew) for each in students}
        self._under_way.append(UnderWay(job, gradings))

    def _write_page(self, course: Course, job: Job) -> None:
        """Bring what a person asked, answered or gave onto the student's page."""
        grades = publication.for_people(course, publication.grades(course, job.assignment, [job.student]))
        write_feedback(course, find_assignment(course, job.assignment), grades, changed_only=True)
        jobs.finish(job, JobState.DONE)
        _send_soon(self._course, job.assignment)

    # --- finishing

    def _finish(self, entry: UnderWay) -> None:
        """Give a job the outcome of what it waited for."""
        if entry.command is not None:
            _finish_command(self._course, entry.job, entry.command.returncode)
        else:
            self._finish_grading(entry.job, entry.gradings[entry.job.student])

    def _finish_grading(self, job: Job, grading: Grading) -> None:
        try:
            outcome = grading.result()
        except CancelledError:
            error = self._services.fault(job.assignment)
            self._fail(job, error or HostError("the assignment's service ended"))
            return
        except Exception as error:  # graded, and the page or the gradebook could not be written
            self._fail(job, error)
            return
        if isinstance(outcome, NotGraded):
            self._wait(job, outcome.ending)
            return
        times = outcome.times
        if times.begun is None or times.begun < job.begun:  # the grade that counts may be of another attempt
            times = StepTimes()
        state = JobState.PERSON if outcome.needs_manual_grade else JobState.DONE
        steps = {"lent": times.lent, "executed": times.executed, "examined": times.examined}
        scores = {"score": outcome.score, "max_score": outcome.max_score}
        note = job.note or _other_attempt(self._course, job, outcome)
        jobs.finish(job, state, note=note, detail=to_do(outcome), **scores, **steps)
        _LOG.info("%s is graded", job.receipt)
        _send_soon(self._course, job.assignment)

    def _remove_abandoned(self) -> None:
        """Remove what was being sent when a web process was killed: nobody has a receipt for it.

        An upload without a row stays: a restored database may lack rows that had receipts.
        """
        for path in state_folder.incoming(self._course).iterdir():
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()


def _other_attempt(course: Course, job: Job, grade: Grade) -> str:
    """Say that another hand-in than this one counts, if one does."""
    if job.kind != Kind.HAND_IN or grade.submitted_at is None or grade.submitted_at == job.received:
        return ""
    return f"Your hand-in of {in_words(placed(grade.submitted_at, course.zone))} is the one that counts."


def _moved(course: Course) -> Iterator[tuple[str, str]]:
    """Yield student and assignment of each grade that was made with other dates than those of today."""
    hand_ins = HandIns(course)
    for assignment in course.assignments:
        for student in hand_ins.students(assignment):
            with contextlib.suppress(AutograderError):  # it is not graded yet, or its own tells what is wrong
                grade = result_json.read(course.autograded(student, assignment) / result_json.NAME)
                if grade.dates not in (None, hand_ins.dates(student, assignment)):
                    yield student, assignment


def _settle_decided(course: Course) -> None:
    """Call graded what waited for a person, once people have given all points."""
    waiting = jobs.hand_ins("for a person").exclude(score=None)
    for name in set(waiting.values_list("assignment", flat=True)):
        grades = []
        for student in set(waiting.filter(assignment=name).values_list("student", flat=True)):
            with contextlib.suppress(HostError):  # it is being graded again
                grades.append(result_json.read(course.autograded(student, name) / result_json.NAME))
        with contextlib.suppress(AutograderError, OSError):  # the gradebook cannot be read: they wait on
            now = publication.for_people(course, grades)
            decided = [grade.student for grade in now if not grade.needs_manual_grade]
            if waiting.filter(assignment=name, student__in=decided).update(state=JobState.DONE, detail=""):
                _send_soon(course, name)


def _locks(job: Job) -> bool:
    """Tell whether a job runs a command that locks the course."""
    return job.kind in (Kind.PREVIEW, *COMMANDS) and job.kind != Kind.POST


def _send_soon(course: Course, assignment: str) -> None:
    """Have scores sent, where the course's learning system is the one that opens the door."""
    if getattr(course.settings.get("learning_system"), "kind", "") == "lti" and door(course).lti.token:
        jobs.send_soon(course, assignment)


def _preview_file(course: Course) -> Path:
    return state_folder.folder(course) / "preview.json"


def _start_command(course: Course, job: Job) -> subprocess.Popen[bytes]:
    """Start a job's command; that of a preview says which grades would change, and writes none."""
    file = _preview_file(course)
    file.unlink(missing_ok=True)
    line = ["grade", job.assignment, "--dry-run", "--quiet", "--json", str(file)]
    if job.kind != Kind.PREVIEW:
        line = [COMMANDS[Kind(job.kind)], job.assignment]
    with file.with_suffix(".log").open("wb") as log:
        command = [sys.executable, "-m", "autograder", *line, "--course", str(course.root)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _finish_command(course: Course, job: Job, code: int) -> None:
    """Keep what a preview wrote; of another command, and of one that failed, its words."""
    words = _preview_file(course).with_suffix(".log").read_text("utf-8", "replace")[-2000:]
    state = JobState.DONE if code == 0 and job.kind in COMMANDS else JobState.FAILED
    values = {"detail": words or f"it ended with exit code {code}"}
    if job.kind == Kind.PREVIEW:
        with contextlib.suppress(OSError, ValueError):
            text = _preview_file(course).read_text("utf-8")
            json.loads(text)
            state, values = JobState.DONE, {"text": text}
    if job.kind == Kind.PUBLISH and state is JobState.DONE:
        held_grades.let_go(course, job.assignment)
    jobs.finish(job, state, **values)
    if job.kind in (Kind.PUBLISH, Kind.REGRADE):
        _send_soon(course, job.assignment)
