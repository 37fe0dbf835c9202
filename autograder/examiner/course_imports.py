"""The course's own modules in a test: their ``isinstance``, ``type`` and ``is`` see what those of a test cell see.

A module that a test imports is compiled as a test cell is (:mod:`autograder.examiner.remote.kinds`). Libraries are not.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

from autograder.examiner.answer_imports import AnswerFinder, end_exam
from autograder.examiner.remote.kinds import EXACT, IS, LOADING, TYPE, is_same, with_types
from autograder.examiner.student_text.callers import is_below, library_folders
from autograder.examiner.student_text.given_pickles import loading

_PLAIN: Mapping[str, Any] = {
    "isinstance": builtins.isinstance,
    "issubclass": builtins.issubclass,
    TYPE: type,
    IS: is_same,
    EXACT: lambda value: value,
    LOADING: loading,
}
_present: Mapping[str, Any] = _PLAIN
"""The functions of the test cell that is examined; outside of one, Python's own."""


def use_kinds(functions: Mapping[str, Any]) -> None:
    """Set the functions for the present test cell: those of :func:`autograder.examiner.remote.kinds.kind_checks`."""
    global _present
    _present = functions


def is_instance(obj: Any, kinds: Any) -> bool:
    """Return what the present test cell's ``isinstance`` says."""
    return bool(_present["isinstance"](obj, kinds))


def _issubclass(kind: Any, kinds: Any) -> bool:
    return bool(_present["issubclass"](kind, kinds))


def _type_of(obj: Any) -> Any:
    return _present[TYPE](obj)


def _exact(value: Any) -> Any:
    return _present[EXACT](value)


class _Loader(SourceFileLoader):
    """A loader that compiles each time: a cached file would be the plain module's."""

    def get_code(self, fullname: str) -> CodeType | None:
        """Compile the module."""
        path = self.get_filename(fullname)
        tree = with_types(ast.parse(self.get_data(path), path))
        code: CodeType = compile(tree, path, "exec", dont_inherit=True)
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, with the names that stand for Python's own."""
        # What it reads now is the course's, for all tests to come: EXACT stays plain until the module has run.
        vars(module).update({**_PLAIN, "isinstance": is_instance, "issubclass": _issubclass, TYPE: _type_of})
        super().exec_module(module)
        vars(module)[EXACT] = _exact


class _CourseFinder:
    """A finder of modules that are no library's."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """Find a module; None for one that Python's own finders find better."""
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or spec.origin is None:
            return None
        if is_below(spec.origin, library_folders()):
            return None
        spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


@contextlib.contextmanager
def course_modules_as_tests() -> Iterator[None]:
    """Import the course's own modules so inside the block."""
    finders: list[Any] = [AnswerFinder(), _CourseFinder()]
    sys.meta_path[:0] = finders
    try:
        yield
    finally:
        end_exam()
        for finder in finders:
            sys.meta_path.remove(finder)
        use_kinds(_PLAIN)
