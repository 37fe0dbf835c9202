"""A sandbox without namespaces: a user id of its own, permissions, Landlock, the filter, and an end by user id.

For machines where a container's root may make no namespace. It is weaker than the others, and is only used where it is
named. Everything of a sandbox lies below one folder of the host, which its user and root alone may enter. It is removed
at the end, with whatever else that user left in the folders that all may write to.
"""

# The os calls are meant: each names one system call, and links and descriptors matter here.
# ruff: noqa: PTH100, PTH101, PTH103, PTH108, PTH118, PTH120, PTH123, PTH208
from __future__ import annotations

import base64
import contextlib
import os
import resource
import select
import shutil
import signal
import stat
import sys
import time
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING or __package__:
    from autograder.extensions.walls.supervisor_side import landlock
    from autograder.sandbox.supervisor import launch, watchdog
    from autograder.sandbox.template import system
else:
    import landlock
    import launch

    sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(launch.__file__))), "template"))
    import system
    import watchdog

LAUNCH_FAILED, NOT_FOUND = 125, 127
READY, GO = b"r", b"g"
SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock")
"""Folders that every user may write to."""
START_SECONDS = 10.0
END_SECONDS = 1.5
FROM_UID, FROM_FALLBACK_UID = 1 << 22, 4096
"""Distances from a sandbox's user to the user who kills it: no sandbox has a user there."""


class User:
    """The process ``init``, which is the command itself; ``monitor`` is the same."""

    def __init__(self, init: int, uid: int, root: str, gate: tuple[int, int]) -> None:
        self.monitor = self.init = init
        self.root = root
        self.uid = uid
        self.watchdog = ByUser(uid, init)
        self._gate = gate

    def open_gate(self, _: int) -> None:
        """Let the command begin."""
        read_end, write_end = self._gate
        os.write(write_end, GO)
        os.close(write_end)
        os.close(read_end)

    def result(self) -> tuple[int, float]:
        """Return the command's exit status and the CPU seconds of what was waited for."""
        _, code, used = os.wait4(self.init, 0)
        return os.waitstatus_to_exitcode(code), used.ru_utime + used.ru_stime

    def end_all(self) -> None:
        """Kill every process of this user, and remove what it wrote."""
        end_user(self.uid)
        shutil.rmtree(self.root, ignore_errors=True)
        remove_leftovers(self.uid)


class ByUser:
    """A watchdog that adds up the processes of one user: those that left the command's family, too."""

    def __init__(self, uid: int, init: int) -> None:
        self._uid, self._init = uid, init

    def memory(self, _: int) -> int:
        """Return the bytes that the processes have mapped; shared pages count once."""
        self._reap()
        return sum(map(watchdog.process_memory, living(self._uid)))

    def too_many_files(self, _: int) -> bool:
        """Return False: files are on the machine's own disk, and are not counted."""
        return False

    def threads(self, _: int) -> int:
        """Count the processes and threads at this moment."""
        count = 0
        for pid in living(self._uid):
            with contextlib.suppress(OSError):
                count += len(os.listdir(f"/proc/{pid}/task"))
        return count

    def cpu_seconds(self, _: int) -> float:
        """Return the CPU time of the living processes and of their children that were waited for."""
        return watchdog.cpu_seconds_of(living(self._uid))

    def _reap(self) -> None:
        """Wait for orphans that have ended, whose parent this process is now; not for the command itself."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
                if ended.si_pid == self._init:
                    return
                os.waitpid(ended.si_pid, os.WNOHANG)


def living(uid: int) -> list[int]:
    """List the processes that have this user id in any role, without unreaped dead ones."""
    pids = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            # One that ends at this moment has an empty file.
            with contextlib.suppress(OSError, KeyError, IndexError), open(f"/proc/{name}/status", "rb") as file:
                fields = dict(line.split(b":", 1) for line in file.read().split(b"\n") if b":" in line)
                if str(uid).encode() in fields[b"Uid"].split() and fields[b"State"].split()[0] not in (b"Z", b"X"):
                    pids.append(int(name))
    return pids


def end_user(uid: int) -> None:
    """Kill all processes of a user, also those that multiply while they are killed.

    A helper signals all of them in one system call, during which none can fork. Its own real user is another one, so
    that none of them can signal it first.
    """
    deadline = time.monotonic() + END_SECONDS
    while (pids := living(uid)) and time.monotonic() < deadline:
        helper = os.fork()
        if helper == 0:
            try:
                kill_as(uid)
            except BaseException:
                os._exit(1)
            os._exit(0)
        if os.waitpid(helper, 0)[1]:
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def kill_as(uid: int) -> None:
    """Become a user who may signal ``uid`` and whom ``uid`` may not signal, and kill all that it can."""
    killer = uid + FROM_UID if uid >= launch.FIRST_UID else uid - FROM_FALLBACK_UID
    os.setgroups([])
    os.setresgid(killer, killer, killer)
    os.setresuid(killer, uid, killer)
    os.kill(-1, signal.SIGKILL)


def remove_leftovers(uid: int) -> None:
    """Remove what a user left in the folders that all may write to; its processes are gone."""
    for folder in SHARED_FOLDERS:
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError, RecursionError):
                    status = entry.stat(follow_symlinks=False)
                    if status.st_uid != uid:
                        continue
                    if stat.S_ISDIR(status.st_mode):
                        shutil.rmtree(entry.path, ignore_errors=True)
                    else:
                        os.unlink(entry.path)


def start(spec: dict[str, Any]) -> User:
    """Make the folders of ``spec["user"]``, and start the command as a user of its own, up to its gate.

    Raises:
        OSError, ValueError: a wall cannot be built.
    """
    launch.adopt_orphans()
    wanted = spec["user"]
    uid = launch.free_uid()
    if living(uid):
        raise ValueError(f"the user id {uid} is in use")
    gate, ready = os.pipe(), os.pipe()
    init = 0
    try:
        build(wanted, uid)
        supervisor = os.getpid()
        init = os.fork()
        if init == 0:
            try:
                become_command(wanted, spec["processes"], uid, supervisor, gate[0], ready[1])
            except BaseException as error:
                os.write(2, f"{error}\n".encode("utf-8", "replace"))
            os._exit(LAUNCH_FAILED)
        os.close(ready[1])
        if not select.select([ready[0]], [], [], START_SECONDS)[0] or os.read(ready[0], 1) != READY:
            raise ValueError("the sandbox `user` could not be built")
        os.close(ready[0])
    except BaseException:
        if init:
            with contextlib.suppress(OSError):
                os.kill(init, signal.SIGKILL)
        end_user(uid)
        shutil.rmtree(wanted["place"], ignore_errors=True)
        raise
    return User(init, uid, wanted["place"], gate)


def build(wanted: dict[str, Any], uid: int) -> None:
    """Fill the sandbox's folder: its own folders, which its user may write to, and copies of its files."""
    root: str = wanted["place"]
    writable: set[str] = set(wanted["folders"])
    for target, _ in (*wanted["files"], *wanted["data"]):
        above = os.path.dirname(target)
        while any(above.startswith(f"{folder}/") for folder in wanted["folders"]):
            writable.add(above)  # a folder of the student's own that a given file lies in
            above = os.path.dirname(above)
    for path in sorted(writable):
        os.makedirs(path, exist_ok=True)
        os.chown(path, uid, uid)
        os.chmod(path, 0o700)
    for target, source in wanted["files"]:
        copy(source, target)
    for target, content in wanted["data"]:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(base64.b64decode(content))
    for folder, _, names in os.walk(root):
        if folder not in writable:
            os.chown(folder, 0, uid)
            os.chmod(folder, 0o710 if folder == root else 0o750)
        for name in names:
            os.chown(f"{folder}/{name}", 0, uid)
            os.chmod(f"{folder}/{name}", 0o640)


