"""Records that travel through the kit: all frozen, all plain data.

course.yaml ──▶ Course, Assignment, Limits, LatePolicy
source      ──▶ Exam (ExamCell): only the examiner sees it
submission  ──▶ Run: what happened when the student's cells ran
examination ──▶ CheckResult ──▶ QuestionGrade ──▶ NotebookGrade ──▶ Grade
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

# --- the course --------------------------------------------------------------------------------------

MAX_NOTEBOOK_BYTES = 64 << 20
"""A larger notebook is not read."""
TRAINING = ("fast", "exact")
"""Ways in which Keras's ``fit`` may run, the default first."""
TRAININGS = ("fast", "callbacks", "data", "model", "batches")
"""How a ``fit`` ran: fast, or step by step because of what it was given, or of what the model is."""
MAX_TRAININGS = 1_000_000
"""Limit on the number of calls of ``fit`` that a kernel may claim."""
SANDBOXES = ("bubblewrap", "gvisor", "crun", "runc")
"""Names of the sandboxes that a student's kernel can run in."""
USER_SANDBOX = "user"
"""Name of a weaker sandbox, without namespaces. No course can choose it: only a package for Gradescope names it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what one notebook may use while it runs. All are per run, not per student."""

    cell_seconds: float = 120.0
    """Own time of one cell, in seconds: the wall clock without the time that others kept the notebook waiting."""
    notebook_seconds: float = 600.0
    """Own time of the whole notebook, in seconds."""
    memory_mib: int = 4096
    """Memory of all processes together, tmpfs included, in MiB."""
    processes: int = 256
    """Processes and threads at one time."""
    disk_mib: int = 512
    """Size of the work folder and of /tmp, each, in MiB."""
    output_mib: float = 8.0
    """Everything the cells print and display, in MiB."""
    cpu_seconds: float | None = None
    """Processor time of all processes together, in seconds; None: see :attr:`most_cpu_seconds`."""

    examiner_memory_mib: int = 4096
    """Memory of the examiner of one submission, in MiB. It holds answers, hidden data and rebuilt models."""

    threads: int = 1
    """Threads that each numerical library of the notebook computes with.

    With another number, results may differ in their last digits. So it is a part of the cache key; the number of
    workers
    is not.
    """

    @property
    def most_cpu_seconds(self) -> float:
        """Processor time in seconds: ``cpu_seconds``, or a default for busy cores.

        The default is two cores, or as many as the libraries have threads, busy for all of ``notebook_seconds``.
        """
        return max(2, self.threads) * self.notebook_seconds if self.cpu_seconds is None else self.cpu_seconds


@dataclass(frozen=True, slots=True)
class LatePolicy:
    """The rule for what being late costs."""

    kind: str = "none"
    """``none`` (no penalty), ``zero`` (late is 0 points), ``per_day``, ``plugin``."""
    per_day: float = 0.0
    """With ``per_day``: the share of the earned score lost for each day begun, 0 to 1."""
    grace_hours: float = 0.0
    """Hours after the due date in which a submission is still in time."""
    plugin: str | None = None
    """With ``plugin``: a class of the course that computes the penalty, ``late.py:Policy``, in nbgrader's form."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """The rule for several hand-ins of one student or team."""

    counts: str = "last"
    """``last``, ``last_before_due`` or ``best``."""
    daily: int | None = None
    """Most attempts of one day; None: no limit."""
    total: int | None = None
    """Most attempts in all; None: no limit."""

    @property
    def is_plain(self) -> bool:
        """Whether the last one counts, without limits."""
        return self == Attempts()


@dataclass(frozen=True, slots=True)
class Shown:
    """The rule for what students see of tests' results before the last student's due date."""

    before_due: str = "all"
    """``nothing``, ``passed`` (or not), ``score`` (the points), ``all`` (the whole page)."""
    step: float = 0.0
    """With ``score``: the share by which a score must be better before the shown one moves; 0: any."""
    public: tuple[str, ...] = ()
    """Ids of questions that are always shown."""
    private: tuple[str, ...] = ()
    """Ids of questions of which nothing is shown before."""

    @property
    def holds_back(self) -> bool:
        """Whether anything is held back."""
        return self.before_due != "all" or bool(self.private)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A question whose result is held back from the student."""

    notebook: str
    id: str
    max_score: float
    words: str
    """What the student may know; empty: nothing."""
    until: datetime


