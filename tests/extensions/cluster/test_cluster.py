"""What travels between machines, the grading program of a worker, and who gets what; without a cluster."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from helpers import tiny
from helpers.exams import exam_of
from helpers.kernels import InProcessKernel
from helpers.tiny import TEST, YAML, ending_here, grade_here, submit, tiny_course, tiny_release

from autograder._util.plain_records import from_plain, to_plain
from autograder.coordinator import batch
from autograder.coordinator.assignment import observe
from autograder.coordinator.course_files import course_files
from autograder.course.configuration import load_course
from autograder.errors import AutograderError, CourseError, HostError, SandboxError
from autograder.exchange import result_json
from autograder.exchange.blob_container import pack, unpack
from autograder.exchange.parcel import pack_common, pack_unit, unpack_common, unpack_unit
from autograder.exchange.work import Endings, Work, versions
from autograder.extensions.cluster import dispatch, result_parcel
from autograder.extensions.cluster.dispatch import Dispatch
from autograder.extensions.cluster.grader import Grader, MachineLostError, MachineStanding
from autograder.extensions.cluster.host import check_versions
from autograder.records.course import Assignment, Course, Engine
from autograder.records.ending import GRADED, Whose, failed
from autograder.records.exam import Exam, Role
from autograder.records.limits import Limits
from autograder.records.observations import Act
from autograder.records.policies import LatePolicy

NAMES = ("ada", "bob", "eve", "joe")
HOST = Path(__file__).parents[2] / "helpers" / "unwalled_host.py"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = tiny_course(tmp_path / "course")
    for name in NAMES:
        submit(made, name)
    submit(made, "bob", "def double(x):\n    return 2")
    return made


def plan(course: Course, *only: str) -> tuple[Work, ...]:
    return batch.plan(course, tiny_release(course), only)


def one(course: Course, student: str = "ada") -> Work:
    (work,) = plan(course, student)
    return work


# --- records and containers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record",
    [
        Limits(cell_seconds=1, cpu_seconds=None),
        Assignment("hw", "Title", due=datetime(2030, 1, 1, tzinfo=UTC), late=LatePolicy("per_day", 0.1), files=("a",)),
        exam_of((Role.ANSWER, "x = 1"), (Role.TEST, "assert x == 1"), (Role.FREE, "# ünï")),
    ],
)
def test_a_record_comes_back_as_it_went(record: Any) -> None:
    assert from_plain(type(record), json.loads(json.dumps(to_plain(record)))) == record


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Limits, {}),
        (Limits, {**to_plain(Limits()), "more": 1}),
        (Limits, {**to_plain(Limits()), "processes": "256"}),
        (Limits, {**to_plain(Limits()), "processes": True}),
        (Limits, []),
        (Exam, {**to_plain(exam_of((Role.FREE, "1"))), "cells": [{"role": "teacher"}]}),
        (Assignment, {**to_plain(Assignment("a", "b")), "due": "soon"}),
    ],
)
def test_what_is_no_record_is_refused(kind: type[Any], data: Any) -> None:
    with pytest.raises(ValueError, match=r"fields|should be|no \w+:|isoformat"):
        from_plain(kind, data)


def test_a_container_gives_back_what_went_in_and_holds_equal_files_once() -> None:
    files = {"a/b.txt": b"\0" * 10_000, "c": b"", "d": b"\0" * 10_000, "\udcff.bin": b"\n\n"}
    data = pack({"n": 1}, files)
    assert unpack(data) == ({"n": 1}, files)
    assert len(data) < 11_000
    assert data == pack({"n": 1}, dict(reversed(files.items())))


@pytest.mark.parametrize("damage", [lambda d: d[:-1], lambda d: d + b"x", lambda d: d[:-1] + b"x", lambda d: b"{}\n", lambda d: b"", lambda d: b"\x80\x04K\x01."])  # fmt: skip
def test_a_damaged_container_is_refused(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError, match="not a parcel of this version of the kit"):
        unpack(damage(pack({}, {"a": b"content"})))


@pytest.mark.parametrize("name", ["../a", "/a", "", "a/../../b"])
def test_no_name_in_a_container_leads_out(name: str) -> None:
    with pytest.raises(ValueError, match="leads out"):
        unpack(pack({}, {name: b""}))


# --- what a machine gets of a course ---------------------------------------------------------------------


def test_a_machine_gets_what_grading_may_open_and_nothing_else_of_the_course(tmp_path: Path) -> None:
    """Hidden data, files of the release, the policy, and the course's own modules with what they import; no student."""
    test = "import helper\n" + TEST
    yaml = (
        YAML
        + "    files: [data.csv]\n    hidden: [holdout.npz]\n    due: 2030-01-01\n    late: {plugin: late.py:Policy}\n"
    )
    root = tmp_path / "course"
    written = {
        "source/hw/hidden/holdout.npz": "hidden",
        "source/hw/beside.txt": "released",
        "source/hw/helper.py": "import deeper.part",
        "source/hw/.ipynb_checkpoints/nb.py": "",
        "source/other/hidden/secret": "",
        "deeper/__init__.py": "from shared import *",
        "deeper/part.py": "",
        "deeper/table.csv": "",
        "shared.py": "import helper, numpy",
        "unused.py": "",
        "data.csv": "",
        "late.py": "import costs\nclass Policy:\n    def late_submission_penalty(self, a, b, c):\n        return costs.each",
        "costs.py": "each = 1",
        "nbgrader_config.py": "",
        "gradebook.db": "",
        "autograder/__init__.py": "",
        "submitted/ada/hw/mine.py": "",
    }
    for name, text in written.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    made = tiny_course(root, test=test, yaml=yaml)
    submit(made, "ada")
    assert sorted(course_files(one(made))) == [
        "costs.py", "data.csv", "deeper/__init__.py", "deeper/part.py", "deeper/table.csv", "late.py", "nbgrader_config.py",
        "shared.py", "source/hw/beside.txt", "source/hw/helper.py", "source/hw/hidden/holdout.npz",
    ]  # fmt: skip


