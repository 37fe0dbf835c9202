"""Reader of nbgrader_config.py: it parses the file and never runs it."""

from __future__ import annotations

import ast
import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.errors import CourseError

NBGRADER_CONFIG = "nbgrader_config.py"


@dataclass(frozen=True, slots=True)
class NbgraderConfig:
    """Settings of nbgrader_config.py, read from its syntax tree."""

    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """``{"IncludeHeaderFooter": {"header": "source/header.ipynb"}}``: literals only."""
    computed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """(class, option) whose value is not a literal → the line where it is set."""

    def get(self, owner: str, option: str, default: Any = None) -> Any:
        """Return the literal that ``c.<owner>.<option>`` is set to.

        Raises:
            CourseError: the value is computed, so that it cannot be known without running the file.
        """
        self.check(owner, option)
        return self.values.get(owner, {}).get(option, default)

    def check(self, owner: str, option: str | None = None) -> None:
        """Raise :class:`CourseError` where the option, or any of ``owner``, is computed."""
        for (set_for, name), line in self.computed.items():
            if set_for == owner and option in (None, name):
                todo = "write its value as plain text or numbers; this file is read, never run"
                raise CourseError(f"{NBGRADER_CONFIG}:{line}: c.{owner}.{name} is computed: {todo}")


def read_nbgrader_config(root: Path) -> NbgraderConfig:
    """Read the top-level lines ``c.<Class>.<option> = <literal>`` of nbgrader_config.py; nothing is run.

    Files that ``load_subconfig`` names are read, too. An option that is set or changed in any other way (in an ``if``,
    by ``+=``, by ``.append(…)``) counts as computed.

    Raises:
        CourseError: the file is not Python.
    """
    values: dict[str, dict[str, Any]] = {}
    computed: dict[tuple[str, str], int] = {}
    for statement in _statements(root / NBGRADER_CONFIG):
        for line, part in _loaded(root, statement):
            match part:
                case ast.Assign(targets=[ast.Attribute(ast.Attribute(ast.Name(), owner), option)], value=expression):
                    try:
                        values.setdefault(owner, {})[option] = ast.literal_eval(expression)
                        computed.pop((owner, option), None)
                    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                        computed[owner, option] = line
                case _:
                    computed.update((changed, line) for changed in _changed(part))
    return NbgraderConfig(values, computed)


def _statements(path: Path) -> list[ast.stmt]:
    """Parse the top-level statements of a file; a missing file has none, as for nbgrader."""
    if not path.is_file():
        return []
    try:
        return ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None) or 1
        raise CourseError(f"{path.name}:{line}: not valid Python: {error}") from None


def _loaded(root: Path, statement: ast.stmt) -> Iterator[tuple[int, ast.stmt]]:
    """Yield the statement with its line; ``load_subconfig("base.py")`` yields that file's, with the call's line."""
    match statement:
        case ast.Expr(ast.Call(ast.Name("load_subconfig"), [ast.Constant(str() as name)])):
            yield from ((statement.lineno, part) for part in _statements(root / name))
        case _:
            yield statement.lineno, statement


