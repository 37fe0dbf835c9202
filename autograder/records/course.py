"""A course and its assignments, as course.yaml says them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from autograder.records.dates import Extension
from autograder.records.limits import Limits
from autograder.records.policies import Attempts, Curve, Group, LateDays, LatePolicy, Totals, Visibility
from autograder.records.weights import TrainedWeights

DEFAULT_SANDBOX = "bubblewrap"
"""Name of the sandbox that the core builds; others register."""
REMOVED_SANDBOXES = ("crun", "runc")
"""Names of earlier versions; their walls were bubblewrap's."""
USER_SANDBOX = "user"
"""Name of a weaker sandbox, without namespaces. No course can choose it: only a platform's package names it."""
TRAINING = ("fast", "exact")
"""Ways in which Keras's ``fit`` may run, the default first."""


@dataclass(frozen=True, slots=True)
class Examine:
    """How test cells are examined: which run in the student's kernel, and what answers may do beyond the solution.

    In the kernel, the student's code can give itself their points.
    """

    where: str = "outside"
    """``outside``: no test but those listed or tagged; ``kernel``: all that cannot run outside of it."""
    kernel: tuple[str, ...] = ()
    """Ids of test cells."""
    allow: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Id of a test → what its answers may do though the solution does not: ``fit changes X``, as in a comment."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One assignment: a folder in source/."""

    name: str
    title: str
    due: datetime | None = None
    """Timezone-aware: in the course's zone; without one, as it was written, or UTC."""
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
    shown: Visibility = field(default_factory=Visibility)
    team_size: int = 1
    """Most students who hand in together; 1: everybody alone."""
    group: str = ""
    """Name of the course's group that it belongs to; empty in a course without groups."""
    weight: float | None = None
    """Weight in its group, or in the course; None: its points."""
    extra_credit: bool = False
    """Whether the assignment can only raise the total."""
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
    answers: tuple[str, ...] = ()
    """Files in which students write, beside the notebooks: paths, patterns or folders, relative to source/<name>/. A
    module there with solution markers is one in any case.
    """
    hidden: tuple[str, ...] = ()
    """Hidden data, relative to source/<name>/hidden/: only the examiner opens it."""
    prepare: str | None = None
    """Command line that makes files before a release: a Python file of the course, and arguments.

    Files that ``files`` and ``hidden`` list may be missing until it has run.
    """
    environment: str | None = None
    """Path of the Python interpreter that runs students' kernels; None: the kit's own."""
    sandbox: str = DEFAULT_SANDBOX
    """Sandbox of the students' kernels. The kit never falls back to another one."""
    training: str = TRAINING[0]
    """``fast``: Keras's ``fit`` runs several steps a call where the numbers stay the same; ``exact``: one by one."""
    student: str = "installed"
    """``installed``: students install the package; ``bundle``: a release has what its notebooks import of it."""
    limits: Limits = field(default_factory=Limits)
    examine: Examine = field(default_factory=Examine)
    weights: TrainedWeights = field(default_factory=TrainedWeights)
    """The file that students hand in with what they trained elsewhere."""
    carried: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Earlier assignment → patterns of answer files that go on from a student's hand-in there; the last one wins."""
    decimals: int = 2
    """Places after the point that each question's score, and the late penalty, are rounded to."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Key that an extension registered → its value, where course.yaml has it."""

    def carries(self, file: str, *, earlier: str) -> bool:
        """Tell whether a file of an earlier assignment's hand-in goes on to this one."""
        return any(
            fnmatchcase(file, form) for each in self.carried[earlier] for form in (each, f"{each.rstrip('/')}/*")
        )


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
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Key that an extension registered → its value, where course.yaml has it."""
    late_days: LateDays = field(default_factory=LateDays)
    groups: Mapping[str, Group] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    extensions: tuple[Extension, ...] = ()
    """Extensions of course.yaml."""
    directories: Mapping[str, str] = field(default_factory=dict)
    """``source``, ``release``, ``submitted``, ``autograded``, ``feedback`` → its folder, if it has another name."""
    zone: tzinfo | None = None
    """Time zone in which people read all times; None: they read due dates as these are written, and UTC."""
    tables: Path | None = None
    """Folder with copies of course.yaml and the term's files that count; None: those in ``root`` count."""

    def table(self, name: str) -> Path:
        """Return the path of a file of the term that counts, such as people.csv."""
        return (self.tables or self.root) / name

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
        """Path .autograder/runs/: the recordings, see :mod:`autograder.coordinator.recording_store`."""
        return self.state / "runs"

    @property
    def state(self) -> Path:
        """Path .autograder/: caches, logs and locks, which can all be made anew."""
        return self.root / ".autograder"
