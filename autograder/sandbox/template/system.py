"""The few system calls that Python has no function for. Each raises OSError and says what was tried."""

# The os calls are meant: each names one system call.
from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct

LIBC = ctypes.CDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
ALL_NAMESPACES = (
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET
)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
MS_REC, MS_PRIVATE = 16384, 1 << 18
MNT_DETACH = 2

_PDEATHSIG, _DUMPABLE, _SECCOMP, _BOUNDING_DROP, _NO_NEW_PRIVILEGES, _AMBIENT, _CLEAR_ALL = 1, 4, 22, 24, 38, 47, 4
_FILTER = 2
_CAPABILITIES_3 = 0x20080522
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1


def _check(result, action):
    # type: (int, str) -> None
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{action} ({os.strerror(code)})")


def _prctl(action: str, option: int, *values: object) -> None:
    words = [value if isinstance(value, ctypes._Pointer) else ctypes.c_ulong(value) for value in values]  # type: ignore[arg-type]
    words += [ctypes.c_ulong(0)] * (4 - len(words))
    _check(LIBC.prctl(option, *words), action)


def traceable(yes: bool) -> None:
    """Set whether another process of the same user may look into this one, and owns its files in /proc."""
    _prctl("cannot change who may trace", _DUMPABLE, int(yes))


def die_with_parent() -> None:
    """Request SIGKILL for when the thread that forked this process ends. New namespaces reset it."""
    _prctl("cannot follow its parent's death", _PDEATHSIG, 9)


def unshare(flags: int) -> None:
    """Enter new namespaces."""
    _check(LIBC.unshare(ctypes.c_int(flags)), "new namespaces are refused")


def mount(source: str, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount a file system."""
    result = LIBC.mount(
        os.fsencode(source), os.fsencode(target), kind and kind.encode(), ctypes.c_ulong(flags), data.encode() or None
    )
    _check(result, f"{kind or source} cannot be mounted on {target}")


def unmount(target: str) -> None:
    """Detach a mount."""
    _check(LIBC.umount2(os.fsencode(target), MNT_DETACH), f"{target} cannot be unmounted")


def raise_loopback() -> None:
    """Bring up the only interface of a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sH22x", b"lo", 0)
        flags = struct.unpack_from("H", fcntl.ioctl(sock, _GET_FLAGS, request), 16)[0]
        fcntl.ioctl(sock, _SET_FLAGS, struct.pack("16sH22x", b"lo", flags | _UP))


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("words", ctypes.c_uint32 * 6),)


def drop_bounding_set() -> None:
    """Rule out that a program that is executed later gives this process a capability."""
    with open("/proc/sys/kernel/cap_last_cap") as file:  # noqa: PTH123
        last = int(file.read())
    for capability in range(last + 1):
        _prctl("a capability cannot be dropped", _BOUNDING_DROP, capability)


def drop_capabilities() -> None:
    """Drop all capabilities from every set, for good."""
    drop_bounding_set()
    _prctl("the ambient capabilities cannot be cleared", _AMBIENT, _CLEAR_ALL)
    header = _Header(_CAPABILITIES_3, 0)
    _check(LIBC.capset(ctypes.byref(header), ctypes.byref(_Sets())), "the capabilities cannot be dropped")


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


COMMAND = 0x436F6D6D
"""Placeholder in a filter for the command's pid, which is known only after the fork: an engine, or the host, may have
used pids before.
"""


def with_pid(program: bytes, pid: int) -> bytes:
    """Replace the placeholder for the command's pid."""
    for before, now in ((COMMAND, pid), (-COMMAND, -pid)):
        program = program.replace(struct.pack("<i", before), struct.pack("<i", now))
    return program


def forbid_new_privileges() -> None:
    """Rule out that executing a program gives new privileges."""
    _prctl("new privileges cannot be ruled out", _NO_NEW_PRIVILEGES, 1)


def install_filter(program: bytes) -> None:
    """Install a system-call filter (an array of ``struct sock_filter``) for this process and its children."""
    forbid_new_privileges()
    described = _Program(len(program) // 8, program)
    _prctl("the system-call filter is refused", _SECCOMP, _FILTER, ctypes.pointer(described))
