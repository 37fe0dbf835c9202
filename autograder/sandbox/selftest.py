"""Tries the real sandbox from inside and from outside, and says for a person what holds and what does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.errors import SandboxError
from autograder.records import Limits
from autograder.sandbox.base import Finding, Job, Process, Sandbox, kernel_environment
from autograder.sandbox.layout import MIB
from autograder.sandbox.machine import Machine
from autograder.sandbox.remedies import BUG, control_group, remedy

REDUCED = "Runs go one at a time and memory is watched instead of enforced. For full limits"
LIMITS = Limits(memory_mib=512, processes=64, disk_mib=16)
SECONDS = 20.0


def require(sandbox: Sandbox) -> None:
    """Raise :class:`SandboxError` with every failed finding and its remedy when the self-test fails."""
    failed = [f for f in self_test(sandbox) if not f.ok]
    if failed:
        lines = [f"{f.name}: {f.detail}" + (f"\n  → {f.remedy}" if f.remedy else "") for f in failed]
        raise SandboxError("The sandbox does not hold here, so nothing is graded.\n" + "\n".join(lines))


def self_test(sandbox: Sandbox) -> tuple[Finding, ...]:
    """Try from inside and from outside what must fail; the findings are in the order in which a person repairs them."""
    trial = sandbox.trial()
    first = trial.builder
    names = kernel_environment()
    script = Path(__file__).with_name("inside.py").read_text()
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
        inside = [_excused(finding, trial.differs) for finding in _seen_from_inside(process, ended)]
    finally:
        process.close()
    return (first, Finding("start", True, process.label), *outside, *inside)


def _excused(finding: Finding, differs: Mapping[str, tuple[str, str]]) -> Finding:
    found, why = differs.get(finding.name, ("", ""))
    return Finding(finding.name, True, f"but for {found}", why) if found and finding.detail == found else finding


def _seen_from_outside(process: Process) -> Iterator[Finding]:
    # Init waits for its child to be reaped, so that its status can be read even when the script is already
    # done.
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
    """The lowest of the four uids of a process as the host sees them; None when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return min(int(uid) for line in lines if line.startswith("Uid:") for uid in line.split()[1:])


def _seen_from_inside(process: Process, ended: int | None) -> tuple[Finding, ...]:
    try:
        answers = json.loads(process.stdout())
    except ValueError:
        said = process.stderr().strip()[-1000:]
        detail = f"the test inside ended with status {ended}" if ended is not None else "the test inside hangs"
        return (Finding("inside", False, f"{detail}: {said}", remedy(said, Machine.look())),)
    return tuple(Finding(name, bool(ok), str(detail), "" if ok else BUG) for name, (ok, detail) in answers.items())
