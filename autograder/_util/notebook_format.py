"""The package nbformat without its slow imports: import it from here.

jsonschema, which nbformat imports, imports every installed package that recognizes a text format, and one of them
compiles a grammar for most of a second. No notebook schema names a text format, so those packages are hidden meanwhile.
"""

from __future__ import annotations

import sys

_FORMAT_PACKAGES = ("isoduration", "rfc3986_validator", "rfc3987_syntax")
_hidden = () if "jsonschema" in sys.modules else tuple(name for name in _FORMAT_PACKAGES if name not in sys.modules)
sys.modules.update(dict.fromkeys(_hidden))  # type: ignore[arg-type]  # importing a module that is None fails
try:
    import nbformat
    from nbformat import NotebookNode, ValidationError
finally:
    for _name in _hidden:
        del sys.modules[_name]

__all__ = ["RELEASED_FOR", "NotebookNode", "ValidationError", "compile_schemas", "nbformat", "release_jsonschema"]
RELEASED_FOR = "autograder"
"""Key of a released notebook's metadata; its value holds the name of the assignment under ``assignment``."""
_MINORS = (4, 5)
"""Minor versions of format 4 that today's tools write."""


def compile_schemas() -> None:
    """Compile the schemas of notebooks once in a template, instead of in each of its forks (25 ms each).

    The strict one is that of the outputs of a cell.
    """
    from nbformat.validator import get_validator

    for minor in _MINORS:
        get_validator(4, minor, relax_add_props=True)
    get_validator(4)


def release_jsonschema() -> None:
    """Let later imports of jsonschema load all of it: a test may ask whether a text is a date."""
    for name in [name for name in sys.modules if _hidden and name.split(".")[0] == "jsonschema"]:
        del sys.modules[name]
