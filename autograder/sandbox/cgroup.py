"""Control groups, one for each sandbox: limits on memory (with swap) and processes, and accounting.

Version 2 is used if a writable subtree with the controllers exists above this process, else version 1 if the host still
has it. Otherwise there is no group, and the caller runs with reduced limits.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from autograder.records.limits import Limits
from autograder.sandbox.base import Usage

MIB = 1024 * 1024


class Cgroup(Protocol):
    """A control group that was made for one sandbox."""

    version: str
    """``v1`` or ``v2``"""
    directories: tuple[Path, ...]
    """To join, write a pid into ``cgroup.procs`` of each directory."""

    def usage(self) -> Usage:
        """Return what was used so far."""

    def threads(self) -> list[int]:
        """List the ids of all threads in the group, as this process sees them."""

    def memory_limit(self) -> int:
        """Return the limit that the kernel reports, in bytes."""

    def remove(self) -> None:
        """End every process that is still in the group, and remove it; idempotent."""


def create(limits: Limits) -> Cgroup | None:
    """Make a control group with ``limits``; None if this process may not make one."""
    for make in (_create_v2, _create_v1):
        with contextlib.suppress(OSError):
            group = make(limits)
            if group is not None:
                return group
    return None


def available() -> bool:
    """Return whether this process may make a control group."""
    group = create(Limits())
    if group is not None:
        group.remove()
    return group is not None


@dataclass
class CgroupV2:
    """A directory of the unified hierarchy."""

    directories: tuple[Path, ...]
    version: str = "v2"
    last_cpu: float = 0.0

    def usage(self) -> Usage:
        """Return what was used so far."""
        folder = self.directories[0]
        events = _read_table(folder / "memory.events")
        killed = events.get("oom_kill", 0) > 0
        # oom_kill also counts processes that were killed for the memory of a parent group or of the whole machine.
        by_own_limit = events.get("oom", 1) > 0
        self.last_cpu = _read_table(folder / "cpu.stat").get("usage_usec", 0) / 1e6 or self.last_cpu
        peak = _read_number(folder / "memory.peak") or _read_number(folder / "memory.current")
        refused = _read_table(folder / "pids.events").get("max", 0)
        return Usage(
            self.last_cpu,
            peak / MIB if peak else None,
            killed and by_own_limit,
            refused,
            host_full=killed and not by_own_limit,
        )

    def threads(self) -> list[int]:
        """List the ids of all threads in the group, as this process sees them."""
        return _read_ids(self.directories[0] / "cgroup.threads")

    def memory_limit(self) -> int:
        """Return the limit that the kernel reports, in bytes."""
        return _read_number(self.directories[0] / "memory.max")

    def remove(self) -> None:
        """End every process that is still in the group, and remove it."""
        _remove(self.directories)


@dataclass
class CgroupV1:
    """A directory in each of the hierarchies for memory, pids and, if there is one, cpuacct."""

    directories: tuple[Path, ...]
    version: str = "v1"

    def usage(self) -> Usage:
        """Return what was used so far."""
        memory = self.directories[0]
        killed = _read_table(memory / "memory.oom_control").get("oom_kill", 0) > 0
        peak, swapped = (_read_number(memory / f"memory.{kind}max_usage_in_bytes") for kind in ("", "memsw."))
        # Version 1 does not say whether this group's limit was the cause; usage close to the limit means that it was.
        by_own_limit = max(peak, swapped) > 0.9 * self.memory_limit()
        cpu = sum(_read_number(d / "cpuacct.usage") for d in self.directories) / 1e9
        refused = sum(_read_table(d / "pids.events").get("max", 0) for d in self.directories)
        return Usage(
            cpu, peak / MIB if peak else None, killed and by_own_limit, refused, host_full=killed and not by_own_limit
        )

    def threads(self) -> list[int]:
        """List the ids of all threads in the group, as this process sees them."""
        return _read_ids(self.directories[0] / "tasks")

    def memory_limit(self) -> int:
        """Return the limit that the kernel reports, in bytes."""
        return _read_number(self.directories[0] / "memory.limit_in_bytes")

    def remove(self) -> None:
        """End every process that is still in the group, and remove it."""
        _remove(self.directories)


def _create_v2(limits: Limits) -> Cgroup | None:
    parent = _parent_v2()
    if parent is None:
        return None
    _sweep(parent)
    folder = parent / _new_name()
    folder.mkdir()
    try:
        (folder / "memory.max").write_text(str(limits.memory_mib * MIB))
        (folder / "pids.max").write_text(str(limits.processes))
        for name, value in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
            with contextlib.suppress(FileNotFoundError):
                (folder / name).write_text(value)
    except OSError:
        folder.rmdir()
        raise
    return CgroupV2((folder,))


def _create_v1(limits: Limits) -> Cgroup | None:
    parents = [_own_directory(name) for name in ("memory", "pids")]
    if any(parent is None for parent in parents):
        return None
    accounting = _own_directory("cpuacct")
    name = _new_name()
    folders: list[Path] = []
    try:
        for parent in (*parents, accounting):
            if parent is not None:
                _sweep(parent)
                folder = parent / name
                folder.mkdir()
                folders.append(folder)
        memory, pids = folders[0], folders[1]
        limit = str(limits.memory_mib * MIB)
        (memory / "memory.limit_in_bytes").write_text(limit)
        # Without swap accounting this file does not exist; then swap is turned off for the group instead.
        with contextlib.suppress(OSError):
            (memory / "memory.memsw.limit_in_bytes").write_text(limit)
        with contextlib.suppress(OSError):
            (memory / "memory.swappiness").write_text("0")
        (pids / "pids.max").write_text(str(limits.processes))
    except OSError:
        _remove(tuple(folders))
        raise
    return CgroupV1(tuple(folders))


def _mounts() -> Iterator[tuple[str, str, Path, set[str]]]:
    """List the mounts of control groups: type, root inside the hierarchy, mount point, options."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind in ("cgroup", "cgroup2"):
            fields = left.split(" ")
            yield kind, fields[3], Path(fields[4]), set(options.split(","))


