"""Grades of questions, notebooks and submissions, and the result of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from autograder.records.checks import CheckResult, Outcome, shortcomings
from autograder.records.dates import Dates
from autograder.records.diagnosis import Diagnosis
from autograder.records.ending import Ending
from autograder.records.failures import Failure
from autograder.records.mistakes import ModelMistakes
from autograder.records.run import RunStatus
from autograder.records.waits import Waits

MAX_EPOCHS = 2000
"""Largest number of epochs of a learning curve that is stored."""


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
    waits: Waits | None = None
    """Why it waits for a person; None: it does not. Points that it has count in any case."""
    checks: tuple[CheckResult, ...] = ()
    in_kernel: bool = False
    """The test ran in the student's process, which can give itself these points."""
    hidden_bits: int = 0
    """Bits of hidden data that its points and messages can tell."""
    by_hand: bool = False
    """A person gave the points, in the gradebook."""
    comment: str = ""
    """What a person wrote on it there, in Markdown."""
    failures: tuple[Failure, ...] = ()
    """What ended statements of its test, for the instructor as :attr:`detail` is."""
    answer_seconds: float | None = field(default=None, compare=False)
    """Own time of the answer's cells, without what others kept them waiting; None if it is not known which they are."""
    test_seconds: float | None = field(default=None, compare=False)
    """Own time of the test, with the student's code that it called; None if it did not run, or in a replay."""

    @property
    def loses_points(self) -> bool:
        """Whether the score is less than full, but for rounding."""
        return self.score < self.max_score - 1e-9

    @property
    def needs_manual_grade(self) -> bool:
        """Whether it waits for a person."""
        return self.waits is not None

    @property
    def standing(self) -> Outcome:
        """The outcome that people read: MANUAL or BROKEN exactly where a question waits for a person."""
        if self.waits is None:
            return self.outcome
        return Outcome.BROKEN if self.waits is Waits.BROKEN else Outcome.MANUAL

    @property
    def remark(self) -> str:
        """Message, or nothing where the checks already say the same."""
        short = [c for c in self.checks if c.fraction < 1]
        length = sum(len(c.name) + len(c.message) + len(": \n") for c in short) - 1
        return "" if len(self.message) == length and self.message == shortcomings(self.checks) else self.message


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
    diagnoses: tuple[Diagnosis, ...] = ()
    """What holds its models back; never graded."""
    mistakes: tuple[ModelMistakes, ...] = ()
    """What its models get wrong on the rows of checks; never graded."""
    comments: Mapping[str, str] = field(default_factory=dict)
    """grade_id → a person's comment in the gradebook on an answer that tests grade, in Markdown."""
    own_seconds: float | None = field(default=None, compare=False)
    """Part of ``wall_seconds`` in which others kept no cell waiting; None if nothing ran, or in earlier versions."""

    @property
    def score(self) -> float:
        """Sum of the scores of its questions."""
        return sum(q.score for q in self.questions)

    @property
    def max_score(self) -> float:
        """Sum of the points of its questions."""
        return sum(q.max_score for q in self.questions)


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
class GivenTotal:
    """A person's decision on what a submission has in all, whatever its questions have."""

    score: float | None
    """Points; None: those of the questions again."""
    by: str
    time: datetime
    why: str = ""


@dataclass(frozen=True, slots=True)
class StepTimes:
    """When each step of a grading was done; None for a step that was not needed."""

    begun: datetime | None = None
    """Time at which it was taken from the queue; a second try begins anew."""
    lent: datetime | None = None
    """The first kernel was lent to its examiner."""
    executed: datetime | None = None
    """The last cell had run, as reckoned: ``lent`` and the seconds of the notebooks' runs."""
    examined: datetime | None = None
    """The examiner's outcome had come."""


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
    times: StepTimes = field(default=StepTimes(), compare=False)
    """When its steps were done; empty in results of earlier versions."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Versions of autograder, python, numpy, keras… in the examiner."""
    content_keys: Mapping[str, str] = field(default_factory=dict)
    """``submission``, ``exam``, ``environment``: hashes of everything that this grade was made from."""
    dates: Dates | None = None
    """The dates that were applied; None in results of earlier versions."""
    name: str = ""
    """The student's name for people, from the roster; result.json does not hold it."""
    said: Mapping[str, str] = field(default_factory=dict)
    """File that did not run as it was handed in → sentence for the student."""
    held_back: tuple[HeldBack, ...] = ()
    """Questions that were taken out of a grade for its student's eyes; result.json does not hold them."""
    given: GivenTotal | None = None
    """The total that a person gave; result.json does not hold it."""

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
        """Points after the late penalty, never below 0; or those that a person said."""
        if self.given is not None and self.given.score is not None:
            return self.given.score
        return max(0.0, sum(n.score for n in self.notebooks) - self.late_penalty)

    @property
    def max_score(self) -> float:
        """Sum of the points of all questions."""
        return sum(n.max_score for n in self.notebooks)

    @property
    def hidden_bits(self) -> int:
        """Bits of hidden data that it can tell."""
        return sum(question.hidden_bits for book in self.notebooks for question in book.questions)

    @property
    def waiting(self) -> tuple[tuple[NotebookGrade, QuestionGrade], ...]:
        """Questions that wait for a person, with their notebooks."""
        return tuple((book, one) for book in self.notebooks for one in book.questions if one.waits is not None)

    @property
    def needs_manual_grade(self) -> bool:
        """Whether a question waits for a person."""
        return bool(self.waiting)

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
    ending: Ending

    @property
    def reason(self) -> str:
        """Why, for staff."""
        return self.ending.text


@dataclass(frozen=True)
class Batch:
    """Result of a batch."""

    grades: tuple[Grade, ...]
    """Current grade of every submission that has one, in the order of the students' names."""
    graded: tuple[str, ...]
    """Students graded in this batch; the grades of all others were current."""
    not_graded: tuple[NotGraded, ...]
    unanswered: tuple[str, ...] = ()
    """Students whose recording had no answer to what the tests ask now, so that their notebook was executed."""
