"""Names of classes and modules of the package stand once, so that each means one thing."""

from __future__ import annotations

import symtable
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "autograder"
FILES = sorted(PACKAGE.rglob("*.py"))

TWO_ENDS_OF_A_CLASS = {
    "Callbacks": "objects of a test, at the examiner and in the kernel",
    "Job": "a job, for the sandbox and for the template that forks it",
    "Student": "the fixture of test files, in the examiner and on the student's machine",
    "Template": "a template, from outside and from inside",
}
TWO_ENDS_OF_A_MODULE = {
    "api.py": "names of an extension on which others build",
    "base_values.py": "at the examiner and in the kernel",
    "callbacks.py": "at the examiner and in the kernel",
    "course_keys.py": "what each extension registers for course.yaml",
    "feedback.py": "the command and what it calls",
    "grade.py": "the command and its record",
    "lent_objects.py": "at the examiner and in the kernel",
    "main.py": "the two programs",
    "second_look.py": "the command and what it calls",
    "watch.py": "what each extension begins in a kernel",
    "tables.py": "a library's tables, compared and carried",
}


def _repeated(names: list[str]) -> set[str]:
    return {name for name, times in Counter(names).items() if times > 1}


def _classes(scope: symtable.SymbolTable) -> Iterator[str]:
    for inner in scope.get_children():
        if inner.get_type() == "class":
            yield inner.get_name()
        yield from _classes(inner)


def test_a_class_name_stands_once_but_for_two_ends_of_one_thing() -> None:
    scopes = [symtable.symtable(file.read_text(encoding="utf-8"), file.name, "exec") for file in FILES]
    assert _repeated([name for scope in scopes for name in _classes(scope)]) == set(TWO_ENDS_OF_A_CLASS)


def test_a_module_name_stands_once_but_for_two_ends_of_one_thing() -> None:
    names = [file.name for file in FILES if not file.name.startswith("__")]
    assert _repeated(names) == set(TWO_ENDS_OF_A_MODULE)


def test_no_module_has_a_name_that_collectors_take_for_tests() -> None:
    modules = [file.relative_to(PACKAGE).with_suffix("") for file in FILES]
    names = {name for module in modules for name in module.parts}
    assert [name for name in names if name.startswith("test_") or name.endswith("_test")] == []
