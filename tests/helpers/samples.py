"""Realistic grades, exams and notebooks for tests of what is recorded and shown."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from autograder.records.checks import CheckResult, Outcome
from autograder.records.composed_notebook import Composed, ComposedCell
from autograder.records.course import Assignment, Course
from autograder.records.exam import Exam, ExamCell, Role
from autograder.records.grade import Grade, NotebookGrade, QuestionGrade
from autograder.records.policies import LatePolicy
from autograder.records.run import CellRun, Run, RunStatus
from autograder.records.waits import Waits

DUE = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
HIDDEN = "assert model.count_params() == 31337  # hidden-canary"
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def assignment(name: str = "keras-fully-connected") -> Assignment:
    return Assignment(
        name=name, title="A fully connected network", due=DUE, late=LatePolicy(kind="per_day", per_day=0.1)
    )


def course(root: Path, *names: str) -> Course:
    made = {name: assignment(name) for name in names or ("keras-fully-connected",)}
    return Course(root=root, course_id="dl101", title="Deep Learning 101", assignments=made)


def cell(role: Role, grade_id: str | None, source: str, points: float = 0.0, kind: str = "code") -> ExamCell:
    """An exam cell whose nbgrader metadata and checksum are nbgrader's own."""
    meta = nbgrader_metadata(role, grade_id, points, kind)
    released = source.replace(HIDDEN, "").strip()
    return ExamCell(
        role=role,
        cell_type=kind,
        grade_id=grade_id,
        points=points,
        source=source,
        released=released,
        checksum=checksum(released, kind, meta),
        metadata={"nbgrader": meta} if meta else {},
    )


def nbgrader_metadata(role: Role, grade_id: str | None, points: float, kind: str) -> dict[str, object]:
    if grade_id is None:
        return {}
    return {
        "schema_version": 3,
        "grade_id": grade_id,
        "cell_type": kind,
        "grade": role in (Role.TEST, Role.MANUAL),
        "solution": role in (Role.ANSWER, Role.MANUAL),
        "locked": role in (Role.TEST, Role.READ_ONLY),
        "task": role is Role.TASK,
        **({"points": points} if role in (Role.TEST, Role.MANUAL, Role.TASK) else {}),
    }


def checksum(source: str, kind: str, meta: dict[str, object]) -> str:
    if not meta:
        return ""
    from nbformat.v4 import new_code_cell, new_markdown_cell
    from nbgrader.utils import compute_checksum

    make = new_code_cell if kind == "code" else new_markdown_cell
    return str(compute_checksum(make(source, metadata={"nbgrader": meta})))


def exam(assignment: str = "keras-fully-connected", notebook: str = "network") -> Exam:
    """Five questions: three tests of 4 points, a written one of 3, a task of 2."""
    return Exam(
        assignment=assignment,
        notebook=notebook,
        kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"},
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        cells=(
            cell(Role.READ_ONLY, "intro", "# Your turn\nBuild a network.", kind="markdown"),
            cell(Role.FREE, None, "import numpy as np"),
            cell(Role.ANSWER, "model", "model = ...  # your code"),
            cell(Role.TEST, "layers", f"check.layers(model)\n{HIDDEN}", 4),
            cell(Role.TEST, "parameters", f"check.parameters(model)\n{HIDDEN}", 4),
            cell(Role.TEST, "holdout", f"check.loss(model)\n{HIDDEN}", 4),
            cell(Role.MANUAL, "why", "Why did you choose this depth?", 3, "markdown"),
            cell(Role.TASK, "sketch", "Sketch the loss surface.", 2, "markdown"),
        ),
    )


def composed(
    exam: Exam, answer: str = "model = build(256, 256)", prose: str = "Deeper nets **bend** more."
) -> Composed:
    texts = {"model": answer, "why": prose}
    cells = tuple(
        ComposedCell(
            role=c.role,
            cell_type=c.cell_type,
            source=texts.get(c.grade_id or "", c.released),
            grade_id=c.grade_id,
            metadata=c.metadata,
        )
        for c in exam.cells
    )
    return Composed(exam=exam, cells=cells)


def run(composed: Composed, outputs: Sequence[dict[str, object]] = ()) -> Run:
    """The answer cell has ``outputs``; the rest ran silently."""
    cells = tuple(
        CellRun(status="ok", outputs=tuple(outputs) if c.role is Role.ANSWER else (), execution_count=i + 1)
        if c.cell_type == "code"
        else CellRun(status="skipped")
        for i, c in enumerate(composed.cells)
    )
    return Run(RunStatus.COMPLETED, "", cells, 18.2, 17.6, 812.0, "bubblewrap, cgroup v2")


def question(name: str, score: float, points: float, message: str = "", *checks: CheckResult) -> QuestionGrade:
    outcome = Outcome.PASSED if score >= points else Outcome.PARTIAL if score > 0 else Outcome.FAILED
    return QuestionGrade(name, score, points, outcome, message, detail=HIDDEN, checks=checks)


def checked(name: str, fraction: float, message: str, **evidence: float) -> CheckResult:
    outcome = Outcome.PASSED if fraction >= 1 else Outcome.PARTIAL if fraction > 0 else Outcome.FAILED
    return CheckResult(name, outcome, fraction, message, detail=HIDDEN, evidence=evidence)


def history(best: float, epochs: int = 20) -> dict[str, tuple[float, ...]]:
    chance = random.Random(int(best * 1e6))
    fall = [best + (1.05 - best) * 0.72**epoch for epoch in range(epochs)]
    return {
        "loss": tuple(value - 0.002 * e + chance.gauss(0, 0.003) for e, value in enumerate(fall)),
        "val_loss": tuple(value + 0.012 + chance.gauss(0, 0.006) for value in fall),
        "accuracy": tuple(1 - value / 2.2 for value in fall),
    }


