"""The self-test of a sandbox: it tries what must fail, from inside and from outside, and reports in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.errors import SandboxError
from autograder.records.limits import Limits
from autograder.sandbox.base import Finding, Job, Process, Sandbox, kernel_environment
from autograder.sandbox.layout import MIB
from autograder.sandbox.machine import Machine
from autograder.sandbox.remedies import BUG, control_group, remedy

REDUCED = "Runs go one at a time and memory is watched instead of enforced. For full limits"
LIMITS = Limits(memory_mib=512, processes=64, disk_mib=16)
SECONDS = 20.0


def require(sandbox: Sandbox) -> None:
    """Refuse a sandbox that fails its self-test.

    Raises:
        SandboxError: lists every failed finding with its remedy.
    """
    failed = [f for f in self_test(sandbox) if not f.ok]
    if failed:
        lines = [f"{f.name}: {f.detail}" + (f"\n  → {f.remedy}" if f.remedy else "") for f in failed]
        raise SandboxError("The sandbox does not hold here, so nothing is graded.\n" + "\n".join(lines))


def self_test(sandbox: Sandbox) -> tuple[Finding, ...]:
    """Try from inside and from outside what must fail.

    Returns:
        The findings, in the order in which a person repairs them.
    """
    trial = sandbox.trial()
    first = trial.builder
    names = kernel_environment()
    script = Path(__file__).with_name("self_test_script.py").read_text()
    argv = (
        trial.python,
        "-I",
        "-S",
        "-c",
        script,
        str(LIMITS.disk_mib * MIB),
        ",".join(names),
    )
    try:
        process = trial.sandbox.start(Job(argv, env=names, limits=LIMITS))
    except SandboxError as error:
        return (first, Finding("start", False, str(error), remedy(str(error), Machine.look(), trial.program)))
    try:
        outside = tuple(_seen_from_outside(process))
        ended = process.wait(SECONDS)
        inside = [_excused(finding, trial.known_differences) for finding in _seen_from_inside(process, ended)]
    finally:
        process.close()
    return (first, Finding("start", True, process.label), *outside, *inside)


def _excused(finding: Finding, known_differences: Mapping[str, tuple[str, str]]) -> Finding:
    allowed, reason = known_differences.get(finding.name, ("", ""))
    is_allowed = allowed and finding.found == allowed
    return Finding(finding.name, True, f"but for {finding.detail}", reason) if is_allowed else finding


def _seen_from_outside(process: Process) -> Iterator[Finding]:
    # Init waits until its child is reaped, so its status can be read even if the script has already ended.
    uid = _host_uid(process.pid)
    if uid is not None:
        yield Finding("host user", uid > 0, f"the sandbox runs as uid {uid}", "" if uid > 0 else BUG)
    limit = process.memory_limit()
    if limit is not None:
        holds = limit == LIMITS.memory_mib * MIB
        detail = "enforced by a control group" if holds else f"the kernel reports {limit} bytes"
        yield Finding("memory limit", holds, detail, "" if holds else BUG)
    else:
        yield Finding(
            "memory limit",
            True,
            "reduced: no control group can be made here",
            f"{REDUCED} {control_group(Machine.look())}",
        )


def _host_uid(pid: int) -> int | None:
    """Return the lowest of a process's four uids as the host sees them; None if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return min(int(uid) for line in lines if line.startswith("Uid:") for uid in line.split()[1:])


def _seen_from_inside(process: Process, ended: int | None) -> tuple[Finding, ...]:
    try:
        answers = json.loads(process.stdout())
    except ValueError:
        errors = process.stderr().strip()[-1000:]
        detail = f"the test inside ended with status {ended}" if ended is not None else "the test inside hangs"
        return (Finding("inside", False, f"{detail}: {errors}", remedy(errors, Machine.look())),)
    return tuple(
        Finding(name, bool(ok), str(detail), "" if ok else BUG, str(value))
        for name, (ok, detail, value) in answers.items()
    )
