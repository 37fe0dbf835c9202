"""The sandbox `user`: what it holds without namespaces, beside the contract (test_contract.py)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import readable_python
from helpers.clock import PATIENCE_SECONDS

from autograder.coordinator.grading_sandboxes import examiner_sandbox
from autograder.course.sandboxes import sandboxes
from autograder.errors import CourseError, SandboxError
from autograder.extensions.walls.supervisor_side import landlock
from autograder.extensions.walls.user_sandbox import FOLDER, PREFIX, UserSandbox
from autograder.records.course import USER_SANDBOX, Assignment
from autograder.sandbox import Job, Process, default_sandbox
from autograder.sandbox.remedies import VISIBLE_PATHS
from autograder.sandbox.self_tests import self_test
from autograder.testing.sandboxed import SMALL, Run, answer, starting, wait_until


@pytest.fixture(scope="module")
def sandbox() -> UserSandbox:
    return readable_python.user_sandbox(use_cgroup=False)


@pytest.fixture
def start(sandbox: UserSandbox) -> Iterator[Run]:
    with starting(sandbox) as run:
        yield run


def uid_of(process: Process) -> int:
    return Path(f"/proc/{process.pid}").stat().st_uid


def of_user(uid: int) -> list[int]:
    """The living processes of a user."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208
        with contextlib.suppress(OSError):
            dead = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if Path(f"/proc/{name}").stat().st_uid == uid and not dead:
                found.append(int(name))
    return found


REFUSED = """
import os
def refused(action):
    try:
        return f"got {action()!r}"
    except OSError as error:
        return type(error).__name__
"""

# --- who may have it ---------------------------------------------------------------------------------


def test_no_course_can_choose_it(tmp_path: Path) -> None:
    from autograder.course.configuration import load_course

    (tmp_path / "source/hw").mkdir(parents=True)
    (tmp_path / "course.yaml").write_text("course: c\nassignments:\n  hw: {sandbox: user}\n")
    assert USER_SANDBOX not in sandboxes()
    with pytest.raises(CourseError, match=r"sandbox.*user"):
        load_course(tmp_path)


def test_it_takes_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SandboxError, match="takes root"):
        UserSandbox()


@pytest.mark.sandbox
def test_kernels_and_examiners_have_the_same(sandbox: UserSandbox) -> None:
    """Where it is named, nothing tries bubblewrap first; where it is not, nothing comes to it."""
    assert default_sandbox(None, USER_SANDBOX).name == examiner_sandbox(USER_SANDBOX).name == USER_SANDBOX
    assert default_sandbox().name == examiner_sandbox().name == "bubblewrap"
    assert Assignment("hw", "hw").sandbox == "bubblewrap"


# --- users and files ---------------------------------------------------------------------------------

pytestmark: list[pytest.MarkDecorator] = []
walled = pytest.mark.sandbox


@walled
def test_each_process_has_a_user_of_its_own_without_groups(start: Run) -> None:
    code = "import os, sys; print(os.getresuid(), os.getresgid(), os.getgroups(), flush=True); input() if 0 else None\n"
    code += "import time; time.sleep(60)"
    first, second = start(code), start(code)
    assert wait_until(lambda: bool(first.stdout().strip() and second.stdout().strip()))
    one, two = uid_of(first), uid_of(second)
    assert one != two
    assert 0 not in (one, two)
    assert first.stdout().strip() == f"({one}, {one}, {one}) ({one}, {one}, {one}) []"


@walled
def test_files_of_root_and_of_other_sandboxes_are_closed(start: Run, tmp_path: Path) -> None:
    """The exam's files are root's, or those of the examiner's own sandbox."""
    tmp_path.chmod(0o755)
    (tmp_path / "exam").write_text("canary")
    (tmp_path / "exam").chmod(0o600)
    other = start(
        "print(open('/opt/examiner/course/labels.csv').read(), flush=True); import time; time.sleep(60)",
        files={"/opt/examiner/course": _folder(tmp_path / "course", "labels.csv", "canary")},
    )
    assert wait_until(lambda: other.stdout().strip() == "canary")
    paths = [tmp_path / "exam", *(other.root / p for p in ("opt/examiner/course/labels.csv", "home/student", "tmp"))]
    code = REFUSED + f"for path in {[str(p) for p in paths]}: print(refused(lambda: os.open(path, os.O_RDONLY)))"
    assert answer(start(code)).split() == ["PermissionError"] * 4


def _folder(path: Path, name: str, text: str) -> Path:
    path.mkdir()
    (path / name).write_text(text)
    return path


