"""result.json and the files under it."""

import json
import math
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from helpers.samples import a_class, checked, grade, question

from autograder._util.files import write_atomically
from autograder.errors import HostError
from autograder.exchange import result_json
from autograder.records.checks import Outcome
from autograder.records.dates import Dates
from autograder.records.grade import Grade, NotebookGrade, StepTimes
from autograder.records.waits import Waits

TOP_LEVEL = [
    *(
        "version",
        "student",
        "assignment",
        "status",
        "score",
        "max_score",
        "needs_manual_grade",
        "late_penalty",
    ),
    *(
        "questions",
        "notebooks",
        "wall_seconds",
        "cpu_seconds",
        "peak_memory_mib",
        "submitted_at",
        "graded_at",
        "times",
    ),
    *("versions", "content_keys", "dates", "files"),
]


@pytest.mark.parametrize("one", a_class(), ids=lambda g: f"{g.student}-{g.status}")
def test_a_grade_comes_back_equal(one, tmp_path):
    """What is written is what is read, for every kind of ending."""
    result_json.write(tmp_path / "result.json", one)
    assert result_json.read(tmp_path / "result.json") == one


def test_the_keys_are_the_documented_ones_in_order():
    """The top level is what docs/reference/result-json.md lists."""
    data = result_json.to_json(grade())
    assert list(data) == TOP_LEVEL
    assert list(data["questions"][0]) == [
        *(
            "notebook",
            "id",
            "score",
            "max_score",
            "outcome",
            "message",
            "detail",
            "needs_manual_grade",
            "waits",
            "failures",
            "checks",
            "in_students_process",
            "hidden_bits",
            "answer_seconds",
            "test_seconds",
        )
    ]


def test_students_never_get_a_threshold():
    """Whatever a message says: the evidence that states a rule is for the instructor."""
    stated = {"threshold": 0.62, "first_credit": 0.8, "higher_is_better": False, "close_calls": True}
    asked = replace(question("test-loss", 1, 1), checks=(checked("loss", 1.0, "", loss=0.5, **stated),))
    book = replace(grade().notebooks[0], questions=(asked,))
    public = result_json.public(replace(grade(), notebooks=(book,)))
    assert public.notebooks[0].questions[0].checks[0].evidence == {"loss": 0.5}


def timed(answer: float | None, test: float | None, run: float | None = None) -> Grade:
    """A grade whose first question and whose notebook have these own times."""
    (book,) = grade().notebooks
    first, *others = book.questions
    return replace(
        grade(),
        notebooks=(
            replace(
                book,
                questions=(replace(first, answer_seconds=answer, test_seconds=test), *others),
                own_seconds=run,
            ),
        ),
    )


@pytest.mark.parametrize("times", [(18.25, 0.5, 20.5), (None, 0.0, None), (0, None, 0.0)])
def test_own_times_come_back(times):
    """Equality of grades leaves them out, so they are looked at here."""
    (book,) = result_json.from_json(json.loads(result_json.dumps(timed(*times)))).notebooks
    assert (book.questions[0].answer_seconds, book.questions[0].test_seconds, book.own_seconds) == times


def test_students_never_get_the_time_of_a_hidden_test(tmp_path):
    """Their code could tell hidden inputs by it; the instructor's file has it."""
    for name, one in (("result.json", result_json.public(timed(18.25, 0.5))), ("details.json", timed(18.25, 0.5))):
        result_json.write(tmp_path / name, one)
    assert '"test_seconds": 0.5' not in (tmp_path / "result.json").read_text()
    read = result_json.read(tmp_path / "result.json", tmp_path / "details.json")
    assert read.notebooks[0].questions[0].test_seconds == 0.5


BEGUN = datetime(2026, 11, 30, 12, 0, 0, 250_000, tzinfo=UTC)


def stepped() -> Grade:
    """A grade that says when its steps were done."""
    return replace(grade(), times=StepTimes(BEGUN, *(BEGUN + timedelta(seconds=number) for number in (0.5, 2, 3))))


def test_the_six_times_are_named_in_their_order():
    times = result_json.to_json(stepped())["times"]
    assert list(times) == ["received", "begun", "lent", "executed", "examined", "published"]
    assert times["received"] == result_json.to_json(grade())["submitted_at"]
    assert times["published"] == result_json.to_json(grade())["graded_at"]
    assert times["lent"] == "2026-11-30T12:00:00.750000+00:00"
    assert result_json.from_json(result_json.to_json(stepped())).times == stepped().times


