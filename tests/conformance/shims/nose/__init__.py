"""Stand-in for nose, which no Python of today can import: the assertions that courses take from it."""

from nose import tools

__all__ = ["tools"]
