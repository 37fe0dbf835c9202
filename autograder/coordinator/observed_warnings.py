"""Warnings of a proof that follow from what the solution was seen to do."""

from __future__ import annotations

import ast
import contextlib
import itertools
import json
from collections.abc import Iterator, Sequence

from autograder.records.exam import Exam, Role
from autograder.records.limits import TEST_SECONDS, Limits
from autograder.records.observations import WIDE, Act, Fact

_IN_A_TEST = (
    (
        Act.GIVES,
        (WIDE,),
        "the solution has numbers beyond 2**31 here, so an answer may, too; differences and squares of numpy's 64 bits "
        "wrap, so compare with ==, or as floats",
    ),
    (
        Act.DRAWS,
        (),
        "with another seed than this test's, the solution loses points; so answers draw with the test's own, and could "
        "draw what it expects. Draw the test's data with its own generator (`rng = np.random.default_rng(0)`), and "
        "compare two calls after the same seed, or a property such as the mean, instead of numbers that the test draws",
    ),
)
"""Act, the values that count or none for all, and what a test with such a fact is told."""


def observed_warnings(exam: Exam, limits: Limits) -> Iterator[str]:
    """Yield a warning for each test in which the solution comes near to what an answer may do."""
    facts = exam.observations.facts if exam.observations is not None else ()
    warnings = (
        _marked_tests(exam, facts),
        _long_tests(facts, limits),
        _frequent_calls(facts),
        _held_labels(exam, facts),
    )
    for test, warning in itertools.chain(*warnings):
        yield f"{exam.notebook}, {test}: {warning}"


def _marked_tests(exam: Exam, facts: Sequence[Fact]) -> Iterator[tuple[str, str]]:
    """Yield the tests whose answers get an allowance, since the solution needs it."""
    for act, values, warning in _IN_A_TEST:
        matching = [fact for fact in facts if fact.act is act and (not values or fact.value in values)]
        for test in (str(cell.grade_id) for cell in exam.cells):
            if any(fact.is_of(test) for fact in matching):
                yield test, warning


def _long_tests(facts: Sequence[Fact], limits: Limits) -> Iterator[tuple[str, str]]:
    """Yield the tests that take long with the solution."""
    # Facts are sorted, so the longest of a test stays.
    seconds = {fact.subject: fact.value for fact in facts if fact.act is Act.TAKES}
    for test, least in seconds.items():
        yield (
            test,
            f"this test takes more than {least} s with your solution; one test may take {TEST_SECONDS:g} s, and all "
            f"of a notebook {limits.examiner_seconds:g} s, and slower answers get no points or wait for a person: let "
            "it ask for less, or raise examiner_seconds in `limits` of course.yaml",
        )


def _frequent_calls(facts: Sequence[Fact]) -> Iterator[tuple[str, str]]:
    """Yield the tests with functions that the solution calls very often."""
    for fact in facts:
        if fact.act is Act.CALLS:
            yield (
                fact.subject,
                f"your solution calls `{fact.value}` of this test very often; each call goes to the test and back, so "
                "a slower answer may wait for a person; define it in a locked cell of the notebook, where answers call "
                "it directly",
            )


def _held_labels(exam: Exam, facts: Sequence[Fact]) -> Iterator[tuple[str, str]]:
    """Yield the tests that compare with hidden arrays which an earlier test gave to the student's code.

    A function may keep what it gets, and find it again in a later test, as in a file.
    """
    sent = {(fact.subject, *json.loads(fact.value)) for fact in facts if fact.act is Act.SENDS}
    earlier: dict[tuple[str, str], str] = {}
    for cell in (cell for cell in exam.cells if cell.role is Role.TEST):
        test = str(cell.grade_id)
        sent_here = {(file, name) for sender, file, name in sent if sender == test}
        with contextlib.suppress(SyntaxError):
            texts = {node.value for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Constant)}
            for file, name in sorted(earlier.keys() - sent_here):
                if sent_here and {file, name} <= texts:
                    yield (
                        test,
                        f"it compares with {name!r} of {file}, which the test {earlier[file, name]} gives to the "
                        "student's code: a function could keep it and give it back; use other rows in one of them",
                    )
        earlier.update(dict.fromkeys(sent_here - earlier.keys(), test))