def test_students_get_no_times_between_which_a_hidden_test_ran(tmp_path):
    """Their code could answer by them, as by the time of a test."""
    for name, one in (("result.json", result_json.public(stepped())), ("details.json", stepped())):
        result_json.write(tmp_path / name, one)
    times = json.loads((tmp_path / "result.json").read_text())["times"]
    assert [step for step, when in times.items() if when] == ["received", "published"]
    assert result_json.read(tmp_path / "result.json", tmp_path / "details.json").times == stepped().times


def test_a_file_of_an_earlier_version_has_no_times_of_steps():
    data = result_json.to_json(stepped())
    del data["times"]
    assert result_json.from_json(data).times == StepTimes()


@pytest.mark.parametrize("mark", [True, False, "yes"])
def test_in_a_file_of_an_earlier_version_evidence_says_what_is_undecided(mark):
    """Only the truth counts, as at that time; afterwards it is no evidence any more."""
    data = result_json.to_json(grade())
    row = data["questions"][0]["checks"][0]
    del row["waits"]
    row["evidence"]["undecided"] = mark
    read = result_json.from_json(data).notebooks[0].questions[0].checks[0]
    assert read.waits is (Waits.UNDECIDED if mark is True else None)
    assert "undecided" not in read.evidence


@pytest.mark.parametrize(
    ("outcome", "waits"),
    [(Outcome.MANUAL, Waits.WRITTEN), (Outcome.BROKEN, Waits.BROKEN), (Outcome.FAILED, Waits.UNDECIDED)],
)
def test_a_file_of_an_earlier_version_says_by_the_outcome_why_a_question_waits(outcome, waits):
    data = result_json.to_json(grade())
    row = data["questions"][0]
    del row["waits"]
    row["outcome"], row["needs_manual_grade"], data["needs_manual_grade"] = outcome.value, True, True
    assert result_json.from_json(data).notebooks[0].questions[0].waits is waits


def test_a_question_that_waits_for_no_reason_is_damaged():
    data = result_json.to_json(grade())
    data["questions"][0]["needs_manual_grade"] = data["needs_manual_grade"] = True
    with pytest.raises(HostError, match="waits for a person, and does not"):
        result_json.from_json(data)


def test_a_file_of_an_earlier_version_has_no_own_times():
    """A key that was added later may be missing."""
    data = result_json.to_json(timed(18.25, 0.5, 20.5))
    for row in data["questions"]:
        del row["answer_seconds"], row["test_seconds"]
    del data["notebooks"][0]["own_seconds"]
    (book,) = result_json.from_json(data).notebooks
    assert (book.questions[0].answer_seconds, book.questions[0].test_seconds, book.own_seconds) == (None, None, None)


def test_totals_are_those_of_the_grade():
    """Scores are after the late penalty; times add up; memory is the largest."""
    one = grade(hours=3)
    data = result_json.to_json(one)
    assert (data["score"], data["max_score"], data["status"]) == (one.score, 17, "completed")
    assert data["needs_manual_grade"] is True
    assert data["peak_memory_mib"] == one.notebooks[0].peak_memory_mib


def test_numbers_that_are_not_finite_survive_strict_json():
    """A diverged model's loss is NaN, and stays NaN, in a file that any JSON parser reads."""
    check = checked("loss", 0, "NaN", loss=math.nan, best=-math.inf)
    book = NotebookGrade("n", "completed", "", (question("q", 0, 1, "", check),), history={"loss": (1.0, math.inf)})
    book = replace(book, trainings={"fast": 2})
    text = json.dumps(result_json.to_json(Grade("s", "a", (book,))), allow_nan=False)
    (back,) = result_json.from_json(json.loads(text)).notebooks
    assert math.isnan(back.questions[0].checks[0].evidence["loss"])
    assert back.questions[0].checks[0].evidence["best"] == -math.inf
    assert back.history == {"loss": (1.0, math.inf)}
    assert back.trainings == {"fast": 2}


def test_evidence_of_numpy_becomes_plain_numbers():
    """NumPy's scalars and arrays are written as numbers and lists."""
    check = checked("loss", 0, "", loss=np.float32(0.5), rows=np.int64(3), by_class=np.array([0.25, 1.0]))
    book = NotebookGrade("n", "completed", "", (question("q", 0, 1, "", check),))
    evidence = result_json.to_json(Grade("s", "a", (book,)))["questions"][0]["checks"][0]["evidence"]
    assert json.loads(json.dumps(evidence)) == {"loss": 0.5, "rows": 3, "by_class": [0.25, 1.0]}