def test_what_is_too_much_for_a_cluster_is_refused_with_its_size(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.exchange.parcel.MAX_COMMON", 1 << 20)
    (course.source("hw") / "big.bin").write_bytes(bytes(3 << 20))
    with pytest.raises(HostError, match="hw has 3 MiB of files beside its notebooks; 1 MiB are sent"):
        pack_common(plan(course), course_files(one(course)))


def elsewhere(work: Work, folder: Path) -> Work:
    """The work on another machine."""
    folder.mkdir(exist_ok=True)
    common = unpack_common(pack_common([work], course_files(work)), folder)
    place = folder / "unit"
    place.mkdir()
    return unpack_unit(pack_unit(work), common, place)


@pytest.mark.parametrize(
    "change",
    [{"student": "../ada"}, {"student": "a/b"}, {"student": ""}, {"own": ["../x"]}, {"odd": {"../x": "pipe"}}],
    ids=str,
)
def test_a_parcel_with_a_name_that_leads_out_is_refused(course: Course, tmp_path: Path, change: dict[str, Any]) -> None:
    (work,) = plan(course, "ada")
    elsewhere(work, tmp_path / "honest")
    head, files = unpack(pack_unit(work))
    common = unpack_common(pack_common([work], course_files(work)), tmp_path / "there")
    (tmp_path / "there/unit").mkdir()
    with pytest.raises(ValueError, match=r"is refused|leads out"):
        unpack_unit(pack({**head, **change}, files), common, tmp_path / "there/unit")
    assert [path.name for path in (tmp_path / "there/unit").iterdir()] == []


def test_the_work_is_the_same_on_another_machine(course: Course, tmp_path: Path) -> None:
    """But for its places: none of them is in the course."""
    (course.source("hw") / "hidden").mkdir()
    (course.source("hw") / "hidden/data.txt").write_text("hidden")
    (course.source("hw") / "given.txt").write_text("given")
    folder = course.submitted("ada", "hw")
    (folder / "sub").mkdir()
    (folder / "sub/own.txt").write_text("own")
    (folder / "timestamp.txt").write_text("2029-01-01 00:00:00 UTC")
    here = one(course)
    there = elsewhere(here, tmp_path / "there")
    for name in ("student", "assignment", "exams", "submitted_at", "content_keys"):
        assert getattr(there, name) == getattr(here, name)
    assert {k: p.read_text() for k, p in there.files.items()} == {k: p.read_text() for k, p in here.files.items()}
    assert there.hidden is not None
    assert (there.hidden / "data.txt").read_text() == "hidden"
    paths = [
        there.submission,
        there.target,
        there.details,
        there.log,
        there.course,
        *there.modules,
        *there.files.values(),
    ]
    assert all(path.is_relative_to(tmp_path / "there") for path in paths)
    assert (there.submission / "timestamp.txt").is_file()
    assert there.seconds == here.seconds


def make_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def make_large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


@pytest.mark.parametrize("make", [make_link, os.mkfifo, Path.mkdir, make_large, lambda path: None])
def test_a_notebook_that_is_none_is_the_students_failure_there_as_here(
    course: Course, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """With the same words; a link's target is not sent, nor is a terabyte."""
    path = course.submitted("ada", "hw") / "nb.ipynb"
    path.unlink()
    make(path)
    here = one(course)
    there = elsewhere(here, tmp_path / "there")
    grades = [grade_here(work) for work in (here, there)]
    assert grades[0].notebooks == grades[1].notebooks
    assert grades[0].status in ("invalid", "missing")


def test_a_file_that_is_too_large_to_travel_is_not_graded_and_says_so(course: Course) -> None:
    with (course.submitted("ada", "hw") / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(HostError, match=r"huge\.bin is larger than 50 MiB, and so is not examined"):
        pack_unit(one(course))


# --- what comes back ------------------------------------------------------------------------------------


@pytest.fixture
def graded(course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """ada's outcome, made on another machine."""
    monkeypatch.setattr(tiny, "start_kernel", lambda work: InProcessKernel())
    there = elsewhere(one(course), tmp_path / "there")
    grade_here(there)
    there.log.write_text("said")
    return result_parcel.pack_outcome(there, GRADED)


def test_a_result_is_written_as_if_it_were_made_here(course: Course, graded: bytes) -> None:
    work = one(course)
    (work.submission / "timestamp.txt").write_text("as it was handed in")
    assert result_parcel.put_in_place(work, graded) == GRADED
    assert sorted(p.name for p in work.target.iterdir()) == ["nb.ipynb", "result.json", "timestamp.txt"]
    assert batch.current(replace(one(course), content_keys=work.content_keys)) is not None
    assert "double(21)" not in (work.target / "nb.ipynb").read_text()
    assert work.log.read_text() == "said"
    grade_here(work)
    before, after = (result_json.read(work.target / "result.json", work.details) for _ in range(2))
    assert before == after


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda w: replace(w, student="bob"), "another student's"),
        (lambda w: replace(w, content_keys={"submission": "changed"}), "made from another version"),
    ],
)
def test_a_result_of_something_else_is_not_written(
    course: Course, graded: bytes, change: Callable[[Work], Work], why: str
) -> None:
    assert why in result_parcel.put_in_place(change(one(course)), graded).text
    assert not (course.root / "autograded").exists()


def test_a_damaged_result_is_not_written(course: Course, graded: bytes) -> None:
    head, files = unpack(graded)
    for wrong in (b"{}", b"[", files["grade.json"].replace(b'"score": 2', b'"score": 1', 1)):
        assert "damaged" in result_parcel.put_in_place(one(course), pack(head, {**files, "grade.json": wrong})).text
    assert "damaged" in result_parcel.put_in_place(one(course), graded[:-3]).text
    assert "damaged" in result_parcel.put_in_place(one(course), pack({}, {})).text
    assert not (course.root / "autograded").exists()


def test_a_result_writes_no_file_but_its_notebooks(course: Course, graded: bytes) -> None:
    head, files = unpack(graded)
    assert (
        result_parcel.put_in_place(one(course), pack(head, {**files, "other.ipynb": b"{}", "x/y.html": b""})) == GRADED
    )
    assert sorted(p.name for p in course.autograded("ada", "hw").iterdir()) == ["nb.ipynb", "result.json"]


def test_a_solution_is_observed_where_the_submissions_are_graded(tmp_path: Path) -> None:
    """The machine that holds the course needs no sandbox for it."""
    course = tiny_course(tmp_path / "course", solution="def double(xs):\n    xs *= 2", test=CHANGES)
    sent: list[Work] = []

    def execute(due: Sequence[Work], workers: int) -> Endings:
        for work in due:
            sent.append(there := elsewhere(work, tmp_path / f"there-{len(sent)}"))
            yield work, result_parcel.put_in_place(work, result_parcel.pack_outcome(there, ending_here(there)))

    release, note = observe(course, tiny_release(course), execute)
    (exam,) = release.exams
    assert [fact.value for fact in exam.observations.facts if fact.act is Act.CHANGES] == ["0"]
    assert [(work.observe, work.replay_only) for work in sent] == [(True, False)] * 2
    assert note.startswith("hw: the solution ran twice")


CHANGES = "xs = [2]\ndouble(xs)\n### BEGIN HIDDEN TESTS\nassert xs == [2, 2]\n### END HIDDEN TESTS"


def test_a_reason_names_the_log_that_is_here(course: Course, tmp_path: Path) -> None:
    there = elsewhere(one(course), tmp_path / "there")
    there.log.write_text("last words")
    said = result_parcel.put_in_place(
        one(course), result_parcel.pack_outcome(there, failed(f"it failed; {there.log} says more", Whose.HOST))
    )
    assert said == failed(f"it failed; {one(course).log} says more", Whose.HOST)
    assert one(course).log.read_text() == "last words"


# --- the grading program of a worker ---------------------------------------------------------------------


@contextlib.contextmanager
def grader(course: Course, folder: Path, how: str, slots: int = 2) -> Iterator[Grader]:
    made = Grader(
        folder, pack_common(plan(course), course_files(one(course))), slots, program=(sys.executable, str(HOST), how)
    )
    try:
        deadline = time.monotonic() + 60
        while not made.standing.slots and not made.standing.refused and time.monotonic() < deadline:
            time.sleep(0.02)
        yield made
    finally:
        made.close()


@pytest.mark.integration
def test_a_worker_grades_what_it_gets_and_leaves_nothing(course: Course, tmp_path: Path) -> None:
    folder = tmp_path / "worker"
    with grader(course, folder, "well") as made:
        assert made.standing == MachineStanding(2)
        assert folder.stat().st_mode & 0o077 == 0
        for work in plan(course, "ada", "bob"):
            assert result_parcel.put_in_place(work, made.run(pack_unit(work))) == GRADED
        assert list((folder / ".autograder").glob("unit-*")) == []
        with pytest.raises(MachineLostError, match="not a parcel"):
            made.run(b"nonsense")
    assert [g.score for work in plan(course, "ada", "bob") if (g := batch.current(work))] == [2, 0]
    assert not folder.exists()
    with pytest.raises(MachineLostError, match="the batch is over"):
        made.run(b"")


@pytest.mark.integration
def test_a_worker_whose_sandbox_does_not_hold_takes_nothing(course: Course, tmp_path: Path) -> None:
    with grader(course, tmp_path / "worker", "refused") as made:
        assert made.standing == MachineStanding(0, "The sandbox does not hold here.")
        with pytest.raises(MachineLostError, match="does not hold"):
            made.run(b"")


def test_a_grading_program_that_cannot_start_says_why(course: Course, tmp_path: Path) -> None:
    made = Grader(tmp_path / "worker", b"", 1, program=(sys.executable, "-c", "raise SystemExit('no disk')"))
    made._thread.join(60)
    assert made.standing.refused == "its grading program ended (exit status 1): no disk"
    made.close()


def test_other_versions_are_named() -> None:
    """Grades could be others, and their content keys would not say so."""
    check_versions(versions())
    with pytest.raises(AutograderError, match=r"it has autograder \S+ instead of 0\.0\.9, torch \S+ instead of 2"):
        check_versions({**versions(), "autograder": "0.0.9", "torch": "2"})


# --- who gets what ---------------------------------------------------------------------------------------


class Machines:
    """A fleet whose machines answer at once, or are lost with the students in ``deadly``."""

    def __init__(self, slots: Mapping[str, int], deadly: tuple[str, ...] = (), restart: bool = True) -> None:
        self.there = {address: MachineStanding(count) for address, count in slots.items()}
        self.deadly, self.restart = deadly, restart
        self.given: list[tuple[str, str]] = []
        self.beside: dict[str, int] = {}
        self.running: dict[Any, tuple[str, str]] = {}
        self.forgotten = 0

    def standing(self) -> Mapping[str, MachineStanding]:
        self.go_on()
        return dict(self.there)

    def submit(self, address: str, parcel: bytes, ended: Callable[[Any], object]) -> Future[bytes]:
        student = unpack(parcel)[0]["student"]
        sent: Future[bytes] = Future()
        sent.add_done_callback(ended)
        self.given.append((address, student))
        self.running[sent] = (address, student)
        assert sum(a == address for a, _ in self.running.values()) <= self.there[address].slots
        return sent

    def go_on(self) -> None:
        """All that runs ends, or goes with its machine."""
        lost = {address for address, student in self.running.values() if student in self.deadly}
        for sent, (address, student) in list(self.running.items()):
            if address not in lost:
                sent.set_result(pack({"ending": to_plain(failed(f"graded {student}")), "log": "/none"}, {}))
            del self.running[sent]
        for address in lost:
            standing = self.there.pop(address)
            if self.restart:
                self.there[f"{address}'"] = standing

    def forget(self, sent: Any) -> None:
        self.forgotten += 1


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "POLL_SECONDS", 0.01)


