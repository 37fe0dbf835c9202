"""Keys of runs: two notebooks with the same key are the same program with the same files on the same machine.

In a key is what the student's process is given, and nothing else: no hidden test, no points, no hidden data, no name
and no time.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autograder import __version__
from autograder.errors import SandboxError
from autograder.records import Assignment

EXECUTION_VERSION = "1"
"""Raise it when the same notebook would do something else in its kernel, or be asked something else while it runs."""


def execution_key(assignment: Assignment, files: str, preload: Sequence[str]) -> str:
    """What all runs of an assignment have in common, the student's own aside: the sandbox and its limits, the
    interpreter with its packages, what is imported first, the kit's own code, and the files of the release.

    Args:
        assignment: whose limits and environment.
        files: a digest of the release's files.
        preload: modules that the kernel imports before its first cell.
    """
    return digest(
        [EXECUTION_VERSION, __version__, own_code()],
        _sandbox(assignment.environment, assignment.sandbox),
        _limits_of_kernels(assignment),
        list(preload),
        files,
    )


def _limits_of_kernels(assignment: Assignment) -> dict[str, Any]:
    return {name: value for name, value in asdict(assignment.limits).items() if not name.startswith("examiner_")}


@functools.cache
def own_code() -> dict[str, str]:
    """The kit's modules, as this process found them: students import from them, and the probe is among them."""
    package = Path(__file__).resolve().parent
    return {str(path.relative_to(package)): _content(path) for path in package.rglob("*.py")}


def _sandbox(python: str | None, name: str) -> list[Any]:
    """The wall, and the Python inside; what is wrong with either is told by who grades."""
    from autograder.sandbox import default_sandbox

    try:
        sandbox = default_sandbox(python, name)
        interpreter: Any = getattr(sandbox, "interpreter", None)
        return [
            sandbox.name,
            sandbox.reduced,
            _installed(interpreter.executable, interpreter.prefix, interpreter.base_prefix),
        ]
    except (SandboxError, OSError, AttributeError) as error:
        return ["none", str(error)]


_OF_PACKAGES = frozenset([".dist-info", ".egg-info", ".egg-link"])


def _installed(executable: str, *prefixes: str) -> list[Any]:
    """The interpreter, and the names and versions of all packages that it can import."""
    status = Path(executable).stat()
    places = [
        p for prefix in prefixes for p in (*Path(prefix).glob("lib/python*"), *Path(prefix).glob("lib64/python*"))
    ]
    folders = {d.resolve() for p in places for d in (p / "site-packages", p / "dist-packages") if d.is_dir()}
    names = {path.name for folder in folders for path in folder.iterdir() if path.suffix in _OF_PACKAGES}
    return [executable, status.st_size, status.st_mtime_ns, sorted(p.name for p in places), sorted(names)]


def _content(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(*values: Any) -> str:
    """Of plain values, as one key is made of them."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
