"""An OCI bundle of what a student's process sees: a configuration, and the content of its root.

Everything is plain data for JSON. A dictionary stands for a path that depends on the staging folder: ``{"source": path,
"copy": bool}`` for a host path, ``{"place": name}`` for a path in the staging folder itself. The supervisor fills in
these paths and the host's user ids.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.sandbox.base import SOCKETS, Job
from autograder.sandbox.layout import MIB, Data, Folder, Link, Operation, Source

VERSION = "1.0.2"
INIT = "/opt/init"
"""The folder inside that holds the first process's program and its filters."""
MAX_OPEN_FILES = 4096
CAPABILITIES = ("bounding", "effective", "inheritable", "permitted", "ambient")
READ_ONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
MASKED_PATHS = ("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/scsi")


@dataclass(frozen=True)
class Style:
    """Differences between engines."""

    uid: int
    """The student's user id inside. An engine that knows only one user calls it 0; that user has no capability either.
    """
    own_kernel: bool = False
    """System calls go to a kernel of the sandbox's own. That kernel also makes /dev and the user namespace, and binds
    the kernel's sockets in a folder of the staging place.
    """


def bundle(job: Job, plan: Mapping[str, Operation], argv: tuple[str, ...], style: Style) -> dict[str, Any]:
    """Plan the bundle of a job.

    Args:
        job: what to run.
        plan: path inside → what is there, parents first.
        argv: the command of the first process inside.
        style: what the engine needs.

    Returns:
        ``config`` (for config.json), ``root`` (path, kind and content of what to make in the root), ``data`` (name →
        content of files that are bound because they lie inside another mount), ``sockets`` and ``sockets_bytes`` (path
        and size of the folder for sockets).
    """
    root: list[tuple[str, str, str]] = [("/proc", "folder", ""), ("/dev", "folder", "")]
    data: dict[str, str] = {}
    mounts = [*_proc_and_dev(style)]
    bound: list[str] = []
    folders: list[str] = []
    for path, operation in plan.items():
        kind, content = "folder", ""
        match operation:
            case Data(there) if _below(path, [*bound, *folders]):
                kind = "file"
                data[name := str(len(data))] = _text(there)
                mounts.append(_bind(path, {"place": f"data/{name}"}))
            case Data(there):
                kind, content = "file", _text(there)
            case Link(target):
                kind, content = "link", target
            case Source(source, copy):
                kind = "folder" if os.path.isdir(source) else "file"  # noqa: PTH112
                mounts.append(_bind(path, {"source": source, "copy": copy}))
            case Folder():
                mounts.append(_folder(path, operation, style))
        # A path below a folder in memory is made in the root, too: gVisor looks for it there.
        if not _below(path, bound):
            root.append((path, kind, content))
        bound += [path] * isinstance(operation, Source)
        folders += [path] * isinstance(operation, Folder)
    return {
        "config": _config(job, mounts, argv, style),
        "root": root,
        "data": data,
        "sockets": SOCKETS,
        "sockets_bytes": MIB if style.own_kernel else 0,
    }


def _below(path: str, others: list[str]) -> bool:
    return any(Path(path).is_relative_to(other) for other in others)


def _config(job: Job, mounts: list[dict[str, Any]], argv: tuple[str, ...], style: Style) -> dict[str, Any]:
    spaces = ["pid", "network", "ipc", "uts", "mount", "cgroup"] + ([] if style.own_kernel else ["user"])
    ids = [{"containerID": style.uid, "hostID": -1, "size": 1}]
    limits = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": job.limits.disk_mib * MIB,
        "RLIMIT_NOFILE": MAX_OPEN_FILES,
        "RLIMIT_NPROC": job.limits.processes,
    }
    return {
        "ociVersion": VERSION,
        "hostname": "notebook",
        "root": {"path": "root", "readonly": True},
        "process": {
            "terminal": False,
            "user": {"uid": style.uid, "gid": style.uid},
            "args": list(argv),
            "env": [f"{name}={value}" for name, value in job.env.items()],
            "cwd": job.cwd,
            "capabilities": {name: [] for name in CAPABILITIES},
            "noNewPrivileges": True,
            "rlimits": [{"type": name, "hard": value, "soft": value} for name, value in limits.items()],
        },
        "mounts": mounts,
        "linux": {
            "namespaces": [{"type": name} for name in spaces],
            **({} if style.own_kernel else {"uidMappings": ids, "gidMappings": [dict(line) for line in ids]}),
            "readonlyPaths": list(READ_ONLY_PATHS),
            "maskedPaths": list(MASKED_PATHS),
        },
    }


def _proc_and_dev(style: Style) -> list[dict[str, Any]]:
    proc = _mount("/proc", "proc", "proc", "nosuid", "nodev", "noexec")
    if style.own_kernel:
        return [proc]
    dev = _mount("/dev", "tmpfs", "tmpfs", "nosuid", "noexec", "mode=0755", "size=65536", "ro")
    pts = _mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620")
    return [proc, dev, pts]


def _folder(path: str, folder: Folder, style: Style) -> dict[str, Any]:
    if style.own_kernel and path == SOCKETS:
        return _mount(path, "bind", {"place": f"outside{SOCKETS}"}, "bind", "rw", "nosuid", "nodev", "noexec")
    options = ["ro"] if folder.read_only else ["rw"]
    return _mount(path, "tmpfs", "tmpfs", "nosuid", "nodev", f"mode={folder.mode}", f"size={folder.size}", *options)


def _bind(path: str, source: dict[str, Any]) -> dict[str, Any]:
    return _mount(path, "bind", source, "rbind", "ro", "nosuid", "nodev")


def _mount(path: str, kind: str, source: str | dict[str, Any], *options: str) -> dict[str, Any]:
    return {"destination": path, "type": kind, "source": source, "options": list(options)}


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