def questions(loss: float, parameters: int, layers_right: bool = True) -> tuple[QuestionGrade, ...]:
    """What the five questions of :func:`exam` give a model with this holdout loss and size."""
    share = min(1.0, max(0.0, (0.70 - loss) / (0.70 - 0.56)))
    small = parameters <= 150_000
    shape = (
        checked("output layer", 1.0, "Ends in 9 classes with softmax.")
        if layers_right
        else checked("output layer", 0.0, "Layer 3: Dense 10, expected 9 units, one for each class.")
    )
    depth = checked("depth", 1.0, "3 Dense layers; more than the worked example has.")
    return (
        question("layers", 4.0 if layers_right else 2.0, 4, "", shape, depth),
        question(
            "parameters",
            4.0 if small else 0.0,
            4,
            "",
            checked(
                "parameters",
                float(small),
                f"{parameters:,} parameters" + ("." if small else "; at most 150,000 are allowed."),
                parameters=parameters,
            ),
        ),
        question(
            "holdout",
            round(4 * share, 2),
            4,
            "",
            checked(
                "holdout loss",
                share,
                f"Loss {loss:.3f} on 4,000 rows that you have not seen; full credit from 0.560.",
                loss=loss,
                rows=4000,
            ),
        ),
        QuestionGrade("why", 0, 3, Outcome.MANUAL, "A person reads this answer.", waits=Waits.WRITTEN),
        QuestionGrade("sketch", 0, 2, Outcome.MANUAL, "A person looks at this task.", waits=Waits.WRITTEN),
    )


def grade(
    student: str = "ada",
    loss: float = 0.587,
    parameters: int = 92_169,
    *,
    hours: float = -5.0,
    seconds: float = 18.2,
    assignment: str = "keras-fully-connected",
    layers_right: bool = True,
) -> Grade:
    """A completed submission; ``hours`` after the due date."""
    book = NotebookGrade(
        notebook="network",
        status=RunStatus.COMPLETED.value,
        message="",
        questions=questions(loss, parameters, layers_right),
        wall_seconds=seconds,
        cpu_seconds=seconds * 0.95,
        peak_memory_mib=700 + parameters / 1000,
        sandbox="bubblewrap, cgroup v2",
        history=history(loss),
    )
    penalty = round(0.1 * book.score, 2) if hours > 0 else 0.0
    return Grade(
        student=student,
        assignment=assignment,
        notebooks=(book,),
        late_penalty=penalty,
        submitted_at=DUE + timedelta(hours=hours),
        graded_at=DUE + timedelta(days=2),
        versions={"autograder": "0.1.0", "python": "3.11.14", "keras": "3.15.0", "tensorflow": "2.21.0"},
        content_keys={"submission": "6b1f", "exam": "90ac", "environment": "e3b0"},
    )


def stopped(student: str, status: str, message: str, keep: int = 1) -> Grade:
    """A run that ended early: the first ``keep`` questions keep their points."""
    whole = grade(student)
    (book,) = whole.notebooks
    rest = tuple(
        QuestionGrade(q.id, 0, q.max_score, Outcome.SKIPPED, "The run ended before this question.")
        for q in book.questions[keep:]
    )
    ended = replace(book, status=status, message=message, questions=book.questions[:keep] + rest, history={})
    return replace(whole, notebooks=(ended,))


def broken(student: str) -> Grade:
    """A hidden test that failed by its own fault."""
    whole = grade(student)
    (book,) = whole.notebooks
    bad = QuestionGrade(
        "holdout",
        0,
        4,
        Outcome.BROKEN,
        "This test did not work; a person looks at it.",
        detail="NameError: name 'chek' is not defined",
        waits=Waits.BROKEN,
    )
    return replace(whole, notebooks=(replace(book, questions=(*book.questions[:2], bad, *book.questions[3:])),))


def a_class(size: int = 24) -> tuple[Grade, ...]:
    """A class as it comes: most work, some too large, some late, a few that ended early."""
    chance = random.Random(7)
    names = [
        "ada",
        "blaise",
        "carl",
        "dorothy",
        "emmy",
        "felix",
        "grace",
        "hedy",
        "ivan",
        "joan",
        "kurt",
        "lise",
    ]
    made = []
    for i in range(size):
        parameters = int(10 ** chance.uniform(3.6, 5.5))
        loss = max(0.5, 0.93 - 0.075 * (parameters**0.14) + chance.gauss(0, 0.02))
        late = chance.choice([-30, -4, -0.5, -0.2, 7]) if i % 3 == 0 else -chance.uniform(0.1, 60)
        name = f"{names[i % len(names)]}{i // len(names) or ''}"
        made.append(
            grade(
                name,
                loss,
                parameters,
                hours=late,
                seconds=chance.uniform(9, 40),
                layers_right=chance.random() > 0.2,
            )
        )
    made[3] = stopped(made[3].student, "timed_out", "A cell ran longer than 20 s and was stopped.", 2)
    made[8] = stopped(made[8].student, "out_of_memory", "The notebook used more than 2,048 MiB.", 1)
    made[11] = stopped(made[11].student, "invalid", "network.ipynb is not a notebook: it is not JSON.", 0)
    made[14] = broken(made[14].student)
    made[17] = stopped(made[17].student, "killed", "The kernel ended itself (exit status 0).", 1)
    return tuple(made)
