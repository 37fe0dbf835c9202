"""Imports of answer modules by tests: what a test takes from one is asked of the kernel."""

from __future__ import annotations

import dis
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any

from autograder.examiner.remote.classes import allow_operators
from autograder.examiner.student_text.guard import asking_modules
from autograder.syntax.answer_modules import handle_name
from autograder.syntax.names import Vocabulary
from autograder.syntax.special_methods import SPECIAL


class _Present:
    """The exam that is examined, and the names of its present test cell."""

    theirs: frozenset[str] = frozenset()
    asking: frozenset[str] = frozenset()
    stars: Mapping[str, tuple[str, ...]] = {}
    operators: Mapping[str, frozenset[str]] = {}
    names: Mapping[str, Any] = {}


def begin_exam(vocabulary: Vocabulary) -> None:
    """Let imports of an exam's answer modules ask the kernel, also of one that something has imported before."""
    end_exam()
    _Present.theirs, _Present.asking = vocabulary.theirs, frozenset(vocabulary.asking)
    asking_modules.update(_Present.theirs | _Present.asking)
    _Present.stars, _Present.operators = vocabulary.stars, vocabulary.operators
    _forget()


def begin_test(names: Mapping[str, Any]) -> None:
    """Ask for a test cell; modules of tests that took something from an answer are imported anew.

    Args:
        names: its globals, with the kernel's modules under :func:`~autograder.syntax.answer_modules.handle_name`.
    """
    _Present.names = names
    for name in _Present.asking & sys.modules.keys():
        del sys.modules[name]


def end_exam() -> None:
    """Forget the exam, and what was imported for it."""
    _forget()
    asking_modules.clear()
    _Present.theirs = _Present.asking = frozenset()
    _Present.stars, _Present.operators, _Present.names = {}, {}, {}


def _forget() -> None:
    for name in asking_modules & sys.modules.keys():
        del sys.modules[name]


class Missing:
    """A name that a test imports from an answer module, and that is not there: its use raises NameError.

    So the other tests of a file that imports it at its top do not fail for it.
    """

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "missing", name)


def _refuse(self: Missing, *_: Any, **__: Any) -> Any:
    name = object.__getattribute__(self, "missing")
    raise NameError(f"name {name!r} is not defined", name=name)


for _method in ("__getattribute__", "__setattr__", "__getitem__", "__contains__", *SPECIAL - {"__repr__"}):
    setattr(Missing, _method, _refuse)


def _is_from_import(frame: FrameType) -> bool:
    """Tell whether a frame executes ``from module import name``."""
    return frame.f_code.co_code[frame.f_lasti] == dis.opmap["IMPORT_FROM"]


class AnswerModule(ModuleType):
    """A module of the kernel's: its attributes are asked for when a test reads them."""

    def _handle(self) -> Any:
        name = handle_name(self.__name__)
        if name not in _Present.names:
            raise NameError(f"name {self.__name__!r} is not defined", name=self.__name__)
        return _Present.names[name]

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            handle = self._handle()
            return [each for each in _Present.stars.get(self.__name__, ()) if hasattr(handle, each)]
        if name.startswith("__") and name.endswith("__") and name != "__doc__":
            raise AttributeError(name)
        try:
            value = getattr(self._handle(), name)
        except (AttributeError, NameError):
            if _is_from_import(sys._getframe(1)):
                return Missing(name)
            raise
        allow_operators(value, _Present.operators.get(name, frozenset()))
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) or (name.startswith("__") and name.endswith("__")):
            super().__setattr__(name, value)
        else:
            setattr(self._handle(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._handle(), name)

    def __dir__(self) -> list[str]:
        return sorted(dir(self._handle()))


class _EmptyLoader:
    """A loader that runs nothing."""

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType:
        """Make the module."""
        return AnswerModule(spec.name)

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Leave it as it is: what it has is the kernel's."""


class AnswerFinder:
    """A finder of the kernel's modules, before any file of the same name is found."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """Find an answer module; None for any other."""
        if name not in _Present.theirs:
            return None
        loader: Any = _EmptyLoader()
        is_package = any(other.startswith(f"{name}.") for other in _Present.theirs)
        return ModuleSpec(name, loader, is_package=is_package)
