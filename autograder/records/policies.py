"""Rules that a course chooses: lateness, attempts, what is shown, and what the points add up to."""

from __future__ import annotations

from dataclasses import dataclass


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
    use: str = "staff"
    """Role that may say that another one counts: ``staff``, or each ``student``, too, until the close."""

    @property
    def is_plain(self) -> bool:
        """Whether the last one counts, without limits."""
        return self == Attempts(use=self.use)


@dataclass(frozen=True, slots=True)
class Visibility:
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
