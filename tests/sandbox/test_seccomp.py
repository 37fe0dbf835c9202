"""The system-call filter, read by a small interpreter of its own language, and tried on the kernel."""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import subprocess
import sys

import pytest

from autograder.errors import SandboxError
from autograder.sandbox import seccomp

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
BOTH = pytest.mark.parametrize("architecture", list(seccomp.ARCHITECTURES))


def decide(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """What the filter returns for one call."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *padded)
    word, at = 0, 0
    while True:
        code, if_true, if_false, operand = struct.unpack_from("<HBBI", program, at * 8)
        at += 1
        match code:
            case 0x20:
                word = struct.unpack_from("<I", data, operand)[0]
            case 0x15:
                at += if_true if word == operand else if_false
            case 0x25:
                at += if_true if word > operand else if_false
            case 0x45:
                at += if_true if word & operand else if_false
            case 0x54:
                word &= operand
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


def refused(error: int) -> int:
    return ERRNO | error


@BOTH
def test_ordinary_calls_pass(architecture: str) -> None:
    """read, write, openat and futex are allowed."""
    program = seccomp.compile_filter(architecture)
    ordinary = {"x86_64": (0, 1, 257, 202, 59), "aarch64": (63, 64, 56, 98, 221)}[architecture]
    for number in ordinary:
        assert decide(program, seccomp.ARCHITECTURES[architecture], number) == ALLOW


@BOTH
@pytest.mark.parametrize(
    "name",
    ["ptrace", "process_vm_readv", "process_vm_writev", "io_uring_setup", "io_uring_enter", "bpf",
     "perf_event_open",
     "keyctl", "add_key", "request_key", "mount", "umount2", "unshare", "setns", "pivot_root", "userfaultfd",
     "move_mount", "fsopen", "open_tree", "mount_setattr", "kexec_load", "finit_module", "open_by_handle_at",
     "pidfd_getfd", "memfd_secret"],
)  # fmt: skip
def test_dangerous_calls_are_denied(architecture: str, name: str) -> None:
    """Each answers EPERM."""
    program = seccomp.compile_filter(architecture)
    number = seccomp.NUMBERS[architecture][name]
    assert decide(program, seccomp.ARCHITECTURES[architecture], number) == refused(errno.EPERM)


MINUS = 1 << 32
"""An int argument is the low half of a word, whatever is above it."""


@BOTH
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("kill", (2, 9)), ("kill", (0, 9)), ("kill", (MINUS - 1, 9)), ("kill", (MINUS - 2, 9)), ("kill", (MINUS + 2, 9)),
        ("tgkill", (2, 7, 9)), ("tkill", (7, 9)), ("rt_sigqueueinfo", (2, 9)), ("rt_tgsigqueueinfo", (2, 7, 9)),
        ("pidfd_send_signal", (5, 9)),
        ("exit", (137,)), ("exit_group", (137,)), ("exit_group", (MINUS + 137 - 256,)),
    ],
)  # fmt: skip
def test_a_notebook_that_ends_as_if_somebody_killed_it_ends_in_another_way(architecture, name, arguments) -> None:
    program = seccomp.compile_filter(architecture)
    number = seccomp.NUMBERS[architecture][name]
    assert decide(program, seccomp.ARCHITECTURES[architecture], number, *arguments) == KILL


@BOTH
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("kill", (7, 9)), ("kill", (2, 15)), ("kill", (0, 2)), ("kill", (MINUS - 7, 9)), ("tgkill", (7, 7, 9)),
        ("tgkill", (2, 2, 33)), ("tkill", (7, 15)), ("rt_sigqueueinfo", (7, 9)), ("pidfd_send_signal", (5, 15)),
        ("exit", (0,)), ("exit_group", (1,)), ("exit_group", (136,)),
    ],
)  # fmt: skip
def test_other_signals_children_and_exits_are_the_notebooks_own_affair(architecture, name, arguments) -> None:
    program = seccomp.compile_filter(architecture)
    number = seccomp.NUMBERS[architecture][name]
    assert decide(program, seccomp.ARCHITECTURES[architecture], number, *arguments) == ALLOW


@BOTH
def test_another_architecture_is_killed(architecture: str) -> None:
    """A 32-bit call could mean anything in a table of 64-bit numbers."""
    program = seccomp.compile_filter(architecture)
    for other in (0x40000003, 0x40000028, 0xC00000F3):
        assert decide(program, other, 0) == KILL


@BOTH
@pytest.mark.parametrize("number", [seccomp.MAX_SYSTEM_CALL + 1, seccomp.X32_BIT, seccomp.X32_BIT + 101, 0xFFFFFFFF])
def test_unknown_calls_do_not_exist(architecture: str, number: int) -> None:
    """Calls that nobody looked at, and the x32 table, answer ENOSYS."""
    program = seccomp.compile_filter(architecture)
    assert decide(program, seccomp.ARCHITECTURES[architecture], number) == refused(errno.ENOSYS)


@BOTH
def test_threads_yes_namespaces_no(architecture: str) -> None:
    """clone for a thread or a process passes, with any new namespace it does not; clone3 does not exist."""
    program = seccomp.compile_filter(architecture)
    code, numbers = seccomp.ARCHITECTURES[architecture], seccomp.NUMBERS[architecture]
    assert decide(program, code, numbers["clone"], 0x3D0F00) == ALLOW
    assert decide(program, code, numbers["clone"], 17) == ALLOW
    for bit in (17, 25, 26, 27, 28, 29, 30):
        assert decide(program, code, numbers["clone"], 17 | 1 << bit) == refused(errno.EPERM)
    assert decide(program, code, numbers["clone3"]) == refused(errno.ENOSYS)


@BOTH
@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        ((1, 1, 0), True),  # AF_UNIX
        ((2, 1, 0), True),  # AF_INET
        ((10, 2, 17), True),  # AF_INET6
        ((16, 3, 0), True),  # netlink, route
        ((16, 3, 12), False),  # netlink, netfilter
        ((16, 3, 9), False),  # netlink, audit
        ((17, 3, 0), False),  # packet
        ((38, 5, 0), False),  # alg
        ((40, 1, 0), False),  # vsock
        ((0xFFFFFFFF, 1, 0), False),
    ],
)
def test_socket_families(architecture: str, arguments: tuple[int, ...], allowed: bool) -> None:
    """Unix, IPv4, IPv6 and the route netlink can be made, nothing else."""
    program = seccomp.compile_filter(architecture)
    number = seccomp.NUMBERS[architecture]["socket"]
    expected = ALLOW if allowed else refused(errno.EAFNOSUPPORT)
    assert decide(program, seccomp.ARCHITECTURES[architecture], number, *arguments) == expected


@BOTH
def test_terminal_injection_is_denied(architecture: str) -> None:
    """TIOCSTI and TIOCLINUX fail, other requests pass; the high half of the argument does not matter."""
    program = seccomp.compile_filter(architecture)
    code, number = seccomp.ARCHITECTURES[architecture], seccomp.NUMBERS[architecture]["ioctl"]
    assert decide(program, code, number, 0, 0x5412) == refused(errno.EPERM)
    assert decide(program, code, number, 0, 0x1_0000_541C) == refused(errno.EPERM)
    assert decide(program, code, number, 0, 0x5413) == ALLOW


@BOTH
@pytest.mark.parametrize("name", sorted(seccomp.UNCOUNTED_MEMORY))
def test_uncounted_memory_is_denied_only_when_processes_are_counted(architecture: str, name: str) -> None:
    """With a control group memfd and System V memory are ordinary; without one they are closed."""
    code, number = seccomp.ARCHITECTURES[architecture], seccomp.NUMBERS[architecture][name]
    assert decide(seccomp.compile_filter(architecture), code, number) == ALLOW
    strict = seccomp.compile_filter(architecture, count_by_process=True)
    assert decide(strict, code, number) == refused(errno.EPERM)


@BOTH
def test_fits_into_the_kernel(architecture: str) -> None:
    """At most 4096 instructions of 8 bytes, and every path ends in a return."""
    program = seccomp.compile_filter(architecture, count_by_process=True)
    assert len(program) % 8 == 0
    assert len(program) // 8 <= 4096
    for number in range(seccomp.MAX_SYSTEM_CALL + 2):
        assert decide(program, seccomp.ARCHITECTURES[architecture], number) in {
            ALLOW,
            *(refused(e) for e in (errno.EPERM, errno.ENOSYS, errno.EAFNOSUPPORT)),
        }


def test_an_architecture_without_a_table_is_refused() -> None:
    """No filter, no sandbox."""
    with pytest.raises(SandboxError, match="no table of system calls for riscv64"):
        seccomp.compile_filter("riscv64")


@pytest.mark.skipif(platform.machine() not in seccomp.NUMBERS, reason="no table for this machine")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")
def test_the_kernel_accepts_it() -> None:
    """Loaded by prctl, the filter denies and lets through as it says."""
    code = """
import ctypes, errno, sys, struct, subprocess, threading, socket
from autograder.sandbox.seccomp import compile_filter, NUMBERS
program = compile_filter()
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(program)
fprog = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.c_char_p(fprog), 0, 0) == 0, ctypes.get_errno()
assert libc.unshare(0x10000000) == -1 and ctypes.get_errno() == errno.EPERM
thread = threading.Thread(target=print); thread.start(); thread.join()
subprocess.run(["true"], check=True)
socket.socketpair()
try:
    socket.socket(40, 1)
except OSError as error:
    assert error.errno == errno.EAFNOSUPPORT
"""
    assert ctypes.sizeof(ctypes.c_void_p) == 8
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
