"""What is believed of an examiner's process: a grade of this exam within its range, and nothing else."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import nbformat
import numpy as np
import pytest
from helpers.exams import exam_of
from helpers.samples import PNG

from autograder.examination.kernel_source import RecordingBytes
from autograder.exchange import bonus, outcome, outcome_reader, outcome_writer
from autograder.exchange.annotated_notebook import ShownCell
from autograder.exchange.blob_container import FORMAT
from autograder.exchange.blob_container import pack as pack_files
from autograder.exchange.blob_container import unpack as unpack_files
from autograder.exchange.outcome import Recording
from autograder.records.checks import CheckResult, Outcome
from autograder.records.diagnosis import Diagnosis, HelpfulChange, LossCurve, TriedChange
from autograder.records.ending import EndedError, Ending, EndingKind, Whose
from autograder.records.exam import Exam, Role
from autograder.records.failures import Failure
from autograder.records.grade import NotebookGrade, QuestionGrade
from autograder.records.mistakes import CalibrationBin, ClassResult, ConfusedPair, ModelMistakes, Residuals
from autograder.records.observations import Act, Fact, Observations
from autograder.records.waits import Waits

EXAM = exam_of(
    (Role.READ_ONLY, "import math"),
    (Role.ANSWER, "x = 3"),
    (Role.TEST, "assert x == 3", 2.0),
    (Role.MANUAL, "essay", 5.0),
)
TEST, ESSAY = EXAM.questions
GRADE = NotebookGrade(
    EXAM.notebook,
    "completed",
    "",
    (
        QuestionGrade(str(TEST.grade_id), 2.0, 2.0, Outcome.PASSED, "", "detail", checks=(
            CheckResult("loss", Outcome.PASSED, 1.0, "0.5, as asked", evidence={"loss": float("nan")}),
        )),
        QuestionGrade(str(ESSAY.grade_id), 0.0, 5.0, Outcome.MANUAL, "A person grades this.", waits=Waits.WRITTEN),
    ),
    1.5, 1.0, 80.0, "bubblewrap, cgroup v2", {"loss": (1.0, 0.5)},
)  # fmt: skip
TRIAL = TriedChange("rate", "a learning rate of 0.001", None, 0.5)
DIAGNOSIS = Diagnosis(
    "mean_squared_error", 90, 0.05, (HelpfulChange(TRIAL, "With it …", LossCurve((1,), (0.5,))),), (TRIAL,)
)
OUTPUTS: tuple[dict[str, Any], ...] = (
    {"output_type": "stream", "name": "stdout", "text": "hello"},
    {"output_type": "display_data", "data": {"image/png": PNG, "text/plain": "<Figure>"}, "metadata": {}},
)
MISTAKES = ModelMistakes(
    str(TEST.grade_id),
    "loss",
    3,
    (ClassResult(2, 1, 0.5), ClassResult(1, 1, None)),
    ((1, 1), (0, 1)),
    (ConfusedPair(0, 1, 1),),
)


def cells(*outputs: dict[str, Any]) -> list[ShownCell]:
    """Those of the exam, and one of the student's own with these outputs."""
    given = [cell for cell in EXAM.cells if cell.grade_id is not None]
    shown = [ShownCell(str(c.grade_id), c.cell_type, c.source, "", "ok", 1, ()) for c in given]
    return [*shown, ShownCell(None, "code", "print('hello')", "a note", "ok", 7, tuple(outputs))]


def residuals(mean: float, edges: tuple[float, ...] = (), counts: tuple[int, ...] = ()) -> NotebookGrade:
    return replace(GRADE, mistakes=(replace(MISTAKES, residuals=Residuals(mean, 1.0, edges, counts)),))


def packed(
    grade: NotebookGrade = GRADE, shown: list[ShownCell] | None = None, record: RecordingBytes | None = None
) -> bytes:
    return outcome_writer.pack([grade], [cells(*OUTPUTS[:1]) if shown is None else shown], [record and record.new()])


