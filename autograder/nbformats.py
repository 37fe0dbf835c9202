"""Imports nbformat in a sixth of the time: import this before whatever imports that.

nbformat imports jsonschema, and that all packages that tell formats of texts: one of them builds parsers for addresses
of RFC 3987, which takes a second. No schema of a notebook names a format; those that take longest are imported when
somebody asks for theirs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from autograder.deferred_imports import defer, standing_in

_FORMATS = {
    "rfc3986_validator": ("validate_rfc3986",),
    "rfc3987_syntax": ("is_valid_syntax",),
}
"""Modules of one function each, which jsonschema calls."""
WRITTEN = (4, 5)
"""The minors of format 4 in which today's tools write notebooks."""


def compile_schemas(minors: Iterable[int] = WRITTEN) -> None:
    """Compile the schemas of these minors of format 4 now: once before processes are forked that read notebooks, and
    not in each of them (25 ms each)."""
    from nbformat.validator import get_validator

    for minor in minors:
        get_validator(4, minor, relax_add_props=True)


def _import() -> None:
    if "jsonschema" not in sys.modules:
        defer("isoduration", DurationParsingException="parser.exceptions")
        defer("isoduration.parser")
        with standing_in(_FORMATS):
            import nbformat  # noqa: F401


_import()