@dataclass(frozen=True, slots=True)
class Curve:
    """A change of all students' points of an assignment."""

    kind: str = "none"
    """``none``; ``add`` points; ``factor``; ``sqrt``: the root of the share; ``best``: the class's best gets all."""
    points: float = 0.0
    """With ``add``: points for everybody whose work is graded."""
    factor: float = 1.0
    """With ``factor``: all points are multiplied by it."""


@dataclass(frozen=True, slots=True)
class Group:
    """Assignments that share a weight in the course's total."""

    weight: float = 1.0
    """Weight of the group beside the other groups."""
    drop: int = 0
    """Number of a student's lowest assignments in it that do not count."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Rule of the course's total."""

    drop: int = 0
    """Number of a student's lowest assignments that do not count, in a course without groups."""
    cap: float | None = None
    """Largest total in percent; None: bonus and extra credit may bring it above 100."""


@dataclass(frozen=True, slots=True)
class LateDays:
    """The budget of late days that every student has for the whole course."""

    budget: float = 0.0
    """Days for all assignments together; a person's ``extra_late_days`` come on top."""
    per_assignment: float | None = None
    """Most of them that one assignment may take; None: as many as are left."""
    round: str = "day"
    """``day`` or ``hour``: one that has begun counts whole; ``exact``: to the second."""


@dataclass(frozen=True, slots=True)
class Extension:
    """Another date, or no duty at all, for some students and assignments: a line of extensions.csv."""

    student: str = ""
    """Empty: not of one student."""
    section: str = ""
    """Empty: not of one section."""
    assignment: str = ""
    """Empty: every assignment that has a due date."""
    due: datetime | None = None
    """The other due date."""
    days: float = 0.0
    """Days after the assignment's due date, if ``due`` is None."""
    excused: bool = False
    """The assignment does not count for them."""
    reason: str = ""
    """Words for people; the student reads them, too."""
    place: str = ""
    """File and line, for messages."""


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates that were applied to one submission."""

    due: datetime | None = None
    """With extensions, without late days; None: there is none."""
    close: datetime | None = None
    """Time after which nothing is accepted; None: there is none."""
    late_days: float = 0.0
    """Late days of the student's budget that it took."""
    excused: bool = False
    """The assignment does not count for the student."""
    closed: bool = False
    """It was handed in after ``close``, and so is worth nothing."""
    notes: tuple[str, ...] = ()
    """What was applied and why, for people; the student reads it, too."""


@dataclass(frozen=True, slots=True)
class Examine:
    """The test cells that run in the student's kernel, where the student's code can give itself their points."""

    where: str = "outside"
    """``outside``: no test but those listed or tagged; ``kernel``: all that cannot run outside of it."""
    kernel: tuple[str, ...] = ()
    """Ids of test cells."""


