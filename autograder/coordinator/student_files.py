"""A student's files beside the notebooks: which go along, which stand for an answer, and which the release replaces.

Whatever is given is the instructor's. What is said of a file is for the student, and counted for the class.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder._util.digests import regular_files
from autograder._util.text import is_same_text
from autograder.records.dates import ORIGIN, TIMESTAMP
from autograder.records.exam import Exam
from autograder.records.limits import MAX_ANSWER_BYTES
from autograder.release.student_bundle import FOLDER
from autograder.submissions.answer_copies import copies, is_copy, is_released

MAX_OWN_FILES = 200
"""Largest number of files that a student may add; each is a mount in the sandbox.

Further ones are left out: those of earlier assignments first, then in the order of their names.
"""
MAX_COMPARED_BYTES = 4 << 20
"""Largest file whose difference from the release is looked for."""


@dataclass(frozen=True, slots=True)
class StudentFiles:
    """The files of one submission."""

    files: Mapping[str, Path]
    """Path beside the notebook → file that was handed in."""
    said: Mapping[str, str]
    """Path → sentence about a file that did not run as it was handed in."""
    skeletons: Mapping[str, str] = field(default_factory=dict)
    """Answer file that goes on → its released text, which runs: the student may not have the course's."""


@dataclass(frozen=True, slots=True)
class CarriedFiles:
    """Files of a student's from earlier assignments."""

    files: Mapping[str, Path] = field(default_factory=dict)
    """Path there → file."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Path there → earlier assignment."""
    still_open: Mapping[str, str] = field(default_factory=dict)
    """Answer file → earlier assignment in which the student can still hand it in."""
    late: frozenset[str] = frozenset()
    """Earlier assignments that were handed in after the present one was due."""


def student_files(
    folder: Path,
    provided: Mapping[str, Path],
    exams: Collection[Exam],
    open_files: Collection[str] = (),
    carried: CarriedFiles = CarriedFiles(),
) -> StudentFiles:
    """Sort the further files of a submission; the release's file of the same name wins, unless it is an answer.

    A copy of this package (the bundle of a release) is left out: nobody grades with what a student may have changed.
    So is compiled code, and a module that would be imported in place of one of the assignment's.

    Files of an earlier assignment count as if they had been handed in here. A copy that was handed in here comes first,
    unless it is as it was released. The course's stands in for a missing one as soon as no such hand-in can come.

    Args:
        folder: the submission.
        provided: path beside the notebook → file of the release.
        exams: the notebooks; they name the answer files.
        open_files: ``answers`` of course.yaml. A released file of another kind that is named there is the student's.
        carried: what the student has from earlier assignments.
    """
    answers = {cell.file: cell.released for exam in exams for cell in exam.answer_files}
    every = {path.relative_to(folder).as_posix(): path for path in regular_files(folder) if path.suffix != ".ipynb"}
    skeletons = {cell.file: cell.released for exam in exams for cell in exam.answer_files if cell.carried}
    handed_in = {
        name: path for name, path in every.items() if _goes_along(name) and not _is_skeleton(name, path, skeletons)
    }
    earlier = {name: path for name, path in carried.files.items() if _goes_along(name) and path.suffix != ".ipynb"}
    files: dict[str, Path] = {}
    sentences: dict[str, str] = {}
    released: dict[str, str] = {}
    for name, skeleton in answers.items():
        origin, candidates = _place_of(name, handed_in, skeleton, {*answers, *provided})
        is_large = bool(origin) and handed_in[origin].lstat().st_size > MAX_ANSWER_BYTES
        too_large = f"{name} is larger than {MAX_ANSWER_BYTES >> 20} MiB, so"
        if origin and not is_large:
            files[name] = handed_in.pop(origin)
            if origin != name:
                sentences[name] = f"{name} was found as {origin}."
            elif name in earlier:
                sentences[name] = f"{name} was handed in here, and ran in place of your {carried.origins[name]}'s."
            earlier.pop(name, None)
        elif name in skeletons and (origin := _place_of(name, earlier, "", {*answers, *provided})[0]):
            files[name] = earlier.pop(origin)
            earlier_name = carried.origins[origin]
            when = ", after this assignment was due" if earlier_name in carried.late else ""
            whose = f"the one that you handed in for {earlier_name}{when}"
            sentences[name] = f"{too_large} {whose} ran." if is_large else f"{name} is {whose}."
        elif is_large:
            sentences[name] = f"{too_large} it ran as it was released."
            released |= {name: skeletons[name]} if name in skeletons else {}
        elif name in skeletons and name in carried.still_open:
            wait = f"hand yours in, or wait until {carried.still_open[name]} is closed"
            sentences[name] = f"{name} is as released: {wait}."
            released[name] = skeletons[name]
        elif name in skeletons:
            sentences[name] = f"{name} is your course's: none of yours was found."
        elif candidates:
            sentences[name] = f"{name} may be any of {', '.join(candidates)}, so it ran as it was released."
        else:
            kind = "is no regular file" if (folder / name).is_symlink() or (folder / name).exists() else _MISSING
            sentences[name] = f"{name} {kind}, so it ran as it was released."
    modules = {module_name(name): name for name in (*answers, *provided) if name.endswith(".py")}
    further = _without_collisions(earlier, {*answers, *provided, *every})
    for name, path in {**handed_in, **further}.items():
        if name in provided and any(PurePosixPath(name).match(pattern) for pattern in open_files):
            files[name] = path
        elif name in provided:
            if not _is_same(path, provided[name]):
                sentences[name] = f"{name} ran as it was released: yours differs, and it is no file to write in."
        elif any(name == answer or name.startswith(f"{answer}/") for answer in answers):
            continue
        elif shadowed := modules.get(module_name(name)):
            sentences[name] = f"{name} was left out: it would have run in place of {shadowed}."
        else:
            files[name] = path
    most = MAX_OWN_FILES + len(answers)
    if left_out := list(files)[most:]:
        subject = f"and {len(left_out) - 1} more were" if len(left_out) > 1 else "was"
        sentences[left_out[0]] = (
            f"{left_out[0]} {subject} left out: at most {MAX_OWN_FILES} files of your own go along."
        )
    return StudentFiles({name: files[name] for name in list(files)[:most]}, sentences, released)