def reasons(course: Course, machines: Machines, **options: Any) -> dict[str, str]:
    works = plan(course)
    said = list(Dispatch(machines, **options).run(works))
    assert len(said) == len(works) == len({work.student for work, _ in said})
    return {work.student: ending.text.splitlines()[0] for work, ending in said}


def test_every_slot_is_used_and_none_twice(course: Course) -> None:
    machines = Machines({"a": 2, "b": 1})
    assert reasons(course, machines) == {name: f"graded {name}" for name in NAMES}
    assert [address for address, _ in machines.given[:3]] == ["a", "b", "a"]
    assert machines.forgotten == 4


def test_a_bound_holds_for_all_machines_together(course: Course) -> None:
    machines = Machines({"a": 4, "b": 4})
    submit_one, most = machines.submit, 0

    def watched(*arguments: Any) -> Any:
        nonlocal most
        most = max(most, len(machines.running) + 1)
        return submit_one(*arguments)

    machines.submit = watched  # type: ignore[method-assign]
    reasons(course, machines, most=2)
    assert most == 2


def test_what_was_on_a_machine_that_is_lost_goes_to_another(course: Course) -> None:
    machines = Machines({"a": 2, "b": 2}, deadly=("bob",))
    said = reasons(course, machines)
    assert {name: said[name] for name in ("ada", "eve", "joe")} == {n: f"graded {n}" for n in ("ada", "eve", "joe")}
    assert said["bob"].startswith("3 machines were lost while they graded it, the last one ")
    assert [student for _, student in machines.given].count("bob") == 3


