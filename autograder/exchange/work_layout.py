"""Paths inside an examiner's sandbox. A process inside asks :func:`~autograder.sandbox.base.located` where they are."""

from pathlib import Path

from autograder.sandbox.base import HOME, SOCKETS

PROGRAM = "/opt/examiner/program"
COURSE = "/opt/examiner/course"
"""Folder of the stand-in for the course folder, which has a random name, with hidden data, released files and the
course's own modules, and nothing else."""
COMMON = "/opt/examiner/common"
"""Parcel with the data that all submissions of the assignment share."""
SOCKET = "examiner"
"""Name in :data:`~autograder.sandbox.base.SOCKETS` of the socket on which the process listens for the coordinator."""
SOCKET_PATH = f"{SOCKETS}/{SOCKET}"
UNIT = f"{HOME}/unit"
"""Folder of the submission."""


def stand_in(course: Path) -> Path:
    """Return the stand-in for the course folder, by the path of :data:`COURSE`: the only folder there."""
    (folder,) = course.iterdir()
    return folder
