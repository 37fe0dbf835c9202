"""Packing of a submission: one zip, with a receipt.

    notebook → checked against the release → zip with submission.json → Receipt

Only a student's installation is needed here: nbformat, no nbgrader.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

from autograder._util.files import unwritable, write_atomically
from autograder._util.student_names import student_name
from autograder._util.text import is_same_text, one_line, visible
from autograder.errors import SubmissionError, UsageError
from autograder.records.dates import TIMESTAMP
from autograder.submissions.archive import scan
from autograder.submissions.folder import open_file, read_chunks
from autograder.submissions.local_imports import local_modules
from autograder.submissions.manifest import FORMAT, MANIFEST
from autograder.submissions.members import (
    CHUNK,
    LARGEST,
    MIB,
    ArchiveLimits,
    Member,
    is_junk,
    mark_collisions,
    name_problem,
    submission_limits,
)
from autograder.submissions.module_faults import module_fault
from autograder.submissions.notebook_inspection import (
    asked_files,
    assignment_of,
    compare,
    file_mib_of,
    has_stub,
    own_code,
    read_cells,
    source_of,
)
from autograder.submissions.student_habits import habits

_STORED_BYTES = 8 * MIB
"""Size from which a file is not compressed: weights hardly get smaller, and what does looks like a zip bomb."""
_COMPARED_BYTES = 4 * MIB
"""Size up to which a file is compared as a text, whose line endings may differ."""
_ANY_SIZE = replace(LARGEST, member_bytes=sys.maxsize)
_ZIP_DATES = (datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, tzinfo=UTC))
"""First and last date that a zip can hold; submission.json holds the exact time."""
_QUOTED = re.compile(r"""["']([^"'\n]{1,200})["']""")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A student's receipt: the archive, and the state of the work at this time."""

    path: Path
    """The zip to hand in."""
    sha256: str
    """Hash of the zip."""
    timestamp: datetime
    """UTC."""
    student: str
    assignment: str
    files: tuple[str, ...]
    """Files in the zip, except submission.json."""
    answered: tuple[str, ...]
    """grade_ids of the answer cells with an answer, in the notebook's order; then answer files that were changed."""
    unanswered: tuple[str, ...]
    """grade_ids of the answer cells that are missing, or still as released; then such files."""
    warnings: tuple[str, ...]
    team: tuple[str, ...] = ()
    """The others who hand in together with the student."""

    def text(self) -> str:
        """Write the receipt for a terminal: packed files, unanswered questions, warnings."""
        total = len(self.answered) + len(self.unanswered)
        lines = [
            f"Packed    {self.path}",
            f"for       {' and '.join([self.student, *self.team])}, {self.assignment}",
            f"at        {self.timestamp:%Y-%m-%d %H:%M:%S} UTC",
            f"sha256    {self.sha256}",
            f"files     {', '.join(self.files)}",
            f"answered  {len(self.answered)} of {total}",
        ]
        if self.unanswered:
            lines.append(f"not yet   {', '.join(self.unanswered)}")
        lines += [f"warning   {warning}" for warning in self.warnings]
        return visible("\n".join(lines))


