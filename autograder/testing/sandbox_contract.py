"""What every sandbox must hold: a contract to prove a sandbox of your own with.

Derive a class whose name begins with ``Test``, and make the sandbox in ``make``; pytest does the rest::

    class TestMySandbox(SandboxContract):
        def make(self) -> Sandbox:
            return MySandbox()
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import autograder
from autograder.errors import SandboxError
from autograder.records.limits import Limits
from autograder.sandbox import Sandbox, kernel_environment
from autograder.sandbox.self_tests import self_test
from autograder.testing.sandboxed import (
    PATIENCE_SECONDS,
    SMALL,
    Run,
    answer,
    living,
    namespace,
    shown_below,
    starting,
    wait_until,
)

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


class SandboxContract:
    """Tests of one sandbox, on Linux."""

    def make(self) -> Sandbox:
        """Make the sandbox; whatever it needs to start is there."""
        raise NotImplementedError

    @pytest.fixture
    def sandbox(self) -> Sandbox:
        """Give each test a sandbox."""
        return self.make()

    @pytest.fixture
    def start(self, sandbox: Sandbox) -> Iterator[Run]:
        """Give a test a function that starts Python code inside; everything is closed at the end."""
        with starting(sandbox) as run:
            yield run

    def test_self_test_finds_nothing_wrong(self, sandbox: Sandbox) -> None:
        """Every attempt from inside that must fail does fail."""
        findings = self_test(sandbox)
        assert [f for f in findings if not f.ok] == []
        assert {"host user", "network", "system calls", "read-only system", "memory limit"} <= {
            f.name for f in findings
        }

    def test_runs_as_no_user_of_the_host(self, start: Run) -> None:
        """The host sees an unprivileged uid; a caller who is root is dropped to one without a passwd entry."""
        process = start("input() if False else __import__('time').sleep(5)")
        uid = Path(f"/proc/{process.pid}").stat().st_uid
        assert uid != 0
        if os.geteuid() == 0:
            import pwd

            with pytest.raises(KeyError):
                pwd.getpwuid(uid)

    def test_no_supplementary_groups(self, start: Run) -> None:
        """A root caller's groups do not come along."""
        assert answer(start("import os; print(set(os.getgroups()) <= {1000, 65534})")) == "True"

    @pytest.mark.parametrize("folder", ["/home/student", "/tmp", "/dev/shm"])
    def test_work_folders_can_be_used(self, start: Run, folder: str) -> None:
        """The work folder, /tmp and /dev/shm take files."""
        assert answer(start(f"p = '{folder}/x'; open(p, 'w').write('y'); print(open(p).read())")) == "y"

    def test_hidden_course_files_are_not_reachable(self, start: Run, tmp_path: Path) -> None:
        """Only what the job names is there: no other file of the course, under no path, in no descriptor."""
        canary = "-".join(("canary", "7261"))  # in no file, not even in byte code
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
        canary, found, unreadable = "-".join(("canary", "7261")), [], []
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
        visible = answer(process)
        assert visible == "[] [] False rows = 3", visible

    def test_a_checkout_shows_its_package_only(self, start: Run) -> None:
        """The package and a virtual environment alone are visible in the folder that the package lies in."""
        checkout = Path(autograder.__file__).resolve().parent.parent
        visible = set(answer(start(f"import os; print(*os.listdir({str(checkout)!r}))")).split())
        if not checkout.is_relative_to(sys.prefix):
            assert visible - {"autograder"} <= {Path(sys.prefix).name}

    def test_masked_folder_is_empty(self, start: Run, tmp_path: Path) -> None:
        """A course that lies below a bound folder is covered."""
        masked = Path("/usr/share")
        assert answer(start("import os; print(os.listdir('/usr/share'))", hidden_paths=(masked,))) == "[]"

    def test_files_are_read_only(self, start: Run, tmp_path: Path) -> None:
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

    def test_private_files_of_root_can_be_read_inside(self, start: Run, tmp_path: Path) -> None:
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
        self, start: Run, tmp_path: Path, make: Callable[[Path], None], message: str
    ) -> None:
        """A link, a FIFO or a missing file raises before anything starts."""
        make(tmp_path)
        with pytest.raises(SandboxError, match=message):
            start("", files={"/home/student/x": tmp_path / "x"})

    def test_a_link_inside_a_folder_is_refused(self, start: Run, tmp_path: Path) -> None:
        """A folder is searched for links."""
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep" / "link").symlink_to("/")
        with pytest.raises(SandboxError, match="symbolic link"):
            start("", files={"/home/student/x": tmp_path})

    @pytest.mark.parametrize("target", ["relative", "/home/../etc/passwd", "/"])
    def test_targets_are_absolute_and_plain(self, start: Run, tmp_path: Path, target: str) -> None:
        """A path inside cannot climb."""
        with pytest.raises(SandboxError, match="not a path inside"):
            start("", files={target: tmp_path})

    def test_environment_is_the_jobs_alone(self, start: Run, monkeypatch: pytest.MonkeyPatch) -> None:
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

    def test_inherited_descriptors_are_closed(self, start: Run, tmp_path: Path) -> None:
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

    def test_command_line_of_init_names_no_host_path(self, start: Run, tmp_path: Path) -> None:
        """/proc/1/cmdline is readable inside, so bwrap gets its arguments another way."""
        (tmp_path / "secret-name.py").write_text("")
        process = start("print(open('/proc/1/cmdline').read())", files={"/home/student/a": tmp_path / "secret-name.py"})
        assert "secret-name" not in answer(process)

    def test_two_sandboxes_share_nothing(self, start: Run) -> None:
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

    @pytest.mark.parametrize("kind", HOGS)
    def test_memory_hog_is_stopped(self, start: Run, sandbox: Sandbox, kind: str) -> None:
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

    def test_disk_is_bounded(self, start: Run) -> None:
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

    def test_one_file_is_bounded(self, start: Run) -> None:
        """A sparse file of a terabyte cannot be made."""
        code = """
        try:
            open("/tmp/x", "wb").truncate(10**12)
        except OSError as error:
            print(error.strerror)
        """
        assert answer(start(code)) == "File too large"

    def test_a_million_files_are_stopped(self, start: Run) -> None:
        """Empty files take kernel memory, which counts as well."""
        code = "n = 0\nwhile True:\n    open(f'/tmp/{n}', 'w').close()\n    n += 1"
        process = start(code, limits=Limits(memory_mib=128, processes=32, disk_mib=16))
        process.wait(90)
        assert process.poll() not in (None, 0)

    def test_endless_output_is_bounded(self, start: Run) -> None:
        """What is printed without end is dropped but for its tail, and the process does not block."""
        process = start("import os\nfor _ in range(200): os.write(1, b'x' * 65536)\nos.write(1, b'end')")
        assert answer(process).endswith("end")
        assert len(process.stdout()) <= 256 * 1024

    def test_ignored_signals_do_not_help(self, start: Run) -> None:
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

    def test_daemon_ends_with_the_main_process(self, start: Run) -> None:
        """A process that was forked twice and left its session does not outlive the command."""
        process = start(DAEMON)
        assert process.wait(PATIENCE_SECONDS) == 0
        assert wait_until(lambda: not Path(f"/proc/{process.pid}").exists())

    def test_daemon_ends_with_kill(self, start: Run) -> None:
        """Nor does it outlive a kill."""
        process = start(DAEMON + "time.sleep(60)")
        inside = namespace(process)
        assert wait_until(lambda: len(living(inside)) >= 3)
        process.kill()
        assert wait_until(lambda: not living(inside))

    @pytest.mark.parametrize("seconds", [0.08, 0.5])
    def test_usage_counts_what_was_used(self, start: Run, seconds: float) -> None:
        """CPU time is that of the processes inside, also after close(), and however short they were."""
        process = start(f"import time\nt = time.process_time()\nwhile time.process_time() - t < {seconds}: pass")
        process.wait(PATIENCE_SECONDS)
        process.close()
        assert 0.9 * seconds < process.usage().cpu_seconds < 3
        assert not process.usage().out_of_memory

    def test_exit_status_is_the_commands(self, start: Run) -> None:
        """Status and signals come through; a command that is not there is a failure, not an exception."""
        assert start("raise SystemExit(7)").wait(PATIENCE_SECONDS) == 7
        assert start("import os; os.kill(os.getpid(), 15)").wait(PATIENCE_SECONDS) == 143

    @pytest.mark.parametrize("code", ["import os; os.kill(os.getpid(), 9)", "import os; os._exit(137)"])
    def test_a_command_that_ends_as_if_somebody_killed_it_ends_in_another_way(self, start: Run, code: str) -> None:
        """By SIGSYS."""
        assert start(code).wait(PATIENCE_SECONDS) == 159

    def test_no_core_dumps_and_bounded_descriptors(self, start: Run) -> None:
        """Crash dumps are off and the number of open files is limited."""
        code = "import resource as r; print(r.getrlimit(r.RLIMIT_CORE), r.getrlimit(r.RLIMIT_NOFILE)[1] <= 4096)"
        assert answer(start(code)) == "(0, 0) True"

    def test_label_and_reduced_agree(self, start: Run, sandbox: Sandbox) -> None:
        """The label says when limits are reduced."""
        assert ("reduced limits" in start("").label) == sandbox.reduced
