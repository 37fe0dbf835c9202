"""The late policy: what being late costs, by course.yaml or by a class of the course in nbgrader's form."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import math
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder._util.time_zones import lateness
from autograder._util.yaml_record import aware, suggest
from autograder.course.nbgrader_config import read_nbgrader_config
from autograder.course.paths import inside
from autograder.errors import CourseError
from autograder.records.course import Assignment
from autograder.records.policies import LatePolicy

METHOD = "late_submission_penalty"
"""Name of the method that nbgrader calls in a plugin, with (student_id, score, total_seconds_late)."""

Penalty = Callable[[str, Sequence[float]], float]
"""A function: (student, score of each notebook) → the points that all notebooks together lose."""


def late_penalty(course: Path, assignment: Assignment, submitted_at: datetime | None) -> Penalty:
    """Choose the function that computes a submission's late penalty: between 0 and its score.

    A time without a zone is UTC. Lateness is counted from the end of the grace period; a day that has begun counts
    whole. Without a due date, or without a time of submission, nothing is late. As in nbgrader, a plugin is called once
    for each notebook, with the notebook's score and the seconds; None means no penalty, and no penalty exceeds the
    score.

    Args:
        course: the course folder. A plugin is imported from it now, unconfined: it is the instructor's.
        assignment: the assignment with its due date and late policy.
        submitted_at: when the submission was handed in; None if unknown.

    Returns:
        The penalty function. It raises CourseError where the plugin raises, or returns no finite number that is at
            least 0.

    Raises:
        CourseError: the plugin cannot be loaded.
    """
    policy = assignment.late
    late = seconds_late(policy, assignment.due, submitted_at)
    if policy.kind == "none" or late <= 0:
        return lambda student, scores: 0.0
    if policy.kind == "plugin":
        reference = str(policy.plugin)
        plugin = load_plugin(course, reference)
        return lambda student, scores: sum(_plugin_penalty(plugin, course, reference, student, s, late) for s in scores)
    share = (
        1.0 if policy.kind == "zero" else min(1.0, policy.per_day * _days_late(policy, assignment.due, submitted_at))
    )
    return lambda student, scores: max(0.0, sum(scores)) * share


def seconds_late(policy: LatePolicy, due: datetime | None, submitted_at: datetime | None) -> float:
    """Count the seconds after the due date and its grace period; 0 for a submission in time."""
    if due is None or submitted_at is None:
        return 0.0
    return max(0.0, (aware(submitted_at) - aware(due) - timedelta(hours=policy.grace_hours)).total_seconds())


def _days_late(policy: LatePolicy, due: datetime | None, submitted_at: datetime | None) -> int:
    """Count the days begun after the grace period; what is late at all is a day late."""
    if due is None or submitted_at is None:
        return 0
    late = lateness(due, submitted_at) - timedelta(hours=policy.grace_hours)
    return max(1, math.ceil(late / timedelta(days=1)))


# --- a class of the course's own -----------------------------------------------------------------------


def check_plugin(
    course: Path, reference: str, method: str = f"{METHOD}(student_id, score, total_seconds_late)"
) -> None:
    """Check that ``late.py:Policy`` can be a class of the course with a method, without running any of it.

    Raises:
        ValueError: it cannot; the message says why.
    """
    file, _, name = reference.partition(":")
    if not file.endswith(".py") or not name.isidentifier():
        raise ValueError(f"{reference!r} must name a class of a Python file of the course (late.py:Policy)")
    path = inside(course, file, course)
    if not path.is_file():
        raise ValueError(f"there is no Python file {file!r} in the course")
    try:
        bound = dict(_bound(ast.walk(ast.parse(path.read_bytes()))))
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror})") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{file}:{getattr(error, 'lineno', None) or 1}: not valid Python: {error}") from None
    if name not in bound and "*" not in bound:
        raise ValueError(f"{file} has no class {name!r}{suggest(name, bound)}")
    node = bound.get(name)
    if isinstance(node, ast.ClassDef) and not node.bases and method.partition("(")[0] not in dict(_bound(node.body)):
        raise ValueError(f"{name} in {file} has no method {method}")


def _bound(statements: Iterable[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    """Yield the names that the statements bind, each with the node that binds it."""
    for node in statements:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name, node) for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from ((target.id, node) for target in node.targets if isinstance(target, ast.Name))


def plugin_key(course: Path, policy: LatePolicy) -> object:
    """Return everything that a plugin's penalties depend on: its file, and the options in nbgrader_config.py."""
    if policy.plugin is None:
        return None
    path = course / policy.plugin.partition(":")[0]
    content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    return content, read_nbgrader_config(course).values


def load_plugin(course: Path, reference: str, method: str = METHOD, role: str = "late policy") -> Any:
    """Make an instance of the class ``late.py:Class`` with the options of nbgrader_config.py.

    Raises:
        CourseError: it cannot be imported or made, or has no such method; the message names file and line.
    """
    file, _, name = reference.partition(":")
    path = course / file
    try:
        plugin_class = getattr(_imported(path), name, None)
        plugin = _instance(plugin_class, course) if isinstance(plugin_class, type) else None
    except (Exception, SystemExit) as error:
        raise plugin_fault(f"the {role} {name} cannot be loaded", path, course, error) from error
    if not callable(getattr(plugin, method, None)):
        raise CourseError(f"{file}: there is no class {name!r} with a method {method} in it")
    return plugin


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(path.stem)
    sys.modules[path.stem] = module  # dataclasses look up the module that they are made in
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules.pop(path.stem)
        if before is not None:
            sys.modules[path.stem] = before
    return module


def _instance(kind: type[Any], course: Path) -> Any:
    """Make an instance: nbgrader's plugins take their options as traitlets, other classes take nothing."""
    from traitlets.config import Config, Configurable

    if not issubclass(kind, Configurable):
        return kind()
    return kind(config=Config({owner: dict(options) for owner, options in read_nbgrader_config(course).values.items()}))


def _plugin_penalty(plugin: Any, course: Path, reference: str, student: str, score: float, late: float) -> float:
    """Return the plugin's penalty for one notebook, at most its score."""
    file, _, name = reference.partition(":")
    call = f"{name}.{METHOD}(score={score:g}, total_seconds_late={late:g})"
    try:
        penalty = getattr(plugin, METHOD)(student, score, late)
        points = 0.0 if penalty is None else float(penalty)
    except (Exception, SystemExit) as error:
        raise plugin_fault(f"{call} failed", course / file, course, error) from error
    if isinstance(penalty, str) or not math.isfinite(points) or points < 0:
        raise CourseError(f"{file}: {call} gave {penalty!r}; it must be a finite number of points, at least 0, or None")
    return min(points, max(0.0, score))


def plugin_fault(problem: str, path: Path, course: Path, error: BaseException) -> CourseError:
    """Make the error with the last line of the plugin's file that was running."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = f":{lines[-1]}" if lines and lines[-1] else ""
    name = path.relative_to(course)
    return CourseError(f"{name}{line}: {problem} ({type(error).__name__}: {' '.join(str(error).split())[:200]})")
