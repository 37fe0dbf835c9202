"""The system-call filter of a student's process, as a classic BPF program.

The filter is the innermost wall. It denies what namespaces and dropped capabilities leave open: tracing, io_uring,
sockets of families that ignore the network namespace, new namespaces. Read it as a decision list:

    another architecture → kill          a call newer than this table → ENOSYS (callers fall back)
    clone with CLONE_NEW* → EPERM        socket of another family than FAMILIES → EAFNOSUPPORT
    a denied call → EPERM                SIGKILL to the notebook's process, exit status 137 → SIGSYS
    everything else → allowed

The rule about SIGKILL is no wall. It makes the cause of death certain: if SIGKILL ended the process, the signal came
from outside and not from its own code.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable

from autograder.errors import SandboxError

# Offsets into struct seccomp_data; arguments are 64 bits, little-endian on both architectures.
_NR, _ARCH, _ARGS = 0, 4, 16
_LOAD, _JUMP_EQ, _JUMP_GT, _JUMP_SET, _AND, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

MAX_SYSTEM_CALL = 462
"""mseal, the newest call that this table covers. Later calls return ENOSYS until someone has examined them."""
X32_BIT = 0x40000000
NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}
"""All other families are refused: vsock and alg ignore the network namespace, the rest is attack surface."""
AF_NETLINK, NETLINK_ROUTE = 16, 0
"""The one exception: getifaddrs needs it, and ZeroMQ aborts the kernel if getifaddrs fails."""
SIGKILL, KILLED = 9, 137
"""The signal, and the exit status that stands for it."""
NOTEBOOK = 2
"""The pid of the notebook's process inside: the first process is an init."""
_TTY_INJECTION = {"TIOCSTI": 0x5412, "TIOCLINUX": 0x541C}

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Numbers from 424 on are the same everywhere.
_COMMON = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429,
    "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "clone3": 435, "pidfd_getfd": 438,
    "pidfd_send_signal": 424, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443,
    "memfd_secret": 447, "set_mempolicy_home_node": 450,
}  # fmt: skip
_X86_64 = {
    "exit": 60, "kill": 62, "rt_sigqueueinfo": 129, "tkill": 200, "exit_group": 231, "tgkill": 234,
    "rt_tgsigqueueinfo": 297, "ioctl": 16, "shmget": 29, "socket": 41, "socketpair": 53, "clone": 56,
    "semget": 64, "msgget": 68, "ptrace": 101, "syslog": 103, "uselib": 134, "ustat": 136, "sysfs": 139,
    "vhangup": 153, "modify_ldt": 154, "pivot_root": 155, "_sysctl": 156, "adjtimex": 159, "chroot": 161,
    "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168,
    "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "create_module": 174,
    "init_module": 175, "delete_module": 176, "get_kernel_syms": 177, "query_module": 178, "quotactl": 179,
    "nfsservctl": 180, "lookup_dcookie": 212, "clock_settime": 227, "mq_open": 240, "kexec_load": 246,
    "add_key": 248, "request_key": 249, "keyctl": 250, "migrate_pages": 256, "unshare": 272, "move_pages": 279,
    "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303, "open_by_handle_at": 304,
    "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    "finit_module": 313, "memfd_create": 319, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
}  # fmt: skip
_AARCH64 = {
    "exit": 93, "exit_group": 94, "kill": 129, "tkill": 130, "tgkill": 131, "rt_sigqueueinfo": 138,
    "rt_tgsigqueueinfo": 240, "lookup_dcookie": 18, "ioctl": 29, "umount2": 39, "mount": 40, "pivot_root": 41,
    "nfsservctl": 42, "chroot": 51, "vhangup": 58, "quotactl": 60, "acct": 89, "unshare": 97, "kexec_load": 104,
    "init_module": 105, "delete_module": 106, "clock_settime": 112, "syslog": 116, "ptrace": 117, "reboot": 142,
    "sethostname": 161, "setdomainname": 162, "settimeofday": 170, "adjtimex": 171, "mq_open": 180,
    "msgget": 186, "semget": 190, "shmget": 194, "socket": 198, "socketpair": 199, "add_key": 217,
    "request_key": 218, "keyctl": 219, "clone": 220, "swapon": 224, "swapoff": 225, "migrate_pages": 238,
    "move_pages": 239, "perf_event_open": 241, "fanotify_init": 262, "name_to_handle_at": 264,
    "open_by_handle_at": 265, "clock_adjtime": 266, "setns": 268, "process_vm_readv": 270,
    "process_vm_writev": 271, "kcmp": 272, "finit_module": 273, "memfd_create": 279, "bpf": 280,
    "userfaultfd": 282, "kexec_file_load": 294,
}  # fmt: skip
NUMBERS = {"x86_64": _X86_64 | _COMMON, "aarch64": _AARCH64 | _COMMON}

_SIGNALS = {"kill": 1, "tgkill": 2, "tkill": 1, "rt_sigqueueinfo": 1, "rt_tgsigqueueinfo": 2, "pidfd_send_signal": 1}
"""Calls that send a signal → the index of the argument that is the signal."""
_BY_ARGUMENT = {"clone", "clone3", "socket", "socketpair", "ioctl", "exit", "exit_group", *_SIGNALS}
"""Calls that stay possible, or fail in their own way."""
UNCOUNTED_MEMORY = {"memfd_create", "shmget", "msgget", "mq_open"}
"""Calls for memory that belongs to no process and no file system: only a cgroup can count it."""
_ORDINARY = UNCOUNTED_MEMORY | {"semget"}

