"""The last steps before bwrap, in a process of its own: join the cgroup, stage, drop root, limit, exec.

Root cannot simply start bwrap: bwrap's ``--uid`` does not change the uid that the host sees. So root first drops to an
unprivileged uid. That uid may not enter a folder such as /root. So everything that the sandbox needs is first bound to
a readable place, in a mount namespace of its own.
"""

# The os calls are meant: each names one system call, and links and descriptors matter here.
# ruff: noqa: PTH101, PTH102, PTH110, PTH112, PTH116, PTH118, PTH120, PTH208
from __future__ import annotations

import base64
import contextlib
import ctypes
import os
import pwd
import resource
import shutil
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING or __package__:
    from autograder.sandbox.supervisor import memory
else:
    import memory

CLONE_NEWNS = 0x00020000
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
STAGING_PLACES = ("/mnt", "/media", "/srv", "/opt", "/run")
# Above the uids that systemd and /etc/subuid assign, below 2**31; one per sandbox, so that no two share a count of
# processes.
FIRST_UID, FALLBACK_UID = 1879048192, 61184
MAX_OPEN_FILES = 4096
OUT_OF_MEMORY_SCORE = "500"


def launch(spec: dict[str, Any], info_fd: int, block_fd: int) -> NoReturn:
    """Become bwrap; never returns.

    Raises:
        OSError, ValueError: a step fails; the message is for a person.
    """
    join(spec["cgroup"])
    staged: dict[str, str] = {}
    if os.geteuid() == 0:
        staged = stage(spec["arguments"], spec["bwrap"])
        drop_root()
    if 0 in (*os.getresuid(), *os.getresgid()):
        raise ValueError("refused: the sandbox would run as root")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    limit(resource.RLIMIT_FSIZE, spec["file_bytes"])
    arguments = [
        "--info-fd", str(info_fd), "--block-fd", str(block_fd),
        *(("--seccomp", str(memory.file_of(base64.b64decode(spec["seccomp"])))) if spec["seccomp"] else ()),
        *(resolve(argument, staged) for argument in spec["arguments"]),
    ]  # fmt: skip
    die_with(spec["supervisor"])
    # By descriptor: the command line of the sandbox's init is readable inside and would show host paths.
    block = memory.file_of(b"".join(os.fsencode(argument) + b"\0" for argument in arguments))
    os.execve(translate(spec["bwrap"], staged), ["bwrap", "--args", str(block), "--", *spec["argv"]], {})


def join(folders: list[str]) -> None:
    """Join the control groups, and be the first to be killed if the machine's memory runs out."""
    for folder in folders:
        Path(folder, "cgroup.procs").write_text(str(os.getpid()))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(OUT_OF_MEMORY_SCORE)


def close_descriptors(keep: tuple[int, ...]) -> None:
    """Close all descriptors but those to keep."""
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd not in keep:
            with contextlib.suppress(OSError):
                os.close(fd)


def adopt_orphans() -> None:
    """Become the parent of all orphans below this process."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(supervisor: int) -> None:
    """Bind this process's life to the supervisor's.

    Call it after the change of uids, which would undo it; bwrap does the same again.

    Raises:
        ValueError: the supervisor is dead already.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != supervisor:
        raise ValueError("the supervisor was killed")


def resolve(argument: Any, staged: dict[str, str]) -> str:
    """Return an argument of bwrap as text: itself, the place of a source, or a descriptor of some content."""
    if isinstance(argument, str):
        return argument
    if "data" in argument:
        return str(memory.file_of(base64.b64decode(argument["data"])))
    source: str = argument["source"]
    return staged.get(source, source)


