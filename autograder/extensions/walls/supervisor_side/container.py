"""A sandbox that gVisor's engine builds: started here, held at its gate until the guard is ready.

    supervisor ──fork──▶ monitor ──fork──▶ the engine, pid 1 of a namespace ──▶ … ──▶ init, inside

The engine never runs as root: before it starts, the monitor takes a user id that nobody has, for good. Everything that
the engine needs lies in a tmpfs in the monitor's own mount namespace: the bundle, its state, the sources of its binds.
So nothing is written on the host, and nothing is left behind. The engine's pid namespace ends with the engine, the
engine with the monitor, and the monitor with the supervisor.
"""

# The os calls are meant: each names one system call, and links and descriptors matter here.
# ruff: noqa: PTH102, PTH103, PTH123, PTH211
from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from autograder.sandbox.supervisor import launch, watchdog
else:
    import launch
    import watchdog

CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000
MS_NOEXEC, MS_RDONLY = 8, 1
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
CGROUPS = "/sys/fs/cgroup"
LAUNCH_FAILED = 125
READY, GO = b"r", b"g"
PID_FILE_SECONDS = 5.0
GATE = 0
"""Descriptor of the gate in the first process inside: the engine passes standard input on unchanged."""
OUTSIDE = "outside"
"""A folder of the staging place: all that the host sees of a sandbox whose files are in no mount of the host's."""


class Container:
    """The processes ``monitor`` (waits for the engine) and ``init`` (the first inside; gVisor's kernel) at its gate."""

    def __init__(self, monitor: int, init: int, gate: socket.socket, root: str) -> None:
        self.monitor, self.init, self.root = monitor, init, root
        self._gate = gate

    def open_gate(self, _: int) -> None:
        """Let init start the student's process."""
        self._gate.send(GO)
        self._gate.close()

    def result(self) -> tuple[int, float]:
        """Return the engine's exit status, which is the command's, and the CPU seconds of what was waited for."""
        _, code, used = os.wait4(self.monitor, 0)
        return os.waitstatus_to_exitcode(code), used.ru_utime + used.ru_stime


def start(spec: dict[str, Any]) -> Container:
    """Start ``spec["container"]``.

    Raises:
        ValueError: the engine cannot build it, or would run it as root.
    """
    launch.adopt_orphans()
    gate, inner = socket.socketpair()
    info_read, info_write = os.pipe()
    monitor = os.fork()
    if monitor == 0:
        try:
            become_monitor(spec, inner, info_write)
        except BaseException as error:
            os.write(2, f"{error}\n".encode())
            os._exit(LAUNCH_FAILED)
    inner.close()
    os.close(info_write)
    with open(info_read) as info:
        started = json.loads(info.read() or "{}")
    if not started or gate.recv(1) != READY:
        raise ValueError(f"{spec['container']['name']} could not build the sandbox")
    everything = watchdog.processes(started["engine"])
    if any(0 in user_ids(pid) for pid in everything):
        raise ValueError("refused: the sandbox would run as root")
    staging = f"/proc/{started['engine']}/root{started['place']}"
    init = find(started["engine"], f"{staging}/run/pid")
    return Container(monitor, init, gate, f"{staging}/{OUTSIDE}")


def find(engine: int, pid_file: str) -> int:
    """Find the process that the engine's file names by its pid in the engine's namespace.

    Raises:
        ValueError: there is none in time.
    """
    deadline = time.monotonic() + PID_FILE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            number = int(Path(pid_file).read_text())
            for pid in watchdog.processes(engine):
                if field(pid, "NSpid")[1:2] == [number]:
                    return pid
        time.sleep(0.002)
    raise ValueError("the engine does not say which process it started")


def user_ids(pid: int) -> list[int]:
    """List the four uids of a process; empty if it is gone."""
    return field(pid, "Uid")


