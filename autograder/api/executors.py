"""Executors: what grades the submissions of a batch, on this machine or elsewhere."""

from autograder.coordinator.pool import in_processes
from autograder.coordinator.schedule import Execute
from autograder.errors import HostError, SandboxError
from autograder.exchange.work import Endings, Work
from autograder.records.course import Engine
from autograder.records.ending import GRADED, Ending, EndingKind, Whose, failed

__all__ = [
    "GRADED",
    "Ending",
    "EndingKind",
    "Endings",
    "Engine",
    "Execute",
    "HostError",
    "SandboxError",
    "Whose",
    "Work",
    "failed",
    "in_processes",
]
