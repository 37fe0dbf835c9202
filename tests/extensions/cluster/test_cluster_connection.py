"""Batches on a cluster of dask: with TLS, on workers that proved their sandbox, whatever becomes of the workers."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from distributed import LocalCluster
from distributed.security import Security
from helpers.tiny import Here, submit, tiny_course, tiny_release

from autograder.coordinator import batch
from autograder.coordinator.schedule import Execute
from autograder.errors import HostError, SandboxError, UsageError
from autograder.exchange.work import Work
from autograder.extensions.cluster.connection import InCluster, check_address
from autograder.records.course import Course, Engine
from autograder.records.grade import Batch
from autograder.testing.executor_contract import ExecutorContract

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
NAMES = ("ada", "bob", "eve", "joe")


def program(how: str) -> tuple[str, ...]:
    """A grading program without a sandbox; see unwalled_host.py."""
    return (sys.executable, str(ROOT / "tests/helpers/unwalled_host.py"), how)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run([ROOT / "deploy/certificates", folder], check=True, capture_output=True, timeout=60)
    return folder


def security(folder: Path) -> Security:
    files = {
        f"tls_{name}_{kind}": str(folder / f"{name}{end}")
        for name in ("scheduler", "worker", "client")
        for kind, end in (("cert", ".pem"), ("key", "-key.pem"))
    }
    return Security(require_encryption=True, tls_ca_file=str(folder / "ca.pem"), **files)


@contextlib.contextmanager
def running(certificates: Path, folder: Path, **options: object) -> Iterator[LocalCluster]:
    fixed = {"protocol": "tls://", "security": security(certificates), "local_directory": str(folder)}
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit="4GiB", **fixed, **options
    ) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def engine(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Two workers that talk TLS; grading is in programs of its own, so the workers may be in this process."""
    with running(certificates, tmp_path_factory.mktemp("dask"), processes=False) as cluster:
        yield engine_of(cluster, certificates)


def engine_of(cluster: LocalCluster, certificates: Path) -> Engine:
    files = {"ca": "ca.pem", "cert": "client.pem", "key": "client-key.pem"}
    return Engine(
        "dask",
        cluster.scheduler_address,
        patience_seconds=60,
        **{key: str(certificates / name) for key, name in files.items()},
    )


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = tiny_course(tmp_path / "course")
    for name in NAMES:
        submit(made, name)
    submit(made, "bob", "def double(x):\n    return 2")
    return made


def plan(course: Course) -> tuple[Work, ...]:
    return batch.plan(course, tiny_release(course))


def facts(done: Batch) -> list[object]:
    """What must not depend on where it was graded."""
    return [
        (g.student, g.score, [(q.id, q.outcome, q.message, q.detail) for q in g.notebooks[0].questions], g.content_keys)
        for g in done.grades
    ]


# --- the whole way ---------------------------------------------------------------------------------------


@pytest.mark.sandbox
def test_grades_are_those_of_this_machine_alone(course: Course, engine: Engine) -> None:
    """With the real sandbox, which the workers prove first; the folders are the same to the file."""
    here = batch.run(plan(course), workers=1)
    files = {name: sorted(p.name for p in course.autograded(name, "hw").iterdir()) for name in NAMES}
    masked = (course.autograded("ada", "hw") / "nb.ipynb").read_text()
    there = batch.run(plan(course), force=True, workers=0, execute=InCluster(engine, course.root))
    assert facts(there) == facts(here)
    assert there.graded == NAMES
    assert {name: sorted(p.name for p in course.autograded(name, "hw").iterdir()) for name in NAMES} == files
    assert (course.autograded("ada", "hw") / "nb.ipynb").read_text() == masked
    assert there.grades[0].notebooks[0].sandbox == here.grades[0].notebooks[0].sandbox
    assert batch.run(plan(course), workers=0, execute=InCluster(engine, course.root)).graded == ()


@pytest.mark.sandbox
@pytest.mark.slow
class TestClusterAsExecutor(ExecutorContract):
    """The cluster holds what every executor must hold."""

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def connect(cls, engine: Engine) -> None:
        cls.engine = engine

    def make(self, root: Path) -> Execute:
        return InCluster(self.engine, root)


def test_without_tls_nothing_is_sent(course: Course, engine: Engine) -> None:
    """A scheduler is not asked for less by another address, and a certificate of another authority opens nothing."""
    with pytest.raises(UsageError, match=r"tcp://.* is a connection without TLS"):
        InCluster(replace(engine, scheduler="tcp://127.0.0.1:8786"), course.root)
    bare = replace(engine, scheduler=str(engine.scheduler).replace("tls:", "tcp:"), ca=None, cert=None, key=None)
    with pytest.raises(HostError, match="no scheduler answers at tcp://"):
        batch.run(plan(course), execute=InCluster(bare, course.root, insecure=True))


