"""What a kernel said is said again: the same run, the same captures, the same verdicts, and no kernel."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers.kept import ANSWER, Room, exam_with, told
from helpers.kernels import InProcessKernel

from autograder.codec import Packed
from autograder.errors import LostError
from autograder.examination.kernel_source import ReplayMiss
from autograder.examiner.wording import ExaminationTimeout
from autograder.execution.recording import Recorder
from autograder.records.exam import Exam
from autograder.records.limits import Limits
from autograder.records.run import CellRun, RunStatus

CHECK = "from autograder import check\n"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


UNCHANGED = {
    "plain data": "assert x == 3 and name == 'ada'",
    "an array": "assert table.sum() == 66",
    "a call": "assert double(21) == 42",
    "what a call prints": "import io, contextlib\nout = io.StringIO()\nwith contextlib.redirect_stdout(out):\n    double(1)\n"
    "assert out.getvalue() == 'doubling 1\\n'",
    "an object's method": "assert box.half() == 2",
    "an exception of the student's": "try:\n    double(None)\nexcept TypeError:\n    'caught'\nelse:\n    assert False",
    "a failure": "assert double(1) == 3, 'no'",
    "a name that is not there": "assert missing == 1",
    "a test that is broken": "assert undefined_helper_of_the_test(x)",
    "partial credit": "0.5 if double(1) == 2 else 0",
    "checks": CHECK + "check.close(table, np.arange(12.0).reshape(3, 4) + 1e-9)\ncheck.function(double, [(2, 4), (3, 7)])",
    "what is put back": "del x\nassert double(1) == 2",
    "a test that fails by itself": "1 / 0",
}  # fmt: skip


@pytest.mark.parametrize("what", UNCHANGED)
def test_an_unchanged_test_gives_the_same_grade_and_starts_no_kernel(room: Room, what: str) -> None:
    exam = exam_with(UNCHANGED[what], "assert x == 3", given="import numpy as np")
    first = room.grade(exam, ANSWER)
    again = room.grade(exam, ANSWER, kept=True)
    assert len(room.started) == 1
    assert told(again) == told(first)
    assert (first.replayed, again.replayed) == (False, True)
    assert (again.wall_seconds, again.cpu_seconds, again.sandbox) == (
        first.wall_seconds, first.cpu_seconds, first.sandbox,
    )  # fmt: skip


CHANGED = {
    "an expected value": ("assert x == 3", "assert x == 4"),
    "another assertion": ("assert x == 3", "assert x == 3\nassert x < 3"),
    "a name fewer": ("assert x == 3 and name", "assert name"),
    "what a call should give": ("assert double(21) == 42", "assert double(21) == 43, 'twice'"),
    "a threshold": (CHECK + "check.close(table.sum(), 65, atol=2)", CHECK + "check.close(table.sum(), 65, atol=0.5)"),
    "partial credit": ("1", "0.25"),
    "helpers of the test": ("assert x == 3", "wanted = [3]\ndef ok(v):\n    return v in wanted\nassert ok(x)"),
    "calls that are left out at the end": ("assert double(1) == 2\nassert double(2) == 4", "assert double(1) == 2"),
    "a name that the student does not have": ("assert x == 3", "assert nobody_has_this"),
    "a test that is no Python any more": ("assert x == 3", "assert x =="),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_changed_test_that_asks_nothing_new_executes_nothing(room: Room, what: str) -> None:
    before, after = (exam_with(test, given="import numpy as np") for test in CHANGED[what])
    room.grade(before, ANSWER)
    if after.cells[2].source.endswith("=="):
        with pytest.raises(SyntaxError):  # as without a kept run: a release says so first
            room.grade(after, ANSWER, kept=True)
        return
    again = room.grade(after, ANSWER, kept=True)
    assert len(room.started) == 1
    assert told(again) == told(room.fresh(after, ANSWER))


def test_points_execute_nothing(room: Room) -> None:
    room.grade(exam_with("assert double(1) == 2"), ANSWER)
    again = room.grade(exam_with("assert double(1) == 2", points=7), ANSWER, kept=True)
    assert (again.score, again.max_score, len(room.started)) == (7, 7, 1)


def test_hidden_data_is_the_examiners_own(room: Room, tmp_path: Path) -> None:
    """Another file of it is another grade, from the same run."""
    room.hidden = tmp_path / "hidden"
    room.hidden.mkdir()
    exam = exam_with(CHECK + "assert x == int(check.hidden_data('x.txt').read_text())")
    (room.hidden / "x.txt").write_text("3")
    assert room.grade(exam, ANSWER).score == 1
    (room.hidden / "x.txt").write_text("4")
    again = room.grade(exam, ANSWER, kept=True)
    assert (again.score, len(room.started)) == (0, 1)
    assert told(again) == told(room.fresh(exam, ANSWER))


NEEDED = {
    "a name that was not copied out": ("assert x == 3", "assert name == 'ada'"),
    "another argument": ("assert double(21) == 42", "assert double(22) == 44"),
    "one more call": ("assert double(21) == 42", "assert double(21) == 42\nassert double(0) == 0"),
    "a call that is caught": ("assert x == 3", "try:\n    double(1)\nexcept BaseException:\n    pass\nassert x == 3"),
    "calls in another order": ("double(1)\ndouble(2)", "double(2)\ndouble(1)"),
    "a call that is left out before another": ("double(1)\ndouble(2)", "double(2)"),
    "an attribute": ("assert box.half() == 2", "assert box.n == 4"),
    "what reaches the student's code": ("assert double(1) == 2", "def open(*_):\n    pass\nassert double(1) == 2"),
    "looking at files": ("assert x == 3", "from pathlib import Path\nassert not Path('a.txt').exists()\nassert x == 3"),
}


@pytest.mark.parametrize("what", NEEDED)
def test_what_was_not_asked_then_needs_a_kernel(room: Room, what: str) -> None:
    """Also where the test itself would go on without the answer: the kit decides."""
    before, after = (exam_with(test, "assert x == 3") for test in NEEDED[what])
    room.grade(before, ANSWER)
    with pytest.raises(ReplayMiss):
        room.grade(after, ANSWER, kept=True)
    assert len(room.started) == 1
    executed = room.grade(after, ANSWER)
    assert (executed.replayed, len(room.started)) == (False, 2)
    assert told(room.grade(after, ANSWER, kept=True)) == told(executed)  # the run is that of the new test now
    assert len(room.started) == 2


def test_after_a_miss_no_further_test_runs(room: Room) -> None:
    """An attempt that nobody will believe costs no more time."""
    room.grade(exam_with("assert x == 3", "pass"), ANSWER)
    mark = room.folder / "ran"
    exam = exam_with("assert double(1) == 2", f"open({str(mark)!r}, 'w').close()\nassert x")
    with pytest.raises(ReplayMiss):
        room.grade(exam, ANSWER, kept=True)
    assert not mark.exists()


CALLBACK = "calls = []\ndef f(n):\n    calls.append(n)\n    return n\nassert apply(f, 1) == 1\nassert calls == [1]"


def test_a_function_of_the_tests_own_needs_a_kernel_each_time(room: Room) -> None:
    answer = "def apply(f, n):\n    return f(n)\nx = 1"
    exam = exam_with("assert x == 1", CALLBACK)
    assert room.grade(exam, answer).score == 2
    with pytest.raises(ReplayMiss):
        room.grade(exam, answer, kept=True)
    assert room.grade(exam_with("assert x == 2", "assert apply is not None"), answer, kept=True).score == 1


@pytest.mark.parametrize(
    "change",
    [
        {"answer": ANSWER + "# more"},
        {"execution": "other limits"},
        {"given": "import math"},
    ],
)
def test_another_program_is_another_run(room: Room, change: dict[str, str]) -> None:
    room.grade(exam_with("assert x == 3"), ANSWER)
    answer, execution = change.get("answer", ANSWER), change.get("execution", "")
    with pytest.raises(ReplayMiss):
        room.grade(exam_with("assert x == 3", given=change.get("given", "")), answer, kept=True, execution=execution)


def test_what_was_asked_for_fewer_names_is_found_among_more(room: Room) -> None:
    """Each test cell by itself, at its own position."""
    answer = "x, y, z = 1, [2], {3}"
    room.grade(exam_with("assert x == 1 and y == [2] and z == {3}", "assert z and y"), answer)
    after = exam_with("assert z == {3}", "assert y == [2]")
    assert told(room.grade(after, answer, kept=True)) == told(room.fresh(after, answer))


# --- runs that ended badly ---------------------------------------------------------------------------------


class Slow(InProcessKernel):
    """Takes its time."""

    def run(self, source: str, seconds: float) -> CellRun:
        done = super().run(source, seconds)
        time.sleep(0.05)
        return done


def test_a_notebook_that_ran_too_long_is_graded_as_it_was(tmp_path: Path) -> None:
    room = Room(tmp_path, Slow)
    room.limits = Limits(notebook_seconds=0.07)
    exam = exam_with("assert x == 3", "assert x == 3", given="a = 1")
    first = room.grade(exam, ANSWER)
    assert first.status == "timed_out"
    again = room.grade(exam, ANSWER, kept=True)
    assert (told(again), again.wall_seconds, len(room.started)) == (told(first), first.wall_seconds, 1)


DIES = "def double(n):\n    return 2 * n\nx = 3"


def dying_exam(*tests: str) -> Exam:
    """The visible part of the second test ends the kernel."""
    made = exam_with(*tests)
    return replace(
        made, cells=tuple(replace(c, released="raise Dies") if c.grade_id == "cell3" else c for c in made.cells)
    )


@pytest.mark.parametrize(
    ("before", "after", "kernels"),
    [
        (("assert x == 3", "pass"), ("assert x == 4", "pass"), 1),
        (("assert double(1) == 2", "pass"), ("assert double(1) == 3", "pass"), 2),
        (("assert double(1) == 2 and x == 3", "pass"), ("assert x == 3", "pass"), 2),
    ],
)
def test_a_kernel_that_died_dies_again_at_its_place(room: Room, before: Any, after: Any, kernels: int) -> None:
    """And the second one, which ran the cells before that again, is asked what it was asked."""
    first = room.grade(dying_exam(*before), DIES)
    assert (first.status, len(room.started)) == ("killed", kernels)
    again = room.grade(dying_exam(*after), DIES, kept=True)
    assert told(again) == told(room.fresh(dying_exam(*after), DIES))
    assert len(room.started) == kernels


def test_a_kernel_that_was_lost_over_a_question_is_lost_over_it_again(tmp_path: Path) -> None:
    class Loses(InProcessKernel):
        def exchange(self, request: Packed, timeout: float | None = None, answer: Any = None) -> Packed:
            if b'"call"' in request.text:
                self.end = (RunStatus.TIMED_OUT, "It did not answer.")
                raise LostError("a call of your code took too long")
            return super().exchange(request, timeout, answer)

    room = Room(tmp_path, Loses)
    exam = exam_with("assert double(1) == 2", "assert x == 3", "assert box.half()")
    first = room.grade(exam, ANSWER)
    again = room.grade(exam, ANSWER, kept=True)
    assert first.questions[0].message == "A call of your code took too long."
    assert [(q.score, q.message) for q in again.questions] == [(q.score, q.message) for q in first.questions]
    assert len(room.started) == 1


def test_a_copy_that_lost_the_kernel_is_not_passed_over(tmp_path: Path) -> None:
    """Without that question the rest of the run would have been another."""

    class Loses(InProcessKernel):
        def exchange(self, request: Packed, timeout: float | None = None, answer: Any = None) -> Packed:
            if b'"fetch"' in request.text and b'"x"' in request.text:
                self.end = (RunStatus.TIMED_OUT, "It did not answer.")
                raise LostError("copying took too long")
            return super().exchange(request, timeout, answer)

    room = Room(tmp_path, Loses)
    room.grade(exam_with("assert x == 3", "assert name"), ANSWER)
    with pytest.raises(ReplayMiss):
        room.grade(exam_with("pass", "assert name"), ANSWER, kept=True)


def test_a_test_that_ran_out_of_time_while_it_waited_needs_a_kernel(tmp_path: Path) -> None:
    """How far it got depends on the machine."""

    class Interrupted(InProcessKernel):
        def exchange(self, request: Packed, timeout: float | None = None, answer: Any = None) -> Packed:
            if b'"call"' in request.text:
                raise ExaminationTimeout
            return super().exchange(request, timeout, answer)

    room = Room(tmp_path, Interrupted)
    exam = exam_with("assert double(1) == 2")
    room.grade(exam, ANSWER)
    with pytest.raises(ReplayMiss):
        room.grade(exam, ANSWER, kept=True)


# --- what is not kept --------------------------------------------------------------------------------------


def test_a_run_that_said_too_much_is_not_kept_and_is_graded_all_the_same(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder.__init__, "__defaults__", (100_000,))
    exam = exam_with("assert len(x) == 200_000", "assert len(x) == 200_000")
    assert room.grade(exam, "x = 'a' * 200_000").score == 2
    assert room.files == []
    assert room.grade(exam, "x = 'a' * 20").score == 0
    assert len(room.files) == 1


def test_the_same_answer_at_many_tests_counts_once(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recorder.__init__, "__defaults__", (200_000,))
    exam = exam_with(*["assert x.sum() == 0"] * 10, given="import numpy as np")
    assert room.grade(exam, "import numpy as np\nx = np.zeros(20_000)").score == 10
    assert room.files[0].stat().st_size < 200_000
    assert room.grade(exam, "import numpy as np\nx = np.zeros(20_000)", kept=True).score == 10