def copy(source: str, target: str) -> None:
    """Copy a plain file, or a folder of plain files; a link in it is an error."""
    if stat.S_ISDIR(os.lstat(source).st_mode):
        os.makedirs(target, exist_ok=True)
        for name in os.listdir(source):
            if name != "__pycache__":
                copy(os.path.join(source, name), os.path.join(target, name))
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file, open(target, "xb") as out:
        shutil.copyfileobj(file, out)


def become_command(
    wanted: dict[str, Any], processes: int, uid: int, supervisor: int, gate: int, ready: int
) -> NoReturn:
    """Give up root and all else, wait at the gate, install the filter, and become the command."""
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    launch.close_descriptors(keep=(0, 1, 2, gate, ready))
    launch.join([])
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    launch.limit(resource.RLIMIT_NOFILE, launch.MAX_OPEN_FILES)
    launch.limit(resource.RLIMIT_FSIZE, wanted["file_bytes"])
    launch.limit(resource.RLIMIT_NPROC, processes)
    launch.limit(resource.RLIMIT_MSGQUEUE, 0)
    system.drop_bounding_set()
    launch.drop_root(uid)
    os.umask(0o077)
    launch.die_with(supervisor)
    if 0 in (*os.getresuid(), *os.getresgid()):
        raise ValueError("refused: the sandbox would run as root")
    system.forbid_new_privileges()
    launch.refuse_closed(wanted["needed"])
    for path in wanted["hidden_paths"]:
        if os.access(path, os.R_OK) or os.access(path, os.X_OK):
            raise ValueError(f"refused: {path} must be closed to other users (chmod 700)")
    landlock.restrict(wanted["readable"], [*wanted["folders"], *wanted["writable"]])
    os.chdir(wanted["cwd"])
    os.write(ready, READY)
    os.close(ready)
    if os.read(gate, 1) != GO:
        os._exit(LAUNCH_FAILED)
    os.close(gate)
    for number in (
        signal.SIGPIPE,
        signal.SIGXFSZ,
    ):  # Python ignores SIGPIPE and SIGXFSZ, and the command would inherit that
        signal.signal(number, signal.SIG_DFL)
    system.install_filter(system.with_pid(base64.b64decode(wanted["seccomp"]), os.getpid()))
    try:
        os.execve(wanted["argv"][0], wanted["argv"], wanted["env"])
    except OSError as error:
        os.write(2, f"{wanted['argv'][0]}: {error}\n".encode("utf-8", "replace"))
        os._exit(NOT_FOUND)
