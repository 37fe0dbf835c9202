"""Imports nbgrader without what no command of the kit's needs of it: import this before whatever imports nbgrader.

With itself nbgrader imports the four extensions that it has for Jupyter's server, and with them that server, which
takes half a second; with its schema of grades what unpacks archives and asks JupyterHub, and with its preprocessors
what converts notebooks to HTML, LaTeX and other formats. They are imported when they are used, as ever.
"""

from __future__ import annotations

import importlib
import sys

from autograder.deferred_imports import defer, standing_in

_PACKAGE = "nbgrader.server_extensions"
_EXTENSIONS = {
    f"{_PACKAGE}.{name}": ("load_jupyter_server_extension",)
    for name in ("assignment_list", "course_list", "validate_assignment", "formgrader")
}
_TOOLS = {
    # what is imported with nbgrader.api and nbgrader.preprocessors: the functions that are called of it
    "setuptools.archive_util": ("unpack_archive", "unpack_tarfile", "unpack_zipfile"),
    "requests": ("request",),
}
_STEPS = {
    "NbGraderPreprocessor": "base",
    "IncludeHeaderFooter": "headerfooter",
    "LockCells": "lockcells",
    "ClearSolutions": "clearsolutions",
    "ClearOutput": "clearoutput",
    "CheckCellMetadata": "checkcellmetadata",
    "ComputeChecksums": "computechecksums",
    "ClearHiddenTests": "clearhiddentests",
    "ClearMarkScheme": "clearmarkingscheme",
}
"""What strips every notebook, and the module of nbgrader.preprocessors that each is from."""


def import_gradebook() -> None:
    """Import what keeps grades."""
    with standing_in(_TOOLS):
        import nbgrader.api  # noqa: F401


def import_preprocessors() -> None:
    """Import what strips notebooks. What runs and converts them is imported when it is asked for."""
    defer("nbconvert")
    defer("nbconvert.exporters")
    defer("nbconvert.preprocessors", Preprocessor="base", ClearOutputPreprocessor="clearoutput")
    defer("nbgrader.preprocessors", **_STEPS)
    with standing_in(_TOOLS):
        for module in _STEPS.values():
            importlib.import_module(f"nbgrader.preprocessors.{module}")


def _import() -> None:
    if "nbgrader" not in sys.modules:
        with standing_in(_EXTENSIONS):
            import nbgrader  # noqa: F401


_import()