@walled
def test_files_that_everybody_may_read_are_closed_by_landlock(
    start: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if not landlock.version():
        pytest.skip("this kernel has no Landlock")
    code = REFUSED + (
        "print(refused(lambda: os.listdir('/')), refused(lambda: os.listdir('/var')), "
        "refused(lambda: open('/etc/hostname').read()), refused(lambda: os.mkdir('/var/tmp/x')), "
        "bool(os.listdir('/usr')))"
    )
    assert answer(start(code)) == " ".join(["PermissionError"] * 4) + " True"


@walled
def test_its_own_folders_are_closed_to_others(start: Run) -> None:
    process = start(
        "import os, tempfile; open(os.path.expanduser('~/x'), 'w'); print(tempfile.gettempdir(), flush=True)\n"
        "import time; time.sleep(60)"
    )
    assert wait_until(lambda: bool(process.stdout().strip()))
    assert process.stdout().strip() == str(process.root / "tmp")
    assert (process.root / "home/student/x").stat().st_mode & 0o077 == 0
    assert {(process.root / p).stat().st_mode & 0o777 for p in ("home/student", "tmp", "run/kernel")} == {0o700}
    assert process.root.stat().st_uid == 0
    assert process.root.stat().st_mode & 0o007 == 0


@walled
def test_a_jobs_files_cannot_be_changed(start: Run, tmp_path: Path) -> None:
    given = _folder(tmp_path / "given", "a.csv", "1,2")
    code = (
        REFUSED
        + """
path = "/opt/kernel/files/a.csv"
print(open(path).read(), refused(lambda: open(path, "a")), refused(lambda: os.unlink(path)),
      refused(lambda: os.chmod(path, 0o777)), refused(lambda: os.rename("/opt/kernel", "/opt/kernel2")))
"""
    )
    expected = "1,2 PermissionError PermissionError PermissionError PermissionError"
    assert answer(start(code, files={"/opt/kernel/files": given})) == expected


@walled
def test_a_folder_with_a_given_file_is_the_notebooks_own(start: Run, tmp_path: Path) -> None:
    """A large file is not copied into the work folder but lies there; a notebook writes beside it."""
    big = _folder(tmp_path / "given", "big.csv", "1,2") / "big.csv"
    code = (
        REFUSED
        + """
path = os.path.expanduser("~/data/deep/big.csv")
open(os.path.expanduser("~/data/deep/mine.csv"), "w").write("3")
print(open(path).read(), refused(lambda: open(path, "a")), *sorted(os.listdir(os.path.dirname(path))))
"""
    )
    given = {"/home/student/data/deep/big.csv": big}
    assert answer(start(code, files=given)) == "1,2 PermissionError big.csv mine.csv"


@walled
def test_it_refuses_to_start_where_hidden_files_are_open(start: Run) -> None:
    with pytest.raises(SandboxError, match=r"/usr/share must be closed to other users \(chmod 700\)"):
        start("", hidden_paths=(Path("/usr/share"),))


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder with a Python, which only root may enter, in one that everybody may."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        Path(folder).chmod(0o755)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", f"{folder}/closed/env"], check=True, timeout=60)
        Path(folder, "closed").chmod(0o700)
        yield Path(folder, "closed")


@walled
def test_a_python_in_a_folder_that_others_cannot_enter_is_refused_by_name(sandbox: UserSandbox, closed: Path) -> None:
    """Not by a shell's "not found": the message says which folder to open, or to leave."""
    job = Job((str(closed / "env/bin/python"), "-c", ""))
    other = UserSandbox(job.argv[0])
    other.supervisor = sandbox.supervisor
    with pytest.raises(SandboxError, match=f"other users cannot enter {closed}, .*chmod o.x {closed}.* such as one in"):
        other.start(job)
    (finding,) = [finding for finding in self_test(other) if not finding.ok]
    assert finding.remedy == VISIBLE_PATHS
    closed.chmod(0o711)
    process = other.start(job)
    try:
        assert process.wait(PATIENCE_SECONDS) == 0, process.stderr()
    finally:
        process.close()


@walled
def test_it_has_no_place_for_files_anywhere_else(start: Run, tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="not a path inside the sandbox `user`"):
        start("", files={"/etc/motd": _folder(tmp_path / "x", "a", "b") / "a"})


@walled
def test_a_command_gets_a_terminal(start: Run) -> None:
    """As IPython gives one to `!ls`."""
    code = "import os, pty; a, b = pty.openpty(); print(os.isatty(b)); os.write(b, b'x'); print(os.read(a, 1))"
    assert answer(start(code)).split() == ["True", "b'x'"]


# --- processes and network ---------------------------------------------------------------------------


