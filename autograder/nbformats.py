"""Imports nbformat in a sixth of the time: import this before whatever imports that.

nbformat imports jsonschema, and that builds parsers for addresses of RFC 3987 where their package is installed, which
takes a second. No schema of a notebook has such an address in it.
"""

from __future__ import annotations

import sys

from autograder.importing.absent import absent


def _import() -> None:
    if "jsonschema" not in sys.modules:
        with absent("rfc3987_syntax"):
            import nbformat  # noqa: F401


_import()