@dataclass(frozen=True, slots=True)
class NeededFile:
    """A file that goes with a notebook."""

    folder: Path
    name: str
    """Path below the folder."""
    size: int
    """Bytes."""
    problem: str = ""
    """Reason why it cannot go along, as a sentence; empty if it can."""
    content: bytes | None = None
    """Its bytes, if they were read already."""

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes in pieces.

        Raises:
            SubmissionError: it cannot be read any more.
        """
        if self.content is not None:
            return iter([self.content])
        return read_chunks(self.folder, self.name, LARGEST)


def pack(
    notebook: Path,
    *,
    student: str,
    release: Path | None = None,
    assignment: str | None = None,
    out: Path | None = None,
    now: datetime | None = None,
    team: Sequence[str] = (),
    more_files: Iterable[Path] = (),
) -> Receipt:
    """Check a student's notebook and pack it for handing in.

    The package has the notebook with the files beside it that its code names (quoted, or imported) and that the release
    does not have. Smaller faults are warnings in the receipt. Files are read in pieces, and never held whole.

    Args:
        notebook: the student's notebook, or its folder.
        student: the student's name or number.
        release: the released notebook or its folder. With it, answered cells are told exactly, and unchanged files are
            left out.
        assignment: its name; default: the name that the release wrote into the notebook, else that of the release's
            folder, else of the notebook's.
        out: the folder for ``<assignment>-<student>-<time>.zip``; default: the notebook's.
        now: the time of handing in; default: now.
        team: the names or numbers of the others who hand in together with the student.
        more_files: further files in the notebook's folder, which must go along.

    Returns:
        The receipt.

    Raises:
        SubmissionError: the notebook could not be graded (not JSON, not nbformat 4, too large), or a named file is not
            taken.
        UsageError: a path does not exist, which notebook of the folder is meant cannot be told, or a named file lies in
            another folder.
    """
    notebook = notebook_in(notebook, release)
    student = student_name(student)
    team = tuple(dict.fromkeys(map(student_name, team)))
    if not notebook.is_file():
        raise UsageError(f"There is no notebook {notebook}.")
    released_path = released_notebook(notebook, release)
    try:
        data = b"".join(read_chunks(notebook.resolve().parent, notebook.resolve().name, LARGEST))
    except SubmissionError as error:
        raise SubmissionError(f"{notebook} cannot be packed. {error}") from error
    student_cells, notes = read_cells(notebook.name, data)
    # What the release wrote into its notebook decides: students name their folders as they like.
    assignment = _assignment(assignment or assignment_of(data) or (released_path or notebook.resolve()).parent.name)
    released = read_cells(released_path.name, released_path.read_bytes())[0] if released_path else None
    answered, unanswered, more = compare(student_cells, released)
    asked_for = _asked_for(notebook, released_path)
    must_go = _beside(notebook, more_files)
    modules, nowhere = _local(notebook, student_cells, released_path, asked_for)
    limits = submission_limits(file_mib_of(data if released_path is None else released_path.read_bytes()))
    book = NeededFile(notebook.parent, notebook.name, len(data), content=data)
    if problem := _problem(book, {}, limits):
        raise SubmissionError(f"{notebook} cannot be packed: {problem}")
    files = {notebook.name if released_path is None else released_path.name: book}
    left_out: dict[str, str] = {}
    wanted = {*asked_for, *must_go}
    beside = _files_beside(notebook, student_cells, released_path, wanted, modules)
    # Room is for the files that the release or the student asks for, then for many small ones.
    for file in sorted(beside, key=lambda file: (file.name not in wanted, file.size)):
        if problem := _problem(file, files, limits):
            left_out[file.name] = f"{file.name} was left out: {problem}"
        else:
            files.setdefault(file.name, file)
    if lost := [name for name in must_go if name not in files]:
        raise SubmissionError(left_out.get(lost[0], f"{lost[0]} is not taken."))
    more += left_out.values()
    changed, unchanged = _answer_files(asked_for, files, released_path)
    answered, unanswered = (*answered, *changed), (*unanswered, *unchanged)
    more += [f"{name} was asked for and is not beside the notebook." for name in sorted(asked_for - files.keys())
             if not (notebook.parent / name).is_file()]  # fmt: skip
    modules_packed = {name: files[name] for name in sorted(asked_for & files.keys()) if name.endswith(".py")}
    more += filter(None, (module_fault(name, b"".join(file.chunks())) for name, file in modules_packed.items()))
    more += [_NOWHERE.format(name=one_line(name)) for name in nowhere]
    more += _backslashes(notebook, student_cells)
    more += map(str, habits(own_code(student_cells, released)))
    timestamp = (now or datetime.now(UTC)).astimezone(UTC)
    path = (out or notebook.parent) / f"{assignment}-{student}-{timestamp:%Y%m%dT%H%M%SZ}.zip"
    with _zip(files, student, assignment, timestamp, team, path.parent) as packed:
        scan(packed, limits)
        packed.seek(0)
        sha256 = hashlib.file_digest(packed, "sha256").hexdigest()
        packed.seek(0)
        write_atomically(path, iter(partial(packed.read, CHUNK), b""))
    return Receipt(
        path=path,
        sha256=sha256,
        timestamp=timestamp,
        student=student,
        assignment=assignment,
        files=tuple(sorted(files)),
        answered=answered,
        unanswered=unanswered,
        warnings=(*notes, *more),
        team=tuple(team),
    )


def _assignment(name: str) -> str:
    try:
        return student_name(name)
    except SubmissionError as error:
        raise UsageError(f"“{one_line(name)}” cannot be an assignment: name the notebook's folder after it.") from error


def notebook_in(folder: Path, release: Path | None) -> Path:
    """Find the notebook of a folder: the only one, else the one that was released. A file is itself.

    Raises:
        UsageError: there is none, or several may be meant.
    """
    if not folder.is_dir():
        return folder
    notebooks = [path for path in sorted(folder.glob("*.ipynb")) if path.is_file() and not is_junk(path.name)]
    if release is not None:
        notebooks = [path for path in notebooks if (release / path.name).is_file()] or notebooks
    released = [path for path in notebooks if assignment_of(path.read_bytes())]
    chosen = released if len(released) == 1 else notebooks
    if not chosen:
        raise UsageError(f"There is no notebook in {folder}: put the one of the release there.")
    if len(chosen) > 1 and release is None:
        names = ", ".join(path.name for path in chosen)
        raise UsageError(f"There are several notebooks in {folder} ({names}): name one, or the release with --release.")
    return chosen[0]


def released_notebook(notebook: Path, release: Path | None) -> Path | None:
    """Find the released notebook that a student's notebook was made from.

    Args:
        notebook: the student's notebook.
        release: the released notebook, or its folder.

    Raises:
        UsageError: there is none in the folder.
    """
    if release is None:
        return None
    path = release / notebook.name if release.is_dir() else release
    if release.is_dir() and not path.is_file():
        # Browsers save a second download as “ps1 (1).ipynb”; with one notebook released, it can only be that.
        path = next(iter(notebooks), path) if len(notebooks := sorted(release.glob("*.ipynb"))) == 1 else path
    if not path.is_file():
        raise UsageError(f"There is no released notebook {path}; name the file itself with --release.")
    return path.resolve()


def _code(cells: list[Mapping[str, Any]]) -> str:
    return "\n".join(source_of(c) for c in cells if c.get("cell_type") == "code")


def _beside(notebook: Path, paths: Iterable[Path]) -> list[str]:
    """Return the paths of files from the notebook's folder.

    Raises:
        UsageError: a file lies elsewhere.
    """
    folder = notebook.absolute().parent
    if lost := [path for path in paths if not path.absolute().is_relative_to(folder) or ".." in path.parts]:
        raise UsageError(f"{lost[0]} is not in the folder of {notebook.name}: copy it there, where the code finds it.")
    return [path.absolute().relative_to(folder).as_posix() for path in paths]


def _problem(file: NeededFile, files: Mapping[str, NeededFile], limits: ArchiveLimits) -> str:
    """Return why a file cannot go with the others, as a sentence; empty if it can."""
    together = sum(other.size for other in files.values()) + file.size
    most = limits.member_bytes // MIB
    if file.problem:
        return file.problem
    if file.size > limits.member_bytes:
        return f"it has {file.size / MIB:,.1f} MiB, and this assignment takes files of at most {most} MiB."
    if together > limits.archive_bytes - MIB:
        room = limits.archive_bytes // MIB - 1
        return f"with it the files have {together / MIB:,.1f} MiB, and this assignment takes {room} MiB together."
    if _collides(file.name, files):
        return "only capitals or accents tell its path from another's; rename one."
    return ""


def _collides(name: str, files: Iterable[str]) -> bool:
    """Tell whether collecting would refuse the file beside ``files``: Windows and macOS ignore case in names."""
    names = dict.fromkeys([*files, name])
    return any(member.problem for member in mark_collisions(Member(name, 0) for name in names))


def _backslashes(notebook: Path, cells: list[Mapping[str, Any]]) -> Iterator[str]:
    """Warn about paths that only Windows understands."""
    for quoted in sorted(set(_QUOTED.findall(_code(cells)))):
        name = re.sub(r"\\+", "/", quoted)
        if name != quoted and not name_problem(name) and (notebook.parent / name).is_file():
            yield f"The code names “{one_line(quoted)}”: write {name}, since notebooks are graded on Linux."


def needed_files(
    notebook: Path, cells: list[Mapping[str, Any]], released: Path | None, tests: Sequence[str] = ()
) -> Iterator[NeededFile]:
    """Yield the files that belong to a notebook and can be read.

    These are the release's other notebooks, files that the code names, modules that it imports, and those that the
    release asks for. With the sources of ``tests``, what these import belongs to it, too.
    The folder is never listed: it may be a downloads folder, and its other files are private.
    """
    asked_for = _asked_for(notebook, released)
    modules, _ = _local(notebook, cells, released, asked_for, tests)
    beside = _files_beside(notebook, cells, released, asked_for, modules)
    return (file for file in beside if not file.problem)


def answer_modules_of(notebook: Path, released: Path | None) -> tuple[list[str], list[str], list[str]]:
    """Return the modules that students write in: all that are there, the changed ones, and those still to write."""
    names = sorted(name for name in _asked_for(notebook, released) if name.endswith(".py") and not name_problem(name))
    files: dict[str, NeededFile] = {}
    for name in names:
        with contextlib.suppress(SubmissionError):
            content = b"".join(read_chunks(notebook.parent, name, LARGEST))
            files[name] = NeededFile(notebook.parent, name, len(content), content=content)
    return list(files), *_answer_files(names, files, released)


def _asked_for(notebook: Path, released: Path | None) -> set[str]:
    """Collect the files that the release asks for, as the student's notebook and the released one say."""
    return {name for path in (notebook, released) if path is not None for name in asked_files(path.read_bytes())}