def field(pid: int, name: str) -> list[int]:
    """Read the numbers of one line of /proc/PID/status; empty if there is none."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return list(map(int, line.split()[1:]))
    return []


# --- in the monitor ----------------------------------------------------------------------------------


def become_monitor(spec: dict[str, Any], gate: socket.socket, info_fd: int) -> NoReturn:
    """Stage, start the engine, and end with its exit status."""
    os.dup2(gate.fileno(), GATE)
    launch.close_descriptors(keep=(GATE, 1, 2, info_fd))
    launch.join(spec["cgroup"])
    libc = ctypes.CDLL(None, use_errno=True)
    caller = os.geteuid()
    uid = launch.free_uid() if caller == 0 else caller
    own_namespaces(libc, caller)
    sources = [mount["source"] for mount in spec["container"]["config"]["mounts"]]
    staged = launch.stage(sources, spec["container"]["program"])
    staging = launch.staging_place()
    build(libc, spec["container"], staged, staging, uid)
    engine = os.fork()
    if engine == 0:
        try:
            become_engine(libc, spec["container"], staged, staging, uid)
        except BaseException as error:
            os.write(2, f"{error}\n".encode())
            os._exit(LAUNCH_FAILED)
    give_up_root(libc, uid)
    os.write(info_fd, json.dumps({"engine": engine, "place": staging}).encode())
    os.closerange(0, launch.MAX_OPEN_FILES)  # /proc is the engine's by now and does not list ours
    code = os.waitstatus_to_exitcode(os.waitpid(engine, 0)[1])
    os._exit(code if code >= 0 else 128 - code)


def own_namespaces(libc: ctypes.CDLL, caller: int) -> None:
    """Enter a pid namespace, and for an ordinary user a user namespace with the right to mount."""
    group = os.getegid()
    launch.check(libc.unshare(CLONE_NEWPID | (CLONE_NEWUSER if caller else 0)), "make a pid namespace")
    if caller:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{caller} {caller} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def build(libc: ctypes.CDLL, container: dict[str, Any], staged: dict[str, str], staging: str, uid: int) -> None:
    """Write the bundle and the engine's state into the staging place, a tmpfs."""
    group = uid if os.geteuid() == 0 else os.getegid()
    root = f"{staging}/bundle/root"
    os.makedirs(root)
    for path, kind, content in container["root"]:
        make(root + path, kind, content)
    os.mkdir(f"{staging}/data")
    for name, content in container["data"].items():
        make(f"{staging}/data/{name}", "file", content)
    for folder in ("state", "run"):  # the engine's own folders
        os.mkdir(f"{staging}/{folder}", 0o700)
        os.chown(f"{staging}/{folder}", uid, group)
    target = f"{staging}/{OUTSIDE}{container['sockets']}"
    os.makedirs(target)
    flags = launch.MS_NOSUID | launch.MS_NODEV | MS_NOEXEC
    options = f"mode=0755,size={container['sockets_bytes']},uid={uid},gid={group}"
    launch.mount(libc, "tmpfs", target, "tmpfs", flags, options)
    config = container["config"]
    for mount in config["mounts"]:
        source = mount["source"]
        if isinstance(source, dict):
            mount["source"] = staged[source["source"]] if "source" in source else f"{staging}/{source['place']}"
    Path(f"{staging}/bundle/config.json").write_text(json.dumps(config))


def make(path: str, kind: str, content: str) -> None:
    """Make one file, folder or link of the sandbox's root."""
    if kind == "folder":
        os.makedirs(path, exist_ok=True)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH120
    if kind == "link":
        os.symlink(content, path)
        return
    Path(path).write_bytes(base64.b64decode(content))
    os.chmod(path, 0o444)  # noqa: PTH101


def become_engine(
    libc: ctypes.CDLL, container: dict[str, Any], staged: dict[str, str], staging: str, uid: int
) -> NoReturn:
    """Mount an own /proc, hide the control groups, drop root, and become the engine.

    Runs as the first process of the new pid namespace.
    """
    flags = launch.MS_NOSUID | launch.MS_NODEV | MS_NOEXEC
    launch.mount(libc, "proc", "/proc", "proc", flags)
    hide_cgroups(libc)
    give_up_root(libc, uid)
    if 0 in (*os.getresuid(), *os.getresgid()):
        raise ValueError("refused: the sandbox would run as root")
    launch.check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "rule out new privileges")
    program = launch.translate(container["program"], staged)
    command = [word.replace("{place}", staging) for word in container["command"]]
    environment = {"PATH": "/usr/bin:/bin", "HOME": f"{staging}/state", "XDG_RUNTIME_DIR": f"{staging}/state"}
    os.chdir("/")
    os.execve(program, [program, *command], environment)


def hide_cgroups(libc: ctypes.CDLL) -> None:
    """Hide the mounted control groups: the engine must stay in the kit's group."""
    if os.path.isdir(CGROUPS):  # noqa: PTH112
        launch.mount(libc, "tmpfs", CGROUPS, "tmpfs", MS_RDONLY | launch.MS_NOSUID | launch.MS_NODEV, "size=4k")


def give_up_root(libc: ctypes.CDLL, uid: int) -> None:
    """Drop root for good, and die with the parent: a change of the user id resets that."""
    if os.geteuid() == 0:
        launch.drop_root(uid)
    launch.check(libc.prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0), "follow its parent's death")
