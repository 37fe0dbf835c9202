"""Files of a release beside its notebooks: which are released, which are left out, and which must be listed first."""

from __future__ import annotations

import filecmp
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from autograder.course.nbgrader_config import FilePatterns, file_patterns, read_nbgrader_config
from autograder.course.paths import inside, is_hidden
from autograder.errors import CourseError
from autograder.records.course import Assignment, Course
from autograder.release import calibration_record
from autograder.release.answer_paths import SOLUTIONS, answer_paths, carried_answers
from autograder.release.formats import FileRules, file_rules
from autograder.release.left_out import LEFT_OUT_REASON, left_out, source_notebooks
from autograder.syntax.course_modules import TESTS, test_files

_CACHES = frozenset({".ipynb_checkpoints", "__pycache__", ".git", ".DS_Store"})
"""Names of files and folders that belong to tools. No release has them, and no message mentions them."""
_GITS = frozenset({".gitignore", ".gitkeep", ".gitattributes"})
"""Names that are treated the same, unless they are listed."""
_SOLUTION = "solution*.py"
_GRADEBOOK = "gradebook*.db*"
_IGNORED = "c.CourseDirectory.ignore or include"
_EXAMINERS = "tests are the examiner's; students get the visible ones"
_OF_ANSWERS = "solutions of answer files"
_CALIBRATION = "for `autograder calibrate`; students never get it"
_FOREIGN = "notebooks in folders are not stripped"


@dataclass(frozen=True, slots=True)
class ReleaseFiles:
    """The files of a release beside its notebooks."""

    found: dict[str, Path]
    """Place in the release → file."""
    left_out: dict[str, str]
    """Place of a file that is left out → reason."""
    answers: dict[str, Path]
    """Path in the release → file in which students write; if it is a module, it is neither found nor left out."""
    carried: set[str]
    """Answer files that go on from earlier assignments."""
    rules: list[FileRules]
    """Rules of the notebooks that are not nbgrader's."""


def release_files(
    course: Course,
    assignment: Assignment,
    notebooks: list[str],
    contents: Mapping[Path, bytes] | None = None,
    data: Mapping[str, Path] = MappingProxyType({}),
) -> ReleaseFiles:
    """List the files of the release except notebooks, and the files that are left out.

    Files in the source folder keep their places; files that ``files`` lists elsewhere go beside the notebooks.
    nbgrader's ``ignore`` and ``include`` hold for both, but not for a file that is itself listed.

    Args:
        course: the course.
        assignment: the assignment.
        notebooks: file names of its source notebooks.
        contents: source notebooks that the caller has read; others are read here.
        data: place in the release → file beside the tests, for visible tests.

    Raises:
        CourseError: a file would give hidden data away, lies outside the course, or is no file.
    """
    source = course.source(assignment.name).resolve()
    files = _Files(course, assignment, notebooks, contents or {})
    files.add(Path(), source)
    solutions = [name for name in files.found if name.startswith(f"{SOLUTIONS}/")]
    if solutions and (assignment.answers or assignment.carried):
        for name in solutions:
            del files.found[name]
        files.left_out[SOLUTIONS] = _OF_ANSWERS
    for name in assignment.files:
        start = course.root / name
        is_ours = start.resolve().is_relative_to(source)
        files.add(start.resolve().relative_to(source) if is_ours else Path(PurePosixPath(name).name), start)
    for target, path in data.items():
        if files.patterns.takes(path.name):
            files.found.setdefault(target, _releasable(course, path))
    for target in left_out(course, assignment.name):
        if files.found.pop(target, None) or (source / target).is_file():
            files.left_out[target] = LEFT_OUT_REASON
    carried = carried_answers(course, assignment)
    answers = answer_paths(course, assignment, files.rules, carried)
    for target in answers:
        if target.endswith(".py"):  # students get it without its solution
            files.found.pop(target, None)
            files.left_out.pop(target, None)
    _check_not_hidden(course, assignment, files.found)
    return ReleaseFiles(files.found, files.left_out, answers, carried, files.rules)