@walled
def test_no_socket_of_the_internet_and_unix_sockets_work(start: Run) -> None:
    code = (
        REFUSED
        + """
import socket
for family in (socket.AF_INET, socket.AF_INET6):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(family, kind)
            print("made")
        except OSError as error:
            print(error.errno, end=" ")
a, b = socket.socketpair()
a.send(b"x")
print(b.recv(1))
"""
    )
    assert answer(start(code)) == "97 " * 6 + "b'x'"


@walled
def test_processes_of_others_cannot_be_signaled_traced_or_read(start: Run) -> None:
    other = start("import time; time.sleep(60)")
    code = (
        REFUSED
        + f"""
for pid in ({other.pid}, {os.getpid()}, os.getppid()):
    for action in (lambda: os.kill(pid, 0), lambda: os.kill(pid, 9), lambda: open(f"/proc/{{pid}}/environ").read(),
                   lambda: open(f"/proc/{{pid}}/mem", "rb"), lambda: os.listdir(f"/proc/{{pid}}/fd"),
                   lambda: os.setpriority(os.PRIO_PROCESS, pid, 19)):
        print(refused(action))
"""
    )
    assert answer(start(code)).split() == ["PermissionError"] * 18
    assert other.poll() is None


@walled
def test_a_signal_to_all_reaches_none_of_the_others(start: Run) -> None:
    other = start("import time; time.sleep(60)")
    answer(start("import contextlib, os\nwith contextlib.suppress(OSError):\n    os.kill(-1, 15)"))
    assert other.poll() is None


FORKS = """
import os, time
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        time.sleep(0.001)
"""


@walled
def test_processes_that_multiply_are_bounded_and_end_with_it(start: Run) -> None:
    """They leave their session and their family, and fork while they are killed."""
    bomb = start(FORKS)
    uid = uid_of(bomb)
    assert wait_until(lambda: len(of_user(uid)) > 10)
    assert len(of_user(uid)) <= SMALL.processes
    bomb.kill()
    assert of_user(uid) == []
    assert answer(start("print('fine')")) == "fine"


DAEMON = """
import os, signal, time
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
    try:
        signal.signal(number, signal.SIG_IGN)
    except OSError:
        pass
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            time.sleep(0.1)
    os._exit(0)
os.wait()
"""


@walled
@pytest.mark.parametrize("more", ["", "time.sleep(60)"])
def test_a_daemon_ends_with_the_command_and_with_a_kill(start: Run, more: str) -> None:
    process = start(DAEMON + "time.sleep(0.5)\n" + more)
    uid = uid_of(process)
    assert wait_until(lambda: len(of_user(uid)) >= 2)
    if more:
        process.kill()
    else:
        assert process.wait(PATIENCE_SECONDS) == 0
    assert of_user(uid) == []


@walled
def test_nothing_outlives_the_kit(sandbox: UserSandbox, tmp_path: Path) -> None:
    code = f"""
    import sys, time
    from autograder.sandbox import Job
    from autograder.extensions.walls.user_sandbox import UserSandbox
    sandbox = UserSandbox()
    sandbox.supervisor = {sandbox.supervisor!r}
    process = sandbox.start(Job((sys.executable, "-I", "-S", "-c", {DAEMON + "time.sleep(60)"!r})))
    print(process.pid, process.root, flush=True)
    time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True) as kit:
        assert kit.stdout is not None
        pid, root = kit.stdout.readline().split()
        uid = Path(f"/proc/{pid}").stat().st_uid
        assert wait_until(lambda: len(of_user(uid)) >= 2)
        os.kill(kit.pid, signal.SIGKILL)
        assert wait_until(lambda: not of_user(uid) and not Path(root).exists())


@walled
def test_nothing_is_left_behind(start: Run) -> None:
    """Neither its own folder nor what it wrote where everybody may write."""
    process = start(
        "import os, time\nos.makedirs('/tmp/left-7261/deep')\nopen('/tmp/left-7261/deep/x', 'w')\n"
        "os.symlink('/etc', '/tmp/left-7261-link')\nprint('made', flush=True)\ntime.sleep(60)"
    )
    root = process.root
    assert wait_until(lambda: process.stdout().strip() == "made")
    assert root.is_dir()
    assert root.parent == Path(FOLDER)
    assert root.name.startswith(PREFIX)
    process.close()
    assert not root.exists()
    assert not Path("/tmp/left-7261").exists()
    assert not Path("/tmp/left-7261-link").is_symlink()
    assert Path("/etc").is_dir()


@walled
def test_memory_of_a_daemon_counts(start: Run) -> None:
    """A process that left the family is of the same user all the same."""
    process = start(DAEMON.replace("time.sleep(0.1)", "x = bytearray(b'1') * (400 << 20)") + "time.sleep(60)")
    assert process.wait(PATIENCE_SECONDS) == 137
    assert process.usage().out_of_memory
