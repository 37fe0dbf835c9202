"""``unittest`` in a test cell: the results of its runs, and what its assertions take for an instance.

``unittest.main(argv=[''], exit=False)`` and ``TextTestRunner().run(suite)`` raise nothing when a test fails. So a cell
with such runs, and without a score at its end, passes only if every run was successful.
"""

from __future__ import annotations

import contextlib
import unittest
from collections.abc import Iterator
from typing import Any

from autograder.errors import CourseError
from autograder.examiner.course_imports import is_instance


@contextlib.contextmanager
def collect_results() -> Iterator[list[unittest.TestResult]]:
    """Collect the results of the text runner's runs inside the block, including ``unittest.main``.

    ``assertDictEqual`` and the like tell instances as the test cell itself does, so a named tuple is a tuple.
    """
    results: list[unittest.TestResult] = []
    run = unittest.TextTestRunner.run

    def watched(self: Any, test: Any) -> Any:
        result = run(self, test)
        results.append(result)
        return result

    unittest.TextTestRunner.run = watched  # type: ignore[method-assign]
    names = vars(unittest.case)
    names["isinstance"] = is_instance
    try:
        yield results
    finally:
        del names["isinstance"]
        unittest.TextTestRunner.run = run  # type: ignore[method-assign]


def failures(results: list[unittest.TestResult]) -> list[Exception]:
    """Return an exception for each run that was not successful."""
    exceptions: list[Exception] = []
    for result in results:
        if not result.wasSuccessful():
            wrong = [f"{test}\n{trace}" for test, trace in [*result.failures, *result.errors]]
            wrong += [f"{test} succeeded unexpectedly" for test in result.unexpectedSuccesses]
            exceptions.append(AssertionError("\n".join(["unittest:", *wrong])))
        elif not result.testsRun:
            exceptions.append(CourseError("unittest found no tests in the cell."))
    return exceptions