def test_who_cost_two_machines_is_alone_on_the_third(course: Course) -> None:
    """Nobody is given up for having been beside it."""
    machines = Machines({"a": 4}, deadly=("bob",))
    said = reasons(course, machines)
    assert sorted(name for name, reason in said.items() if reason == f"graded {name}") == ["ada", "eve", "joe"]
    assert machines.given[-1][1] == "bob" or machines.given.count(("a''", "bob")) == 1


def test_where_no_sandbox_holds_nothing_is_given(course: Course) -> None:
    machines = Machines({})
    machines.there = {"a": MachineStanding(refused="no bubblewrap"), "b": MachineStanding(refused="no namespaces")}
    with pytest.raises(SandboxError, match=r"no worker can grade:\n  a: no bubblewrap\n  b: no namespaces"):
        reasons(course, machines)
    assert machines.given == []


def test_where_no_machine_comes_the_batch_ends_in_time(course: Course) -> None:
    with pytest.raises(HostError, match=r"no worker to give work to for 0 s \(none there\)"):
        reasons(course, Machines({}), patience=0.05)


def test_where_the_last_machine_goes_the_rest_is_not_graded(course: Course) -> None:
    """What was graded before stays, and is recorded."""
    machines = Machines({"a": 1}, deadly=("eve",), restart=False)
    said = reasons(course, machines, patience=0.05)
    assert said["ada"] == "graded ada"
    assert "no worker to give work to" in said["eve"]
    assert "no worker to give work to" in said["joe"]


