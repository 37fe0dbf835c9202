"""Imports nbgrader without its extensions of a web server: import this before whatever imports nbgrader.

nbgrader imports, with itself, the four extensions that it has for Jupyter's server, and with them that server, which
takes half a second and serves no command of the kit's. They are imported when they are loaded into a server, as ever.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

_PACKAGE = "nbgrader.server_extensions"
_EXTENSIONS = tuple(
    f"{_PACKAGE}.{name}" for name in ("assignment_list", "course_list", "validate_assignment", "formgrader")
)
_LOAD = "load_jupyter_server_extension"


def _later(extension: str) -> Callable[[Any], Any]:
    def load(app: Any) -> Any:
        return getattr(importlib.import_module(extension), _LOAD)(app)

    return load


def _import() -> None:
    if "nbgrader" in sys.modules:
        return
    for name in _EXTENSIONS:
        stand_in = ModuleType(name)
        setattr(stand_in, _LOAD, _later(name))
        sys.modules[name] = stand_in
    try:
        import nbgrader  # noqa: F401
    finally:
        for name in _EXTENSIONS:
            del sys.modules[name]


_import()