def unnamed_files(
    course: Course, assignment: Assignment, files: Mapping[str, Path], suspect: Callable[[Path], str]
) -> dict[str, str]:
    """Return files that are seldom meant for students and are not named: place in the release → a sentence.

    ``suspect`` says why a file of a usual kind is one of them, too; empty if it is not.

    A file is named by ``files`` in course.yaml, or by its name without wildcards in ``c.CourseDirectory.include``.
    """
    listed = [(course.root / name).resolve() for name in assignment.files]
    patterns = file_patterns(read_nbgrader_config(course.root))
    faults = {}
    for target, path in files.items():
        reason, depth = _doubt(PurePosixPath(target)) or (suspect(path), 0)
        if not reason:
            continue
        part = [path, *path.parents][depth]
        is_listed = any(path.is_relative_to(name) and name.is_relative_to(part) for name in listed)
        if not is_listed and part.name not in patterns.include:
            faults[target] = _ask(course, reason, part)
    return faults


def ask_for_notebook(course: Course, assignment: Assignment, name: str, reason: str) -> str | None:
    """Ask the author to name a notebook of the source folder; return None if it is named."""
    path = course.source(assignment.name).resolve() / name
    patterns = file_patterns(read_nbgrader_config(course.root))
    is_named = name in patterns.include or path in [(course.root / one).resolve() for one in assignment.files]
    return None if is_named else _ask(course, reason, path)


def _ask(course: Course, reason: str, path: Path) -> str:
    name = path.relative_to(course.root.resolve()).as_posix()
    # nbgrader releases a notebook even if c.CourseDirectory.ignore names it.
    remedy = (
        f"for example into {path.parent.name}/drafts/, or release with --leave-out"
        if path.suffix == ".ipynb"
        else "name it in c.CourseDirectory.ignore, or release with --leave-out"
    )
    return (
        f"{name}: {reason}. If students should have it, name it in course.yaml (files: [{name}]), or without one in "
        f"nbgrader_config.py (c.CourseDirectory.include = ['*', '{path.name}']); otherwise move it away, {remedy}"
    )


def _doubt(target: PurePosixPath) -> tuple[str, int] | None:
    """Return why a file is doubtful, and how many folders above it the reason lies; None if it is not."""
    for depth, part in enumerate(target.parts, 1):
        if part.startswith("."):
            return "a name that begins with a dot", len(target.parts) - depth
    if fnmatchcase(target.name.lower(), _GRADEBOOK):
        return "a gradebook, with the names and the marks of students", 0
    if fnmatchcase(target.name.lower(), _SOLUTION):
        return "a file that is called a solution", 0
    if target.suffix.lower() == ".ipynb":
        return "a notebook that is not the assignment's: nothing clears its solutions", 0
    return None


