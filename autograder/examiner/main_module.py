"""A module ``__main__`` with a test cell's names, for ``mock.patch("__main__.helper")`` and ``unittest.main()``."""

from __future__ import annotations

import contextlib
import sys
import types
from collections.abc import Iterator
from typing import Any


class MainModule(types.ModuleType):
    """A module whose names are those of a test cell."""

    def __init__(self, names: dict[str, Any]) -> None:
        super().__init__("__main__")
        object.__setattr__(self, "_names", names)

    def __getattribute__(self, name: str) -> Any:
        names = object.__getattribute__(self, "_names")
        if name == "__dict__":
            return names
        return names[name] if name in names else object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self.__dict__:
            raise AttributeError(name)
        del self.__dict__[name]


@contextlib.contextmanager
def as_main(names: dict[str, Any]) -> Iterator[None]:
    """Make ``__main__`` a module with these names inside the block."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = MainModule(names)
    try:
        yield
    finally:
        sys.modules["__main__"] = before
