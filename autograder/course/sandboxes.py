"""Names of the sandboxes for a course."""

from __future__ import annotations

from autograder._util import registry
from autograder.records.course import DEFAULT_SANDBOX, USER_SANDBOX


def sandboxes() -> tuple[str, ...]:
    """List the sandboxes that a course may choose: the core's and the registered ones, but not the weaker ``user``."""
    return (DEFAULT_SANDBOX, *(name for name in registry.names(registry.SANDBOXES) if name != USER_SANDBOX))