def _files_beside(
    notebook: Path, cells: list[Mapping[str, Any]], released: Path | None, asked_for: Set[str], modules: Iterable[str]
) -> Iterator[NeededFile]:
    mentioned = {*_QUOTED.findall(_code(cells)), *modules, *asked_for}
    for name in {*modules, *asked_for}:
        with contextlib.suppress(SubmissionError):
            is_module = name.endswith(".py") and not name_problem(name)
            mentioned |= _quoted_in(notebook.parent, name) if is_module else set()
    if released is not None:
        mentioned |= {p.name for p in released.parent.glob("*.ipynb")}
    for name in sorted(mentioned - {notebook.name, MANIFEST, TIMESTAMP}):
        if name_problem(name) or is_junk(name):
            continue
        try:
            with open_file(notebook.parent, name, _ANY_SIZE) as opened:
                file = NeededFile(notebook.parent, name, os.fstat(opened.fileno()).st_size)
        except SubmissionError as error:
            with contextlib.suppress(OSError):
                if (notebook.parent / name).is_file():
                    yield NeededFile(notebook.parent, name, 0, f"{str(error)[0].lower()}{str(error)[1:]}")
            continue
        if name in asked_for or released is None or not _is_as_released(file, released.parent / name):
            yield file


def _is_as_released(file: NeededFile, original: Path) -> bool:
    if not original.is_file():
        return False
    if file.size <= _COMPARED_BYTES:
        return is_same_text(b"".join(file.chunks()), original.read_bytes())
    if original.stat().st_size != file.size:
        return False
    if file.size > LARGEST.member_bytes:  # it could not go along
        return True
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    with original.open("rb") as opened:
        return digest.digest() == hashlib.file_digest(opened, "sha256").digest()


