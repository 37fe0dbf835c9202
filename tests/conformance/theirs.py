"""nbgrader's side of the comparison. nbgrader runs notebooks as it is, so all of it runs in a sandbox of its own."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.sandbox.bubblewrap import find_bwrap
from autograder.sandbox.interpreter import Interpreter
from autograder.sandbox.layout import ETC, SYSTEM
from conformance.corpus import ASSIGNMENT, Unit, lay_out, notebook_name, source_directory

WORKER = Path(__file__).with_name("worker.py")
SHIMS = Path(__file__).with_name("shims")
"""Modules that courses' tests import and that this machine's Python cannot have; the kit knows them itself."""
MAX_BYTES = 12 << 30


def walled(scratch: Path, command: Sequence[str], more: Mapping[str, Path] | None = None) -> list[str]:
    """Return a command line that runs ``command`` with the system and this Python read-only, ``scratch``, and ``more``.

    It has no network, no other process, and no environment variable of this one.
    """
    python = Interpreter.current()
    bound = [*SYSTEM, *(f"/etc/{name}" for name in ETC), *python.folders]
    readable = [part for path in bound if Path(path).exists() for part in ("--ro-bind", path, path)]
    made = ("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp")  # before what is bound: it may lie below /tmp
    files = ("--ro-bind", str(WORKER), "/worker.py", "--ro-bind", str(SHIMS), "/shims")
    files += tuple(part for path, origin in (more or {}).items() for part in ("--ro-bind", str(origin), path))
    own = ("--bind", str(scratch), "/course", "--chdir", "/course")
    variables = {
        "PATH": f"{Path(python.executable).parent}:/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONPATH": "/shims",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    given = [part for name, value in variables.items() for part in ("--setenv", name, value)]
    walls = ("--unshare-all", "--die-with-parent", "--new-session", "--clearenv")
    return [find_bwrap(), *walls, *made, *readable, *files, *own, *given, "--", *command]


def grade(unit: Unit, scratch: Path, seconds: int, cell_seconds: int) -> dict[str, Any]:
    """Have nbgrader release and grade the notebook in ``scratch``; ``submitted/`` is there afterwards.

    Returns:
        What the worker wrote, or ``{"refused": reason}``.
    """
    lay_out(unit, scratch)
    names = (ASSIGNMENT, notebook_name(unit), source_directory(unit.root), str(cell_seconds))
    command = walled(scratch, [Interpreter.current().executable, "/worker.py", "/course", *names])
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False, preexec_fn=_limit
        )
    except subprocess.TimeoutExpired:
        return {"refused": f"nbgrader needs more than {seconds} s"}
    try:
        return dict(json.loads((scratch / "theirs.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {"refused": f"nbgrader ended with {done.returncode}: {done.stderr[-500:]}"}
    finally:
        shutil.rmtree(scratch / "autograded", ignore_errors=True)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_BYTES, MAX_BYTES))


def keep(submitted: Path, target: Path) -> None:
    """Copy the submissions' notebooks: plain files alone, as strangers' code could write there."""
    for path in sorted(submitted.glob(f"*/{ASSIGNMENT}/*.ipynb")):
        if path.is_file() and not path.is_symlink() and not path.parent.is_symlink():
            place = target / path.relative_to(submitted)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
