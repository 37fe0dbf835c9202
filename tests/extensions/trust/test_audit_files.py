"""Audits of answers in modules: the truth of these tests is our own, and known because each has one planted fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.answer_files import TESTS, make_files_course
from helpers.audits import Silent, observed_release

from autograder.extensions.trust.audit import audit
from autograder.extensions.trust.audit_records import MutantVerdict
from autograder.extensions.trust.audit_runs import AuditOptions
from autograder.extensions.trust.mutants.result_forms import OTHER_DIGITS

MSE = "losses.mse([0.1, 0.2, 0.3], [1, 4.7, 0.9])"
PLANTED = {
    "exact floats of a function that is called through its module": (
        "test-mse",
        f"import losses\nassert {MSE} == ((0.1 - 1) ** 2 + (0.2 - 4.7) ** 2 + (0.3 - 0.9) ** 2) / 3",
        {OTHER_DIGITS, "a quotient as a product"},
    ),
    "the same with a tolerance": ("test-mse", f"import losses\nassert abs({MSE} - 7.14) < 1e-9", set()),
    "copied floats, of which each right answer has all digits": (
        "test-relu",
        "assert L.relu(np.array([-3.1, 5.7])).tolist() == [0, 5.7]",
        set(),
    ),
}


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize("fault", PLANTED)
def test_strict_tests_of_modules_are_called_strict_and_fair_ones_are_not(tmp_path: Path, fault: str) -> None:
    question, hidden, wanted = PLANTED[fault]
    tests = TESTS | {question: f"### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"}
    course = make_files_course(tmp_path, tests=tests)
    given = AuditOptions(60, ("honest",), [question], workers=1)  # in processes: a module is imported once in each
    found = audit(course, observed_release(course), given, Silent())
    tried = {one.mutant.operator for one in found.of(MutantVerdict.SPARED, MutantVerdict.LOST)}
    assert OTHER_DIGITS in tried
    assert {one.mutant.operator for one in found.of(MutantVerdict.LOST)} == wanted, "a module has its own imports"