@dataclass(frozen=True, slots=True)
class AuditFloor:
    """The result that an audit of the tests must reach, else its exit code is 1."""

    caught: float | None = None
    """Smallest share of wrong answers that are caught, 0 to 1; None: none is demanded."""
    right: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Answer (grade_id) → changes that the task allows, in an audit's words: with them, it must keep all points."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One assignment: a folder in source/."""

    name: str
    title: str
    due: datetime | None = None
    """Timezone-aware (UTC where course.yaml names no zone)."""
    release: datetime | None = None
    """When students get it; before that, nothing of it is missing."""
    close: datetime | None = None
    """Time after which nothing is accepted; an extension moves it along."""
    late_days: float | None = None
    """Most late days that it may take; None: as ``late_days`` of the course says."""
    points: float | None = None
    """Total that the notebooks must add up to; None: no total is demanded."""
    late: LatePolicy = field(default_factory=LatePolicy)
    attempts: Attempts = field(default_factory=Attempts)
    shown: Shown = field(default_factory=Shown)
    team_size: int = 1
    """Most students who hand in together; 1: everybody alone."""
    group: str = ""
    """Name of the course's group that it belongs to; empty in a course without groups."""
    weight: float | None = None
    """Weight in its group, or in the course; None: its points."""
    extra_credit: bool = False
    """It can only raise the total."""
    drop_questions: int = 0
    """Number of a student's lowest questions that do not count in totals."""
    curve: Curve = field(default_factory=Curve)
    cap: float | None = None
    """Most points that it counts in totals, after the curve; None: no cap."""
    files: tuple[str, ...] = ()
    """Files that go with the release, relative to the course folder (``kaggle_data.py``). They are copied into the
    notebook's
    folder. All other files in source/<name>/, except those in hidden/, go with it too.
    """
    hidden: tuple[str, ...] = ()
    """Hidden data, relative to source/<name>/hidden/: only the examiner opens it."""
    prepare: str | None = None
    """Command line that makes files before a release: a Python file of the course, and arguments.

    Files that ``files`` and ``hidden`` list may be missing until it has run.
    """
    environment: str | None = None
    """Path of the Python interpreter that runs students' kernels; None: the kit's own."""
    sandbox: str = SANDBOXES[0]
    """Sandbox of the students' kernels, one of :data:`SANDBOXES`. The kit never falls back to another one."""
    training: str = TRAINING[0]
    """``fast``: Keras's ``fit`` runs several steps a call where the numbers stay the same; ``exact``: one by one."""
    student: str = "installed"
    """``installed``: students install the package; ``bundle``: a release has what its notebooks import of it."""
    limits: Limits = field(default_factory=Limits)
    examine: Examine = field(default_factory=Examine)
    audit: AuditFloor = field(default_factory=AuditFloor)
    decimals: int = 2
    """Places after the point that each question's score, and the late penalty, are rounded to."""
    posted_to: int | None = None
    """Number of the assignment in the learning system that results are handed to."""


@dataclass(frozen=True, slots=True)
class LearningSystem:
    """Learning system that takes results by its API."""

    kind: str = ""
    """``canvas`` or ``moodle``."""
    url: str = ""
    """Its address, ``https://canvas.example.edu``."""
    course: int = 0
    """Number of the course there."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Place where a course's batches run."""

    kind: str = "local"
    """``local``: the processes of this machine; ``dask``: the workers of a scheduler of dask.distributed."""
    scheduler: str | None = None
    """With ``dask``: its address, ``tls://host:8786``."""
    ca: str | None = None
    """Path of the certificate authority's certificate (PEM); a relative path begins at the course folder. ``cert`` and
    ``key``
    are this side's certificate and key. For each that is left out, dask's own configuration decides.
    """
    cert: str | None = None
    key: str | None = None
    patience_seconds: float = 300.0
    """Seconds that a batch waits while there is no worker."""