def limit(kind: int, value: int) -> None:
    """Set a limit for good, never above the present one."""
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def stage(arguments: list[Any], program: str) -> dict[str, str]:
    """Bind every source among the arguments, and the program's folder, to a readable place.

    This happens in a private mount namespace.

    Returns:
        Source → its place.
    """
    sources = {a["source"]: a.get("copy", False) for a in arguments if isinstance(a, dict) and "source" in a}
    if not any(Path(program).is_relative_to(source) for source in sources):
        sources[folder_of(program)] = False
    libc = ctypes.CDLL(None, use_errno=True)
    check(libc.unshare(CLONE_NEWNS), "make a mount namespace")
    mount(libc, "none", "/", None, MS_REC | MS_PRIVATE)
    opened = {source: os.open(source, os.O_PATH | os.O_CLOEXEC) for source in sources}
    staging = staging_place()
    mount(libc, "tmpfs", staging, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755")
    staged = {}
    for number, (source, fd) in enumerate(opened.items()):
        target = f"{staging}/{number}"
        path = f"/proc/self/fd/{fd}"
        if sources[source] and not readable(path):
            copy(path, target)
        else:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
            os.mkdir(target) if is_folder else os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
            mount(libc, path, target, None, MS_BIND | MS_REC)
        staged[source] = target
    return staged


def staging_place() -> str:
    """Choose a folder to mount the staging tmpfs on."""
    return next(p for p in STAGING_PLACES if os.path.isdir(p))


def folder_of(bwrap: str) -> str:
    """Return the folder to stage for the program: its own, or a wheel's, which holds its libraries, too."""
    package = Path(bwrap).parent.parent
    libraries = package.with_name(f"{package.name}.libs")
    return str(package.parent) if libraries.is_dir() else os.path.dirname(bwrap)


def translate(path: str, staged: dict[str, str]) -> str:
    """Return where a path lies after staging."""
    for source, target in sorted(staged.items(), key=lambda item: -len(item[0])):
        if Path(path).is_relative_to(source):
            return os.path.normpath(os.path.join(target, os.path.relpath(path, source)))
    return path


def readable(path: str) -> bool:
    """Return whether everybody may read ``path`` and everything below it."""
    for folder, folders, files in os.walk(path):
        entries = [(os.path.join(folder, name), 0o005) for name in folders]
        entries += [(os.path.join(folder, name), 0o004) for name in files]
        if any(os.lstat(name).st_mode & needed != needed for name, needed in entries):
            return False
    mode = os.stat(path).st_mode
    needed = 0o005 if stat.S_ISDIR(mode) else 0o004
    return mode & needed == needed


def refuse_closed(paths: list[str]) -> None:
    """Refuse to start where this process's user cannot reach or read one of the folders or files.

    Raises:
        ValueError: names the closed one and what to do.
    """
    for path in paths:
        steps = path.split("/")[1:]
        for step in range(1, len(steps)):
            folder = "/" + "/".join(steps[:step])
            if os.path.isdir(folder) and not os.access(folder, os.X_OK):
                raise ValueError(
                    f"refused: other users cannot enter {folder}, and {path} lies there. Open it (chmod o+x {folder}), "
                    "or put the kit and its Python into an open folder, such as one in /opt."
                )
        if os.path.exists(path) and not os.access(path, os.R_OK | (os.X_OK if os.path.isdir(path) else 0)):
            raise ValueError(f"refused: other users cannot read {path}. Open it: chmod -R go+rX {path}.")


def copy(source: str, target: str) -> None:
    """Copy a file or a tree so that everybody may read it and nobody may write it."""
    if not stat.S_ISDIR(os.stat(source).st_mode):
        shutil.copyfile(source, target)
        os.chmod(target, 0o444)
        return
    os.mkdir(target)
    for name in os.listdir(source):
        copy(os.path.join(source, name), os.path.join(target, name))
    os.chmod(target, 0o555)


def drop_root(uid: int | None = None) -> None:
    """Become a user that exists nowhere: no supplementary groups, no capabilities, no way back."""
    uid = free_uid() if uid is None else uid
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def free_uid() -> int:
    """Choose a uid without a passwd entry.

    It differs for every living supervisor if the uid map is wide enough.
    """
    ranges = [tuple(map(int, line.split())) for line in Path("/proc/self/uid_map").read_text().splitlines()]
    top = max(start + count for start, _, count in ranges) - 1
    uid = FIRST_UID + os.getpid() if top > FIRST_UID + (1 << 22) else FALLBACK_UID + os.getpid() % 4000
    while _has_entry(uid):
        uid += 1
    return uid


def _has_entry(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def mount(libc: ctypes.CDLL, source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount a file system.

    Raises:
        OSError: says what was tried.
    """
    result = libc.mount(
        os.fsencode(source), os.fsencode(target), kind and kind.encode(), ctypes.c_ulong(flags), data.encode() or None
    )
    check(result, f"mount {source} on {target}")


def check(result: int, action: str) -> None:
    """Raise OSError unless a call of the C library succeeded."""
    if result != 0:
        code = ctypes.get_errno()
        if os.geteuid() == 0:
            raise OSError(code, f"root cannot {action} here ({os.strerror(code)}); start the kit as an ordinary user")
        raise OSError(code, f"cannot {action} here ({os.strerror(code)})")
