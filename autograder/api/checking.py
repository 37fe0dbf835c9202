"""Checks, properties and families of models: they run behind the examiner's wall, and in a student's notebook."""

from autograder._util.model_families import ModelFamily
from autograder.check.asking import ask
from autograder.check.properties import Prediction, Property, Shortcoming
from autograder.check.results import report
from autograder.errors import CourseError, LostError
from autograder.records.checks import CheckResult

__all__ = [
    "CheckResult",
    "CourseError",
    "LostError",
    "ModelFamily",
    "Prediction",
    "Property",
    "Shortcoming",
    "ask",
    "report",
]
