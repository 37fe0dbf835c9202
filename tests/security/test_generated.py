"""Attacks of one family, made by the hundred: refused, or scored like the honest wrong answer, and never an exception.

``make test`` runs some of each family, ``make test-security`` all of them; both say how many they were.
"""

from __future__ import annotations

import copy
import json
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import generated_archives
import generated_classes
import generated_notebooks
import nbformat
import pytest
import unwalled
from generated_notebooks import naive_maximum
from generated_replies import FuzzingKernel
from helpers.cheats import WRONG
from helpers.clock import own_seconds
from helpers.kernels import InProcessKernel
from helpers.pipeline import SOLUTIONS, make_course, release
from helpers.tiny import tiny_course

from autograder._util.notebook import read_notebook
from autograder.errors import SubmissionError
from autograder.examination.attempt import Conditions
from autograder.examination.notebook_grading import grade_notebook
from autograder.execution.notebook_run import StartKernel
from autograder.records.checks import Outcome
from autograder.records.exam import Exam
from autograder.records.grade import NotebookGrade
from autograder.records.limits import Limits
from autograder.release.exam_construction import released_notebook
from autograder.submission import CollectStatus, collect
from autograder.submissions.archive import extract
from autograder.submissions.members import SUBMISSION

FULLY = pytest.param(1.0, marks=pytest.mark.security, id="full")
SOME = pytest.param(0.05, id="some")
SHARES = pytest.mark.parametrize("share", [SOME, FULLY])
pytestmark = [
    pytest.mark.filterwarnings("ignore:coroutine 'awaiting' was never awaited"),  # where a kernel said that it is one
    pytest.mark.filterwarnings("ignore:Duplicate name"),
]
LIMITS = Limits(cell_seconds=10, notebook_seconds=60)


class Pipeline:
    """From a notebook to its grade, without a sandbox: the code of these notebooks is tame."""

    def __init__(self, root: Path) -> None:
        course = make_course(root)
        (self.exam,) = release(course, proof=False)
        self.hidden = root / "source/numbers/hidden"
        self.file = root / "handed-in.ipynb"

    def notebook(self, answers: Mapping[str, str]) -> dict[str, Any]:
        made = released_notebook(self.exam)
        for cell in made.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = answers.get(grade_id, cell.source)
        return json.loads(nbformat.writes(made))

    def graded(self, data: bytes, kernel: StartKernel = InProcessKernel) -> NotebookGrade:
        self.file.write_bytes(data)
        return grade_notebook(
            self.exam, self.file, Conditions(kernel, LIMITS, self.hidden, lambda claim, weights: None)
        ).grade


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return Pipeline(tmp_path_factory.mktemp("generated"))


def as_wrong(grade: NotebookGrade, exam: Exam) -> bool:
    """No point, no question that went away or came, nothing that a person must mend."""
    questions = [(q.id, q.max_score) for q in grade.questions]
    outcomes = {q.outcome for q in grade.questions if q.id != "essay"}
    return (
        questions == [(c.grade_id, c.points) for c in exam.questions]
        and sum(q.score for q in grade.questions) == 0
        and outcomes <= {Outcome.FAILED, Outcome.SKIPPED}
    )


def say(family: str, cases: float, counts: Counter[str], began: float) -> None:
    print(f"\n{family}: {int(cases)} cases in {time.monotonic() - began:.0f} s, {dict(counts.most_common(8))}")


def test_the_honest_wrong_answer_scores_nothing_and_the_right_one_all(pipeline: Pipeline) -> None:
    assert as_wrong(pipeline.graded(json.dumps(pipeline.notebook(WRONG)).encode()), pipeline.exam)
    right = pipeline.graded(json.dumps(pipeline.notebook(SOLUTIONS)).encode())
    assert sum(q.score for q in right.questions) == 8


@pytest.mark.integration
@SHARES
def test_19_and_20_archives(tmp_path: Path, share: float) -> None:
    """Refused as a whole; nothing is written outside of the folder, and no link or pipe in it."""
    counts: Counter[str] = Counter()
    began = time.monotonic()
    inner = tmp_path / "a/b/c"
    inner.mkdir(parents=True)
    file = tmp_path / "archive"
    for kind, data in generated_archives.archives(19, int(700 * share)):
        file.write_bytes(data)
        with file.open("rb") as opened, pytest.raises(SubmissionError):
            extract(opened, inner, SUBMISSION, strict=True)
        counts[kind] += 1
        assert {p.name for p in tmp_path.rglob("*") if not p.is_relative_to(inner)} == {"a", "b", "archive"}, kind
        assert all(p.is_file() and not p.is_symlink() for p in inner.iterdir()), kind
        for path in inner.iterdir():  # what came before a lie was found out; whoever extracts removes the folder
            path.unlink()
    say("archives", 700 * share, counts, began)


