"""Checks of what is installed, without importing it: in the kit's own Python, and in that of students' kernels."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterable, Sequence
from importlib import metadata
from importlib.util import find_spec

from autograder._util import libraries
from autograder._util.registry import DISTRIBUTION
from autograder.coordinator import grading_sandboxes
from autograder.errors import SandboxError
from autograder.records.limits import Limits
from autograder.sandbox import Sandbox, default_sandbox, self_tests
from autograder.sandbox.base import Finding
from autograder.sandbox.interpreter import Interpreter
from autograder.sandbox.machine import Machine
from autograder.sandbox.remedies import UNREADABLE, install

NEEDED = {"nbgrader": "nbgrader", "ipykernel": "ipykernel", "jupyter-client": "jupyter_client", "numpy": "numpy"}
"""Distribution → module: the packages without which nothing is graded."""
FOR_LESSONS = {
    "keras": "keras",
    "tensorflow": "tensorflow",
    "scikit-learn": "sklearn",
    "torch": "torch",
    "pytensor": "pytensor",
}
"""Distribution → module: the packages that only some lessons need."""
EXTRAS = {"pytensor": "theano", "torch": "pytorch"}
"""Package → the extra that installs it; default: ``grade`` for :data:`NEEDED`, ``keras`` for :data:`FOR_LESSONS`."""
SECONDS = 30.0
WARM_START = "warm start"


def packages() -> tuple[Finding, ...]:
    """Check the packages of the kit's own Python against the versions that the kit requires."""
    minimum = _min_versions()
    return tuple(
        _finding(name, module, minimum.get(name, ""), needed=name in NEEDED)
        for name, module in {**NEEDED, **FOR_LESSONS}.items()
    )


def _finding(name: str, module: str, minimum: str, *, needed: bool) -> Finding:
    extra = EXTRAS.get(name, "grade" if needed else "keras")
    install = libraries.with_extra(extra)
    version = libraries.version(name)
    if version is None or find_spec(module) is None:
        if needed:
            return Finding(name, False, "is not installed", install)
        return Finding(name, True, "is not installed", f"lessons that use it cannot be graded here: {install}")
    if _number(version) < _number(minimum):
        return Finding(name, False, f"version {version} is older than {minimum}", install)
    return Finding(name, True, f"version {version}")


def _min_versions() -> dict[str, str]:
    """Return distribution → the lower bound that the kit declares."""
    try:
        declared = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return {}
    matches = (re.match(r"([A-Za-z0-9_.-]+)[^;]*?>=\s*([0-9.]+)", requirement) for requirement in declared)
    return {match[1].lower(): match[2] for match in matches if match}


