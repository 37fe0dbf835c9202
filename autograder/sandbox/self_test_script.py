"""The part of a self-test that runs inside the sandbox.

It tries what must fail, and prints ``{"name": [ok, detail, found]}`` as JSON. Standard library only, and plain ``os``
calls, which name what the kernel is asked for. The script is passed to ``python -I -S -c`` as text. A ``detail`` says
what was found, and ``found`` is a value for a sandbox that allows this one thing.
"""


# ruff: noqa: PTH108, PTH118, PTH123, PTH208

import ctypes
import errno
import json
import os
import platform
import socket
import sys
from collections.abc import Callable, Iterable

LIBC = ctypes.CDLL(None, use_errno=True)
NUMBERS = {
    "x86_64": {
        "ptrace": 101,
        "keyctl": 250,
        "bpf": 321,
        "process_vm_readv": 310,
        "unshare": 272,
        "mount": 165,
    }
}
NUMBERS["aarch64"] = {
    "ptrace": 117,
    "keyctl": 219,
    "bpf": 280,
    "process_vm_readv": 270,
    "unshare": 97,
    "mount": 40,
}
COMMON = {"io_uring_setup": 425, "clone3": 435}
GET_NO_NEW_PRIVS = 39


def attempt(action: Callable[[], object]) -> bool:
    """Return whether ``action`` works."""
    try:
        action()
    except OSError:
        return False
    return True


def listed(names: Iterable[str], nothing: str) -> tuple[bool, str, str]:
    """Make a verdict over things that should not exist."""
    unexpected = sorted(names)
    listing = ", ".join(unexpected)
    return not unexpected, listing or nothing, listing


def writable(folder: str) -> bool:
    """Return whether a file can be made in ``folder``."""
    path = os.path.join(folder, f".write-{os.getpid()}")
    if not attempt(lambda: os.close(os.open(path, os.O_CREAT | os.O_WRONLY))):
        return False
    os.unlink(path)
    return True


def read_only() -> tuple[bool, str, str]:
    """Check that the system cannot be written."""
    folders = [
        "/",
        "/etc",
        "/usr",
        "/usr/bin",
        "/dev",
        "/proc/sys/kernel",
        "/run",
        sys.prefix,
        sys.base_prefix,
    ]
    wrong = [folder for folder in folders if writable(folder)]
    sysctl = "/proc/sys/kernel/core_pattern"
    if attempt(lambda: os.close(os.open(sysctl, os.O_WRONLY))):
        wrong.append(sysctl)
    return listed(wrong, "system, environment, /dev and /proc/sys cannot be written")


def work_folders() -> tuple[bool, str, str]:
    """Check that the work folders can be written and are limited in size."""
    sizes = {}
    for folder in ("/home/student", "/tmp", "/dev/shm", "/run/kernel"):
        status = os.statvfs(folder)
        sizes[folder] = status.f_blocks * status.f_frsize
        if not writable(folder):
            return False, f"{folder} cannot be written", ""
    limit = int(sys.argv[1])
    large = [folder for folder, size in sizes.items() if size > limit]
    if len(large) == len(sizes):
        return False, "not limited in size", "unlimited"
    return (
        not large,
        f"larger than the limit: {', '.join(large)}" if large else "writable and limited in size",
        "",
    )


def network() -> tuple[bool, str, str]:
    """Check that loopback works and other machines cannot be reached."""
    wrong = []
    if not attempt(lambda: socket.socket(socket.AF_INET).close()) and not attempt(
        lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    ):
        return False, "no sockets", "no sockets"
    for kind, port in ((socket.SOCK_STREAM, 443), (socket.SOCK_DGRAM, 53)):
        with socket.socket(socket.AF_INET, kind) as sock:
            sock.settimeout(0.2)
            if sock.connect_ex(("192.0.2.1", port)) not in (
                errno.ENETUNREACH,
                errno.EHOSTUNREACH,
                errno.EPERM,
            ):
                wrong.append("a route to other machines")
    with socket.socket() as server:
        if not attempt(lambda: server.bind(("127.0.0.1", 0))):
            wrong.append("no loopback")
    return listed(set(wrong), "loopback only")