class _Files:
    """The files of a release, collected one after the other."""

    def __init__(
        self, course: Course, assignment: Assignment, notebooks: list[str], contents: Mapping[Path, bytes]
    ) -> None:
        self.course, self.source, self.notebooks = course, course.source(assignment.name).resolve(), notebooks
        self.patterns: FilePatterns = file_patterns(read_nbgrader_config(course.root))
        self.found: dict[str, Path] = {}
        self.left_out: dict[str, str] = {}
        self.rules = _file_rules(self.source, source_notebooks(course, assignment), contents)
        self.tests = self.source / TESTS if test_files(self.source) else None

    def add(self, folder: Path, start: Path) -> None:
        """Add ``start``: a file, or all files in a folder."""
        for path in [start] if start.is_file() else self._walk(folder, start):
            target = (folder / path.relative_to(start)).as_posix()
            if path.parent.resolve() == self.source and path.name in self.notebooks:
                continue  # its stripped version is released
            if self._is_tests(path, start):
                self.left_out[TESTS] = _EXAMINERS
                continue
            if why_not := self._why_not(path):
                self.left_out[target] = why_not
                continue
            real = _releasable(self.course, path)
            if target in self.notebooks or self.found.get(target, real) != real:
                name = self.source.name
                raise CourseError(f"release/{name}/{target}: two files would go there; rename one of them")
            self.found[target] = real
            self.left_out.pop(target, None)

    def _why_not(self, path: Path) -> str | None:
        """Return why the notebooks' formats do not release a file of the source folder; None if they do."""
        if not path.is_relative_to(self.source):
            return None
        return next((reason for rules in self.rules if (reason := rules.why_not(path))), None)

    def _is_tests(self, path: Path, start: Path) -> bool:
        """Tell whether a file is the examiner's: a test file, or beside one and not named in ``files``."""
        if self.tests is None or not path.resolve().is_relative_to(self.tests):
            return False
        return fnmatchcase(path.name, "test_*.py") or not start.resolve().is_relative_to(self.tests)

    def _walk(self, target: Path, start: Path) -> Iterator[Path]:
        for parent, folders, names in os.walk(start):
            folder = Path(parent)
            target_folder = target / folder.relative_to(start)
            folders[:] = self._released(folder, target_folder, folders, lambda name: not self.patterns.ignores(name))
            files = self._released(folder, target_folder, names, self.patterns.takes)
            linked = [name for name in folders if (folder / name).is_symlink()]
            yield from (
                folder / name for name in [*linked, *files] if not self._is_notebook(target_folder, folder / name)
            )

    def _released(self, folder: Path, target_folder: Path, names: list[str], goes: Callable[[str], bool]) -> list[str]:
        """Return the released names of a folder, sorted."""
        silent = _CACHES | _GITS.difference(self.patterns.include)
        silent |= {"hidden"} if folder == self.source else set()
        names = sorted(name for name in names if name not in silent and not name.endswith(".pyc"))
        for name in names:
            if not goes(name):
                self.left_out[(target_folder / name).as_posix()] = _IGNORED
        names = [name for name in names if goes(name)]
        if folder == self.source:
            calibration = {calibration_record.FILE, calibration_record.ANSWERS}.intersection(names)
            self.left_out |= {(target_folder / name).as_posix(): _CALIBRATION for name in sorted(calibration)}
            names = [name for name in names if name not in calibration]
        return names

    def _is_notebook(self, target_folder: Path, path: Path) -> bool:
        if path.suffix != ".ipynb":
            return False
        if path.parent != self.source:
            self.left_out[(target_folder / path.name).as_posix()] = _FOREIGN
        return True


def _file_rules(source: Path, notebooks: Sequence[Path], contents: Mapping[Path, bytes]) -> list[FileRules]:
    """Read the rules of an assignment's notebooks that are not nbgrader's."""
    resolved = {path.resolve(): content for path, content in contents.items()}
    paths = [path.resolve() for path in notebooks]
    sources = {path: resolved[path] if path in resolved else _content(path) for path in paths}
    return file_rules(source, sources)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # told when the notebook is read
        return b""


def _releasable(course: Course, path: Path) -> Path:
    """Return the file itself, after links: a regular file of the course that is not hidden."""
    name = path.relative_to(course.root)
    try:
        real = inside(course.root, name.as_posix(), course.root)
    except ValueError as error:
        raise CourseError(f"{name}: {error}; put a copy there instead") from None
    if is_hidden(course.root, real):
        raise CourseError(f"{name}: lies in (or links to) a hidden folder: students would get it")
    if real.is_relative_to(course.state.resolve()):
        raise CourseError(f"{name}: lies in .autograder/, where grading stores data that no student may see")
    if not real.is_file():
        raise CourseError(f"{name}: only regular files can be released")
    return real


def _check_not_hidden(course: Course, assignment: Assignment, files: Mapping[str, Path]) -> None:
    """Refuse a file with the content of a hidden one: a forgotten copy gives it away as well."""
    hidden = [path for path in course.hidden(assignment.name).rglob("*") if path.is_file() and path.stat().st_size]
    for name, path in files.items():
        for secret in hidden:
            if path.stat().st_size == secret.stat().st_size and filecmp.cmp(path, secret, shallow=False):
                twin = secret.relative_to(course.root)
                raise CourseError(f"{name}: is a copy of {twin}, which students must not get; remove it")
