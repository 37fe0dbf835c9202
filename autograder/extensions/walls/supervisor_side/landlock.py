"""Landlock: rules of Linux on which files a process and its children may reach while they live.

Kernels before 5.13 have none, and containers may be refused it. Then nothing is restricted here, and the permissions of
files alone decide. Rules that a kernel is too old for are left out: it enforces what it knows.
"""

# The os calls are meant: each names one system call.
# ruff: noqa: PTH112
from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Numbers of the system calls, the same on every architecture."""
VERSION, PATH_BENEATH = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
ALL_FILES = ((1, (1 << 13) - 1), (2, 1 << 13), (3, TRUNCATE), (5, IOCTL_DEV))
"""(first version, access rights) on files."""
OF_ONE_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ_RIGHTS = EXECUTE | READ_FILE | READ_DIR
TCP = 0b11
"""To bind and to connect; version 4."""
SCOPES = 0b11
"""Abstract unix sockets and signals of processes outside; version 6."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Return the version of Landlock's interface; 0 if the kernel has none or denies it."""
    return max(0, int(ctypes.CDLL(None, use_errno=True).syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION)))


def restrict(readable: Iterable[str], writable: Iterable[str]) -> int:
    """Allow this process only these files and folders, with all that is below them; new privileges must be ruled out.

    Args:
        readable: paths to read and to execute; those that do not exist are left out.
        writable: paths to read and to write.

    Returns:
        The version of Landlock's interface; 0: nothing is restricted.

    Raises:
        OSError: the kernel has Landlock and refuses a rule.
    """
    abi = version()
    if not abi:
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    everything = sum(rights for first, rights in ALL_FILES if abi >= first)
    attributes = _Ruleset(everything, TCP if abi >= 4 else 0, SCOPES if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    rules = _checked(libc.syscall(CREATE_RULESET, ctypes.byref(attributes), ctypes.c_size_t(size), 0), "be made")
    for paths, rights in ((readable, READ_RIGHTS), (writable, everything)):
        for path in paths:
            _allow(libc, rules, path, rights & everything)
    _checked(libc.syscall(RESTRICT_SELF, rules, 0), "be enforced")
    os.close(rules)
    return abi


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    rule = _Beneath(rights if os.path.isdir(path) else rights & OF_ONE_FILE, parent)
    _checked(libc.syscall(ADD_RULE, rules, PATH_BENEATH, ctypes.byref(rule), 0), f"allow {path}")
    os.close(parent)


def _checked(result: int, action: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock's rules cannot {action} ({os.strerror(code)})")
    return result