def test_what_cannot_travel_is_one_students_reason(course: Course) -> None:
    with (course.submitted("eve", "hw") / "huge.bin").open("wb") as file:
        file.truncate(1 << 40)
    assert "and so is not examined" in reasons(course, Machines({"a": 1}))["eve"]


def test_a_batch_that_is_closed_forgets_what_runs(course: Course) -> None:
    machines = Machines({"a": 2})
    with contextlib.closing(Dispatch(machines).run(plan(course))) as outcomes:
        next(outcomes)
        assert len(machines.given) > 1
    assert machines.forgotten == len(machines.given)


# --- course.yaml -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "engine"),
    [
        ("engine: local\n", Engine()),
        ("engine:\n", Engine()),
        ("engine: {scheduler: 'tls://h:1'}\n", Engine("dask", "tls://h:1")),
        ("engine: {kind: dask, scheduler: 'tls://h:1', ca: a, cert: b, key: c}\n", Engine("dask", "tls://h:1", "a", "b", "c")),
        ("engine: {patience_seconds: 5}\n", Engine(patience_seconds=5)),
    ],
)  # fmt: skip
def test_a_course_names_its_engine(tmp_path: Path, text: str, engine: Engine) -> None:
    assert tiny_course(tmp_path, yaml=text + YAML).engine == engine


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{kind: dsk, scheduler: a}", r"course\.yaml:1: unknown engine 'dsk'; did you mean 'dask'\?"),
        ("{shceduler: a}", r"unknown key 'shceduler' in 'engine'; did you mean 'scheduler'\?"),
        ("dask", "kind: dask in 'engine' needs scheduler"),
        ("{kind: local, scheduler: a}", "'scheduler' is set in 'engine', but kind is 'local'"),
        ("{scheduler: a, cert: b}", "'cert' and 'key' in 'engine' go together"),
        ("{patience_seconds: 0}", "'patience_seconds' is 0; it must be between 1 and"),
    ],
)
def test_an_engine_is_read_strictly(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "source/hw").mkdir(parents=True)
    (tmp_path / "course.yaml").write_text(f"engine: {text}\n{YAML}")
    with pytest.raises(CourseError, match=message):
        load_course(tmp_path)
