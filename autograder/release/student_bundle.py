"""Bundle for students: the part of this package that visible checks, ``try`` and ``submit`` need, as plain files.

It lies beside the notebook, where Python finds it without an installation. Grading uses the installed package and never
a bundle: a copy that was handed in is left out, whatever a student wrote into it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from autograder._util import registry
from autograder.errors import CourseError
from autograder.records.course import Assignment

FOLDER = "autograder"
"""The bundle's folder in a release, which has the package's name."""
_ROOMS = ("_util", "check", "cli", "codec", "kernel", "models", "records", "submissions")
_FILES = (
    "__init__.py", "__main__.py", "aliases.py", "api/__init__.py", "api/checking.py", "errors.py",
    "execution/__init__.py", "execution/rehearsal.py", "execution/rehearsed_files.py", "extensions/__init__.py",
    "py.typed", "submission.py",
)  # fmt: skip


def bundle_files(assignment: Assignment, released: Iterable[str] = ()) -> dict[str, Path]:
    """List the files of the bundle, as place in the release → file; none if students install the package.

    Args:
        assignment: its ``student`` decides.
        released: places of the release's other files.

    Raises:
        CourseError: the course releases a file in the bundle's folder.
    """
    if assignment.student != "bundle":
        return {}
    conflict = next((place for place in released if place.split("/")[0] in (FOLDER, f"{FOLDER}.py")), None)
    if conflict is not None:
        raise CourseError(
            f"release/{assignment.name}/{conflict}: with `student: bundle`, {FOLDER}/ is the kit's; rename yours"
        )
    package = Path(__file__).resolve().parents[1]
    files = [package / name for name in _FILES]
    groups = (registry.CHECKS, registry.MODELS, registry.OLD_NAMES)
    extensions = {extension for group in groups for extension in registry.own_extensions(group)}
    for room in (*_ROOMS, *(f"extensions/{extension}" for extension in sorted(extensions))):
        files += sorted(path for path in (package / room).rglob("*.py") if "__pycache__" not in path.parts)
    return {f"{FOLDER}/{path.relative_to(package).as_posix()}": path for path in files}
