"""Tries the real sandbox from inside and from outside, and says for a person what holds and what does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.errors import SandboxError
from autograder.records import Limits
from autograder.sandbox.base import Finding, Job, Process, kernel_environment
from autograder.sandbox.layout import MIB
from autograder.sandbox.machine import Machine
from autograder.sandbox.remedies import BUG, control_group, remedy

if TYPE_CHECKING:
    from autograder.sandbox.bubblewrap import BubblewrapSandbox
    from autograder.sandbox.oci import OciSandbox
    from autograder.sandbox.warm import WarmSandbox

REDUCED = "Runs go one at a time and memory is watched instead of enforced. For full limits"
LIMITS = Limits(memory_mib=512, processes=64, disk_mib=16)
SECONDS = 20.0


def self_test(
    sandbox: BubblewrapSandbox | WarmSandbox | OciSandbox,
    first: Finding | None = None,
    differs: Mapping[str, tuple[str, str]] = {},
    program: str | None = None,
) -> tuple[Finding, ...]:
    """The findings in the order in which a person repairs them.

    ``first`` says which program builds the sandbox. ``differs``: finding → what, and nothing else, may be found of it,
    and why; it is then a remark. ``program``: what makes the namespaces (None where it is Python).
    """
    if first is None:
        first, program = _bubblewrap(sandbox)
    names = kernel_environment()
    script = Path(__file__).with_name("inside.py").read_text()
    argv = (
        sandbox.interpreter.executable,
        "-I",
        "-S",
        "-c",
        script,
        str(LIMITS.disk_mib * MIB),
        ",".join(names),
    )
    try:
        process = sandbox.start(Job(argv, env=names, limits=LIMITS))
    except SandboxError as error:
        return (first, Finding("start", False, str(error), remedy(str(error), Machine.look(), program)))
    try:
        outside = tuple(_seen_from_outside(process))
        ended = process.wait(SECONDS)
        inside = [_excused(finding, differs) for finding in _seen_from_inside(process, ended)]
    finally:
        process.close()
    return (first, Finding("start", True, process.label), *outside, *inside)


def _bubblewrap(sandbox: Any) -> tuple[Finding, str]:
    from autograder.sandbox.bubblewrap import version

    number = ".".join(map(str, version(sandbox.bwrap)))
    return Finding("bubblewrap", True, f"version {number}, {sandbox.bwrap}"), sandbox.bwrap


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
