"""What of a bundle agrees with its grade: submission, exam, released files, record of the solution, dates, recordings.

The grade names the digests of what it was made from. They are computed again from the bundle's files. A recording in a
bundle begins with its key, which is computed again, too: another student's has another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from autograder._util.digests import digest, file_digests, listed_key
from autograder.coordinator import recordings
from autograder.coordinator.cache_keys import (
    environment_digest,
    exam_digest,
    observations_digest,
    policy_digest,
    policy_key,
)
from autograder.exchange.outcome import Recording
from autograder.exchange.parcel import Common
from autograder.exchange.work import Work
from autograder.extensions.trust.bundle import KEY_BYTES, FileDigest, Manifest
from autograder.records.dates import Dates
from autograder.records.grade import Grade
from autograder.submissions.manifest import read_timestamp

PARTS = {
    "submission": "another submission",
    "exam": "another exam",
    "files": "other released files",
    "observations": "another record of the solution",
    "policy": "another late policy or other dates",
    "environment": "other versions or limits, or for another interpreter or sandbox",
}
"""Keys of a grade that a bundle can be compared with, and what a grade with another one was made from."""


def doubts(manifest: Manifest, grade: Grade, common: Common, work: Work) -> Iterator[str]:
    """Say which parts of a bundle are not what its grade was made from, a sentence each.

    Args:
        manifest: its manifest.
        grade: its grade.
        common: its exam, with the settings that the bundle names.
        work: its submission.
    """
    if dict(manifest.graded_from) != dict(grade.content_keys):
        yield "its manifest and its grade name different keys"
    keys = _keys(manifest, common, work) | {"environment": environment_digest(grade.versions, common.assignment)}
    for part, source in PARTS.items():
        if part in keys and grade.content_keys.get(part) != keys[part]:
            yield f"the grade was made from {source}"
    if read_timestamp(work.submission) != work.submitted_at:
        yield "the grade was made for another time of the hand-in"
    if common.assignment.late.kind == "plugin":
        yield "its late policy is a program of its course, so what being late cost is not compared"


def _keys(manifest: Manifest, common: Common, work: Work) -> dict[str, str]:
    late = common.assignment.late.kind
    policy = policy_key(policy_digest(common.assignment), work.dates or Dates(), common.assignment)
    released = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in common.files.items()}
    return {
        "submission": listed_key({**file_digests(work.submission), **_plain(manifest.left_out)}),
        "exam": exam_digest(work.exams, work.hidden, work.modules),
        "files": digest(released),
        "observations": observations_digest(work.exams),
        **({} if late == "plugin" else {"policy": policy}),
    }


def _plain(files: Mapping[str, FileDigest]) -> dict[str, tuple[int, str]]:
    return {name: (file.size, file.sha256) for name, file in files.items()}


def bound(manifest: Manifest, work: Work, bundled: list[Recording]) -> tuple[tuple[Recording, ...], list[str]]:
    """Return the recordings that belong to the submission, without their keys; and what is wrong with others."""
    keys = recordings.keys(replace(work, execution=manifest.execution))
    belonging, wrong = [], []
    count = sum(bool(recording.run) for recording in bundled)
    if count != manifest.recorded:
        wrong.append(f"its manifest counts {manifest.recorded} of its recordings, and there are {count or 'none'}")
    for exam, key, recording in zip(work.exams, keys, bundled, strict=True):
        run = recording.run or b""
        if run and (not key or run[:KEY_BYTES] != key.encode()):
            wrong.append(f"the recording of {exam.notebook} is not of this submission")
            belonging.append(Recording())
        else:
            belonging.append(replace(recording, run=run[KEY_BYTES:]))
    return tuple(belonging), wrong
