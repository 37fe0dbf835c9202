"""Windows and macOS as far as Python programs see them, on Linux: what is not there is taken away.

A child interpreter runs :data:`PRELUDE` first. It cannot show what those systems do with files, only that the kit asks
for nothing that they lack.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

PRELUDE = r"""
import importlib.abc, os, platform, signal, select, socket, sys, time, warnings

SYSTEM = os.environ["FOREIGN_SYSTEM"]
NO_MODULES = {
    "Windows": "fcntl resource pwd grp termios tty pty curses readline syslog crypt nis spwd".split(),
    "Darwin": ["spwd", "ossaudiodev"],
}[SYSTEM]
NO_NAMES = {
    "Windows": {
        os: "O_CLOEXEC O_DIRECTORY O_DIRECT O_NOFOLLOW O_NONBLOCK O_NDELAY O_NOCTTY O_PATH O_SYNC O_TMPFILE RTLD_NOW WNOHANG "
        "chown chroot confstr copy_file_range ctermid eventfd fchdir fchmod fchown fdatasync fork forkpty fpathconf "
        "fstatvfs get_blocking getegid geteuid getgid getgroups getloadavg getpgid getpgrp getpriority getresgid "
        "getresuid getsid getuid getxattr initgroups killpg lchown lockf major makedev memfd_create minor mkfifo mknod "
        "nice openpty pathconf pidfd_open pipe2 posix_fadvise posix_fallocate posix_spawn posix_spawnp pread preadv "
        "pwrite pwritev readv register_at_fork sched_getaffinity sched_setaffinity sched_yield sendfile set_blocking "
        "setegid seteuid setgid setgroups setpgid setpriority setresgid setresuid setsid setuid setxattr splice "
        "statvfs sync sysconf tcgetpgrp tcsetpgrp ttyname uname wait wait3 wait4 waitid writev WIFEXITED WIFSIGNALED "
        "WEXITSTATUS WTERMSIG",
        signal: "SIGALRM SIGBUS SIGCHLD SIGCONT SIGHUP SIGIO SIGKILL SIGPIPE SIGPROF SIGQUIT SIGSTOP SIGSYS SIGTRAP "
        "SIGTSTP SIGTTIN SIGTTOU SIGUSR1 SIGUSR2 SIGVTALRM SIGXCPU ITIMER_REAL ITIMER_VIRTUAL alarm getitimer pause "
        "pidfd_send_signal pthread_kill pthread_sigmask setitimer siginterrupt sigpending sigwait sigtimedwait",
        select: "epoll poll POLLIN POLLHUP POLLERR",
        socket: "AF_UNIX AF_NETLINK AF_VSOCK AF_PACKET send_fds recv_fds SO_PEERCRED SCM_RIGHTS",
        time: "tzset pthread_getcpuclockid",
    },
    "Darwin": {
        os: "O_DIRECT O_PATH O_TMPFILE copy_file_range eventfd fdatasync getresuid getresgid getxattr listxattr "
        "memfd_create pidfd_open pipe2 posix_fadvise posix_fallocate sched_getaffinity sched_setaffinity setns "
        "setresuid setresgid setxattr splice unshare",
        signal: "SIGPWR SIGSTKFLT SIGPOLL SIGRTMIN SIGRTMAX pidfd_send_signal sigtimedwait sigwaitinfo",
        select: "epoll EPOLLIN",
        socket: "AF_NETLINK AF_PACKET AF_VSOCK SO_PEERCRED SOCK_CLOEXEC SOCK_NONBLOCK",
    },
}[SYSTEM]


class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in NO_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


# The standard library and other packages have a way of their own for each system: they are imported as they are here.
sys.modules["rfc3987_syntax"] = None  # a text format that no notebook names; jsonschema compiles its grammar for a second
import asyncio, ctypes, multiprocessing.connection, shutil, subprocess, tarfile, tempfile, zipfile
import click.testing, click._termui_impl, nbformat, numpy
del sys.modules["rfc3987_syntax"]

for module, names in NO_NAMES.items():
    for name in names.split():
        module.__dict__.pop(name, None)
for name in NO_MODULES:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Absent())
sys.platform = {"Windows": "win32", "Darwin": "darwin"}[SYSTEM]
platform.system = lambda: SYSTEM

if SYSTEM == "Windows":

    def _without_folders(real):
        # No path is taken relative to an open folder, and no folder is opened.
        def call(path, *args, **kwargs):
            if any(kwargs.pop(name, None) is not None for name in ("dir_fd", "src_dir_fd", "dst_dir_fd")):
                raise NotImplementedError("dir_fd unavailable on this platform")
            if real is _open and os.path.isdir(path):
                raise PermissionError(13, "Permission denied", str(path))
            if real is _scandir and isinstance(path, int):
                raise TypeError("scandir: path should be string, bytes, os.PathLike or None, not int")
            return real(path, *args, **kwargs)

        return call

    _open, _scandir = os.open, os.scandir
    for name in ("open", "scandir", "stat", "lstat", "mkdir", "rename", "replace", "unlink", "rmdir", "readlink"):
        setattr(os, name, _without_folders(getattr(os, name)))
    os.supports_dir_fd = os.supports_fd = set()
    ctypes.CDLL = type("CDLL", (ctypes.CDLL,), {"__init__": lambda self, name, *a, **k: ctypes.PyDLL.__init__(self, name)})

    # No text is read or written in whatever encoding the computer prefers.
    warnings.filterwarnings("ignore", category=EncodingWarning)
    warnings.filterwarnings("error", category=EncodingWarning, module=r"autograder(\.|\Z)")
"""


def run(system: str, program: str, *args: str | Path, cwd: Path, encoding: str = "utf-8") -> tuple[int, str, str]:
    """Run ``program`` where there is what ``system`` has; gives its exit code, its output and its errors.

    Args:
        system: as :func:`platform.system` says it: ``Windows`` or ``Darwin``.
        encoding: of the output; a console's of Windows, for example.
    """
    flags = ["-X", "warn_default_encoding"] if system == "Windows" else []
    done = subprocess.run(
        [sys.executable, *flags, "-c", PRELUDE + program, *map(str, args)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": encoding, "FOREIGN_SYSTEM": system},
        capture_output=True,
        cwd=cwd,
        encoding=encoding,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def autograder(system: str, *args: str | Path, cwd: Path, encoding: str = "utf-8") -> tuple[int, str, str]:
    """Run a command of the kit as :func:`run` does."""
    program = "from autograder.cli import main\nmain(sys.argv[1:], prog_name='autograder')"
    return run(system, program, *args, cwd=cwd, encoding=encoding)