def _own_path(controller: str) -> str | None:
    """Return the path of this process in the hierarchy of ``controller`` (empty: the unified one)."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        if controller in names.split(","):
            return path
    return None


def _own_directory(controller: str) -> Path | None:
    """Return this process's directory in the hierarchy of ``controller``; None if it is not mounted.

    An empty ``controller`` is the unified hierarchy.
    """
    path = _own_path(controller)
    for kind, root, mount, options in _mounts():
        fits = kind == "cgroup2" if not controller else kind == "cgroup" and controller in options
        if fits and path is not None:
            below = os.path.relpath(path, root)
            return mount if below == "." or below.startswith("..") else mount / below
    return None


def _parent_v2() -> Path | None:
    """Find the nearest folder, from this process's own upwards, that may get a child with limits.

    A folder with processes of its own, except the root, cannot delegate controllers. Moving a process needs write
    access to ``cgroup.procs`` of the nearest common ancestor, which is that folder.
    """
    current = _own_directory("")
    if current is None:
        return None
    needed = {"memory", "pids"}
    for folder in (current, *current.parents):
        if not (folder / "cgroup.procs").exists():
            return None
        if not (os.access(folder, os.W_OK) and os.access(folder / "cgroup.procs", os.W_OK)):
            continue
        if not needed <= set((folder / "cgroup.controllers").read_text().split()):
            continue
        if needed <= set((folder / "cgroup.subtree_control").read_text().split()):
            return folder
        with contextlib.suppress(OSError):
            (folder / "cgroup.subtree_control").write_text("+memory +pids")
            return folder
    return None


def _sweep(parent: Path) -> None:
    """Remove the empty groups of kits that were killed: no process has the pid in such a group's name."""
    for folder in parent.glob("notebook-*-*"):
        if not Path("/proc", folder.name.split("-")[1]).exists():
            with contextlib.suppress(OSError):
                folder.rmdir()


def _new_name() -> str:
    return f"notebook-{os.getpid()}-{secrets.token_hex(4)}"


def _remove(directories: tuple[Path, ...]) -> None:
    """Remove the folders; a dying process keeps one busy for some milliseconds.

    A process that is still alive has lost its supervisor: the supervisor was killed before the sandbox's life depended
    on it.
    """
    for folder in directories:
        for _ in range(50):
            try:
                folder.rmdir()
            except FileNotFoundError:
                break
            except OSError:
                _kill_members(folder)
                time.sleep(0.02)
            else:
                break


def _kill_members(folder: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        for pid in map(int, (folder / "cgroup.procs").read_text().split()):
            if pid > 1:  # 0: a process outside our pid namespace
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)


def _read_ids(path: Path) -> list[int]:
    """Read process or thread ids, without the 0 that stands for one of another pid namespace."""
    try:
        return [number for number in map(int, path.read_text().split()) if number]
    except (OSError, ValueError):
        return []


def _read_number(path: Path) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0


def _read_table(path: Path) -> dict[str, int]:
    """Read lines of the form ``name number``; empty if they cannot be read."""
    try:
        pairs = [line.split() for line in path.read_text().splitlines()]
        return {name: int(value) for name, value in pairs}
    except (OSError, ValueError):
        return {}
