"""Types of results: what the solution's run showed of the values and the functions of an answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from autograder.records.exam import Exam
from autograder.records.observations import Act

FLOAT = r"float|float\d+ .*"
FRAME = "DataFrame"
ResultTypes = Mapping[str, frozenset[str]]
"""Name, with ``()`` after that of a function for what it returns → types, as :class:`Act` describes them."""


def result_types(exam: Exam, tests: Iterable[str]) -> ResultTypes:
    """Collect the types that these tests saw; empty where the solution was not run."""
    subjects = tuple(f"{test} " for test in tests)
    types: dict[str, frozenset[str]] = {}
    for fact in exam.observations.facts if exam.observations is not None else ():
        if fact.act is Act.ANSWERS and fact.subject.startswith(subjects):
            name = fact.subject.rpartition(" ")[2]
            name = name.removeprefix(".") if name.endswith("()") else name  # called through its module
            types[name] = types.get(name, frozenset()) | {fact.value}
    return types


def has_type(types: ResultTypes, name: str, pattern: str) -> bool:
    """Tell whether a result was of a type that matches a pattern."""
    return any(re.fullmatch(pattern, each) for each in types.get(name, ()))