def read(data: bytes, exam: Exam = EXAM) -> outcome_reader.VerifiedOutcome:
    return outcome_reader.read(data, [exam])


def test_a_diagnosis_comes_out_as_it_was_made() -> None:
    diagnoses = (DIAGNOSIS, replace(DIAGNOSIS, question=str(TEST.grade_id)))
    assert read(packed(replace(GRADE, diagnoses=diagnoses))).notebooks[0].diagnoses == diagnoses


def test_mistakes_come_out_as_they_were_made() -> None:
    other = replace(MISTAKES, confusion=((1, 0, 1), (0, 1, 0)), pairs=(ConfusedPair(0, None, 1),))
    mistakes = (
        MISTAKES,
        other,
        replace(MISTAKES, classes=(), confusion=(), residuals=Residuals(0.5, 1.0, (0.0, 1.0), (3,))),
    )
    assert read(packed(replace(GRADE, mistakes=mistakes))).notebooks[0].mistakes == mistakes


def test_a_grade_comes_out_as_it_was_made() -> None:
    believed = read(packed())
    (made,) = believed.notebooks
    assert repr(made) == repr(GRADE)
    assert believed.recordings == (None,)


def test_the_notebook_for_people_is_built_from_the_exam() -> None:
    """What the process says of the instructor's cells does not matter; what ran there is shown."""
    shown = [replace(cell, source="import evil") if cell.grade_id else cell for cell in cells(*OUTPUTS[:1])]
    notebook = nbformat.reads(read(packed(shown=shown)).texts[EXAM.notebook], as_version=4)
    nbformat.validate(notebook)
    sources = {cell.metadata.autograder.role: cell.source for cell in notebook.cells}
    assert (sources["read-only"], sources["answer"]) == ("import math", "import evil")
    assert sources["test"] == TEST.released
    assert notebook.cells[-1].outputs[0].text == "hello"


@pytest.mark.parametrize(
    ("output", "left"),
    [
        ({"output_type": "display_data", "data": {"text/html": "<script>alert(1)</script>"}, "metadata": {}}, []),
        ({"output_type": "display_data", "data": {"image/svg+xml": "<svg onload='x'/>"}, "metadata": {}}, []),
        ({"output_type": "display_data", "data": {"image/png": "bm8gcGljdHVyZQ=="}, "metadata": {}}, ["text/plain"]),
        ({"output_type": "display_data", "data": {"image/png": '" onerror="x'}, "metadata": {}}, ["text/plain"]),
        ({"output_type": "update", "data": {"text/plain": "x"}}, []),
    ],
)
def test_nothing_active_gets_into_it(output: dict[str, Any], left: list[str]) -> None:
    """A picture that the kit has not encoded is none."""
    notebook = json.loads(read(packed(shown=cells(output))).texts[EXAM.notebook])
    assert [kind for made in notebook["cells"][-1]["outputs"] for kind in made["data"]] == left


def question(**changes: Any) -> NotebookGrade:
    return replace(GRADE, questions=(replace(GRADE.questions[0], **changes), GRADE.questions[1]))


def test_a_failed_test_may_wait_for_a_person() -> None:
    grade = question(outcome=Outcome.FAILED, score=0.0, waits=Waits.UNDECIDED)
    assert read(packed(grade)).notebooks[0].questions[0].needs_manual_grade


def check(**changes: Any) -> NotebookGrade:
    (made,) = GRADE.questions[0].checks
    return question(checks=(replace(made, **changes),))