@dataclass(frozen=True, slots=True)
class Course:
    """A course folder with the settings of its course.yaml."""

    root: Path
    course_id: str
    title: str
    assignments: Mapping[str, Assignment]
    engine: Engine = field(default_factory=Engine)
    learning_system: LearningSystem = field(default_factory=LearningSystem)
    late_days: LateDays = field(default_factory=LateDays)
    groups: Mapping[str, Group] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    extensions: tuple[Extension, ...] = ()
    """Those of course.yaml."""
    directories: Mapping[str, str] = field(default_factory=dict)
    """``source``, ``release``, ``submitted``, ``autograded``, ``feedback`` → its folder, if it has another name."""

    def directory(self, kind: str) -> Path:
        """Return the folder of a kind: ``source``, ``release``, ``submitted``, ``autograded`` or ``feedback``."""
        return self.root / self.directories.get(kind, kind)

    def source(self, assignment: str) -> Path:
        """Return the path source/<assignment>."""
        return self.directory("source") / assignment

    def hidden(self, assignment: str) -> Path:
        """Return the path source/<assignment>/hidden, which is never released and never mounted."""
        return self.source(assignment) / "hidden"

    def release(self, assignment: str) -> Path:
        """Return the path release/<assignment>."""
        return self.directory("release") / assignment

    def submitted(self, student: str, assignment: str) -> Path:
        """Return the path submitted/<student>/<assignment>."""
        return self.directory("submitted") / student / assignment

    def autograded(self, student: str, assignment: str) -> Path:
        """Return the path autograded/<student>/<assignment>."""
        return self.directory("autograded") / student / assignment

    def feedback(self, student: str, assignment: str) -> Path:
        """Return the path feedback/<student>/<assignment>."""
        return self.directory("feedback") / student / assignment

    @property
    def reports(self) -> Path:
        """Path reports/: the class reports, one HTML file per assignment."""
        return self.root / "reports"

    @property
    def gradebook(self) -> Path:
        """Path of gradebook.db, in nbgrader's schema."""
        return self.root / "gradebook.db"

    @property
    def grades_csv(self) -> Path:
        """Path of grades.csv: one row per submission."""
        return self.root / "grades.csv"

    @property
    def totals_csv(self) -> Path:
        """Path of totals.csv: one row per student."""
        return self.root / "totals.csv"

    def details(self, student: str, assignment: str) -> Path:
        """Return the path .autograder/details/<assignment>/<student>.json.

        The file is result.json with the details for the instructor.
        """
        return self.state / "details" / assignment / f"{student}.json"

    @property
    def runs(self) -> Path:
        """Path .autograder/runs/: the recordings, see :mod:`autograder.execution.recording_store`."""
        return self.state / "runs"

    @property
    def state(self) -> Path:
        """Path .autograder/: caches, logs and locks, which can all be made anew."""
        return self.root / ".autograder"


MAX_SUBMITTED_FILE_BYTES = 50 * 2**20
"""Largest size of one file that a student hands in."""
AST_CACHE_SIZE = 1024
"""Number of sources whose analysis is cached: the sources of an exam are the same for all students."""
ATTEMPTS = 3
"""Number of times that a notebook is run when its kernel is killed from outside."""


# --- the exam ----------------------------------------------------------------------------------------


class Role(enum.StrEnum):
    """Role of a cell in the source notebook: nbgrader's five kinds and the rest."""

    ANSWER = "answer"  # solution: the student writes it, tests grade it
    TEST = "test"  # grade: points by running it
    MANUAL = "manual"  # grade + solution: a person grades it
    TASK = "task"  # points for a description, graded by a person
    READ_ONLY = "read-only"  # locked: the instructor's, restored when a student edits it
    FREE = "free"  # no nbgrader metadata: students may edit it, delete it, and add more


@dataclass(frozen=True, slots=True)
class ExamCell:
    """A cell of the source notebook, as the instructor wrote it and as the student gets it."""

    role: Role
    cell_type: str
    """``code`` or ``markdown`` (or ``raw``)."""
    grade_id: str | None
    """None for FREE cells only."""
    points: float
    """0 for ANSWER, READ_ONLY and FREE."""
    source: str
    """Source as the instructor wrote it: with solution, hidden tests and mark scheme.

    For TEST cells the examiner runs it (without the BEGIN/END HIDDEN TESTS lines).
    """
    released: str
    """Source as the student gets it."""
    checksum: str
    """nbgrader's checksum of the released cell, by which an unchanged answer is recognized."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """The released cell's metadata, nbgrader's included."""
    cell_id: str = ""
    """The notebook's id of the cell (nbformat 4.5); empty where it has none. No grade depends on it, where nbgrader's
    metadata is there."""
    in_kernel: str = ""
    """Source of a TEST cell that is marked to run in the student's kernel. Then ``source`` is empty: the examiner runs
    nothing of it."""
    file: str = ""
    """Test file of a TEST cell that is a pytest function: ``tests/test_network.py``. Such a cell is in no notebook."""


@dataclass(frozen=True, slots=True)
class Exam:
    """One notebook of an assignment with everything that grading needs; only the examiner sees it."""

    assignment: str
    notebook: str
    """The notebook's name without ``.ipynb``."""
    cells: tuple[ExamCell, ...]
    kernelspec: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """The released notebook's metadata."""
    stars: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Module of the course's own → the names that ``from module import *`` binds."""
    state: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Module of the course's own → its functions that share state, which the notebook's cells change."""
    prelude: str = ""
    """Code that runs before each code cell: the seeds of an otter assignment."""

    @property
    def questions(self) -> tuple[ExamCell, ...]:
        """Cells that carry points or await a person: TEST, MANUAL and TASK, in order."""
        return tuple(c for c in self.cells if c.role in (Role.TEST, Role.MANUAL, Role.TASK))

    @property
    def max_score(self) -> float:
        """Sum of the questions' points."""
        return sum(c.points for c in self.questions)


