"""Reader of bundles: somebody else may have chosen every byte.

The zip is read within the limits of :mod:`autograder.submissions.archive`; each file must have its digest, and each
path must stay in its folder. Nothing of a bundle runs outside of a sandbox. Its interpreter, its late policy and its
commands are ignored, and its limits must be those that a course.yaml may have.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograder._util.digests import folder_key
from autograder._util.files import unwritable
from autograder._util.plain_records import from_plain, loads
from autograder._util.student_names import is_folder_name
from autograder._util.text import one_line
from autograder.course.course_yaml import RANGES
from autograder.course.sandboxes import sandboxes
from autograder.errors import AutograderError, CourseError, HostError, SubmissionError, UsageError
from autograder.exchange import result_json
from autograder.exchange.blob_container import pack
from autograder.exchange.outcome import Recording
from autograder.exchange.parcel import STATE, Common, common_in, unpack_unit
from autograder.exchange.work import Work
from autograder.extensions.trust.bundle import (
    COURSE,
    EXAM,
    FORMAT,
    HIDDEN,
    LIMITS,
    MANIFEST,
    RECORDINGS,
    REQUESTS,
    RESULT,
    SUBMISSION,
    UNIT,
    VERSION,
    Manifest,
)
from autograder.extensions.trust.bundle_verification import bound, doubts
from autograder.records.course import TRAINING, Assignment, Course
from autograder.records.grade import Grade
from autograder.records.limits import MAX_RECORDING_BYTES
from autograder.results.second_look import Request, read_file
from autograder.submissions.archive import extract
from autograder.submissions.members import submission_limits

MAX_JSON_BYTES = 64 << 20
"""Largest file of JSON in a bundle."""


class BundleError(AutograderError):
    """A bundle that cannot be used; the message says why."""


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read and checked; its files lie in a folder of this machine."""

    manifest: Manifest
    grade: Grade
    work: Work
    """Work record of the submission in that folder."""
    recordings: tuple[Recording, ...]
    """Recording of each notebook."""
    requests: tuple[Request, ...] = ()
    """What the student asked about the grade, and the answers."""
    notes: tuple[str, ...] = ()
    """What is wrong with parts that the grade does not need, a sentence each."""
    doubts: tuple[str, ...] = ()
    """What does not belong to the grade, a sentence each: so the grade cannot be verified."""


def read_bundle(path: Path, folder: Path, course: Course | None = None) -> Bundle:
    """Read a bundle, and lay out its files as in a course.

    Args:
        path: the zip.
        folder: an empty folder of this user, to write into.
        course: the course that gives the hidden data, where the bundle was made without them, and the interpreter of
            the notebooks.

    Raises:
        BundleError: it is no bundle, is damaged, or has something that a bundle may not have.
        UsageError: it was made without hidden data, and no course gives the same.
    """
    members = folder / "members"
    members.mkdir(mode=0o700)
    try:
        with path.open("rb") as file:
            extract(file, members, LIMITS, strict=True)
    except SubmissionError as error:
        raise BundleError(f"{path}: {error}") from error
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror or error})") from error
    try:
        return _laid_out(folder, members, course)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, HostError, CourseError) as error:
        raise BundleError(f"{path} is no bundle that this version can read: {one_line(str(error), 300)}") from error
    except OSError as error:
        raise unwritable(folder, error) from error