@pytest.mark.parametrize(
    "grade",
    [
        replace(GRADE, notebook="other"),
        replace(GRADE, status="excellent"),
        replace(GRADE, questions=GRADE.questions[:1]),
        replace(GRADE, questions=GRADE.questions[::-1]),
        replace(GRADE, questions=(*GRADE.questions, GRADE.questions[0])),
        replace(GRADE, wall_seconds=-1.0),
        question(id="another"),
        question(score=2.5),
        question(score=-0.5),
        question(max_score=20.0, score=20.0),
        question(outcome=Outcome.FAILED),
        question(outcome=Outcome.MANUAL, score=0.0, waits=Waits.WRITTEN),
        question(waits=Waits.UNDECIDED),
        check(fraction=1.5),
        check(weight=-1.0),
        check(bonus=-1.0),
        replace(GRADE, questions=(GRADE.questions[0], replace(GRADE.questions[1], score=5.0))),
        replace(
            GRADE,
            questions=(
                GRADE.questions[0],
                replace(GRADE.questions[1], outcome=Outcome.PASSED, score=5.0, waits=None),
            ),
        ),
    ],
)
def test_what_no_examiner_makes_of_the_exam_is_not_believed(grade: NotebookGrade) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(packed(grade))


@pytest.mark.parametrize(
    "grade",
    [
        replace(GRADE, history={"<b>": (1.0,)}),
        replace(GRADE, history={"loss": (1.0,) * 3000}),
        replace(GRADE, history={"loss": (1e300,)}),
        replace(GRADE, trainings={"faster": 1}),
        replace(GRADE, trainings={"fast": -1}),
        replace(GRADE, trainings={"fast": 10**9}),
        replace(GRADE, message="x" * 300_000),
        replace(GRADE, diagnoses=(DIAGNOSIS,) * 4),
        replace(GRADE, diagnoses=(replace(DIAGNOSIS, note="x" * 300_000),)),
        replace(GRADE, diagnoses=(replace(DIAGNOSIS, tried=(TRIAL,) * 100),)),
        replace(GRADE, diagnoses=(replace(DIAGNOSIS, curve=LossCurve((1,) * 3000, (1.0,) * 3000)),)),
        replace(GRADE, diagnoses=(replace(DIAGNOSIS, question="another"),)),
        replace(GRADE, mistakes=(MISTAKES,) * 7),
        replace(GRADE, mistakes=(replace(MISTAKES, question="another"),)),
        replace(GRADE, mistakes=(replace(MISTAKES, confusion=((1, 2),)),)),
        replace(GRADE, mistakes=(replace(MISTAKES, rows=-1),)),
        replace(GRADE, mistakes=(replace(MISTAKES, rows=10**9 + 1),)),
        replace(GRADE, mistakes=(replace(MISTAKES, confusion=((1, 2), (1, 2, 3))),)),
        replace(GRADE, mistakes=(replace(MISTAKES, confusion=((1,), (1,))),)),
        residuals(0.0, (), (1, 2)),
        residuals(1e13),
        residuals(float("nan")),
        residuals(0.0, (1.0, 1.0), (1,)),
        residuals(0.0, (2.0, 1.0), (1,)),
        residuals(0.0, (1.0, 1.0 + 2e-16), (1,)),
        replace(GRADE, mistakes=(replace(MISTAKES, calibration=(CalibrationBin(1, 0.5, 0.5),) * 99),)),
        question(checks=GRADE.questions[0].checks * 3000),
        check(detail="x" * 300_000),
        check(evidence={"loss": 10**30}),
        check(evidence={"loss": {"deep": 1}}),
        check(evidence={"loss": ["x" * 1000]}),
        check(evidence={"x" * 1000: 1}),
    ],
)
def test_what_an_examiner_would_have_cut_is_not_believed(grade: NotebookGrade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome_writer, "_cut", lambda book: book)
    with pytest.raises(ValueError, match=r".+"):
        read(packed(grade))


@pytest.mark.parametrize(
    "change",
    [
        lambda shown: shown[1:],
        lambda shown: [*shown, shown[0]],
        lambda shown: shown[::-1],
        lambda shown: [*shown[:-1], replace(shown[-1], cell_type="html")],
        lambda shown: [*shown[:-1], replace(shown[-1], status="fine")],
        lambda shown: [*shown[:-1], replace(shown[-1], grade_id="stranger")],
    ],
)
def test_cells_are_those_of_the_exam_and_the_students_own(change: Callable[[list[ShownCell]], list[ShownCell]]) -> None:
    with pytest.raises(ValueError, match="cell"):
        read(packed(shown=change(cells())))


