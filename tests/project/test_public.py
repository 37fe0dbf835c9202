"""What the package offers, and what importing it costs."""

from __future__ import annotations

import json
import pkgutil
import resource
import subprocess
import sys
from collections.abc import Callable

import pytest

import autograder

HEAVY = {"tensorflow", "keras", "sklearn", "pandas", "scipy", "matplotlib", "nbgrader", "jupyter_client", "sqlalchemy"}
EXAMINER_ONLY = {
    "autograder.kernel.__main__",
    "autograder.sandbox.supervisor.__main__",
    "autograder.sandbox.self_test_script",
}
"""Programs that run when they are imported."""


def test_the_public_names_are_these() -> None:
    assert sorted(autograder.__all__) == [
        "Assignment",
        "AutograderError",
        "Course",
        "CourseError",
        "Exam",
        "Grade",
        "HostError",
        "Limits",
        "ProofError",
        "SandboxError",
        "SubmissionError",
        "check",
        "load_course",
    ]
    assert all(getattr(autograder, name) is not None for name in autograder.__all__)
    assert "." in autograder.__version__
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        autograder.chek  # noqa: B018


def modules_after(code: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after ``code``, and the package's own whole names."""
    show = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    said = subprocess.run(
        [sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, timeout=120, check=True
    )
    return {name.split(".")[0] for name in json.loads(said.stdout.splitlines()[-1])}


@pytest.mark.parametrize("code", ["import autograder", "import autograder.cli"])
def test_importing_the_package_or_its_command_line_imports_nothing_heavy(code: str) -> None:
    assert modules_after(code) & (HEAVY | {"numpy", "nbformat", "rich", "jinja2"}) == set()


def test_a_batch_whose_exams_are_kept_begins_with_nothing_heavy() -> None:
    """What it needs later is imported while its templates start."""
    code = "import autograder.coordinator.assignment, autograder.results.publication"
    assert modules_after(code) & (HEAVY | {"numpy", "nbformat", "jinja2", "sqlalchemy"}) == set()


def test_help_of_every_command_imports_nothing_heavy() -> None:
    code = (
        "import contextlib, io\n"
        "from autograder.cli import main\n"
        "import click\n"
        "for name in [None, *main.list_commands(click.Context(main))]:\n"
        "    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "        main([*([name] if name else []), '--help'])"
    )
    assert modules_after(code) & (HEAVY | {"numpy", "nbformat", "jinja2"}) == set()


def test_help_answers_at_once(record_property: Callable[[str, object], None]) -> None:
    """Processor time of the best of five, so that a busy machine does not matter."""
    seconds = [processor_seconds(sys.executable, "-m", "autograder", "--help") for _ in range(5)]
    record_property("best_seconds", min(seconds))
    assert 0 < min(seconds) < 0.3, seconds


def processor_seconds(*command: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.integration
def test_every_module_is_imported_without_tensorflow() -> None:
    """The examiner's own modules, too: what is heavy is imported where it is used."""
    found = {m.name for m in pkgutil.walk_packages(autograder.__path__, "autograder.", onerror=lambda name: None)}
    names = sorted(found - EXAMINER_ONLY - {"autograder.__main__"})
    inside = ("autograder.kernel.", "autograder.sandbox.supervisor", "autograder.sandbox.template")
    inside += ("autograder.extensions.walls.supervisor_side.",)
    configured = ("autograder.extensions.serve.",)  # Django's tables and pages want settings first
    names = [name for name in names if not name.startswith(inside + configured)]
    assert len(names) > 50
    loaded = modules_after("\n".join(f"import {name}" for name in names))
    assert loaded & {"tensorflow", "keras", "torch", "jax", "matplotlib"} == set()