Instruction = tuple[int, int, int, int]


def denied(architecture: str, *, count_by_process: bool = False) -> frozenset[str]:
    """List the calls that are denied outright."""
    names = set(NUMBERS[architecture]) - _BY_ARGUMENT - _ORDINARY
    return frozenset(names | UNCOUNTED_MEMORY & set(NUMBERS[architecture]) if count_by_process else names)


def compile_filter(
    architecture: str | None = None,
    *,
    count_by_process: bool = False,
    init: bool = False,
    notebook: int = NOTEBOOK,
    internet: bool = True,
) -> bytes:
    """Compile the filter to BPF instructions.

    Args:
        architecture: as :func:`platform.machine` names it; None: this machine's.
        count_by_process: also deny memory that a watchdog, which adds up processes, cannot see; for hosts without a
            cgroup.
        init: compile for the first process inside, whose own exit status reports the notebook's. bubblewrap's init
            reports it in another way and takes the notebook's filter.
        notebook: the notebook's pid inside.
        internet: allow sockets of the internet's families; False where no network namespace keeps them in.

    Raises:
        SandboxError: there is no table for the architecture: no filter, no sandbox.
    """
    architecture = architecture or platform.machine()
    if architecture not in NUMBERS:
        raise SandboxError(
            f"There is no table of system calls for {architecture}: the sandbox supports "
            f"{', '.join(NUMBERS)} only. Grade on such a machine."
        )
    number = NUMBERS[architecture]
    families = list(FAMILIES.values()) if internet else [FAMILIES["AF_UNIX"]]
    program: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQ, 1, 0, ARCHITECTURES[architecture]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NR),
        # On x86-64 this is also what refuses the x32 calls, whose numbers start at X32_BIT.
        (_JUMP_GT, 0, 1, MAX_SYSTEM_CALL),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        (_JUMP_EQ, 0, 1, number["clone3"]),
        (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
    ]
    for name in sorted(denied(architecture, count_by_process=count_by_process)):
        program += [(_JUMP_EQ, 0, 1, number[name]), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    program += _check(number["clone"], 0, [(_JUMP_SET, 0, 1, NEW_NAMESPACES), (_RETURN, 0, 0, _ERRNO | errno.EPERM)])
    program += _check(number["socketpair"], 0, _one_of(families, errno.EAFNOSUPPORT))
    route = [(_LOAD, 0, 0, _ARGS + 16), *_one_of([NETLINK_ROUTE], errno.EAFNOSUPPORT)]
    socket_rules = [(_JUMP_EQ, 0, len(route), AF_NETLINK), *route, (_LOAD, 0, 0, _ARGS)]
    program += _check(number["socket"], 0, [*socket_rules, *_one_of([*families, AF_NETLINK], errno.EAFNOSUPPORT)])
    for request in _TTY_INJECTION.values():
        program += _check(number["ioctl"], 1, [(_JUMP_EQ, 0, 1, request), (_RETURN, 0, 0, _ERRNO | errno.EPERM)])
    for name, signal in _SIGNALS.items():
        program += _check(number[name], signal, _kills(notebook, name))
    for name in () if init else ("exit", "exit_group"):
        program += _check(number[name], 0, [(_AND, 0, 0, 0xFF), (_JUMP_EQ, 0, 1, KILLED), (_RETURN, 0, 0, _KILL)])
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)


def _check(number: int, argument: int, test: list[Instruction]) -> list[Instruction]:
    """Apply ``test`` to the low half of an argument of one call.

    If no test returns, the number is loaded again for the next check.
    """
    body = [(_LOAD, 0, 0, _ARGS + 8 * argument), *test, (_LOAD, 0, 0, _NR)]
    return [(_JUMP_EQ, 0, len(body), number), *body]


def _kills(notebook: int, name: str) -> list[Instruction]:
    """End the caller if the loaded signal is SIGKILL and may be aimed at the notebook.

    Its target may be the notebook itself, the caller's group, all processes, or the notebook's group.
    """
    end: list[Instruction] = [(_RETURN, 0, 0, _KILL)]
    if name not in ("tkill", "pidfd_send_signal"):  # their first argument does not name the process
        aimed = (notebook, 0, -1, -notebook)
        last = len(aimed) - 1
        jumps = [(_JUMP_EQ, last - i, int(i == last), pid & 0xFFFFFFFF) for i, pid in enumerate(aimed)]
        end = [(_LOAD, 0, 0, _ARGS), *jumps, *end]
    return [(_JUMP_EQ, 0, len(end), SIGKILL), *end]


def _one_of(values: Iterable[int], error: int) -> list[Instruction]:
    """Refuse the loaded value with ``error`` unless it is one of ``values``."""
    allowed = list(values)
    jumps: list[Instruction] = [(_JUMP_EQ, len(allowed) - i, 0, value) for i, value in enumerate(allowed)]
    return [*jumps, (_RETURN, 0, 0, _ERRNO | error)]
