"""Languages and kernels of source notebooks: only Python is examined, by the kernel that everybody has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from autograder._util.notebook_format import NotebookNode
from autograder.errors import CourseError
from autograder.records.exam import Exam

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


def foreign_kernels(exams: Iterable[Exam]) -> Iterator[str]:
    """Name the notebooks for which a student's Jupyter may have no kernel; grading takes Python's own anyway."""
    from jupyter_client.kernelspec import NATIVE_KERNEL_NAME

    for exam in exams:
        name = str(exam.kernelspec.get("name") or "")
        if name != NATIVE_KERNEL_NAME and any(cell.cell_type == "code" for cell in exam.cells):
            kernel = f"asks for the kernel {name!r}, which only your machine may have" if name else "names no kernel"
            yield (
                f"source/{exam.assignment}/{exam.notebook}.ipynb: it {kernel}, so Jupyter may ask students for one; "
                "choose Python 3 (ipykernel) by Change Kernel in Jupyter's menu Kernel, and save"
            )
