"""Imports nbformat in a sixth of the time: import this before whatever imports that.

nbformat imports jsonschema, and that builds parsers for addresses of RFC 3987 where their package is installed, which
takes a second. No schema of a notebook has such an address in it.
"""

from __future__ import annotations

import sys
from typing import Any

_PARSERS = "rfc3987_syntax"


def _import() -> None:
    modules: dict[str, Any] = sys.modules
    if _PARSERS in modules or "jsonschema" in modules:
        return
    modules[_PARSERS] = None  # whoever imports it is told that it is not installed
    try:
        import nbformat  # noqa: F401
    finally:
        del modules[_PARSERS]


_import()