def test_recordings_come_out_as_bytes() -> None:
    assert read(packed(record=RecordingBytes(new_run=b"run", new_figures=b"f"))).recordings == (
        Recording(b"run", b"f"),
    )
    assert read(packed(record=RecordingBytes(b"old", new_figures=b"f"))).recordings == (Recording(None, b"f"),)
    assert read(packed(record=RecordingBytes(b"old"))).recordings == (None,)


@pytest.mark.parametrize(
    ("kind", "whose"),
    [
        (EndingKind.UNRECORDED, Whose.KIT),
        (EndingKind.LIBRARIES, Whose.KIT),
        (EndingKind.BUSY, Whose.HOST),
        (EndingKind.FAILED, Whose.KIT),
        (EndingKind.FAULT, Whose.KIT),
    ],
)
def test_why_there_is_no_grade_is_told(kind: EndingKind, whose: Whose) -> None:
    data = outcome_writer.ended(kind, "Cell 1 got 1 s of its own in 80 s")
    assert outcome_reader.ending_kind(data) == kind
    with pytest.raises(EndedError) as raised:
        read(data)
    assert raised.value.ending == Ending(kind, whose, "Cell 1 got 1 s of its own in 80 s")


@pytest.mark.parametrize(
    ("act", "length", "is_read"),
    [
        (Act.GIVES, 1_900, True),
        (Act.GIVES, 2_100, False),
        (Act.COMPUTES, 190_000, True),
        (Act.COMPUTES, 210_000, False),
    ],
)
def test_a_record_has_room_for_a_network(act: Act, length: int, is_read: bool) -> None:
    facts = Observations((Fact(act, "test", "x" * length),))
    with nullcontext() if is_read else pytest.raises(ValueError, match="hold too much"):
        data = outcome_writer.pack([GRADE], [cells(*OUTPUTS[:1])], [None], [facts])
        assert read(data).observations == (facts,)


def test_bytes_that_are_no_outcome_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome, "MAX_ITEMS", 10_000)
    head, files = unpack_files(packed())
    grade = json.loads(files["grade.json"])
    odd: list[tuple[dict[str, Any], dict[str, bytes]]] = [
        ({"kind": "points", "text": ""}, files),
        ({"kind": EndingKind.FAILED}, files),
        ({"kind": EndingKind.FAILED, "text": "", "whose": Whose.HOST}, files),
        *(({"kind": kind, "text": "no fault of mine"}, {}) for kind in set(EndingKind) - outcome.WHOSE.keys()),
        ({"more": 1}, files),
        (head, {}),
        (head, files | {"grade.json": b"[" * 9_000}),
        (head, files | {"grade.json": b'{"version": 1, "score": NaN}'}),
        (head, files | {"grade.json": b"[" + b"0," * outcome.MAX_ITEMS + b"0]"}),
        (head, files | {"grade.json": json.dumps({**grade, "score": 99.0}).encode()}),
        (head, files | {"0.cells": b"{}"}),
        (head, files | {"0.cells": b'[{"source": 1}]'}),
        (head, files | {"0.cells": b"\xff\xfe"}),
    ]
    for one in odd:
        with pytest.raises(ValueError, match=r".+"):
            read(pack_files(*one))
    for data in (b"", b"\0" * 100, packed()[:-1], packed() + b"x"):
        with pytest.raises(ValueError, match="not a parcel"):
            read(data)


def test_mutated_outcomes_are_believed_as_a_whole_or_not_at_all() -> None:
    """Whatever value stands in the place of another: no score leaves its range, and nothing but ValueError is raised."""
    head, files = unpack_files(packed())
    rows = {name: json.loads(files[name]) for name in ("grade.json", "0.cells")}
    values: list[Any] = [None, -1, 1e300, "passed", [], {"float": "inf"}]
    for name, row in rows.items():
        for path in list(paths(row)):
            for value in values:
                changed = copy.deepcopy(row)
                put(changed, path, value)
                try:
                    believed = read(pack_files(head, files | {name: json.dumps(changed).encode()}))
                except ValueError:
                    continue
                for one in believed.notebooks[0].questions:
                    assert 0 <= one.score <= one.max_score <= 5


