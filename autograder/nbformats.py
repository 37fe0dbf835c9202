"""Imports nbformat in a seventh of the time: import this before whatever imports that.

nbformat imports jsonschema, and that imports a package for each of the formats that a text may be said to have, where
it is installed; one of them takes a second to build its parsers. No schema of a notebook names such a format.
"""

from __future__ import annotations

import sys
from typing import Any

_PARSERS = ("rfc3987_syntax", "rfc3986_validator", "rfc3339_validator", "fqdn", "idna", "isoduration", "webcolors")


def _import() -> None:
    modules: dict[str, Any] = sys.modules
    if "jsonschema" in modules:
        return
    hidden = [name for name in _PARSERS if name not in modules]
    modules |= dict.fromkeys(hidden)  # whoever imports one is told that it is not installed
    try:
        import nbformat  # noqa: F401
    finally:
        for name in hidden:
            del modules[name]


_import()