def _quoted_in(folder: Path, name: str) -> set[str]:
    """Return what a module beside the notebook quotes: it may read such a file."""
    return set(_QUOTED.findall(b"".join(read_chunks(folder, name, LARGEST)).decode("utf-8", "replace")))


def _answer_files(
    asked_for: Iterable[str], files: Mapping[str, NeededFile], released: Path | None
) -> tuple[list[str], list[str]]:
    """Return the files that the release asks for and that were changed, and the others.

    Without the release, a module is changed unless a stub is left in it. A file of weights counts where it is there.
    """
    names = sorted(name for name in asked_for if name.endswith(".py") or name in files)

    def is_changed(name: str) -> bool:
        if not name.endswith(".py"):
            return name in files and files[name].size > 0
        content = b"".join(files[name].chunks()) if name in files else b""
        original = released.parent / name if released is not None else None
        if original is None or not original.is_file():
            return bool(content.strip()) and not has_stub(content.decode("utf-8", "replace"))
        return bool(content.strip()) and not is_same_text(content, original.read_bytes())

    changed = [name for name in names if is_changed(name)]
    return changed, [name for name in names if name not in changed]


def dotted_names(paths: Iterable[str]) -> list[str]:
    """Return the names under which modules are imported; a path that no import has is left out."""
    names = [path.removesuffix(".py").removesuffix("/__init__").split("/") for path in paths if path.endswith(".py")]
    return [".".join(parts) for parts in names if all(map(str.isidentifier, parts))]