def paths(value: Any, before: tuple[Any, ...] = ()) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*before, key)
        yield from paths(item, (*before, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> None:
    for key in path[:-1]:
        value = value[key]
    value[path[-1]] = new


@pytest.mark.parametrize(
    ("source", "highest"),
    [
        ("assert x", 0.0),
        ("with check.bonus(1.5):\n    check.close(x, 1)\nwith check.bonus(1):\n    check.close(x, 2)", 2.5),
        ("for i in range(3):\n    with check.bonus(1):\n        check.close(x, i)", bonus.MAX_BONUS),
        ("[one(check.bonus(1)) for one in them]", bonus.MAX_BONUS),
        ("with check.bonus(POINTS):\n    check.close(x, 1)", bonus.MAX_BONUS),
        ("b = check.bonus\nb(3)", bonus.MAX_BONUS),
        ("from autograder.check import bonus as more\nmore(3)", bonus.MAX_BONUS),
        ("getattr(check, 'bonus')(3)", bonus.MAX_BONUS),
        ("import a_module_of_the_course\nassert x", bonus.MAX_BONUS),
    ],
)
def test_a_bonus_is_bounded_by_what_the_test_says(source: str, highest: float) -> None:
    exam = exam_of((Role.ANSWER, "x = 3"), (Role.TEST, source, 2.0))
    assert bonus.highest_bonus(exam, exam.questions[0]) == highest


def test_a_bonus_that_a_helper_of_the_instructors_gives_is_known_when_it_runs() -> None:
    exam = exam_of((Role.READ_ONLY, "def more():\n    return check.bonus(1)"), (Role.TEST, "more()", 2.0))
    assert bonus.highest_bonus(exam, exam.questions[0]) == bonus.MAX_BONUS


def test_a_bonus_is_earned_where_the_rest_fails() -> None:
    source = "check.close(x, 1)\nwith check.bonus(1):\n    check.close(x, 3)"
    exam = exam_of((Role.ANSWER, "x = 3"), (Role.TEST, source, 2.0))
    one = QuestionGrade(str(exam.questions[0].grade_id), 1.0, 2.0, Outcome.FAILED, "no")
    made = NotebookGrade(exam.notebook, "completed", "", (one,), sandbox="bubblewrap")
    assert read(outcome_writer.pack([made], [None], [None]), exam).notebooks == (made,)
    too_much = replace(made, questions=(replace(one, score=1.5),))
    with pytest.raises(ValueError, match="without having passed"):
        read(outcome_writer.pack([too_much], [None], [None]), exam)


# --- what is too much of one thing does not cost the others ----------------------------------------------------


@pytest.mark.parametrize(
    "grade",
    [
        check(evidence={"loss": 0.5, "matrix": [[1.0, 2.0], [3.0, 4.0]], "by class": {"a": 1}}),
        check(evidence={"loss": 0.5, "text": "x" * 5000}),
        check(evidence={"loss": 0.5, "values": list(range(100_000))}),
        check(evidence={"loss": 0.5, "rows": np.int64(3), "values": np.array([1.5, 2.5])}),
        check(message="x" * 100_000, detail="y" * 100_000, name="z" * 5000),
        question(checks=GRADE.questions[0].checks * (outcome.MAX_CHECKS + 1)),
        question(message="x" * 1_000_000, detail="y" * 1_000_000),
        question(failures=(Failure(1, "assert x", ("y" * 500,)),) * 1000),
        replace(GRADE, message="x" * 1_000_000),
        replace(GRADE, history={f"metric{n}": (1.0,) for n in range(30)}),
        replace(GRADE, history={"top-5": (1.0,), "loss": (1.0,)}),
    ],
)
def test_an_honest_grade_is_cut_to_what_is_read(grade: NotebookGrade) -> None:
    made = read(packed(grade)).notebooks[0]
    assert [one.score for one in made.questions] == [2.0, 0.0]
    if made.questions[0].checks and "loss" in grade.questions[0].checks[0].evidence:
        assert "loss" in made.questions[0].checks[0].evidence


@pytest.mark.parametrize("failures", [(Failure(1, "x" * 30_000),), (Failure(1),) * 101, (Failure(-1),)])
def test_failures_past_the_bounds_are_refused(monkeypatch: pytest.MonkeyPatch, failures: tuple[Failure, ...]) -> None:
    """An examiner that was taken over leaves out the cut."""
    monkeypatch.setattr(outcome_writer, "cut", lambda failures: failures)
    with pytest.raises(ValueError, match=r"the failures of .* are too many or too long"):
        read(packed(question(failures=failures)))


def test_outputs_that_are_too_large_are_left_out_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome, "MAX_CELLS_BYTES", 10_000)
    shown = cells({"output_type": "stream", "name": "stdout", "text": "1," * 10_000})
    notebook = nbformat.reads(read(packed(shown=shown)).texts[EXAM.notebook], as_version=4)
    assert notebook.cells[-1].source == "print('hello')"
    assert "too large to be shown" in notebook.cells[-1].outputs[0].text


def test_a_recording_that_is_too_large_is_not_kept_and_costs_no_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome_writer, "MAX_RECORDING_BYTES", 100)
    monkeypatch.setattr(outcome_reader, "MAX_RECORDING_BYTES", 100)
    believed = read(packed(record=RecordingBytes(new_run=b"x" * 1000, new_figures=b"y" * 1000)))
    assert believed.recordings == (Recording(b"", b""),)


