"""The walls that a fork builds around itself: the same as bubblewrap's, from inside one of its sandboxes.

The template sees the system and the environment read-only, and nothing else of the host. A fork gets its own namespaces
and empty writable folders in place of the template's, and loses every capability before it goes on.
"""

# Links and descriptors matter here, hence paths as text and os calls.
# ruff: noqa: PTH103, PTH112, PTH120, PTH123, PTH211
from __future__ import annotations

import os
import resource
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograder.sandbox.template import system
    from autograder.sandbox.template.job import Job
else:
    import system

STAGING = "/tmp"
"""Where files wait until they are bound; the last mount covers it."""
WRITABLE = system.MS_NOSUID | system.MS_NODEV


def enter_namespaces() -> None:
    """Enter new namespaces of every kind, which hold only this process's user and group."""
    uid, gid = os.getuid(), os.getgid()
    system.unshare(system.ALL_NAMESPACES)
    system.traceable(True)  # otherwise root would own the maps' files
    for name, content in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        _write(f"/proc/self/{name}", content)


def build(job: Job, home: dict[str, bytes]) -> None:
    """Mount everything, raise loopback, set limits, and drop all capabilities.

    Runs in the first process of the new pid namespace.

    Args:
        job: what to run.
        home: files in the work folder that imports have left in the template's (path → content).
    """
    system.mount("none", "/", None, system.MS_REC | system.MS_PRIVATE)
    system.raise_loopback()
    for path in job.hidden_paths:
        if os.path.isdir(path):
            system.mount("tmpfs", path, "tmpfs", WRITABLE | system.MS_RDONLY, "size=4096,mode=0755")
    descriptors = {path: os.open(path, os.O_PATH) for path in (*job.bound, *job.trees)}
    _stage(job)
    for path, size, mode in job.folders:
        if path != STAGING:
            _cover(path, size, mode, job, descriptors)
    for path in job.bound:
        _bind(descriptors[path], path)
    for number, (path, _) in enumerate(job.files):
        _bind(os.open(f"{STAGING}/{number}", os.O_PATH), path)
    for path, content in home.items():
        if not os.path.lexists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            _write(path, content)
    system.mount("devpts", "/dev/pts", "devpts", system.MS_NOSUID | system.MS_NOEXEC, "newinstance,ptmxmode=0666")
    system.unmount(STAGING)
    for path, size, mode in job.folders:
        if path == STAGING:
            _cover(path, size, mode, job, descriptors)
    _mount_proc()
    for kind, value in job.limits.items():
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    system.drop_capabilities()


def _stage(job: Job) -> None:
    """Copy the job's files to a folder of their own that everybody can read."""
    total = sum(os.fstat(fd).st_size for _, fd in job.files)
    system.mount("tmpfs", STAGING, "tmpfs", WRITABLE, f"size={total + (1 + len(job.files)) * 8192},mode=0755")
    for number, (_, fd) in enumerate(job.files):
        with os.fdopen(fd, "rb") as source, open(f"{STAGING}/{number}", "xb") as copy:
            source.seek(0)
            while True:
                chunk = source.read(1 << 20)
                if not chunk:
                    break
                copy.write(chunk)
            os.fchmod(copy.fileno(), 0o444)


def _cover(path: str, size: int, mode: str, job: Job, descriptors: dict[str, int]) -> None:
    """Mount an empty folder, and put back the host's files there that the template needs.

    An example is a Python that lies below /tmp.
    """
    system.mount("tmpfs", path, "tmpfs", WRITABLE, f"size={size},mode={mode}")
    for tree in job.trees:
        if tree.startswith(f"{path}/"):
            _bind(descriptors[tree], tree)
    for link, target in job.links:
        if link.startswith(f"{path}/"):
            os.makedirs(os.path.dirname(link), exist_ok=True)
            os.symlink(target, link)


def _bind(source: int, target: str) -> None:
    """Bind what a descriptor names read-only; make a missing mount point if its folder is writable.

    Folders that are hidden in it come along, and stay.
    """
    folder = stat.S_ISDIR(os.fstat(source).st_mode)
    os.makedirs(target if folder else os.path.dirname(target), exist_ok=True)
    if not folder and not os.path.lexists(target):
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o444))
    system.mount(f"/proc/self/fd/{source}", target, None, system.MS_BIND | system.MS_REC)
    os.close(source)
    flags = system.MS_REMOUNT | system.MS_BIND | system.MS_RDONLY | system.MS_NOSUID | system.MS_NODEV
    if os.statvfs(target).f_flag & os.ST_NOEXEC:  # a fork cannot take it away
        flags |= system.MS_NOEXEC
    system.mount("none", target, None, flags)


def _mount_proc() -> None:
    """Mount a view of only this pid namespace, in which /proc/sys cannot be written."""
    system.mount("proc", "/proc", "proc", system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC)
    # As bubblewrap's --disable-userns does: the number belongs to this user namespace.
    _write("/proc/sys/user/max_user_namespaces", "0")
    system.mount("/proc/sys", "/proc/sys", None, system.MS_BIND)
    flags = system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC
    system.mount("none", "/proc/sys", None, system.MS_REMOUNT | system.MS_BIND | system.MS_RDONLY | flags)


def _write(path: str, content: str | bytes) -> None:
    with open(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
