"""Execution: cells in order, captures at the test cells, and what a dying kernel leaves."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from helpers.exams import composed_of, exam_of
from helpers.kernels import InProcessKernel

from autograder.codec import decode
from autograder.errors import BusyError, SandboxError
from autograder.examiner.remote.proxy import Remote
from autograder.execution.allowance import Allowance
from autograder.execution.capture import Budget, capture
from autograder.execution.notebook_run import cells_cut_short, execute
from autograder.records.exam import Role
from autograder.records.limits import Limits
from autograder.records.run import CellRun, RunStatus
from autograder.syntax.names import needs, vocabulary

LIMITS = Limits()


def run(exam, kernels=None, **answers):
    """Execute an exam with some answers; each kernel that is started is appended to ``kernels``."""
    composed = composed_of(exam, **answers)
    known = vocabulary(exam)
    wanted = {i: needs(c.source, known) for i, c in enumerate(exam.cells) if c.role is Role.TEST}
    started = [] if kernels is None else kernels

    def start():
        started.append(InProcessKernel())
        return started[-1]

    return execute(start, Remote, composed, wanted, LIMITS)


def plain(executed, index, name):
    captured = executed.captures[index].names[name]
    return decode(captured.packed.text, captured.packed.buffers, lambda r: r.kind)


REUSED = exam_of(
    (Role.ANSWER, "x = 1"), (Role.TEST, "assert x == 1"), (Role.ANSWER, "x = 2"), (Role.TEST, "assert x == 2")
)


def test_a_test_cell_gets_the_values_at_its_own_position():
    executed = run(REUSED)
    assert (plain(executed, 1, "x"), plain(executed, 3, "x")) == (1, 2)
    assert executed.run.status is RunStatus.COMPLETED


def test_a_list_that_changes_later_is_captured_as_it_was():
    exam = exam_of((Role.ANSWER, "v = [1]"), (Role.TEST, "assert v == [1]"), (Role.ANSWER, "v.append(2)"))
    assert plain(run(exam), 1, "v") == [1]


def test_the_kernel_is_told_only_names_that_the_student_has_bound():
    exam = exam_of(
        (Role.ANSWER, "answer = 1"),
        (Role.TEST, "secret_canary = 41\nassert answer + secret_canary == canary"),
    )
    kernels = []
    run(exam, kernels)
    assert b"answer" in b"".join(kernels[0].requests)
    assert b"canary" not in b"".join(kernels[0].requests)


def test_what_runs_at_a_test_cell_is_the_released_source():
    kernels = []
    run(REUSED, kernels, cell1="visible = True")
    assert kernels[0].ran == ["x = 1", "visible = True", "x = 2", "assert x == 2"]


def test_an_error_in_a_cell_stops_nothing_and_is_the_runs_status():
    executed = run(REUSED, cell0="x = 1\n1 / 0")
    assert executed.run.status is RunStatus.CELL_ERROR
    assert "Cell 1 raised ZeroDivisionError" in executed.run.message
    assert plain(executed, 3, "x") == 2


def test_a_visible_test_that_fails_is_no_failure_of_the_run():
    executed = run(REUSED, cell0="x = 5")
    assert executed.run.cells[1].status == "error"
    assert executed.run.status is RunStatus.COMPLETED


def test_a_kernel_that_dies_leaves_what_was_captured_before():
    executed = run(REUSED, cell2="raise Dies")
    assert executed.run.status is RunStatus.KILLED
    assert [c.status for c in executed.run.cells] == ["ok", "ok", "error", "not_run"]
    assert plain(executed, 1, "x") == 1
    assert 3 not in executed.captures


FUNCTIONS = exam_of(
    (Role.ANSWER, "def f(): return 7"),
    (Role.TEST, "assert f() == 7"),
    (Role.ANSWER, "y = 1"),
    (Role.TEST, "assert y"),
)


def test_a_function_answered_before_the_kernel_died_can_still_be_called():
    kernels = []
    executed = run(FUNCTIONS, kernels, cell2="raise Dies")
    assert len(kernels) == 2
    assert kernels[1].ran == ["def f(): return 7", "assert f() == 7"]
    captured = executed.captures[1].names["f"].packed
    assert decode(captured.text, captured.buffers, executed.remote.stand_in)() == 7
    assert executed.run.status is RunStatus.KILLED


def test_the_cell_that_the_kernel_died_in_is_named():
    executed = run(FUNCTIONS, cell2="raise Dies")
    assert executed.run.message.endswith("That was in cell 3 (cell2).")


def test_what_dies_when_a_visible_test_calls_it_can_still_be_asked_outside():
    """The test cell that the kernel did not survive has a capture that the second kernel knows."""
    kernels = []
    executed = run(FUNCTIONS, kernels, cell0="def f(): raise Dies")
    assert kernels[1].ran == ["def f(): raise Dies"]
    executed.remote.ask("enter", executed.captures[1].snapshot)


class Killed(InProcessKernel):
    """Somebody killed it."""

    def killed(self):
        return bool(self.end)


def test_that_a_kernel_was_killed_is_known_after_another_took_its_place():
    kernels = [Killed, InProcessKernel]
    wanted = {1: frozenset({"f"}), 3: frozenset({"y"})}
    executed = execute(lambda: kernels.pop(0)(), Remote, composed_of(FUNCTIONS, cell2="raise Dies"), wanted, LIMITS)
    assert executed.killed()
    assert not run(FUNCTIONS, cell2="raise Dies").killed()
    assert not run(FUNCTIONS).killed()


def test_a_host_that_fails_in_the_middle_leaves_no_kernel():
    class Broken(InProcessKernel):
        def ended(self):
            if self.ran:
                raise SandboxError("no memory left")

    kernel = Broken()
    with pytest.raises(SandboxError):
        execute(lambda: kernel, Remote, composed_of(FUNCTIONS), {}, LIMITS)
    assert kernel.closed


def test_plain_values_need_no_second_kernel():
    kernels = []
    run(REUSED, kernels, cell2="raise Dies")
    assert len(kernels) == 1


class Sleepy(InProcessKernel):
    """Its third cell never ends."""

    def run(self, source, seconds):
        if len(self.ran) == 2:
            self.ran.append(source)
            return CellRun("timed_out", error="stopped")
        return super().run(source, seconds)


def test_cells_after_an_interrupted_one_still_run():
    exam = REUSED
    wanted = {1: frozenset({"x"}), 3: frozenset({"x"})}
    executed = execute(Sleepy, Remote, composed_of(exam), wanted, LIMITS)
    assert executed.run.status is RunStatus.TIMED_OUT
    assert "Cell 3 (cell2) ran longer than 120 s" in executed.run.message
    assert plain(executed, 3, "x") == 1


def test_test_cells_after_a_cell_without_end_are_run_for_a_short_time():
    given = []

    class Looping(InProcessKernel):
        def run(self, source, seconds):
            given.append(seconds)
            return CellRun("timed_out", error="stopped") if len(given) == 2 else super().run(source, seconds)

    answer, test = (Role.ANSWER, "x = 1"), (Role.TEST, "assert x == 1")
    execute(Looping, Remote, composed_of(exam_of(answer, test, test, answer)), {}, LIMITS)
    assert given == [120, 120, 12, 120]


def test_cells_are_short_once_two_have_used_up_their_time():
    given = []

    class Looping(InProcessKernel):
        def run(self, source, seconds):
            given.append(seconds)
            return CellRun("timed_out", error="stopped")

    answer, test = (Role.ANSWER, "while True: pass"), (Role.TEST, "assert x == 1")
    composed = composed_of(exam_of(answer, test, answer, answer, answer))
    executed = execute(Looping, Remote, composed, {}, LIMITS)
    assert given == [120, 12, 120, 12, 12]
    assert cells_cut_short(composed, executed.run) == [3, 4]


class Stubborn(InProcessKernel):
    """Its third cell never ends, and has to be killed."""

    def run(self, source, seconds):
        if len(self.ran) == 2:
            self.ran.append(source)
            self.end = (RunStatus.TIMED_OUT, "A cell ran too long.")
            return CellRun("timed_out", error="stopped")
        return super().run(source, seconds)


def test_a_kernel_that_had_to_be_killed_names_the_cell():
    executed = execute(Stubborn, Remote, composed_of(REUSED), {}, LIMITS)
    assert executed.run.message == "A cell ran too long. That was in cell 3 (cell2)."


@pytest.mark.parametrize("kernel", [Sleepy, Stubborn])
def test_what_was_answered_before_is_there_whether_the_kernel_stopped_or_was_killed(kernel):
    kernels = [kernel, InProcessKernel]
    wanted = {1: frozenset({"f"}), 3: frozenset({"y"})}
    executed = execute(lambda: kernels.pop(0)(), Remote, composed_of(FUNCTIONS), wanted, LIMITS)
    captured = executed.captures[1].names["f"].packed
    assert decode(captured.text, captured.buffers, executed.remote.stand_in)() == 7
    assert executed.run.status is RunStatus.TIMED_OUT


def test_the_cells_that_are_run_once_more_have_twice_as_long():
    given = []

    class Timed(InProcessKernel):
        def run(self, source, seconds):
            given.append(seconds)
            return super().run(source, seconds)

    kernels = [Stubborn, Timed]
    execute(lambda: kernels.pop(0)(), Remote, composed_of(FUNCTIONS), {1: frozenset({"f"})}, LIMITS)
    assert given == [240, 240]


# --- a machine that is busy


class Held(InProcessKernel):
    """Each cell takes 50 s by the wall clock, of which others had the processors for 45."""

    now = 0.0

    def run(self, source, seconds):
        Held.now += 50
        return dataclasses.replace(super().run(source, seconds), seconds=50.0, waited_seconds=45.0)


def test_what_others_took_does_not_count_for_the_notebook():
    limits = Limits(notebook_seconds=60)
    executed = execute(Held, Remote, composed_of(REUSED), {}, limits, clock=lambda: Held.now)
    assert executed.run.status is RunStatus.COMPLETED
    assert (executed.run.wall_seconds, executed.run.own_seconds) == (200, 20)


def test_a_notebook_that_got_no_processor_is_neither_time_limit_message_nor_in_time(monkeypatch):
    monkeypatch.setattr("autograder.execution.allowance.is_busy", lambda: True)
    with pytest.raises(BusyError, match=r"the notebook got 15 s of its own in 150 s"):
        execute(Held, Remote, composed_of(REUSED), {}, Limits(notebook_seconds=30), clock=lambda: Held.now)


def test_a_cell_that_got_no_processor_is_named_and_leaves_no_kernel():
    class Starved(InProcessKernel):
        def run(self, source, seconds):
            raise BusyError("it got 1 s of its own in 80 s")

    kernel = Starved()
    with pytest.raises(BusyError, match=r"^Cell 1 \(cell0\): it got 1 s"):
        execute(lambda: kernel, Remote, composed_of(REUSED), {}, LIMITS)
    assert kernel.closed


def test_answers_that_could_not_be_copied_in_time_are_no_refusal_where_the_machine_was_busy(monkeypatch):
    monkeypatch.setattr("autograder.execution.allowance.is_busy", lambda: True)
    kernel = InProcessKernel()
    kernel.run("a = 1", 1)
    times = iter([0.0, *[40.0] * 9])
    until = Allowance(10.0, iter([0.0, *[35.0] * 9]).__next__, times.__next__)
    with pytest.raises(BusyError, match="copying the answers"):
        capture(Remote(kernel), frozenset({"a"}), Budget(), until)


def test_nothing_runs_after_the_notebooks_time_is_over():
    executed = execute(InProcessKernel, Remote, composed_of(REUSED), {}, Limits(notebook_seconds=0))
    assert executed.run.status is RunStatus.TIMED_OUT
    assert {c.status for c in executed.run.cells} == {"not_run"}


def test_a_value_past_the_limits_is_a_refusal_of_that_name_only(monkeypatch):
    from _kernel_agent.kernel import server  # the agent's own module, as the in-process kernel uses it

    monkeypatch.setattr(server.codec, "MAX_BYTES", 5000)
    exam = exam_of((Role.ANSWER, "import numpy\nbig = numpy.zeros(10000)\nsmall = 1"), (Role.TEST, "big, small"))
    executed = run(exam)
    assert executed.captures[1].names["big"].packed is None
    assert "MiB" in executed.captures[1].names["big"].refused
    assert plain(executed, 1, "small") == 1


def test_arrays_are_captured_as_arrays():
    exam = exam_of((Role.ANSWER, "import numpy as np\na = np.arange(3)"), (Role.TEST, "assert a.sum() == 3"))
    np.testing.assert_array_equal(plain(run(exam), 1, "a"), [0, 1, 2])


def test_a_notebook_without_code_is_complete():
    executed = run(exam_of((Role.ANSWER, "")))
    assert executed.run.status is RunStatus.COMPLETED


def test_all_answers_together_have_a_limit(monkeypatch):
    monkeypatch.setattr("autograder.execution.notebook_run.Budget", lambda: Budget(left=3000))
    exam = exam_of((Role.ANSWER, "a = b'x' * 2000\nb = b'y' * 2000"), (Role.TEST, "a, b"))
    names = run(exam).captures[1].names
    assert names["a"].packed is not None
    assert names["b"].packed is None
    assert "all answers together" in names["b"].refused


def test_copying_answers_ends_with_the_cells_time():
    exam = exam_of((Role.ANSWER, "a = 1"), (Role.TEST, "a"))
    kernel = InProcessKernel()
    kernel.run(exam.cells[0].source, 1)
    captured = capture(Remote(kernel), frozenset({"a"}), Budget(), until=Allowance(0.0, lambda: 0.0))
    assert "too long" in captured.names["a"].refused


def test_an_exception_without_a_text_is_named_alone():
    executed = run(exam_of((Role.ANSWER, "raise NotImplementedError")))
    assert executed.run.message == "Cell 1 raised NotImplementedError."


@pytest.mark.parametrize(
    ("claimed", "believed"),
    [
        ({"fast": 2, "callbacks": 1}, {"fast": 2, "callbacks": 1}),
        ({"fast": 0, "data": -1, "model": True, "batches": 10**9, "faster": 1}, {}),
        (["fast"], {}),
    ],
)
def test_how_trainings_ran_is_a_claim_of_known_kinds(monkeypatch, claimed, believed):
    monkeypatch.setattr("_kernel_agent.kernel.server.Server.trainings", lambda server: claimed)
    assert run(REUSED).run.trainings == believed


def test_a_kernel_that_is_gone_claims_no_trainings():
    assert run(REUSED, cell0="raise Dies").run.trainings == {}
