"""Failures of one question's test, read from the examiner's detail for the teacher."""

from __future__ import annotations

import re
from dataclasses import dataclass

TRACEBACK = "Traceback (most recent call last):"
_IN_TEST = re.compile(r'  File "<test [^"]*>", line (\d+)')
_STARTER = "_pytest_run("
"""Beginning of the statement that starts a pytest function: the author has not written it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What ended one statement of a test."""

    line: int
    """In the test's code, counted from 1; 0 if the examiner named none."""
    code: str = ""
    said: tuple[str, ...] = ()
    """The exception and the values that were compared: ``AssertionError``, ``double(3) is 7``."""


def failures(detail: str) -> list[Failure]:
    """Read the failures in the detail of a question, in order."""
    blocks = detail.split(f"{TRACEBACK}\n")
    notes = tuple(line for line in blocks[0].splitlines() if line.strip())
    return [*([Failure(0, "", notes)] if notes else []), *map(_failure, blocks[1:])]


def frames_in_test(traceback: list[str]) -> tuple[list[tuple[int, str]], list[str]]:
    """Return line and code of each frame in the test, outermost first, and all lines after the last frame."""
    frames = [index for index, line in enumerate(traceback) if line.startswith('  File "')]
    in_test = [
        (int(match[1]), "".join(traceback[index + 1 : index + 2]).strip())
        for index in frames
        if (match := _IN_TEST.match(traceback[index]))
    ]
    return in_test, traceback[frames[-1] + 1 :] if frames else traceback


def _failure(block: str) -> Failure:
    in_test, ending = frames_in_test(block.rstrip().splitlines())
    statements = [(number, code) for number, code in in_test if not code.startswith(_STARTER)]
    number, code = (statements or in_test or [(0, "")])[0]
    begins = next((index for index, line in enumerate(ending) if line and not line.startswith(" ")), len(ending))
    return Failure(number, code, tuple(line for line in ending[begins:] if line.strip()))