def test_text_that_utf8_can_not_say_is_written_and_read(tmp_path):
    """A lone surrogate in a student's message does not lose the grade."""
    one = replace(grade(), versions={"note": "\ud800 \x00 \u202e"})
    result_json.write(tmp_path / "result.json", one)
    assert result_json.read(tmp_path / "result.json") == one


def _without(key):
    return lambda data: data.pop(key)


DAMAGES = [
    (lambda d: d.update(version=2), "version 2.*reads version 1"),
    (_without("version"), "version None"),
    (_without("late_penalty"), "the key 'late_penalty' is missing"),
    (lambda d: d["questions"][0].pop("outcome"), "the key 'outcome' is missing"),
    (lambda d: d["questions"][0].update(outcome="superb"), "'superb' is not a valid Outcome"),
    (lambda d: d["questions"][0].update(score="4"), "'4' should be a finite number"),
    (lambda d: d["questions"][0].update(score=True), "True should be a finite number"),
    (lambda d: d["questions"][0].update(answer_seconds="1"), "'1' should be a finite number"),
    (lambda d: d["questions"][0].update(test_seconds=math.nan), "nan should be a finite number"),
    (lambda d: d["questions"][0].update(notebook="other"), "the key 'other' is missing"),
    (lambda d: d["questions"][0].update(score=3), "its questions make it"),
    (lambda d: d.update(score=17), "it says score 17"),
    (lambda d: d.update(status="superb"), "it says status 'superb'"),
    (lambda d: d.update(student=None), "None should be text"),
    (lambda d: d.update(notebooks=3), "damaged"),
    (lambda d: d["notebooks"][0].update(status="superb"), "damaged"),
    (lambda d: d.update(submitted_at="yesterday"), "yesterday"),
    (lambda d: d.update(late_penalty=10**400), "int too large"),
    (lambda d: d.update(score=10**400), "int too large"),
    (lambda d: d.update(dates=3), "no Dates"),
    (lambda d: d["dates"].update(late_days=10**400), "int too large"),
    (lambda d: d["dates"].update(late_days=math.inf), "inf should be a finite number"),
    (lambda d: d["dates"].update(excused=1), "1 should be bool"),
    (lambda d: d["dates"].pop("notes"), "Dates has other fields"),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_a_damaged_result_says_what_is_wrong(damage, message):
    """Nothing is guessed: a result that is not whole is refused with the remedy."""
    data = result_json.to_json(replace(grade(), dates=Dates(late_days=1.5, notes=("extended",))))
    damage(data)
    with pytest.raises(HostError, match=message):
        result_json.from_json(data)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"version": NaN}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_file_is_named(tmp_path, content):
    """A cut, empty, non-UTF-8 or deeply nested file is a HostError with the path in it."""
    path = tmp_path / "result.json"
    path.write_bytes(content)
    with pytest.raises(HostError, match=r"result\.json.*grade"):
        result_json.read(path)


def test_a_missing_file_is_a_host_error(tmp_path):
    """No result is not an empty result."""
    with pytest.raises(HostError, match="No such file"):
        result_json.read(tmp_path / "result.json")


def test_moments_keep_their_zone():
    """Naive and aware times come back as they were."""
    one = replace(grade(), graded_at=datetime(2026, 1, 2, 3, 4, 5))
    assert result_json.from_json(result_json.to_json(one)).graded_at == one.graded_at


def test_a_write_replaces_and_leaves_nothing_beside(tmp_path):
    """The folder is made, the old file is replaced, no temporary file stays."""
    path = tmp_path / "deep" / "file.txt"
    write_atomically(path, "old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_write_does_not_follow_a_link(tmp_path):
    """A planted link is replaced; what it points at is untouched."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "link").symlink_to(victim)
    write_atomically(tmp_path / "link", "data")
    assert victim.read_text() == "precious"
    assert not (tmp_path / "link").is_symlink()


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    """When the disk refuses, the old file stays whole and nothing lies beside it."""
    path = tmp_path / "file"
    write_atomically(path, "old")

    def refuse(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(HostError, match="No space left"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_the_reference_page_names_every_key():
    """docs/reference/result-json.md is complete."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "result-json.md").read_text()
    data = result_json.to_json(grade())
    keys = [*data, *data["questions"][0], *data["questions"][0]["checks"][0], *data["notebooks"][0]]
    assert [key for key in keys if f"`{key}`" not in page] == []