def families() -> tuple[bool, str, str]:
    """Check that sockets of dangerous families are refused."""
    tried = {
        "vsock": (40, 1, 0),
        "packet": (17, 3, 0),
        "alg": (38, 5, 0),
        "netfilter": (16, 3, 12),
        "xdp": (44, 3, 0),
    }
    families_made = []
    for name, (family, kind, protocol) in tried.items():
        try:
            socket.socket(family, kind, protocol).close()
        except OSError:
            continue
        families_made.append(name)
    return listed(families_made, "vsock, packet, alg, netfilter and xdp sockets are refused")


def system_calls() -> tuple[bool, str, str]:
    """Check that dangerous system calls are refused."""
    numbers = NUMBERS[platform.machine()] | COMMON
    wrong = []
    for name, number in numbers.items():
        ctypes.set_errno(0)
        result = LIBC.syscall(ctypes.c_long(number), *[ctypes.c_long(0)] * 6)
        expected = errno.ENOSYS if name == "clone3" else errno.EPERM
        if result != -1 or ctypes.get_errno() != expected:
            wrong.append(name)
    return listed(wrong, "tracing, io_uring, bpf, keys, mounts and namespaces are refused")


def processes() -> tuple[bool, str, str]:
    """Check that no other process is visible."""
    visible = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    stranger = [pid for pid in visible if pid not in (1, os.getpid())]
    return (
        not stranger,
        "other processes are visible" if stranger else "only its own are visible",
        "visible" if stranger else "",
    )


def signals() -> tuple[bool, str, str]:
    """Check that no process of another user takes a signal."""
    own_uid = os.getuid()

    def is_reached(name: str) -> bool:
        try:
            if os.stat(f"/proc/{name}").st_uid == own_uid:  # noqa: PTH116
                return False
        except OSError:
            return False
        return attempt(lambda: os.kill(int(name), 0))

    reached = [name for name in os.listdir("/proc") if name.isdigit() and is_reached(name)]
    return listed(reached, "no process of another user takes a signal")


def privileges() -> tuple[bool, str, str]:
    """Check that there are no capabilities and no new privileges, and that a filter is installed."""
    with open("/proc/self/status") as status:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    sets = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    wrong = [name for name in sets if int(fields.get(name, "0"), 16)]  # gVisor shows no ambient ones
    wrong += [] if LIBC.prctl(GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 else ["new privileges are possible"]
    wrong += [] if fields["Seccomp"] == "2" else ["no system-call filter"]
    return listed(wrong, "no capabilities, no new privileges, a system-call filter")


def environment() -> tuple[bool, str, str]:
    """Check that nothing of the host's environment is visible."""
    allowed = set(sys.argv[2].split(",")) | {"PWD", "LC_CTYPE"}
    return listed(set(os.environ) - allowed, "nothing of the host's environment")


def descriptors() -> tuple[bool, str, str]:
    """Check that no descriptor but the standard ones is open."""

    def is_open(fd: int) -> bool:
        return attempt(lambda: os.fstat(fd))

    return listed((str(fd) for fd in range(3, 256) if is_open(fd)), "nothing but standard input and output is open")


CHECKS = {
    "read-only system": read_only,
    "work folders": work_folders,
    "network": network,
    "socket families": families,
    "system calls": system_calls,
    "processes": processes,
    "signals": signals,
    "privileges": privileges,
    "environment": environment,
    "open files": descriptors,
}

if __name__ == "__main__":
    answers = {}
    for check_name, check in CHECKS.items():
        try:
            answers[check_name] = check()
        except Exception as error:
            answers[check_name] = (False, f"could not be tried: {error!r}", "")
    print(json.dumps(answers))
