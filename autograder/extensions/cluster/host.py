"""The program that grades on another machine: it proves its sandbox, then takes submissions until its input is closed.

It gets one argument, a FOLDER that holds the common parcel and is this program's alone. After the self-test it writes
one line of JSON: ``{"ready": {"reduced": false}}`` or ``{"refused": "why"}``. Then each line that it reads is the path
of a folder below FOLDER with a file ``parcel`` in it. When that submission is done, its folder has a file ``outcome``,
too, and the program writes ``{"done": path}``. Where this machine could not even begin, it writes ``{"lost": path,
"why": "why"}``. It ends, with all that it started, when its standard input is closed.

It is a program of its own so that no file of a submission is opened in the process that talks to the network.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from autograder.coordinator.examiner import Examiners
from autograder.coordinator.grading_sandboxes import require_walls
from autograder.coordinator.pool import Pool
from autograder.coordinator.submission_grading import attempt
from autograder.coordinator.templates import MIN_KERNELS_FOR_TEMPLATE, Templates
from autograder.errors import AutograderError, HostError
from autograder.exchange.parcel import STATE, Common, unpack_common, unpack_unit, work_in
from autograder.exchange.work import Work, versions
from autograder.extensions.cluster.result_parcel import pack_outcome
from autograder.records.course import Assignment
from autograder.records.ending import Ending

COMMON, PARCEL, OUTCOME = "common", "parcel", "outcome"
"""Names of files: ``common`` in FOLDER, the others in a submission's folder."""


Grading = Callable[[Common, Path], contextlib.AbstractContextManager[Callable[[Work], Ending]]]
"""A context that yields a function to grade a submission; it returns how that ended."""


@contextlib.contextmanager
def grading(common: Common, folder: Path) -> Iterator[Callable[[Work], Ending]]:
    """Grade in processes of this machine, which import libraries while the caller continues."""
    kernels = MIN_KERNELS_FOR_TEMPLATE if common.warm else 0
    with Templates(work_in(common, folder / STATE), kernels=kernels, executed=True) as templates:
        examiners = Examiners(templates)
        try:
            yield lambda work: attempt(work, examiners.examine)
        finally:
            examiners.stop()


def main(folder: Path, grade: Grading = grading, prove: Callable[[Assignment], bool] | None = None) -> int:
    """Serve ``folder`` and return the exit status."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # libraries may print: only answers go to the coordinator

    def say(line: Any) -> None:
        answers.write(json.dumps(line) + "\n")

    with contextlib.ExitStack() as stack:
        try:
            common = unpack_common((folder / COMMON).read_bytes(), folder)
            check_versions(common.versions)
            graded = stack.enter_context(grade(common, folder))
            reduced = (prove or prove_sandbox)(common.assignment)
        except (AutograderError, OSError, ValueError) as error:
            say({"refused": str(error)})
            return 3
        say({"ready": {"reduced": reduced}})
        pool = Pool(graded)
        try:
            serve(common, pool, say)
        finally:
            stack.close()
            pool.close()
    return 0


def check_versions(wanted: Any) -> None:
    """Raise :class:`AutograderError` if this machine has other versions than the coordinator."""
    local = versions()
    differences = [f"{name} {local.get(name, 'missing')} instead of {wanted.get(name, 'none')}"
             for name in sorted({*local, *wanted}) if local.get(name) != wanted.get(name)]  # fmt: skip
    if differences:
        raise AutograderError(f"its grades could differ from those of other machines: it has {', '.join(differences)}")


def prove_sandbox(assignment: Assignment) -> bool:
    """Test the walls, and return whether limits are reduced.

    Raises:
        SandboxError: a wall does not hold.
    """
    return require_walls(assignment)


def serve(common: Common, pool: Pool, say: Callable[[Any], None]) -> None:
    """Take submissions from standard input until it is closed."""
    places: dict[Path, Path] = {}
    requests, unread = sys.stdin.fileno(), b""
    while True:
        for work, ending in pool.ended(1.0 if len(pool) else 3600.0, also=[requests]):
            _answer(places.pop(work.submission), work, ending, say)
        if not wait([requests], 0):
            continue
        if not (more := os.read(requests, 1 << 16)):
            return
        *lines, unread = (unread + more).split(b"\n")
        for line in lines:
            folder = Path(json.loads(line))
            try:
                work = unpack_unit((folder / PARCEL).read_bytes(), common, folder)
                pool.start(work)
            except (HostError, OSError, ValueError) as error:
                say({"lost": str(folder), "why": str(error)})
            else:
                places[work.submission] = folder


def _answer(folder: Path, work: Work, ending: Ending, say: Callable[[Any], None]) -> None:
    try:
        (folder / OUTCOME).write_bytes(pack_outcome(work, ending))
    except OSError as error:
        say({"lost": str(folder), "why": str(error)})
    else:
        say({"done": str(folder)})


def run() -> int:
    """Run the program with the folder from the command line."""
    return main(Path(sys.argv[1]))