def _laid_out(folder: Path, members: Path, course: Course | None) -> Bundle:
    manifest = _manifest(members / MANIFEST)
    root = folder / COURSE
    root.mkdir(mode=0o700)
    submission = {}
    for path, file in manifest.files.items():
        if _leads_out(file.member) or _leads_out(path):
            raise ValueError(f"the path {path!r:.80} is refused")
    digests = {name: _digest(members / name) for name in {file.member for file in manifest.files.values()}}
    for path, file in manifest.files.items():
        member = members / file.member
        if digests[file.member] != (file.sha256, file.size):
            raise ValueError(f"{path!r:.80} is missing or damaged")
        top, _, inner_path = path.partition("/")
        if top == COURSE and inner_path:
            _link(member, root / inner_path)
        elif top == SUBMISSION and inner_path:
            submission[inner_path] = member
    files = {path: members / file.member for path, file in manifest.files.items()}
    as_bundled = _common(files[EXAM], root)
    common = replace(as_bundled, assignment=_harmless(as_bundled.assignment, course))
    if common.assignment.name != manifest.assignment:
        raise ValueError("its exam is another assignment's")
    if manifest.hidden == HIDDEN[1]:
        _take_hidden_data(common, manifest, course)
    for needed in (*common.modules, *([common.hidden] if common.hidden else [])):
        needed.mkdir(parents=True, exist_ok=True)
    work = _work(files[UNIT], common, submission, manifest)
    grade = result_json.from_json(_json(files[RESULT]))
    if (grade.student, grade.assignment) != (manifest.student, manifest.assignment):
        raise ValueError("its grade is of another submission")
    recorded = [[_optional(files, f"{RECORDINGS}/{n}.{kind}") for kind in _RECORDED] for n in range(len(work.exams))]
    recordings, wrong = bound(manifest, work, [Recording(*parts) for parts in recorded])
    requests, notes = _requests(files.get(REQUESTS))
    sentences = (*doubts(manifest, grade, as_bundled, work), *wrong)
    return Bundle(manifest, grade, work, recordings, requests, notes, sentences)


_RECORDED = ("run", "predictions")


def _requests(file: Path | None) -> tuple[tuple[Request, ...], tuple[str, ...]]:
    """Read the student's requests; a fault in them is a note, for the grade does not depend on them."""
    try:
        return (read_file(file, REQUESTS) if file else ()), ()
    except CourseError as error:
        return (), (f"what the student asked cannot be read ({one_line(str(error), 300)})",)


def _manifest(path: Path) -> Manifest:
    data = _json(path)
    if data.get("format") != FORMAT:
        raise ValueError("it has no manifest of a bundle")
    if data.get("version") != VERSION:
        raise ValueError(
            f"its version is {data.get('version')!r:.40}{_made_with(data)}, and this kit reads version {VERSION}"
        )
    manifest = from_plain(Manifest, data)
    if len(manifest.files) > LIMITS.members:
        raise ValueError(f"it names more than {LIMITS.members:,} files")
    if manifest.hidden not in HIDDEN:
        raise ValueError(f"hidden is {manifest.hidden!r:.40}")
    for role, name in (("student", manifest.student), ("assignment", manifest.assignment)):
        if not (is_folder_name(name) and name.isprintable()):
            raise ValueError(f"the name {name!r:.80} of the {role} is refused")
    return manifest


def _made_with(manifest: Mapping[str, Any]) -> str:
    """Name the version of the kit in a manifest of any version; empty where there is none."""
    environment = manifest.get("environment")
    kit = environment.get("kit") if isinstance(environment, dict) else None
    return f" (made with version {one_line(kit, 40)} of the kit)" if isinstance(kit, str) and kit else ""


def _common(path: Path, root: Path) -> Common:
    """Read what submissions share, with each path in it checked."""
    head = _json(path)
    paths = [head["hidden"], *head["modules"], *head["files"].values(), *head["files"]]
    for path_listed in paths:
        if path_listed not in (None, ".") and _leads_out(path_listed):
            raise ValueError(f"the path {path_listed!r:.80} is refused")
    common = common_in(pack(head, {}), root)
    for exam in common.exams:
        if _leads_out(exam.notebook) or "/" in exam.notebook:
            raise ValueError(f"the name {exam.notebook!r:.80} of a notebook is refused")
    if not common.exams or not common.modules:
        raise ValueError("it has no exam")
    if missing := [name for name, path_listed in common.files.items() if not path_listed.is_file()]:
        raise ValueError(f"{missing[0]!r:.80} is missing")
    return common