def _changed(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    """Yield (class, option) for all that a statement assigns to, calls a method of, or sets an item of."""
    for node in ast.walk(statement):
        match node:
            case ast.Attribute(ast.Attribute(ast.Name() | ast.Call(), owner), option, ast.Store() | ast.Del()):
                yield owner, option
            case ast.Call(
                ast.Attribute(ast.Attribute(ast.Attribute(ast.Name() | ast.Call(), owner), option))
            ) | ast.Subscript(ast.Attribute(ast.Attribute(ast.Name() | ast.Call(), owner), option), _, ast.Store()):
                yield owner, option


# --- options without effect --------------------------------------------------------------------------

_FOLDERS = frozenset(f"{kind}_directory" for kind in ("source", "release", "submitted", "autograded", "feedback"))
_ALWAYS_READ: Mapping[str, frozenset[str]] = {"CourseDirectory": frozenset({"ignore", "include", "db_url"})}
_READ_WITHOUT_COURSE_FILE: Mapping[str, frozenset[str]] = {
    "CourseDirectory": _FOLDERS,
    "Execute": frozenset({"timeout"}),
    "ExecutePreprocessor": frozenset({"timeout"}),
    "LateSubmissionPlugin": frozenset({"penalty_method"}),
    "AssignLatePenalties": frozenset({"plugin_class"}),
    "Autograde": frozenset({"exclude_overwriting"}),
}
_OF_GRADING = frozenset({*_READ_WITHOUT_COURSE_FILE, "BaseConverter", "GenerateAssignment", "Assign"})
_OF_STEPS = frozenset({"DeduplicateIds", "IgnorePattern", "LimitOutput", "OverwriteCells", "OverwriteKernelspec"})
_OLD_NAMES = frozenset({"course_id", "db_assignments", "db_students", "db_url"})
"""Options that nbgrader had in its class ``NbGrader`` once, and that old courses set."""


def options_without_effect(config: NbgraderConfig, *, course_file: bool) -> list[str]:
    """Name the options that change a release or a grade in nbgrader, and nothing here: ``c.LimitOutput.max_lines``.

    Options of nbgrader's other commands (exchange, collecting, formgrader) are none of them.

    Args:
        config: the settings.
        course_file: whether there is a course.yaml, which replaces several options.
    """
    options = [*((owner, name) for owner, given in config.values.items() for name in given), *config.computed]
    return sorted({f"c.{owner}.{name}" for owner, name in options if not _has_effect(owner, name, course_file)})


def _has_effect(owner: str, name: str, course_file: bool) -> bool:
    """Tell whether an option is read here, or is none of a release and a grade."""
    if owner == "NbGrader":
        return name not in _OLD_NAMES
    if (owner, name) == ("CourseDirectory", "course_id"):
        return True  # where there is a course.yaml, it is for nbgrader's commands on the same folders
    if owner in _OF_STEPS:
        return False
    options = _ALWAYS_READ.get(owner, frozenset())
    options |= frozenset() if course_file else _READ_WITHOUT_COURSE_FILE.get(owner, frozenset())
    return owner not in _OF_GRADING or name in options


# --- which files go out ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FilePatterns:
    """Patterns of the file names that nbgrader hands out: ``c.CourseDirectory.ignore`` and ``include``."""

    ignore: tuple[str, ...] = (".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback")
    """Files and folders that are not handed out."""
    include: tuple[str, ...] = ("*",)
    """Files must match one of these."""

    def ignores(self, name: str) -> bool:
        """Tell whether the file or folder is not handed out.

        nbgrader's ``generate_assignment`` does not match ``*`` with names that begin with a dot, its exchange does; a
        file
        that either leaves out never reaches a student.
        """
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.ignore)

    def takes(self, name: str) -> bool:
        """Tell whether the file is handed out."""
        return not self.ignores(name) and any(fnmatch.fnmatchcase(name, pattern) for pattern in self.include)


def file_patterns(config: NbgraderConfig) -> FilePatterns:
    """Read the file patterns of nbgrader_config.py, with nbgrader's defaults.

    Raises:
        CourseError: an option is computed, or is not a list of patterns.
    """
    patterns_by_option = {name: config.get("CourseDirectory", name) for name in ("ignore", "include")}
    for name, patterns in patterns_by_option.items():
        is_list = isinstance(patterns, list | tuple) and all(isinstance(pattern, str) for pattern in patterns)
        if patterns is not None and not is_list:
            todo = "it is a list of file names or patterns, such as ['*.md', 'private']"
            raise CourseError(f"{NBGRADER_CONFIG}: c.CourseDirectory.{name} is {patterns!r}; {todo}")
    return FilePatterns(
        **{name: tuple(patterns) for name, patterns in patterns_by_option.items() if patterns is not None}
    )
