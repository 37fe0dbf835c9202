"""Grading service: it keeps an assignment's templates, and grades each submission as it arrives.

A batch imports an assignment's libraries, grades, and ends. A service imports them once and then waits. What is
submitted to it is graded at once, and its page and gradebook entry are written before its future is done.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import queue
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder._util.files import Versions, unwritable, versions
from autograder.coordinator import batch
from autograder.coordinator.assignment import Options, observed_release
from autograder.coordinator.examiner import Examiners
from autograder.coordinator.grading_places import GradingPlaces
from autograder.coordinator.grading_sandboxes import require_walls
from autograder.coordinator.locks import PUBLISHING, LockedError, held
from autograder.coordinator.pool import Pool, open_more_files
from autograder.coordinator.recordings import are_kept
from autograder.coordinator.schedule import after_second_try
from autograder.coordinator.submission_grading import attempt, ending_of
from autograder.coordinator.templates import MIN_KERNELS_FOR_TEMPLATE, Templates
from autograder.errors import HostError
from autograder.exchange.work import Work
from autograder.records.course import Assignment, Course
from autograder.records.ending import Ending, EndingKind
from autograder.records.grade import Grade, NotGraded
from autograder.release.preparation import check_hidden_data
from autograder.results.publication import record, record_some

RETRY_SECONDS = 0.5
"""Seconds between two tries to lock the course, while another command works in it."""
IDLE_SECONDS = 2.0
"""Seconds without work after which the class report and the CSV are written."""
MAX_STALE_SECONDS = 60.0
"""Longest time that these two lag behind while work goes on without a pause."""

Result = Future[Grade | NotGraded]


class Service:
    """Service that grades submissions of one assignment until its context ends. ``submit`` is thread-safe.

    The course is locked while something is graded or published; in between, other commands may work in it. Services of
    other assignments may always.

    Args:
        course: the course.
        assignment: the assignment.
        options: ``workers`` and ``warm`` count.
        tell: called with each reason why a feedback page was not written.
        places: shared with services of other assignments in this process.

    Raises (at ``with``):
        CourseError: the exam cannot be made.
        SandboxError: a wall does not hold.
        HostError: another service grades the assignment, or something cannot be written.
    """

    def __init__(
        self,
        course: Course,
        assignment: Assignment,
        options: Options | None = None,
        tell: Callable[[str], None] = lambda reason: None,
        places: GradingPlaces | None = None,
    ) -> None:
        self.course, self.assignment = course, assignment
        self._tell = tell
        self._places = places or GradingPlaces()
        self._taken = 0
        """Number of places that this service has."""
        self._told: set[str] = set()
        self._options = options or Options()
        self._stack = contextlib.ExitStack()
        self._arrived: queue.SimpleQueue[tuple[str, Result]] = queue.SimpleQueue()
        self._pending: deque[tuple[str, Result]] = deque()
        self._running: dict[str, Result] = {}
        self._alone: deque[tuple[str, Result]] = deque()
        """Submissions for which the machine was too busy: they are graded again while nothing else is."""
        self._tried_twice: set[str] = set()
        self._anew: set[str] = set()
        """Students whose notebooks are executed though their grade is current."""
        self._failures: dict[str, str] = {}
        self._publishing: set[Future[None]] = set()
        self._report_due = 0.0
        """When the class report was first out of date; 0: it is not."""
        self._last_work = 0.0
        self._holds = False
        """Whether the course is locked."""
        self._wake: int | None = None
        self._waking = threading.Lock()
        self._waiting: set[Result] = set()
        """All futures that are not done."""
        self.fault: Exception | None = None
        """What ended the service, if that was no stop."""
        self._stopping = threading.Event()
        self._draining = threading.Event()

    def __enter__(self) -> Service:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Grade what was submitted, and end; after an exception, end at once."""
        if kind is not None:
            self.stop()
        self._draining.set()
        self._wake_up()
        self._stack.close()

    def submit(self, student: str, *, anew: bool = False) -> Result:
        """Grade a student's submission as it is on disk, unless its grade is current.

        Args:
            student: the student.
            anew: execute the notebook all the same, without its recording.

        Returns:
            A future of the grade, or of the reason why there is none; it is done once the student's page is written.
            It raises CancelledError if the service is stopped before.
        """
        future: Result = Future()
        if anew:
            self._anew.add(student)
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        self._arrived.put((student, future))
        self._wake_up()
        if self.fault is not None:
            future.cancel()
        return future

    def stop(self) -> None:
        """End at once; what has no grade yet gets none."""
        self._stopping.set()
        self._examiners.stop()
        self._wake_up()

    def changed(self) -> bool:
        """Tell whether a source of the exam has changed since the service was opened; it needs a new one then.

        Raises:
            HostError: the service has ended by a fault of its own.
        """
        if self.fault is not None:
            raise HostError(f"the service ended: {type(self.fault).__name__}: {self.fault}") from self.fault
        return _sources(self.course, self.assignment) != self._made_from

    # --- opening

    def _open(self) -> None:
        course, assignment = self.course, self.assignment
        self._made_from = _sources(course, assignment)
        self._scratch = self._stack.enter_context(_own_scratch(course, assignment))
        with ThreadPoolExecutor(1) as beside:
            testing = beside.submit(require_walls, assignment)
            reduced = testing.result()
            release, self.notes = observed_release(course, assignment)
            self._exams = release.exams
            check_hidden_data(course, assignment, release.exams)
            self._planner = batch.Planner(course, release)
        kernels = MIN_KERNELS_FOR_TEMPLATE if self._options.warm else 0
        work = replace(self._planner.without_submission(), scratch=self._scratch)
        open_more_files()
        templates = self._stack.enter_context(Templates(work, kernels=kernels, executed=True))
        self._examiners = Examiners(templates)
        self._stack.callback(self._examiners.stop)
        self._is_reduced = reduced
        self._workers = self._options.workers or batch.worker_count([work])
        self._woken, self._wake = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wake, False)
        self._stack.callback(self._close_pipe)
        self._stack.callback(self._cancel_waiting)  # what has no grade when all that was begun is published
        self._publisher = self._stack.enter_context(ThreadPoolExecutor(1))
        self._lock = self._stack.enter_context(contextlib.ExitStack())
        loop = threading.Thread(target=self._serve_to_the_end, name=f"serves {assignment.name}", daemon=True)
        loop.start()
        self._stack.callback(loop.join)

    def _wake_up(self) -> None:
        with self._waking:
            if self._wake is not None:
                with contextlib.suppress(BlockingIOError):  # it is being woken
                    os.write(self._wake, b"1")

    def _close_pipe(self) -> None:
        with self._waking:
            assert self._wake is not None
            os.close(self._woken)
            os.close(self._wake)
            self._wake = None

    # --- the loop, in a thread of its own

    def _serve_to_the_end(self) -> None:
        try:
            self._serve()
        except Exception as error:  # whoever waits or asks is told
            self.fault = error
            self._stopping.set()
            self._cancel_waiting()

    def _cancel_waiting(self) -> None:
        for future in list(self._waiting):
            future.cancel()

    def _serve(self) -> None:
        with contextlib.ExitStack() as stack:
            stack.callback(self._leave_places)
            pool = stack.enter_context(contextlib.closing(Pool(self._grade)))
            while not self._stopping.is_set():
                self._receive()
                busy = bool(self._pending or self._alone or len(pool) or self._publishing)
                if self._draining.is_set() and not busy and not self._report_due:
                    return
                wanted = busy or bool(self._report_due)
                locked = self._locked(wanted)
                if locked:
                    self._start(pool)
                soon = bool(self._report_due) or locked != wanted
                for work, ending in pool.ended(RETRY_SECONDS if soon else None, [self._woken]):
                    if self._stopping.is_set():  # its examiner was ended: that is no result
                        break
                    self._finish(work, ending)
                self._drain_pipe()
                self._publishing = {future for future in self._publishing if not future.done()}
                if locked:
                    self._report(idle=not (self._pending or self._alone or len(pool)))

    def _receive(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._pending.append(self._arrived.get_nowait())

    def _drain_pipe(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 65536)

    def _locked(self, wanted: bool) -> bool:
        """Hold the course's lock while it is wanted; tell whether it is held."""
        if self._holds and not wanted:
            self._lock.close()
            self._holds = False
        elif wanted and not self._holds:
            with contextlib.suppress(LockedError):  # another command works in the course: later
                self._lock.enter_context(batch.shared(self.course))
                self._holds = True
        return self._holds

    def _start(self, pool: Pool) -> None:
        waiting: deque[tuple[str, Result]] = deque()
        while self._pending:
            student, future = self._pending.popleft()
            if student in self._running:  # graded once more when the earlier one is done
                waiting.append((student, future))
            elif self._take_place():
                self._begin(pool, student, future)
            else:
                waiting.append((student, future))
                break
        self._pending.extendleft(reversed(waiting))
        if self._alone and not len(pool) and not self._pending and self._take_place():
            self._begin(pool, *self._alone.popleft())

    def _take_place(self) -> bool:
        is_taken = self._places.take(self._wake_up, self._taken, self._workers, one_at_a_time=self._is_reduced)
        self._taken += is_taken
        return is_taken

    def _leave_place(self) -> None:
        self._taken -= 1
        self._places.give_back()

    def _leave_places(self) -> None:
        self._places.withdraw(self._wake_up)
        self._places.give_back(self._taken)

    def _begin(self, pool: Pool, student: str, future: Result) -> None:
        try:
            self._planner.hand_ins.look_again()
            work = replace(self._next_attempt(student) or self._planner.work(student), scratch=self._scratch)
            grade = None if student in self._anew else batch.current(work)
        except Exception as error:  # whatever is wrong with one submission, the others are graded
            self._leave_place()
            ending = ending_of(error)
            self._failures[student] = ending.text
            self._mark_report()
            _settle(future, NotGraded(student, self.assignment.name, ending))
            return
        if grade is not None:
            self._leave_place()
            self._failures.pop(student, None)
            self._publish(grade, future)
            return
        self._running[student] = future
        pool.start(work)

    def _next_attempt(self, student: str) -> Work | None:
        """Return an attempt that must be graded before the best one is known; None if it is known."""
        return next((work for work in self._planner.trials(student) if batch.current(work) is None), None)

    def _grade(self, work: Work) -> Ending:
        """Grade a submission, from its recording if it has one; return how that ended."""
        if are_kept(work) and work.student not in self._anew:
            replayed = attempt(replace(work, replay_only=True), self._examiners.examine)
            if replayed.is_done:
                return replayed
        return attempt(work, self._examiners.examine)

    def _finish(self, work: Work, ending: Ending) -> None:
        self._leave_place()
        future = self._running.pop(work.student)
        if ending.kind is EndingKind.BUSY and work.student not in self._tried_twice:
            self._tried_twice.add(work.student)
            self._alone.append((work.student, future))
            return
        self._tried_twice.discard(work.student)
        self._anew.discard(work.student)
        outcome = batch.verified(work, after_second_try(ending))
        if work.target != self.course.autograded(work.student, work.assignment.name):  # one of several attempts
            if isinstance(outcome, Grade):
                self._pending.appendleft((work.student, future))  # for the next attempt, or the best of them
                return
            text = f"which attempt is the best is not known: {outcome.reason}"
            outcome = replace(outcome, ending=replace(outcome.ending, text=text))
        if isinstance(outcome, NotGraded):
            self._failures[work.student] = outcome.reason
            self._mark_report()
            _settle(future, outcome)
        else:
            self._failures.pop(work.student, None)
            self._publish(outcome, future)

    # --- publication, in another thread

    def _publish(self, grade: Grade, future: Result) -> None:
        self._mark_report()
        self._beside(self._publish_one, grade, future)

    def _beside(self, write: Callable[..., None], *arguments: Any) -> None:
        future = self._publisher.submit(write, *arguments)
        self._publishing.add(future)
        future.add_done_callback(lambda _: self._wake_up())

    def _publish_one(self, grade: Grade, future: Result) -> None:
        try:
            with held(self.course, PUBLISHING, waits=True):
                faults = record_some(self.course, self.assignment, self._exams, [grade])
            self._tell_new(faults)
        except Exception as error:  # whoever waits for the page gets the reason; the grade itself is kept
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
        else:
            _settle(future, grade)

    def _mark_report(self) -> None:
        self._last_work = time.monotonic()
        self._report_due = self._report_due or self._last_work

    def _report(self, *, idle: bool) -> None:
        """Write the class report and the CSV, once nothing else is to do or they are long out of date."""
        now = time.monotonic()
        calm = idle and not self._publishing and (self._draining.is_set() or now - self._last_work > IDLE_SECONDS)
        if self._report_due and (calm or now - self._report_due > MAX_STALE_SECONDS):
            self._report_due = 0.0
            self._beside(self._report_all, dict(self._failures))

    def _report_all(self, failures: dict[str, str]) -> None:
        with contextlib.suppress(HostError), held(self.course, PUBLISHING, waits=True):  # else after the next grade
            published = record(self.course, self.assignment, self._exams, self._planner.common["exam"], failures)
            self._tell_new(published.page_faults)

    def _tell_new(self, faults: Sequence[str]) -> None:
        """Tell what has not been told yet."""
        for fault in faults:
            if fault not in self._told:
                self._told.add(fault)
                self._tell(fault)


def _settle(future: Result, outcome: Grade | NotGraded) -> None:
    """Finish a future that its owner may have cancelled."""
    if future.set_running_or_notify_cancel():
        future.set_result(outcome)


@contextlib.contextmanager
def _own_scratch(course: Course, assignment: Assignment) -> Iterator[Path]:
    """Make the service's folder for half-made files; it shows that the assignment has a service."""
    folder = course.state / "service" / assignment.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder.parent / f"{assignment.name}.lock").open("w")
    except OSError as error:
        raise unwritable(folder, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise HostError(f"another command grades {assignment.name} as it arrives; end it first") from None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sources(course: Course, assignment: Assignment) -> Versions:
    """Return the versions of the files that an exam is made of."""
    paths = [course.root / name for name in ("course.yaml", "nbgrader_config.py", *assignment.files)]
    return versions(course.source(assignment.name), [*course.root.glob("*.py"), *paths])
