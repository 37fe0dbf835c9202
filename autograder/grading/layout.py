"""Where an examiner's process finds what it needs: paths inside its sandbox."""

from autograder.sandbox.base import HOME, SOCKETS

PROGRAM = "/opt/examiner/program"
COURSE = "/opt/examiner/course"
"""Stands for the course folder: hidden data, released files, the course's own modules. Nothing else of the course."""
COMMON = "/opt/examiner/common"
"""A parcel with what all submissions of the assignment have in common."""
SOCKET = "examiner"
"""In :data:`~autograder.sandbox.base.SOCKETS`: where the process listens for the coordinator."""
SOCKET_PATH = f"{SOCKETS}/{SOCKET}"
UNIT = f"{HOME}/unit"
"""A folder of its own for the submission."""