# --- the submission ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ComposedCell:
    """A cell of the notebook that is run: the student's where students may write it, else the instructor's."""

    role: Role
    cell_type: str
    source: str
    """Source that runs and that feedback shows. For TEST cells: the released source, never the hidden one."""
    grade_id: str | None = None
    unchanged: bool = False
    """For ANSWER and MANUAL cells: the student left it as released."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    """For people: ``This cell was missing from the submission and was put back.``"""
    doubtful: bool = False
    """For ANSWER and MANUAL cells: the blank stands here, and cells behind it may be the answer."""
    number: int = 0
    """Place in the file that was handed in, from 1; 0 for a cell that is not in it."""


def cell_number(cells: Sequence[ComposedCell], index: int) -> str:
    """Return how people find a cell: its number in the student's file, or the id of one that is not there."""
    cell = cells[index]
    if cell.number or any(other.number for other in cells):
        return str(cell.number or cell.grade_id)
    return str(index + 1)


EXAMINE_KERNEL = "examine-kernel"
"""Tag of a test cell that runs in the student's kernel."""
RAISES = "raises-exception"
"""Jupyter's tag of a cell that is meant to raise."""


def has_tag(metadata: Mapping[str, Any], tag: str) -> bool:
    """Tell whether a cell of the exam has a tag."""
    tags = metadata.get("tags")
    return isinstance(tags, list | tuple) and tag in tags


def raises_exception(metadata: Mapping[str, Any]) -> bool:
    """Tell whether a cell of the exam is tagged as meant to raise."""
    return has_tag(metadata, RAISES)


@dataclass(frozen=True, slots=True)
class Composed:
    """One notebook of one submission, ready to run.

    Every cell of the exam that is not FREE is in it exactly once, in the exam's order, whatever the student did to
    them.
    """

    exam: Exam
    cells: tuple[ComposedCell, ...]
    notes: tuple[str, ...] = ()
    """Sentences for people about what was repaired."""

    def may_raise(self, cell: ComposedCell) -> bool:
        """Tell whether the instructor marked this cell as meant to raise; a free one is known by its source."""
        if cell.role is not Role.FREE:
            return raises_exception(cell.metadata)
        return any(
            one.role is Role.FREE and one.released == cell.source and raises_exception(one.metadata)
            for one in self.exam.cells
        )


# --- the run -----------------------------------------------------------------------------------------


class RunStatus(enum.StrEnum):
    """Status of a run: how it ended. Whatever the status, cells that ran before keep their points."""

    COMPLETED = "completed"
    CELL_ERROR = "cell_error"  # a cell raised; the others ran
    TIMED_OUT = "timed_out"  # a cell or the notebook used up its time
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_CPU = "out_of_cpu"
    OUT_OF_PROCESSES = "out_of_processes"  # a cell failed, or the kernel ended: no more processes or threads allowed
    OUT_OF_DISK = "out_of_disk"  # a cell failed because a folder was full
    TOO_MUCH_OUTPUT = "too_much_output"
    KILLED = "killed"  # the kernel ended itself, or was stopped because it broke the message protocol
    NO_REPORT = "no_report"  # the kernel never answered, or there was nothing to run