def _harmless(assignment: Assignment, course: Course | None) -> Assignment:
    """Return the settings without any that would run, or open, something of this machine.

    Raises:
        ValueError: a setting is not one that a course.yaml may have.
    """
    if _leads_out(assignment.name) or "/" in assignment.name:
        raise ValueError(f"the name {assignment.name!r:.80} of the assignment is refused")
    if assignment.sandbox not in sandboxes() or assignment.training not in TRAINING:
        raise ValueError(f"the sandbox {assignment.sandbox!r:.40} is not known")
    for limits in (assignment.limits, assignment, assignment.late):
        for name, (least, most) in RANGES.items():
            value = getattr(limits, name, None)
            if value is not None and not least <= value <= most:
                raise ValueError(f"{name} is {value!r:.40}; it may be {least:g} to {most:g}")
    local = None if course is None else course.assignments.get(assignment.name)
    return replace(
        assignment,
        files=(),
        hidden=(),
        prepare=None,
        environment=local.environment if local else None,
        settings={},
    )


def _take_hidden_data(common: Common, manifest: Manifest, course: Course | None) -> None:
    """Copy the course's hidden data, if they are those that the bundle was made without.

    Raises:
        UsageError: no course has them.
    """
    problem = "this bundle was made without the hidden data"
    if course is None or common.hidden is None:
        raise UsageError(f"{problem}; name a course that has them: --course DIR")
    hidden_here = course.hidden(manifest.assignment)
    if not hidden_here.is_dir() or folder_key(hidden_here) != manifest.hidden_key:
        raise UsageError(f"{problem}, and those in {hidden_here} are others")
    for path in hidden_here.rglob("*"):
        if path.is_file() and not path.is_symlink():
            _link(path, common.hidden / path.relative_to(hidden_here))


def _work(path: Path, common: Common, submission: Mapping[str, Path], manifest: Manifest) -> Work:
    unit = _json(path)
    for name in (*unit["own"], *unit["odd"]):
        if _leads_out(name):
            raise ValueError(f"the path {name!r:.80} is refused")
    if missing := [name for name in unit["own"] if name not in submission]:
        raise ValueError(f"{missing[0]!r:.80} is missing")
    if any(_ODD.fullmatch(kind) is None for kind in unit["odd"].values()) or submission.keys() & unit["odd"].keys():
        raise ValueError("a file of the submission is of an unknown kind")
    if unit["student"] != manifest.student:
        raise ValueError("its submission is another student's")
    if unit["observe"] is not False:
        raise ValueError("its submission is to be allowed what only a solution is")
    if (
        sum(file.stat().st_size for file in submission.values())
        > 2 * submission_limits(common.assignment.limits.file_mib).total_bytes
    ):
        raise ValueError("its submission is too large")
    contents = {name: file.read_bytes() for name, file in submission.items()}
    unit_folder = common.root / STATE / "second-look"
    unit_folder.mkdir(parents=True, mode=0o700)
    return unpack_unit(pack(unit, contents), common, unit_folder)


_ODD = re.compile("link|folder|pipe|[0-9]{1,12}")


def _json(path: Path) -> Any:
    if path.stat().st_size > MAX_JSON_BYTES:
        raise ValueError(f"{path.name} is too large")
    data = loads(path.read_bytes())
    if type(data) is not dict:
        raise TypeError(f"{path.name} is not a record")
    return data


def _optional(files: Mapping[str, Path], name: str) -> bytes:
    if name not in files:
        return b""
    if files[name].stat().st_size > MAX_RECORDING_BYTES:
        raise ValueError(f"{name} is too large")
    return files[name].read_bytes()


def _digest(path: Path) -> tuple[str, int] | None:
    """Digest a member, and return its size; None if there is none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def _link(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.link(path, target)
    except OSError:  # another file system
        shutil.copyfile(path, target)


def _leads_out(name: Any) -> bool:
    """Tell whether a path is none, or none that stays in its folder."""
    if type(name) is not str or not name or "\0" in name or name.startswith("/"):
        return True
    return any(part in ("", ".", "..") for part in name.split("/"))
