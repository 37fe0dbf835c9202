"""The bundle, in OCI's format, of what a student's process sees: a configuration, and the content of its root.

Everything is plain data for JSON. A dictionary stands for a path that depends on the staging folder. ``{"source": path,
"copy": bool}`` is a host path, and ``{"place": name}`` a path in the staging folder itself. The supervisor fills in
these paths and the host's user ids.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.sandbox.base import SOCKETS, Job
from autograder.sandbox.layout import MIB, Data, Folder, Link, Operation, Source

VERSION = "1.0.2"
INIT = "/opt/init"
"""The folder inside that holds the first process's program and its filters."""
MAX_OPEN_FILES = 4096
UID = 0
"""The student's user inside: gVisor knows this one only, and it has no capability."""
NAMESPACES = ("pid", "network", "ipc", "uts", "mount", "cgroup")
"""gVisor makes the user namespace itself."""
SOCKETS_BYTES = MIB
"""Size of the folder for the kernel's sockets. It lies in the staging place: the host does not see gVisor's memory."""
CAPABILITIES = ("bounding", "effective", "inheritable", "permitted", "ambient")
READ_ONLY_PATHS = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
MASKED_PATHS = ("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/scsi")


def bundle(job: Job, plan: Mapping[str, Operation], argv: tuple[str, ...]) -> dict[str, Any]:
    """Plan the bundle of a job.

    Args:
        job: what to run.
        plan: path inside → what is there, parents first.
        argv: the command of the first process inside.

    Returns:
        ``config`` (for config.json), ``root`` (path, kind and content of what to make in the root), ``data`` (name →
        content of files that are bound because they lie inside another mount), ``sockets`` and ``sockets_bytes`` (path
        and size of the folder for sockets).
    """
    root: list[tuple[str, str, str]] = [("/proc", "folder", ""), ("/dev", "folder", "")]
    data: dict[str, str] = {}
    mounts = [_mount("/proc", "proc", "proc", "nosuid", "nodev", "noexec")]
    bound: list[str] = []
    folders: list[str] = []
    for path, operation in plan.items():
        kind, content = "folder", ""
        match operation:
            case Data(data_bytes) if _below(path, [*bound, *folders]):
                kind = "file"
                data[name := str(len(data))] = _text(data_bytes)
                mounts.append(_bind(path, {"place": f"data/{name}"}))
            case Data(data_bytes):
                kind, content = "file", _text(data_bytes)
            case Link(target):
                kind, content = "link", target
            case Source(source, copy):
                kind = "folder" if os.path.isdir(source) else "file"  # noqa: PTH112
                mounts.append(_bind(path, {"source": source, "copy": copy}))
            case Folder():
                mounts.append(_folder(path, operation))
        # A path below a folder in memory is made in the root, too: gVisor looks for it there.
        if not _below(path, bound):
            root.append((path, kind, content))
        bound += [path] * isinstance(operation, Source)
        folders += [path] * isinstance(operation, Folder)
    return {
        "config": _config(job, mounts, argv),
        "root": root,
        "data": data,
        "sockets": SOCKETS,
        "sockets_bytes": SOCKETS_BYTES,
    }


def _below(path: str, folders: list[str]) -> bool:
    return any(Path(path).is_relative_to(other) for other in folders)


def _config(job: Job, mounts: list[dict[str, Any]], argv: tuple[str, ...]) -> dict[str, Any]:
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
            "user": {"uid": UID, "gid": UID},
            "args": list(argv),
            "env": [f"{name}={value}" for name, value in job.env.items()],
            "cwd": job.cwd,
            "capabilities": {name: [] for name in CAPABILITIES},
            "noNewPrivileges": True,
            "rlimits": [{"type": name, "hard": value, "soft": value} for name, value in limits.items()],
        },
        "mounts": mounts,
        "linux": {
            "namespaces": [{"type": name} for name in NAMESPACES],
            "readonlyPaths": list(READ_ONLY_PATHS),
            "maskedPaths": list(MASKED_PATHS),
        },
    }


def _folder(path: str, folder: Folder) -> dict[str, Any]:
    if path == SOCKETS:
        return _mount(path, "bind", {"place": f"outside{SOCKETS}"}, "bind", "rw", "nosuid", "nodev", "noexec")
    options = ["ro"] if folder.read_only else ["rw"]
    return _mount(path, "tmpfs", "tmpfs", "nosuid", "nodev", f"mode={folder.mode}", f"size={folder.size}", *options)


def _bind(path: str, source: dict[str, Any]) -> dict[str, Any]:
    return _mount(path, "bind", source, "rbind", "ro", "nosuid", "nodev")


def _mount(path: str, kind: str, source: str | dict[str, Any], *options: str) -> dict[str, Any]:
    return {"destination": path, "type": kind, "source": source, "options": list(options)}


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
