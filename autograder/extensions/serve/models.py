"""Tables of the door: the queue, whose links were renewed, and what launches said."""

from __future__ import annotations

import enum
import json
from typing import ClassVar

from django.db import models


class Kind(enum.StrEnum):
    """What a job asks of the worker."""

    HAND_IN = "hand-in"
    AGAIN = "again"
    ASK = "ask"
    ANSWER = "answer"
    PREVIEW = "preview"
    RELEASE = "release"
    FEEDBACK = "feedback"
    REGRADE = "regrade"
    PUBLISH = "publish"
    HOLD = "hold"
    POST = "post"
    USE = "use"
    EXTEND = "extend"
    OVERRIDE = "override"


COMMANDS = {
    Kind.RELEASE: "release",
    Kind.FEEDBACK: "feedback",
    Kind.PUBLISH: "feedback",
    Kind.REGRADE: "grade",
    Kind.POST: "post",
}
"""Jobs that run a command; a preview runs one, too, and keeps its result."""
GRADED = (Kind.HAND_IN, Kind.AGAIN)
"""Jobs that are graded, and so need a place where courses share them."""
WITH_FORM = (Kind.REGRADE, Kind.PUBLISH, Kind.HOLD, Kind.USE, Kind.EXTEND, Kind.OVERRIDE)
"""Jobs whose text is a form's values as JSON."""


class JobState(enum.StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    """In line, or not graded yet: see :attr:`Job.whose`."""
    BEGUN = "begun"
    DONE = "done"
    """Graded, or what else was asked is done."""
    PERSON = "for person"
    """A person has to look at it: its grade has an undecided question, or all its tries failed."""
    REFUSED = "refused"
    """A file that cannot be taken, or a request that asks for nothing: its sender reads why."""
    FAILED = "failed"
    """A command of staff's that failed."""


FINAL = (JobState.DONE, JobState.PERSON, JobState.REFUSED, JobState.FAILED)
STEPS = ("received", "begun", "lent", "executed", "examined", "published")
"""Columns with the times of a job, in their order."""


class Job(models.Model):
    """One row of the queue; the lowest number is first."""

    number = models.BigAutoField(primary_key=True)
    receipt = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=10)
    state = models.CharField(max_length=10, default=JobState.WAITING.value, db_index=True)
    student = models.CharField(max_length=200, db_index=True)
    assignment = models.CharField(max_length=200)
    by = models.CharField(max_length=200)
    """The person who asked for it: the student, or staff."""
    file = models.CharField(max_length=255)
    """Name of the file in the folder of uploads; empty once it was refused and deleted."""
    title = models.CharField(max_length=200)
    """The file's name on the student's machine, in one line of printable characters."""
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(default=0)
    tries = models.IntegerField(default=0)
    """How often the worker took it; a try that ended for no reason of the job's own does not count."""
    question = models.CharField(max_length=200)
    text = models.TextField()
    """What is asked or answered; of a preview, its result as JSON; of other acts of staff, :attr:`values`."""
    note = models.TextField()
    """What the student is told."""
    detail = models.TextField()
    """What staff are told; it may quote logs."""
    whose = models.CharField(max_length=10)
    """Whose fault it is that its last try failed, while it waits for another one; else empty."""
    next_try = models.DateTimeField(null=True)
    """When it may be taken again at the earliest, if a try of it failed."""
    score = models.FloatField(null=True)
    max_score = models.FloatField(null=True)
    received = models.DateTimeField()
    begun = models.DateTimeField(null=True)
    lent = models.DateTimeField(null=True)
    executed = models.DateTimeField(null=True)
    examined = models.DateTimeField(null=True)
    published = models.DateTimeField(null=True)

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINAL

    @property
    def values(self) -> dict[str, str]:
        """Values of the form of staff's act, and what was ``before`` and ``after``."""
        return dict(json.loads(self.text)) if self.text and self.kind in WITH_FORM else {}

    @property
    def seen_state(self) -> str:
        """State for the student, whose page says what of a grade waits, once that may be known."""
        return self.state if self.max_score is None else JobState.DONE

    @property
    def position(self) -> int:
        """Place in line, from 1, while it waits, else 0."""
        waits = self.state == JobState.WAITING
        return Job.objects.filter(state=JobState.WAITING, number__lte=self.number).count() if waits else 0


class Renewal(models.Model):
    """How often a person's links were renewed: older ones are invalid."""

    person = models.CharField(max_length=200, primary_key=True)
    count = models.IntegerField(default=0)


class UsedNonce(models.Model):
    """A secret of a launch, or of a registration link, that was taken: it is taken once."""

    nonce = models.CharField(max_length=64, primary_key=True)
    used = models.DateTimeField(auto_now_add=True)


class LaunchedLink(models.Model):
    """Services of the learning system that the newest launch of an assignment's link named."""

    assignment = models.CharField(max_length=200, primary_key=True)
    line_item = models.TextField()
    memberships = models.TextField()


class LaunchClaim(models.Model):
    """Account of the learning system that came in by a person's number in the registry."""

    person = models.CharField(max_length=200, db_index=True)
    subject = models.CharField(max_length=255, db_index=True)
    """Number of the account there."""
    name = models.CharField(max_length=200)
    """Its name there: its user may have chosen it."""

    class Meta:
        """One row for each pair."""

        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "subject"], name="one_claim")
        ]
