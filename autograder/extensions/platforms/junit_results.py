"""JUnit XML for Artemis, where a test passes or fails: a question is a test for each step of points.

Every test weighs the same in Artemis until somebody changes that. A question of 2 points, in steps of 0.5, is 4 tests.
A score between two steps counts as the upper one. Without a file, Artemis shows "Build failed" and the program's log.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from autograder._util.text import visible
from autograder.errors import CourseError
from autograder.extensions.platforms import student_texts
from autograder.extensions.platforms.conclusion import Conclusion
from autograder.extensions.platforms.package_settings import PackageSettings
from autograder.extensions.platforms.student_texts import QuestionText
from autograder.records.grade import Grade

MAX_TESTS = 400
_NOT_IN_XML = {0xFFFE: "⟨U+FFFE⟩", 0xFFFF: "⟨U+FFFF⟩"}
"""What XML does not allow and texts for students may still have."""
_ALMOST = 1e-6
"""Part of a step below which a difference is rounding."""


def graded(grade: Grade, settings: PackageSettings, notes: Sequence[str], seconds: float, decimals: int) -> Conclusion:
    """Describe a grade by tests that pass or fail.

    A question that a person has to decide is named, and its tests fail for now: the platform has no word for "not yet".
    What a person grades in any case is no test: it belongs to the platform's manual assessment.
    """
    texts = student_texts.question_texts(grade, settings.written)
    lines = list(student_texts.lines_above(grade, notes, settings, texts))
    cases = [case for text in texts if not text.is_written for case in _cases(text, settings.step, lines)]
    failures = sum(case.find("failure") is not None for case in cases)
    about = {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "time": f"{seconds:.1f}"}
    suite = ET.Element("testsuite", {"name": grade.assignment, **about})
    properties = ET.SubElement(suite, "properties")
    for line in student_texts.sandbox_lines(grade, settings):
        ET.SubElement(properties, "property", {"name": "sandbox", "value": line})
    suite.extend(cases)
    text = ET.tostring(suite, encoding="unicode", xml_declaration=False).translate(_NOT_IN_XML)
    return Conclusion(f"{text}\n", "\n".join(lines))


def not_graded(words: str, seconds: float = 0.0) -> Conclusion:
    """Describe a submission without a grade: there are no results."""
    return Conclusion("", visible(words, student_texts.MAX_OUTPUT))


def check_steps(max_scores: Sequence[float], step: float) -> None:
    """Refuse steps that do not add up to the points of each question.

    Raises:
        CourseError: some question's points are no multiple of the step, or there would be too many tests.
    """
    if any(abs(score / step - round(score / step)) > _ALMOST for score in max_scores):
        fitting = math.gcd(*(round(score * 1000) for score in max_scores)) / 1000
        raise CourseError(f"points of a question are no multiple of {step:g}; {fitting:g} fits: --step {fitting:g}")
    if (number := round(sum(max_scores) / step)) > MAX_TESTS:
        raise CourseError(
            f"steps of {step:g} points make {number} tests, and {MAX_TESTS} are the most: choose larger ones"
        )


def _cases(text: QuestionText, step: float, lines: Sequence[str]) -> Iterator[ET.Element]:
    """Yield a question's tests; the first that fails has the message."""
    number = round(text.question.max_score / step)
    passed = math.ceil(text.question.score / step - _ALMOST) if math.isfinite(text.question.score) else 0
    for part in range(1, number + 1):
        name = text.name if number == 1 else f"{text.name} ({part} of {number})"
        case = ET.Element("testcase", {"name": name, "classname": "autograder"})
        if part == passed + 1:
            ET.SubElement(case, "failure", {"message": "\n".join((text.text, *lines))})
        elif part > passed:
            ET.SubElement(case, "failure", {"message": f"See {text.name} ({passed + 1} of {number})."})
        yield case