_MISSING = "was not handed in"


def _without_collisions(files: dict[str, Path], names_taken: Iterable[str]) -> dict[str, Path]:
    """Leave out what equals a taken path or a later one, or cannot lie beside it as file and folder."""
    if not files:
        return {}
    paths = set(names_taken)
    folders = {folder for name in paths for folder in _folders(name)}
    harmless: dict[str, Path] = {}
    for name in reversed(files):
        above = _folders(name)
        if name not in paths and name not in folders and paths.isdisjoint(above):
            harmless[name] = files[name]
            paths.add(name)
            folders.update(above)
    return {name: harmless[name] for name in files if name in harmless}


def _folders(name: str) -> list[str]:
    return [str(folder) for folder in PurePosixPath(name).parents][:-1]


def _goes_along(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return name not in (TIMESTAMP, ORIGIN) and parts[0] not in (FOLDER, f"{FOLDER}.py") and "__pycache__" not in parts


def module_name(name: str) -> str:
    """Return the name under which Python imports a file: ``cs231n.layers`` for ``cs231n/layers.py``."""
    path = PurePosixPath(name)
    if path.suffix not in (".py", ".pyc", ".so"):
        return ""
    parts = [*path.parent.parts, path.name.split(".")[0]]
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _place_of(
    answer: str, handed_in: Mapping[str, Path], skeleton: str, reserved: Collection[str]
) -> tuple[str, list[str]]:
    """Find an answer file among those that were handed in; empty if none is it.

    One in its place is it, unless that is as it was released and another one is not. Several that may be it are listed.
    """
    if answer in handed_in and not is_released(handed_in[answer], skeleton):
        return answer, []
    candidates = copies(answer, handed_in, skeleton, reserved)
    if len(candidates) == 1:
        return candidates[0], []
    return answer if answer in handed_in and not candidates else "", candidates


def _is_skeleton(name: str, path: Path, skeletons: Mapping[str, str]) -> bool:
    """Tell whether a file is a skeleton as it was released, in its place or in another one."""
    is_package = PurePosixPath(name).stem == "__init__"
    places = [name] if is_package else [answer for answer in skeletons if is_copy(name, answer)]
    return any(place in skeletons and is_released(path, skeletons[place]) for place in places)


def _is_same(path: Path, released: Path) -> bool:
    """Tell whether a file is as it was released, but for line endings and spaces before them."""
    size = path.lstat().st_size
    if size > MAX_COMPARED_BYTES:
        return size == released.stat().st_size
    return is_same_text(released.read_bytes(), path.read_bytes())