def test_a_certificate_of_another_authority_opens_nothing(course: Course, engine: Engine, tmp_path: Path) -> None:
    subprocess.run([ROOT / "deploy/certificates", tmp_path / "other"], check=True, capture_output=True, timeout=60)
    other = replace(engine, **{key: str(tmp_path / "other" / Path(str(getattr(engine, key))).name) for key in ("ca", "cert", "key")})  # fmt: skip
    with pytest.raises(HostError, match="no scheduler answers"):
        batch.run(plan(course), execute=InCluster(other, course.root))


@pytest.mark.parametrize("address", ["", "host", "host:8786", "http://host:8786", "tls://host"])
def test_an_address_that_is_none_is_usage(address: str) -> None:
    with pytest.raises(UsageError, match="is not a scheduler's address; write it like tls://host:8786"):
        check_address(address, insecure=True)


def test_a_certificate_that_is_not_there_is_named(course: Course, engine: Engine) -> None:
    with pytest.raises(HostError, match=r"there is no file .*nowhere\.pem"):
        batch.run(plan(course), execute=InCluster(replace(engine, cert="nowhere.pem"), course.root))


# --- workers that may not, and workers that go ----------------------------------------------------------


def test_a_worker_whose_sandbox_does_not_hold_gets_no_work(course: Course, engine: Engine) -> None:
    with pytest.raises(SandboxError, match=r"(?s)no worker can grade:\n  tls://.*does not hold.*\n  tls://"):
        batch.run(plan(course), execute=InCluster(engine, course.root, program=program("refused")))
    assert not (course.root / "autograded").exists()


@pytest.mark.slow
def test_a_batch_that_is_stopped_leaves_no_process_and_no_file_on_the_workers(course: Course, engine: Engine) -> None:
    """And the next one goes on."""

    def stop(student: str, outcome: object) -> None:
        assert len(programs()) > 2
        raise KeyboardInterrupt

    execute = InCluster(engine, course.root, program=program("hangs"))
    with pytest.raises(KeyboardInterrupt):
        batch.run(plan(course), workers=0, execute=execute, progress=stop)
    deadline = time.monotonic() + 10
    while left := programs():
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    done = batch.run(plan(course), workers=0, execute=InCluster(engine, course.root, program=program("well")))
    assert set(done.graded) < set(NAMES)
    assert len(done.grades) == len(NAMES)


def programs() -> list[str]:
    """The grading programs of these tests that run, and what they started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command, environment = ((folder / name).read_bytes() for name in ("cmdline", "environ"))
            if b"unwalled_host.py\0" in command or b"\0HOW=hangs" in environment:
                found.append(folder.name)
    return found


@pytest.mark.slow
def test_a_submission_that_costs_three_machines_is_not_graded_and_the_others_are(
    course: Course, certificates: Path, tmp_path: Path
) -> None:
    """bob ends each dask worker that grades him; its nanny starts another, which proves itself before it gets work."""
    with running(certificates, tmp_path / "dask", processes=True) as cluster:
        engine = replace(engine_of(cluster, certificates), patience_seconds=120)
        execute = InCluster(engine, course.root, program=program("kills"))
        done = batch.run(plan(course), workers=0, execute=execute)
    assert [n.student for n in done.not_graded] == ["bob"], done.not_graded
    assert done.graded == ("ada", "eve", "joe")
    assert "3 machines were lost while they graded it" in done.not_graded[0].reason
    assert batch.run(plan(course), execute=Here()).graded == ("bob",), "after that, it ends in its grade"


def test_without_certificates_the_message_says_where_they_belong(tmp_path: Path) -> None:
    from autograder.extensions.cluster.connection import connected

    engine = Engine(kind="dask", scheduler="tls://127.0.0.1:1")
    with (
        pytest.raises(HostError, match=r"needs certificates.*deploy/certificates makes them"),
        connected(engine, tmp_path),
    ):
        pass


def test_the_page_puts_certificates_where_the_settings_look_for_them() -> None:
    page = (ROOT / "docs/how-to/beyond-one-machine.md").read_text()
    assert "sudo cp -r tls /etc/autograder/\n" in page
    assert "ca-file: /etc/autograder/tls/ca.pem" in (ROOT / "deploy/dask.yaml").read_text()
