"""Acceptance tests 6, 7, 9, 10 and 11: tricks for points without work, and for a look at the tests."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from attacks import ATTACKS, FULL, each, of
from helpers.pipeline import ASSIGNMENT, HIDDEN_INPUT

from autograder.codec import Packed
from autograder.examination.attempt import Conditions
from autograder.examination.notebook_grading import grade_notebook
from autograder.execution.client import SandboxedKernel
from autograder.records.run import CellRun
from autograder.sandbox import default_sandbox
from autograder.sandbox.kernel_start import kernel_manager

pytestmark = pytest.mark.sandbox


def worth_its_work(graded, name: str) -> None:
    assert graded.done.points(name) == pytest.approx(graded.right(name))
    assert graded.done.grades[name].max_score == 10


def fooled(unguarded, name: str) -> None:
    """The same notebook passes tests that share its process."""
    assert unguarded(name).passed == ATTACKS[name].gains


@each(["full", "wrong"])
def test_06_to_11_honest_answers_get_what_they_are_worth(graded, name: str) -> None:
    worth_its_work(graded, name)


def test_06_to_11_control_without_a_trick_the_grader_without_a_wall_is_right(unguarded) -> None:
    assert unguarded("wrong").passed == frozenset()


# --- 6


@each(of(6))
def test_06_who_looks_for_the_tests_gains_nothing(graded, name: str) -> None:
    worth_its_work(graded, name)


def test_06_control_where_the_tests_are_they_are_read(unguarded) -> None:
    fooled(unguarded, "06-reads-the-test")


class Published(SandboxedKernel):
    """A kernel, and all that it is told: sources and requests."""

    def run(self, source: str, seconds: float) -> CellRun:
        told.append(("cell", source.encode()))
        return super().run(source, seconds)

    def exchange(self, request: Packed, *arguments: Any, **named: Any) -> Packed:
        told.append(("question", request.text + b"".join(request.buffers)))
        return super().exchange(request, *arguments, **named)


told: list[tuple[str, bytes]] = []


def test_06_neither_tests_nor_expected_values_are_in_what_the_kernel_is_told(graded) -> None:
    """And hidden inputs only behind the last cell; that they are found there shows that the record is one."""
    told.clear()
    path = graded.course.submitted("full", ASSIGNMENT) / "numbers.ipynb"
    limits = graded.course.assignments[ASSIGNMENT].limits
    hidden = graded.course.root / "source" / ASSIGNMENT / "hidden"

    def start() -> Published:
        return Published(kernel_manager(default_sandbox(), {}, limits), limits)

    grade_notebook(graded.exam, path, Conditions(start, limits, hidden))
    last = max(number for number, (kind, _) in enumerate(told) if kind == "cell")
    before, after = (b"\n".join(text for _, text in part) for part in (told[: last + 1], told[last + 1 :]))
    secrets = [
        graded.canaries["test"],
        graded.canaries["solution"],
        graded.canaries["data"],
        str((HIDDEN_INPUT + 1) / 2),
    ]
    assert [word for word in secrets if word.encode() in before + after] == []
    assert str(HIDDEN_INPUT).encode() not in before
    assert str(HIDDEN_INPUT).encode() in after


@each(["06-snoop", "06-remembers"])
def test_06_no_canary_is_in_history_frames_objects_or_memory(graded, name: str) -> None:
    shown = graded.shown(name)
    assert {"06-snoop": "looked at True found", "06-remembers": "found"}[name] in shown
    assert set(re.findall(r"canary-[a-z]+-[0-9a-f]{16}", shown)) <= {graded.canaries["public"]}


def test_06_control_in_one_process_the_same_notebook_finds_the_tests(graded, unguarded) -> None:
    """The search runs before the tests that come after it; those before it are in its history."""
    assert graded.canaries["test"] in unguarded("06-remembers").printed


@each(ATTACKS)
def test_06_no_student_reads_anything_hidden_in_the_feedback(graded, name: str) -> None:
    shown = graded.shown(name)
    assert [word for place, word in graded.canaries.items() if word in shown and place != "public"] == []
    assert "HIDDEN TESTS" not in shown


# --- 7, 9


@each(of(7))
def test_07_patches_and_transformers_score_like_the_honest_wrong_answer(graded, name: str) -> None:
    assert graded.done.points(name) == graded.done.points("wrong")


@each(name for name in of(7) if ATTACKS[name].gains)
def test_07_control_patches_and_transformers_reach_tests_in_their_process(unguarded, name: str) -> None:
    fooled(unguarded, name)


@each(of(9))
def test_09_objects_that_equal_everything_score_like_the_honest_wrong_answer(graded, name: str) -> None:
    assert graded.done.points(name) == graded.done.points("wrong")


@each(name for name in of(9) if ATTACKS[name].gains)
def test_09_control_objects_that_equal_everything_pass_in_one_process(unguarded, name: str) -> None:
    fooled(unguarded, name)


# --- 10, 11


@each(of(10))
def test_10_an_exit_is_said_and_leaves_the_points_of_before(graded, name: str) -> None:
    notebook = graded.notebook(name)
    assert notebook.status == ATTACKS[name].status
    assert ATTACKS[name].message in notebook.message
    worth_its_work(graded, name)
    assert graded.done.points(name)["test-mean"] == FULL["test-mean"]


@pytest.mark.parametrize("leave", ["import os; os._exit(0)", "import sys; sys.exit(0)"])
def test_10_control_a_grader_that_believes_the_exit_status_is_fooled(leave: str) -> None:
    script = f"def mean(values):\n    {leave}\nassert mean([1, 2, 3]) == 2"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@each(of(11))
def test_11_constants_and_public_answers_fail_hidden_inputs(graded, name: str) -> None:
    worth_its_work(graded, name)


def test_11_control_the_released_tests_alone_pass_what_is_hard_coded(unguarded) -> None:
    passed = unguarded("11-hard-coded", released=True).passed
    assert passed == {"test-mean", "test-squares", "test-line", "test-rescale"}