@SHARES
def test_19_and_20_archives_that_are_collected(tmp_path: Path, share: float) -> None:
    """The same through ``collect``: one student's is refused, and says why in a line."""
    course = tiny_course(tmp_path / "course")
    counts: Counter[str] = Counter()
    began = time.monotonic()
    for number, (kind, data) in enumerate(generated_archives.archives(20, int(200 * share))):
        archive = tmp_path / f"inbox/eve_{number}_1_hw.zip"
        archive.parent.mkdir(exist_ok=True)
        archive.write_bytes(data)
        found = collect(course, "hw", archive.parent)
        assert found
        assert {c.status for c in found} <= {CollectStatus.REFUSED}, (kind, [str(c) for c in found])
        assert all(str(c).isprintable() for c in found)
        counts[kind] += 1
        archive.unlink()
    assert not (course.root / "submitted").exists()
    say("archives that are collected", 200 * share, counts, began)


@SHARES
def test_22_damaged_notebooks(pipeline: Pipeline, share: float) -> None:
    """Read as a notebook or refused with a sentence, within a second or two; never another error."""
    counts: Counter[str] = Counter()
    began = time.monotonic()
    for data in generated_notebooks.damaged(22, int(900 * share), pipeline.notebook(WRONG)):
        start = own_seconds()
        try:
            made, reason = read_notebook(data), ""
        except SubmissionError as error:
            made, reason = None, str(error)
        counts["read" if made is not None else "refused"] += 1
        assert reason.isprintable()
        counts["refused, and taken by json"] += made is None and naively_read(data)
        if made is not None:
            nbformat.validate(made, relax_add_props=True)
        assert own_seconds() - start < 5
        if counts["read"] % 6 == 0:
            assert as_wrong(pipeline.graded(data), pipeline.exam), data
    assert counts["refused, and taken by json"] > 5, "the control"
    say("damaged notebooks", 900 * share, counts, began)


def naively_read(data: bytes) -> bool:
    """Whether Python's own reader takes it."""
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


@SHARES
def test_23_edited_metadata_and_cells(pipeline: Pipeline, share: float) -> None:
    """The maximum is the exam's, no score rises, nothing aborts."""
    counts: Counter[str] = Counter()
    began = time.monotonic()
    maximum = {c.grade_id: c.points for c in pipeline.exam.questions}
    for number, made in enumerate(
        generated_notebooks.edited(23, int(400 * share), pipeline.notebook(copy.deepcopy(WRONG)))
    ):
        grade = pipeline.graded(json.dumps(made).encode("utf-8", "surrogatepass"))
        assert as_wrong(grade, pipeline.exam), number
        assert {q.id: q.max_score for q in grade.questions} == maximum
        counts[grade.status] += 1
        counts["a naive maximum would differ"] += naive_maximum(made) != sum(maximum.values())
    assert counts["a naive maximum would differ"] > 0.3 * int(400 * share), "the control"
    say("edited notebooks", 400 * share, counts, began)


@pytest.mark.integration
@SHARES
def test_06_to_10_replies_of_a_kernel_that_says_anything(pipeline: Pipeline, share: float) -> None:
    """Wrong answers, and a kernel whose replies are damaged, made up, or those of another question."""
    counts: Counter[str] = Counter()
    began = time.monotonic()
    data = json.dumps(pipeline.notebook(WRONG)).encode()
    for seed in range(int(600 * share)):
        kernels: list[FuzzingKernel] = []

        def start(seed: int = seed, kernels: list[FuzzingKernel] = kernels) -> FuzzingKernel:
            kernels.append(FuzzingKernel(seed))
            return kernels[-1]

        grade = pipeline.graded(data, start)
        assert as_wrong(grade, pipeline.exam), (seed, [q for q in grade.questions if q.score or q.detail][:3])
        counts["notebooks"] += 1
        counts["replies"] += sum(kernel.replaced for kernel in kernels)
    say("replies", 600 * share, counts, began)


@pytest.mark.integration
@SHARES
def test_09_classes_that_lie(pipeline: Pipeline, share: float) -> None:
    counts: Counter[str] = Counter()
    began = time.monotonic()
    for seed in range(int(600 * share)):
        data = json.dumps(pipeline.notebook(generated_classes.answers(seed))).encode()
        grade = pipeline.graded(data)
        assert as_wrong(grade, pipeline.exam), (seed, [q for q in grade.questions if q.score or q.detail][:3])
        counts[grade.status] += 1
    say("classes", 600 * share, counts, began)


def test_06_to_10_control_the_same_kernel_that_tells_the_truth_earns_the_points(pipeline: Pipeline) -> None:
    def start() -> FuzzingKernel:
        kernel = FuzzingKernel(0)
        kernel.share = -1.0
        return kernel

    grade = pipeline.graded(json.dumps(pipeline.notebook(SOLUTIONS)).encode(), start)
    assert sum(q.score for q in grade.questions) == 8


@pytest.mark.security
def test_09_control_in_one_process_some_of_these_classes_pass(pipeline: Pipeline) -> None:
    def cells(seed: int) -> list[tuple[str | None, str]]:
        answers = generated_classes.answers(seed)
        code = [cell for cell in pipeline.exam.cells if cell.cell_type == "code"]
        return [(c.grade_id if c.points else None, answers.get(str(c.grade_id), c.source)) for c in code]

    found = unwalled.in_one_process({str(seed): cells(seed) for seed in range(20)}, pipeline.hidden.parent)
    assert sum(bool(verdict.passed) for verdict in found.values()) > 5
