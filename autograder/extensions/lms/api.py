"""Names of this extension that stay: others build on them, as on :mod:`autograder.api`."""

from autograder.extensions.lms.matching import REGISTRY, PersonNames, numbers
from autograder.extensions.lms.sheet import Sheet
from autograder.extensions.lms.systems import Column, Layout, SystemKind

__all__ = ["REGISTRY", "Column", "Layout", "PersonNames", "Sheet", "SystemKind", "numbers"]