def _number(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: enough to compare it with a lower bound."""
    match = re.match(r"\d+(\.\d+)*", version)
    return tuple(map(int, match[0].split("."))) if match else ()


def sandbox(python: str | None, name: str) -> tuple[Finding, ...]:
    """Test a sandbox that a course needs."""
    try:
        built = default_sandbox(python, name)
        findings = self_tests.self_test(built)
    except SandboxError as error:
        problem, _, remedy = str(error).partition("\n")
        return (Finding(name, False, problem, remedy),)
    warm = warm_start(built, python, of="kernels") if all(finding.ok for finding in findings) else ()
    return (*findings, *warm)


def warm_start(sandbox: Sandbox, python: str | None, *, of: str, modules: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Try whether processes can be forked from a template. If not, it is a remark: grades are the same.

    A sandbox of a kind without templates has no finding.

    Args:
        sandbox: the wall around the processes.
        python: their interpreter (default: the kit's own).
        of: names them.
        modules: modules that the template imports besides those of a kernel.
    """
    from autograder.sandbox.bubblewrap import BubblewrapSandbox  # Linux only
    from autograder.sandbox.kernel_template import template
    from autograder.sandbox.warm_start import WarmSandbox

    if not isinstance(sandbox, BubblewrapSandbox):
        return ()
    try:
        with template(sandbox, {}, Limits(), python=python, modules=modules) as started:
            started.wait_until_ready()
            self_tests.require(WarmSandbox(sandbox, started.address, strict=True))
    except (SandboxError, OSError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        reason = lines[-2] if len(lines) > 1 and lines[-1].startswith("→") else lines[-1]
        remark = f"is not possible, and each of the {of} imports for itself: {reason[:200]}"
        return (Finding(WARM_START, True, remark, UNREADABLE),)
    return (Finding(WARM_START, True, f"{of} are forked from one that has imported the libraries"),)


def is_slow(findings: Iterable[Finding]) -> bool:
    """Tell whether a warm start is not possible."""
    return any(finding.name == WARM_START and finding.remedy for finding in findings)


def examiner_sandbox(name: str) -> tuple[Finding, ...]:
    """Test the sandbox of examiners; ``name`` is the sandbox of the kernels."""
    try:
        built = grading_sandboxes.examiner_sandbox(name)
        findings = self_tests.self_test(built)
    except SandboxError as error:
        problem, _, remedy = str(error).partition("\n")
        return (Finding("examiner", False, problem, remedy),)
    if not all(finding.ok for finding in findings):
        return findings
    from autograder.coordinator.templates import EXAMINER_MODULES  # Linux only

    return (*findings, *warm_start(built, None, of="examiners", modules=EXAMINER_MODULES))


def optional_sandbox(name: str) -> Finding:
    """Test a sandbox that no course asks for; a fault is only a remark."""
    for_courses = f"for courses that say `sandbox: {name}`"
    try:
        findings = self_tests.self_test(default_sandbox(None, name))
    except SandboxError:
        return Finding(name, True, "is not installed", f"{for_courses}: {install(name, Machine.look())}")
    for finding in findings:
        if not finding.ok:
            return Finding(name, True, f"does not hold: {finding.name}: {finding.detail}", finding.remedy)
    return Finding(name, True, f"{findings[0].detail}: holds, {for_courses}")


_ASK = """
import json, sys
from importlib.metadata import PackageNotFoundError, version as installed
def version(name):
    try:
        return installed(name)
    except PackageNotFoundError:
        return None
print(json.dumps({"python": sys.version.split()[0], **{name: version(name) for name in sys.argv[1:]}}))
"""


def environment(python: str) -> tuple[Finding, ...]:
    """Check the interpreter of an assignment's ``environment``.

    It must run and have a kernel. Libraries that make models and data are compared with those of the examiner.
    """
    names = ("ipykernel", "numpy", "keras", "tensorflow")
    try:
        Interpreter.of(python)
        answer = subprocess.run(
            [python, "-I", "-c", _ASK, *names], capture_output=True, text=True, timeout=SECONDS, check=True
        )
        versions = json.loads(answer.stdout)
    except SandboxError as error:
        return (Finding(python, False, str(error), "see environment: in course.yaml"),)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        lines = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        return (
            Finding(python, False, f"does not run: {lines[-1] if lines else error}", "see environment: in course.yaml"),
        )
    findings = [Finding(python, True, f"Python {versions['python']}")]
    if versions["ipykernel"] is None:
        findings.append(Finding("ipykernel there", False, "is not installed", f"{python} -m pip install ipykernel"))
    for name in names:
        if versions[name] is not None:
            findings.append(_compared(name, versions[name], libraries.version(name)))
    return tuple(findings)


def _compared(name: str, environment_version: str, own_version: str | None) -> Finding:
    if name == "keras" and own_version is not None and _number(environment_version)[:2] != _number(own_version)[:2]:
        remark = f"models are rebuilt with keras {own_version} here; prove the release before you rely on it"
        return Finding(f"{name} there", True, f"version {environment_version}", remark)
    return Finding(f"{name} there", True, f"version {environment_version}")
