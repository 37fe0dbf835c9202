"""Imports nbgrader without what no command of the kit's needs of it: import this before whatever imports nbgrader.

With itself nbgrader imports the four extensions that it has for Jupyter's server, and with them that server, which
takes half a second; with its schema of grades what unpacks archives and asks JupyterHub, and with its preprocessors
what makes HTML of Markdown. They are imported when they are used, as ever.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

_PACKAGE = "nbgrader.server_extensions"
_EXTENSIONS = {
    f"{_PACKAGE}.{name}": ("load_jupyter_server_extension",)
    for name in ("assignment_list", "course_list", "validate_assignment", "formgrader")
}
_TOOLS = {
    # what is imported with nbgrader.api and nbgrader.preprocessors: the functions that are called of it
    "setuptools.archive_util": ("unpack_archive", "unpack_tarfile", "unpack_zipfile"),
    "requests": ("request",),
    "bs4": ("BeautifulSoup",),
}


def import_gradebook() -> None:
    """Import what keeps grades."""
    with _standing_in(_TOOLS):
        import nbgrader.api  # noqa: F401


def import_preprocessors() -> None:
    """Import what strips notebooks."""
    with _standing_in(_TOOLS):
        import nbgrader.preprocessors  # noqa: F401


@contextlib.contextmanager
def _standing_in(modules: Mapping[str, Sequence[str]]) -> Iterator[None]:
    """Meanwhile, who imports one of ``modules`` gets a stand-in, whose functions import it when they are called."""
    absent = {name: functions for name, functions in modules.items() if name not in sys.modules}
    for name, functions in absent.items():
        stand_in = ModuleType(name)
        for function in functions:
            setattr(stand_in, function, _later(name, function))
        sys.modules[name] = stand_in
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def _later(module: str, function: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(importlib.import_module(module), function)(*args, **kwargs)

    return call


def _import() -> None:
    if "nbgrader" not in sys.modules:
        with _standing_in(_EXTENSIONS):
            import nbgrader  # noqa: F401


_import()
