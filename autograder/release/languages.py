"""Languages of source notebooks: only Python is examined."""

from __future__ import annotations

from autograder._util.notebook_format import NotebookNode
from autograder.errors import CourseError

ONLY_PYTHON = "only Python can be examined"
_PYTHON = frozenset({"python", "python3", "ipython"})


def check_language(notebook: NotebookNode, label: str) -> None:
    """Refuse a notebook with code in another language than Python.

    Raises:
        CourseError: its kernel's language is another one, and it has code.
    """
    spec, about = notebook.metadata.get("kernelspec", {}), notebook.metadata.get("language_info", {})
    language = spec.get("language") or about.get("name") or ("R" if spec.get("name") == "ir" else "python")
    if str(language).lower() not in _PYTHON and any(cell.cell_type == "code" for cell in notebook.cells):
        raise CourseError(f"{label}: the notebook's language is {str(language)!r}; {ONLY_PYTHON}")