# --- bombs ------------------------------------------------------------------------------------------------------


def parcel(blobs: list[Any], payload: bytes, files: dict[str, str] | None = None) -> bytes:
    first = {"format": FORMAT, "head": {}, "files": files or {}, "blobs": blobs}
    return json.dumps(first).encode() + b"\n" + payload


def test_no_byte_of_a_parcel_is_held_twice() -> None:
    """Sizes below 0 would walk back, so that each entry kept another slice of the same bytes."""
    payload = b"x" * 1000
    digest = [hashlib.sha256(payload[:n]).hexdigest() for n in (1000, 999, 0)]
    for blobs in (
        [[digest[1], 999], [digest[2], -999], [digest[0], 1000]],
        [[digest[0], 1000], [digest[0], 0]],
        [[digest[0], 1001]],
        [[digest[0], True]],
        [[digest[0], 1e3]],
    ):
        with pytest.raises(ValueError, match="not a parcel"):
            unpack_files(parcel(blobs, payload))
    assert unpack_files(parcel([[digest[0], 1000]], payload, {"a": digest[0]})) == ({}, {"a": payload})


def test_a_header_is_bounded_before_it_is_read() -> None:
    for head in ("[" * 100_000, '{"head":[' + "{}," * 100_000 + "{}]}"):
        with pytest.raises(ValueError, match="not a parcel"):
            unpack_files(head.encode() + b"\n", 1000)


@pytest.mark.parametrize(
    "grade",
    [
        replace(GRADE, wall_seconds=1.7e308),
        replace(GRADE, own_seconds=-0.1),
        replace(GRADE, own_seconds=1e10),
        replace(GRADE, cpu_seconds=1e10),
        question(answer_seconds=-0.1),
        question(answer_seconds=1e10),
        question(test_seconds=-1e-9),
        question(test_seconds=1.7e308),
        replace(GRADE, peak_memory_mib=1e300),
    ],
)
def test_no_figure_is_larger_than_anything_is(grade: NotebookGrade) -> None:
    with pytest.raises(ValueError, match="out of range"):
        read(packed(grade))
