"""Cache of exams in ``.autograder/exams/``: grading reads them until one of their sources changes.

Making an exam takes nbgrader's preprocessors, and importing these takes longer than a whole rescore. The file
can be deleted; then the next command makes it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from autograder._util.digests import digest, own_code
from autograder._util.files import write_atomically
from autograder._util.plain_records import from_plain, to_plain
from autograder.course.nbgrader_config import read_nbgrader_config
from autograder.errors import CourseError, HostError
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam
from autograder.release.formats import file_rules
from autograder.release.left_out import source_notebooks
from autograder.release.preparation import check_prepared
from autograder.release.record import OWN_MODULES, Release, ReleasedNotebook
from autograder.release.release_files import release_files
from autograder.release.visible_data import visible_data
from autograder.syntax.course_modules import module_folders, star_names, state_names


def save(course: Course, assignment: Assignment, release: Release) -> None:
    """Save the exams of a release that was just built from the course.

    A notebook with an AUTOTEST line is run to make its exam, so the result may depend on anything: it is not saved.
    If the course folder cannot be written, the command continues without a cache.
    """
    sources = _sources(course, assignment)
    if _runs_notebooks(course, sources):
        return
    notebooks = [
        {"text": notebook.text, "exam": to_plain(notebook.exam), "tests": dict(notebook.tests)}
        for notebook in release.notebooks
    ]
    content = {"key": _key(course, assignment, sources), "modules": sorted(release.modules), "notebooks": notebooks}
    with contextlib.suppress(HostError):
        write_atomically(_path(course, assignment), json.dumps(content) + "\n", mode=0o600)


def load(course: Course, assignment: Assignment) -> Release | None:
    """Load the release from the cache; None if there is none, it is damaged, or a source has changed.

    Raises:
        CourseError: a file of the course is missing or cannot be read.
    """
    check_prepared(course, assignment)
    try:
        content = json.loads(_path(course, assignment).read_bytes())
        sources = _sources(course, assignment)
        if content["key"] != _key(course, assignment, sources):
            return None
        notebooks = tuple(_notebook(entry) for entry in content["notebooks"])
        modules = frozenset(map(str, content["modules"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if not _has_its_stars(course, assignment, [notebook.exam for notebook in notebooks]):
        return None
    names = [f"{notebook.name}.ipynb" for notebook in notebooks]
    data = visible_data(course.source(assignment.name), [(notebook.exam, notebook.tests) for notebook in notebooks])
    files = release_files(course, assignment, names, sources, data)
    return Release(assignment, notebooks, files.found, files.left_out, modules)


def _notebook(entry: dict[str, Any]) -> ReleasedNotebook:
    tests = {str(path): str(text) for path, text in entry["tests"].items()}
    return ReleasedNotebook(str(entry["text"]), from_plain(Exam, entry["exam"]), tests)


def _has_its_stars(course: Course, assignment: Assignment, exams: Sequence[Exam]) -> bool:
    """Tell whether the course's modules bind the same names as before, and share state as before."""
    folders = module_folders(course.source(assignment.name), course.root, exams)
    return all((star_names(e, folders), state_names(e, folders)) == (e.stars, e.state) for e in exams)


def _path(course: Course, assignment: Assignment) -> Path:
    return course.state / "exams" / f"{assignment.name}.json"


def _sources(course: Course, assignment: Assignment) -> dict[Path, bytes]:
    """Read the files that an exam is made of, by their paths.

    They are the notebooks, nbgrader's header and footer, and the configuration files of otter notebooks.

    Raises:
        CourseError: one cannot be read.
    """
    folder = course.source(assignment.name)
    options = read_nbgrader_config(course.root).values.get("IncludeHeaderFooter", {})
    templates = [course.root / str(options[name]) for name in ("header", "footer") if options.get(name)]
    sources = [*source_notebooks(course, assignment), *sorted(folder.rglob("*.y*ml"))]
    paths = [*sources, *(path for path in templates if path.is_file())]
    try:
        contents = {path: path.read_bytes() for path in paths}
        notebooks = {path: content for path, content in contents.items() if path.suffix == ".ipynb"}
        shared = [path for rules in file_rules(folder.resolve(), notebooks) for path in rules.sources]
        return contents | {path: path.read_bytes() for path in shared}
    except OSError as error:
        raise CourseError(f"{error.filename} cannot be read ({error.strerror or error})") from error


def _runs_notebooks(course: Course, sources: Mapping[Path, bytes]) -> bool:
    """Tell whether a build runs a notebook: nbgrader's AUTOTEST makes tests from the solution's results."""
    configured = read_nbgrader_config(course.root).values.get("InstantiateTests")
    return bool(configured) or any(b"AUTOTEST" in content for content in sources.values())


def _key(course: Course, assignment: Assignment, sources: Mapping[Path, bytes]) -> str:
    """Digest everything that a build depends on: sources, nbgrader's options, and the code of both packages."""
    modules = [path for form in OWN_MODULES for path in course.root.glob(form)]
    modules += course.source(assignment.name).rglob("*.py")
    return digest(
        {str(path): hashlib.sha256(content).hexdigest() for path, content in sources.items()},
        repr(read_nbgrader_config(course.root)),
        assignment.points,
        repr(assignment.examine),
        repr(assignment.weights),
        assignment.limits.file_mib,
        repr(assignment.answers),
        repr(assignment.carried),
        own_code(),
        [metadata.version(name) for name in ("nbgrader", "nbformat")],
        {path.as_posix(): _digest(path) for path in modules},
    )


def _digest(path: Path) -> str:
    """Digest a module, as its names decide what tests need; empty if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
