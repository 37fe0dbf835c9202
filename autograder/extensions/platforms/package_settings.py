"""Settings of a package, read on the platform; and the time that a submission has there."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder._util.plain_records import from_plain, to_plain
from autograder.errors import HostError
from autograder.records.course import USER_SANDBOX
from autograder.records.grade import NotebookGrade
from autograder.records.limits import Limits
from autograder.records.run import RunStatus

EXAM, SETTINGS, PROVISIONAL, REQUIREMENTS = "exam", "settings.json", "provisional", "requirements.txt"
SETUP, RUN = "setup.sh", "run_autograder"
"""Names of the files in a package; Gradescope gives the last two."""
VISIBILITIES = ("visible", "after_due_date", "after_published", "hidden")
TIMEOUT = "TIMEOUT_SECONDS"
"""Environment variable with the platform's own limit on a submission."""
RESERVE_SECONDS = 30.0
"""Seconds before the platform's limit at which the program ends by itself: an ended one keeps its results."""
START_SECONDS = 60.0
"""Seconds that imports may take on half a processor."""
STRETCH = 2.5
"""Wall-clock time over a notebook's own time, on half a processor."""
MIN_SECONDS = 5.0
MIN_MEMORY_MIB = 256
MEMORY_SHARE = 0.6
"""Part of a container's memory that one process may have: kernel and examiner seldom are at their largest together."""
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class PackageSettings:
    """Settings that the instructor chose."""

    visibility: str = VISIBILITIES[0]
    """When students see each question's entry on Gradescope, one of :data:`VISIBILITIES`."""
    keras_backend: str = ""
    """Backend of Keras in the examiner, as the instructor's environment names it; empty: Keras's own choice."""
    public_summary: bool = False
    """Whether students see at once, on Gradescope, which public tests of an otter notebook pass."""
    seconds: float = 600.0
    """The platform's limit on a submission, where its environment does not say it."""
    written: tuple[str, ...] = ()
    """Questions that a person grades in any case, as ``notebook/question``."""
    step: float = 0.5
    """Points of one test on Artemis."""
    sandbox: str = USER_SANDBOX
    """Name of the sandbox of kernels and examiners."""
    closed_until: str = ""
    """When students see questions of hidden data whose earlier hand-ins told enough, one of :data:`VISIBILITIES`."""
    last_told: Mapping[str, str] = field(default_factory=dict)
    """Question of hidden data → digest of the result that an earlier hand-in told last."""


def dump(settings: PackageSettings) -> str:
    """Write settings as text."""
    return json.dumps(to_plain(settings)) + "\n"


def load(path: Path) -> PackageSettings:
    """Read settings.

    Raises:
        HostError: they are damaged.
    """
    try:
        return from_plain(PackageSettings, json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise HostError(f"{path} cannot be read ({error}); build the package again") from error


def platform_seconds(environment: Mapping[str, str], otherwise: float) -> float:
    """Return the platform's limit on a submission: what the environment says, or ``otherwise``."""
    with contextlib.suppress(ValueError):
        seconds = float(environment.get(TIMEOUT, ""))
        if 1 <= seconds <= 24 * 3600:
            return seconds
    return otherwise


def program_seconds(limit: float) -> float:
    """Return how long the program may take under the platform's limit."""
    return max(limit - RESERVE_SECONDS, limit / 2)


def fitting(limits: Limits, seconds: float, container_mib: float | None) -> Limits:
    """Tighten limits, so that a notebook that never ends is stopped, and graded for what it did, in time.

    Args:
        limits: the course's own, which are never loosened.
        seconds: what the program may take.
        container_mib: the container's memory; None if it is not known.
    """
    most = max(MIN_SECONDS, (seconds - START_SECONDS) / STRETCH, seconds / 6)
    notebook = min(limits.notebook_seconds, most)
    memory = max(MIN_MEMORY_MIB, int(container_mib * MEMORY_SHARE)) if container_mib is not None else sys.maxsize
    return replace(
        limits,
        notebook_seconds=notebook,
        cell_seconds=min(limits.cell_seconds, notebook),
        memory_mib=min(limits.memory_mib, memory),
        examiner_memory_mib=min(limits.examiner_memory_mib, memory),
    )


def is_cut_short(book: NotebookGrade, course: Limits, tightened: Limits) -> bool:
    """Tell whether a time limit that the course does not have stopped a run that might have ended in time."""
    if book.status not in (RunStatus.OUT_OF_CPU, RunStatus.TIMED_OUT):
        return False
    if book.status == RunStatus.OUT_OF_CPU or (book.own_seconds or 0.0) >= tightened.notebook_seconds:
        return tightened.notebook_seconds < course.notebook_seconds
    return tightened.cell_seconds < course.cell_seconds


def container_mib(paths: tuple[str, ...] = _CGROUP_LIMITS) -> float | None:
    """Return the container's memory limit; None if there is none."""
    for path in paths:
        with contextlib.suppress(OSError, ValueError):
            mib = int(Path(path).read_text()) / 2**20
            return mib if mib < 1 << 24 else None
    return None