@dataclass(frozen=True, slots=True)
class CellRun:
    """Result of running one cell of the composed notebook."""

    status: str
    """``ok``, ``error``, ``timed_out``, ``not_run`` or ``skipped`` (nothing to execute)."""
    outputs: tuple[Mapping[str, Any], ...] = ()
    """nbformat outputs, size-limited."""
    execution_count: int | None = None
    seconds: float = 0.0
    error: str | None = None
    """``NameError: name 'x' is not defined``, where the cell raised."""
    limit: RunStatus | None = None
    """Limit on processes or on disk that a raising cell ran into, as its sandbox reports; else None."""
    waited_seconds: float = 0.0
    """Part of ``seconds`` in which others kept the cell waiting; it counts for no limit."""


@dataclass(frozen=True, slots=True)
class Run:
    """Result of running the composed notebook. A student's failure is a value here."""

    status: RunStatus
    message: str
    """Sentence for the student: what stopped the run, with the limit and its value; empty when COMPLETED."""
    cells: tuple[CellRun, ...]
    """Parallel to the composed notebook's cells."""
    wall_seconds: float
    cpu_seconds: float
    peak_memory_mib: float | None
    """None where no cgroup was available."""
    sandbox: str
    """Description of its sandbox: ``bubblewrap, cgroup v2`` or ``bubblewrap, reduced limits``."""
    trainings: Mapping[str, int] = field(default_factory=dict)
    """One of :data:`TRAININGS` → the number of such calls of Keras's ``fit``: the kernel's claim, never graded."""


# --- the grade ---------------------------------------------------------------------------------------


MAX_EPOCHS = 2000
"""Largest number of epochs of a learning curve that is stored."""


class Outcome(enum.StrEnum):
    """Outcome of a question, or of one check in it."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"  # nothing to grade: no response, or the run never got there
    MANUAL = "manual"  # waits for a person
    BROKEN = "broken"  # the test's own fault: a person looks at it


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of a hidden or visible test.

    ``message`` is for the student, ``detail`` for the instructor alone.
    """

    name: str
    """Subject of the check, in the student's words: ``layers``, ``parameters``, ``holdout loss``."""
    outcome: Outcome
    fraction: float
    """Share of the credit earned, 0 to 1."""
    message: str
    detail: str = ""
    weight: float = 1.0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Numbers that reports plot: ``{"loss": 0.61, "rows": 4000}``, ``{"parameters": 92169}``."""
    bonus: float = 0.0
    """Points that full credit earns beyond the cell's own; such a check has no share in the cell's points."""


@dataclass(frozen=True, slots=True)
class QuestionGrade:
    """The grade of one question."""

    id: str
    """The grade_id."""
    score: float
    """Above ``max_score`` where a bonus was earned."""
    max_score: float
    outcome: Outcome
    message: str
    """For the student."""
    detail: str = ""
    """For the instructor: may quote the hidden test."""
    needs_manual_grade: bool = False
    checks: tuple[CheckResult, ...] = ()
    in_kernel: bool = False
    """The test ran in the student's process, which can give itself these points."""
    by_hand: bool = False
    """A person gave the points, in the gradebook."""
    comment: str = ""
    """What a person wrote on it there, in Markdown."""

    @property
    def remark(self) -> str:
        """Message, or nothing where the checks already say the same."""
        short = [c for c in self.checks if c.fraction < 1]
        length = sum(len(c.name) + len(c.message) + len(": \n") for c in short) - 1
        return "" if len(self.message) == length and self.message == shortcomings(self.checks) else self.message


PRIVATE_EVIDENCE = frozenset({"threshold", "first_credit", "higher_is_better", "close_calls"})
"""Evidence for the instructor alone: the values of full and of first credit, their direction, and whether a close call
has the benefit of the doubt."""
UNDECIDED = "undecided"
"""Evidence of a check that could not be decided: the question waits for a person."""


def is_undecided(check: CheckResult) -> bool:
    """Return whether a person has to decide a check."""
    return check.evidence.get(UNDECIDED) is True and check.fraction < 1