_NOWHERE = "The code imports {name}, which is neither beside the notebook nor installed here."


def _local(
    notebook: Path,
    cells: list[Mapping[str, Any]],
    released: Path | None,
    asked_for: Iterable[str],
    tests: Sequence[str] = (),
) -> tuple[list[str], list[str]]:
    """Find the modules that a notebook or its answer files import from beside it, and those that are nowhere."""

    def content_of(name: str) -> bytes | None:
        for folder in (notebook.parent, *([released.parent] if released is not None else [])):
            with contextlib.suppress(SubmissionError):
                if not name_problem(name):
                    return b"".join(read_chunks(folder, name, LARGEST))
        return None

    sources = [source_of(cell) for cell in cells if cell.get("cell_type") == "code"]
    answer_paths = [name for name in sorted(asked_for) if (notebook.parent / name).is_file()]
    sources += [*(f"import {name}" for name in dotted_names(answer_paths)), *tests]
    quoted = {name.removeprefix("./") for name in _QUOTED.findall("\n".join(sources))}
    folders = sorted(name for name in quoted if not name_problem(name) and (notebook.parent / name).is_dir())
    return local_modules(sources, folders, content_of)


@contextlib.contextmanager
def _zip(
    files: Mapping[str, NeededFile],
    student: str,
    assignment: str,
    timestamp: datetime,
    team: Sequence[str],
    folder: Path,
) -> Iterator[io.BufferedRandom]:
    """Make the zip: sorted, one date, one mode, so that equal files and times give equal bytes."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".") as file:
            digests = {}
            with zipfile.ZipFile(file, "w") as archive:
                for name, needed in sorted(files.items()):
                    digests[name] = _add(archive, name, needed.size, timestamp, needed.chunks())
                manifest: dict[str, Any] = {
                    "format": FORMAT,
                    "assignment": assignment,
                    "student": student,
                    **({"team": list(team)} if team else {}),
                    "timestamp": timestamp.isoformat(),
                    "sha256": digests,
                }
                text = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
                _add(archive, MANIFEST, len(text), timestamp, [text])
            yield cast("io.BufferedRandom", file.file)
    except OSError as error:
        raise unwritable(folder, error) from error


def _add(archive: zipfile.ZipFile, name: str, size: int, timestamp: datetime, chunks: Iterable[bytes]) -> str:
    """Write a file into an archive; return its SHA-256, of the bytes that were written."""
    info = zipfile.ZipInfo(name, min(max(timestamp, _ZIP_DATES[0]), _ZIP_DATES[1]).timetuple()[:6])
    info.external_attr = 0o100644 << 16
    info.create_system = 3  # Unix: the permissions above are Unix's
    info.compress_type = zipfile.ZIP_STORED if size > _STORED_BYTES else zipfile.ZIP_DEFLATED
    info.file_size = size
    digest = hashlib.sha256()
    with archive.open(info, "w") as member:
        for chunk in chunks:
            digest.update(chunk)
            member.write(chunk)
    return digest.hexdigest()
