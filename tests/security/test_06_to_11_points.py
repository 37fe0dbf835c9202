"""Acceptance tests 6, 7, 9, 10 and 11: tricks for points without work, and for a look at the tests."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from attacks import ATTACKS, FULL, each, of

pytestmark = pytest.mark.sandbox
CHEATS = [name for name, attack in ATTACKS.items() if attack.gains]


@each(["full", "wrong", *of(6, 7, 9, 10, 11)])
def test_06_to_11_every_attacker_gets_what_the_work_is_worth(graded, name: str) -> None:
    assert graded.done.points(name) == pytest.approx(graded.right(name))
    assert graded.done.grades[name].max_score == 10


@each(CHEATS)
def test_06_to_11_control_the_trick_passes_tests_that_share_its_process(unguarded, name: str) -> None:
    assert unguarded(name).passed == ATTACKS[name].gains


def test_06_to_11_control_without_a_trick_that_grader_is_right(unguarded) -> None:
    assert unguarded("wrong").passed == frozenset()


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


@each(of(10))
def test_10_an_exit_is_said_and_leaves_the_points_of_before(graded, name: str) -> None:
    notebook = graded.notebook(name)
    assert notebook.status == ATTACKS[name].status
    assert ATTACKS[name].message in notebook.message
    assert graded.done.points(name)["test-mean"] == FULL["test-mean"]


@pytest.mark.parametrize("leave", ["import os; os._exit(0)", "import sys; sys.exit(0)"])
def test_10_control_a_grader_that_believes_the_exit_status_is_fooled(leave: str) -> None:
    script = f"def mean(values):\n    {leave}\nassert mean([1, 2, 3]) == 2"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_11_control_the_released_tests_alone_pass_what_is_hard_coded(unguarded) -> None:
    passed = unguarded("11-hard-coded", released=True).passed
    assert passed == {"test-mean", "test-squares", "test-line", "test-rescale"}