def shortcomings(checks: tuple[CheckResult, ...]) -> str:
    """Join the messages of the checks that did not give full credit, a line each."""
    return "\n".join(f"{c.name}: {c.message}" for c in checks if c.fraction < 1)


@dataclass(frozen=True, slots=True)
class NotebookGrade:
    """The grade of one notebook of an assignment (nbgrader's assignments may have several)."""

    notebook: str
    status: str
    """A :class:`RunStatus`, or ``invalid`` / ``missing`` where there was no notebook to run."""
    message: str
    questions: tuple[QuestionGrade, ...]
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_mib: float | None = None
    sandbox: str = ""
    history: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Learning curve that the student's model reports (``loss``, ``val_loss``…): a claim, shown, never trusted."""
    trainings: Mapping[str, int] = field(default_factory=dict)
    """One of :data:`TRAININGS` → the number of such calls of Keras's ``fit``: the kernel's claim, never graded."""
    replayed: bool = False
    """Whether the grade was made by replay. Times and memory are then those of the recording."""
    comments: Mapping[str, str] = field(default_factory=dict)
    """grade_id → a person's comment in the gradebook on an answer that tests grade, in Markdown."""

    @property
    def score(self) -> float:
        """Sum of the scores of its questions."""
        return sum(q.score for q in self.questions)

    @property
    def max_score(self) -> float:
        """Sum of the points of its questions."""
        return sum(q.max_score for q in self.questions)


@dataclass(frozen=True, slots=True)
class Grade:
    """Grade of one submission, as result.json holds it."""

    student: str
    assignment: str
    notebooks: tuple[NotebookGrade, ...]
    late_penalty: float = 0.0
    """Points taken off for lateness, >= 0."""
    submitted_at: datetime | None = None
    graded_at: datetime | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of autograder, python, numpy, keras… in the examiner."""
    content_keys: Mapping[str, str] = field(default_factory=dict)
    """``submission``, ``exam``, ``environment``: hashes of everything that this grade was made from."""
    dates: Dates | None = None
    """The dates that were applied; None in results of earlier versions."""
    name: str = ""
    """The student's name for people, from the roster; result.json does not hold it."""
    held_back: tuple[HeldBack, ...] = ()
    """Questions that were taken out of a grade for its student's eyes; result.json does not hold them."""

    @property
    def shown(self) -> str:
        """The student's name for people, else the id."""
        return self.name or self.student

    def is_made_from(self, content_keys: Mapping[str, str]) -> bool:
        """Tell whether this is the current grade for these keys; if not, the submission is graded again."""
        return dict(self.content_keys) == dict(content_keys)

    def is_of_exam(self, exam_key: str | None) -> bool:
        """Tell whether this exam was examined; if not, statistics of the exam exclude the grade."""
        return self.exam_key == exam_key

    @property
    def exam_key(self) -> str | None:
        """Hash of the exam; None if it is not known."""
        return self.content_keys.get("exam")

    @property
    def score(self) -> float:
        """Points after the late penalty; never below 0."""
        return max(0.0, sum(n.score for n in self.notebooks) - self.late_penalty)

    @property
    def max_score(self) -> float:
        """Sum of the points of all questions."""
        return sum(n.max_score for n in self.notebooks)

    @property
    def needs_manual_grade(self) -> bool:
        """Whether a question waits for a person."""
        return any(q.needs_manual_grade for n in self.notebooks for q in n.questions)

    @property
    def status(self) -> str:
        """Worst status among the notebooks: ``completed`` only where all are."""
        order = ["invalid", "missing", *(s.value for s in reversed(RunStatus))]
        return min((n.status for n in self.notebooks), key=order.index, default="missing")


@dataclass(frozen=True)
class NotGraded:
    """A submission that this machine could not grade. It has no score, not even 0."""

    student: str
    assignment: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """Result of a batch."""

    grades: tuple[Grade, ...]
    """Current grade of every submission that has one, in the order of the students' names."""
    graded: tuple[str, ...]
    """Students graded in this batch; the grades of all others were current."""
    not_graded: tuple[NotGraded, ...]
