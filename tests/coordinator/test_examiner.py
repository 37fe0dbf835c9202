"""Examiners behind their wall: what becomes of a submission whose examiner dies, grows, hangs or lies."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.tiny import SOLUTION, YAML, cell, notebook, observe_here, submit, tiny_course, tiny_release

from autograder.coordinator import batch, submission_grading
from autograder.coordinator.examiner import Examiners
from autograder.coordinator.pool import in_processes
from autograder.coordinator.proof import prove
from autograder.coordinator.templates import Templates
from autograder.course.configuration import load_course
from autograder.exchange import outcome_writer
from autograder.exchange.work import Work
from autograder.records.course import Course
from autograder.records.ending import EndingKind, Whose, failed
from autograder.records.grade import NotebookGrade
from autograder.sandbox import Sandbox

pytestmark = pytest.mark.sandbox
MEMORY_MIB = 512
TEST = f"""
import os, signal, time
how = double(1)
if how == "grows":
    kept = [bytearray(64 << 20) for _ in range({2 * MEMORY_MIB // 64})]
if how == "exits":
    os._exit(0)
if how == "is killed":
    os.kill(os.getpid(), signal.SIGKILL)
### BEGIN HIDDEN TESTS
assert how == 2
### END HIDDEN TESTS
"""
HOW = ("grows", "exits", "is killed")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A test that does to its own process what a student's answer says; ada and zoe answer as they should."""
    yaml = YAML.replace("memory_mib: 512", f"memory_mib: 512, examiner_memory_mib: {MEMORY_MIB}")
    made = tiny_course(tmp_path, test=TEST, yaml=yaml)
    submit(made, "ada")
    for how in HOW:
        submit(made, how.replace(" ", "-"), f"def double(x):\n    return {how!r}")
    submit(made, "zoe")
    return made


def plan(course: Course) -> tuple[Work, ...]:
    return batch.plan(course, tiny_release(course))


def test_an_examiner_that_dies_is_one_submissions_reason(course: Course) -> None:
    """Not graded, and not 0; the others have their points."""
    done = batch.run(plan(course), workers=2)
    reasons = {failure.student: failure.reason for failure in done.not_graded}
    assert {grade.student: grade.score for grade in done.grades} == {"ada": 2, "zoe": 2}
    assert reasons.keys() == {"grows", "exits", "is-killed"}
    assert f"needed more than {MEMORY_MIB} MiB of memory" in reasons["grows"]
    assert "ended without an outcome" in reasons["exits"]
    assert "ended without an outcome" in reasons["is-killed"]
    times = [grade.times for grade in done.grades]
    (executed,) = (each for each in times if each.lent)  # their notebooks are the same, and one of them was executed
    assert executed.begun <= executed.lent <= executed.executed <= executed.examined
    assert all(each.begun <= each.examined for each in times)


@pytest.fixture(scope="module")
def graded_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Work, NotebookGrade, Templates]]:
    """Ada's work, her honest grade, and the templates for more of it."""
    course = tiny_course(tmp_path_factory.mktemp("graded"))
    submit(course, "ada")
    (work,) = plan(course)
    honest = batch.run([work]).grades[0].notebooks[0]
    with Templates(work, kernels=0, executed=True) as templates:
        yield work, honest, templates


def test_one_that_takes_too_long_is_stopped(
    graded_work: tuple[Work, NotebookGrade, Templates], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline is the coordinator's, whatever the process does about its own."""
    work, _, templates = graded_work
    examiners = Examiners(templates)
    monkeypatch.setattr(Work, "seconds", 0.5)
    monkeypatch.setattr(Templates, "examiner_job", _hanging(templates))
    assert submission_grading.attempt(work, examiners.examine).text == "grading took longer than 0.5 s and was stopped"
    monkeypatch.setattr(Work, "seconds", 600.0)
    examiners.stop()
    assert submission_grading.attempt(work, examiners.examine).text == "the batch was stopped"


LISTENS = """
import socket, time
with socket.socket(socket.AF_UNIX) as listening:
    listening.bind("/run/kernel/examiner")
    listening.listen(4)
    accepted = []
    while True:
        accepted.append(listening.accept())
"""


def _hanging(templates: Templates) -> object:
    job = templates.examiner_job()
    hanging = replace(job, argv=(job.argv[0], "-I", "-c", LISTENS))
    return lambda self: hanging


ENDS = """
import os, socket
with socket.socket(socket.AF_UNIX) as listening:
    listening.bind("/run/kernel/examiner")
    os.chmod("/run/kernel/examiner", 0o666)
    listening.listen(4)
    while not listening.accept()[0].recv(1):
        pass
os._exit({})
"""


@pytest.mark.parametrize("status", [0, 3])
def test_one_that_ends_without_an_outcome_is_a_try_of_the_kits(
    graded_work: tuple[Work, NotebookGrade, Templates], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Also one that ends as if all had been said; the next try has a fresh one, whose outcome counts."""
    work, _, templates = graded_work
    job = templates.examiner_job()
    jobs = [replace(job, argv=(job.argv[0], "-I", "-c", ENDS.format(status))), job]
    monkeypatch.setattr(Templates, "examiner_job", lambda self: jobs.pop(0))
    first, second = (submission_grading.attempt(work, Examiners(templates).examine) for _ in jobs[:])
    text = f"the process that examined it ended without an outcome (exit status {status})"
    assert (first, second.is_done) == (failed(text, Whose.KIT, EndingKind.LOST), True)


FORGES = """
import json, socket, struct, sys
sys.path.insert(0, {path!r})
with socket.socket(socket.AF_UNIX) as listening:
    listening.bind("/run/kernel/examiner")
    import os
    os.chmod("/run/kernel/examiner", 0o666)
    listening.listen(4)
    while True:
        connection, _ = listening.accept()
        if connection.recv(1):
            break
said = {said!r}
connection.sendall(struct.pack(">cQ", b"p", len(said)) + said)
import time
time.sleep(60)
"""


@pytest.mark.parametrize("said", ["points", "another exam", "nonsense"])
def test_one_that_was_taken_over_gives_no_more_than_its_exam_has(
    graded_work: tuple[Work, NotebookGrade, Templates], monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    work, honest, templates = graded_work
    forged = {
        "points": outcome_writer.pack(
            [replace(honest, questions=(replace(honest.questions[0], score=99.0),))], [None], [None]
        ),
        "another exam": outcome_writer.pack([honest, honest], [None, None], [None, None]),
        "nonsense": b"\x80\x04\x95",
    }[said]
    path = load_course(work.course).autograded("ada", "hw") / "result.json"
    before = path.read_bytes()
    job = templates.examiner_job()
    script = FORGES.format(path="/nowhere", said=forged)
    monkeypatch.setattr(Templates, "examiner_job", lambda self: replace(job, argv=(job.argv[0], "-I", "-c", script)))
    assert "is refused" in submission_grading.attempt(work, Examiners(templates).examine).text
    assert path.read_bytes() == before


def test_modules_of_the_course_are_there(tmp_path: Path) -> None:
    """And find what lies beside them, as in the course."""
    test = "import helpers\n### BEGIN HIDDEN TESTS\nassert double(3) == helpers.expected()\n### END HIDDEN TESTS"
    course = tiny_course(tmp_path, test=test, solution="import helpers\n" + SOLUTION)
    source = course.source("hw")
    (source / "helpers.py").write_text(
        "from pathlib import Path\nimport deeper\n\n\ndef expected():\n"
        "    return int(Path(__file__).with_name('table.csv').read_text()) * deeper.ONE\n"
    )
    (source / "table.csv").write_text("6")
    (course.root / "deeper.py").write_text("ONE = 1\n")
    submit(course, "ada")
    assert [grade.score for grade in batch.run(plan(load_course(course.root))).grades] == [2]


SHADOWED = {"script": ["random", "json", "autograder", "sitecustomize", "numpy"]}
SHADOWED["module"] = [name for name in SHADOWED["script"] if name != "autograder"]  # which `python -m` asks for


@pytest.mark.parametrize("start", [pytest.param("script", marks=pytest.mark.slow), "module"])
def test_no_module_in_a_course_folder_takes_the_place_of_anothers(tmp_path: Path, start: str) -> None:
    """Wherever the command is started: no file there is executed by who grades."""
    course = tiny_course(tmp_path / "course")
    submit(course, "ada")
    observe_here(course)
    traces = tmp_path / "executed"
    traces.mkdir()
    for name in SHADOWED[start]:
        leaves = f"open({str(traces / name)!r}, 'w')\nraise SystemExit('executed')\n"
        (course.root / f"{name}.py").write_text(leaves)
    script, module = [str(Path(sys.executable).with_name("autograder"))], [sys.executable, "-m", "autograder"]
    arguments = [*(script if start == "script" else module), "grade", "hw", "--quiet", "--json", "all.json"]
    done = subprocess.run(arguments, cwd=course.root, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, [path.name for path in traces.iterdir()]) == (0, []), done.stderr
    assert json.loads((course.root / "all.json").read_text())["grades"][0]["score"] == 2


def test_grades_are_the_same_with_one_worker_and_with_several(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    for number in range(3):
        submit(course, f"s{number}", f"def double(x):\n    return {number} * x")

    def scores(workers: int) -> list[object]:
        done = batch.run(plan(course), workers=workers, force=True, execute=in_processes)
        assert done.not_graded == ()
        return [(grade.student, grade.notebooks[0].questions) for grade in done.grades]

    assert scores(1) == scores(3)


def test_a_proof_and_its_weak_answers_share_one_pair_of_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weak answers have limits of their own, which travel with each of them."""
    started: list[str] = []
    for name in ("_start_examiners", "_start_kernel_template"):
        monkeypatch.setattr(Templates, name, _counted(getattr(Templates, name), name, started))
    examined: list[tuple[str, float]] = []
    examine = Examiners.examine
    monkeypatch.setattr(
        Examiners,
        "examine",
        lambda self, work: (
            examined.append((work.student, work.assignment.limits.examiner_seconds)) or examine(self, work)
        ),
    )
    course = tiny_course(tmp_path)
    assert prove(course, tiny_release(course)).warnings == ()
    assert sorted(started) == ["_start_examiners", "_start_kernel_template"]
    seconds = dict(examined)
    assert seconds["solution"] == seconds["unchanged"] == 300
    assert seconds["weak-0"] < 300


def _counted(start: Callable[..., Any], name: str, started: list[str]) -> Callable[..., Any]:
    return lambda *arguments, **named: started.append(name) or start(*arguments, **named)


def test_a_submission_has_its_own_limits_whatever_those_of_the_templates_are(tmp_path: Path) -> None:
    """In its kernel (of a cell), and in its examiner (of a test)."""
    test = "### BEGIN HIDDEN TESTS\nimport time\ntime.sleep(double(1))\n### END HIDDEN TESTS"
    course = tiny_course(tmp_path, test=test)
    submit(course, "cell", "import time\ntime.sleep(2)")
    submit(course, "test", "def double(x):\n    return 2")
    works = plan(course)
    with Templates(works[0], kernels=2, executed=True) as templates, ThreadPoolExecutor() as both:
        examiners = Examiners(templates)
        for seconds, outcomes in ((20.0, ["completed", "completed"]), (1.0, ["timed_out", "completed"])):
            limits = replace(works[0].assignment.limits, cell_seconds=seconds, examiner_seconds=seconds)
            tight = [replace(work, assignment=replace(work.assignment, limits=limits)) for work in works]
            assert all(map(templates.serves, tight))
            grades = list(both.map(lambda work: submission_grading.grade_submission(work, examiners.examine), tight))
            assert [grade.notebooks[0].status for grade in grades] == outcomes
        assert not templates.serves(replace(works[0], exams=()))
    assert "took too long" in grades[1].notebooks[0].questions[0].message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has users to choose from")
def test_examiners_have_another_user_than_kernels(tmp_path: Path) -> None:
    course = tiny_course(tmp_path)
    submit(course, "ada")
    (work,) = plan(course)
    with Templates(work, kernels=2, executed=True) as templates:
        kernels, (examiners, _) = templates.kernel_sandbox(), templates.examiner()
        assert kernels is not None
        job = templates.examiner_job()
        uids = {
            _uid(sandbox, replace(job, argv=(job.argv[0], "-I", "-S", "-c", "import time; time.sleep(60)")))
            for sandbox in (examiners, kernels.cold)
        }
    assert len(uids) == 2
    assert "0" not in uids


def _uid(sandbox: Sandbox, job: object) -> str:
    process = sandbox.start(job)  # type: ignore[arg-type]
    try:
        (uid,) = set(re.findall(r"^Uid:\s+(.*)$", Path(f"/proc/{process.pid}/status").read_text(), re.M)[0].split())
        return uid
    finally:
        process.close()


def test_what_every_notebook_reads_is_cut_to_what_is_examined(course: Course) -> None:
    """A notebook that is no notebook is the student's failure, and needs no kernel."""
    (course.submitted("ada", "hw") / "nb.ipynb").write_text("{")
    (course.submitted("zoe", "hw") / "nb.ipynb").write_text(notebook(cell("x", "double", solution=True))[:-40])
    works = [work for work in plan(course) if work.student in ("ada", "zoe")]
    assert [grade.status for grade in batch.run(works).grades] == ["invalid", "invalid"]
