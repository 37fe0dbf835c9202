"""Patches that a test makes with ``mock.patch`` in a library's module, repeated in the kernel."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterator
from typing import Any
from unittest import mock

_OWN_MODULES = frozenset(["builtins", "__main__"])
"""Modules whose names reach the kernel in another way."""
_STREAMS = frozenset(["stdin", "stdout", "stderr"])


@contextlib.contextmanager
def mirror_patches(remote: Any) -> Iterator[None]:
    """Make ``patch("random.randint", return_value=4)`` affect the student's code inside the block, too."""
    kind: Any = mock._patch
    enter, leave = kind.__enter__, kind.__exit__

    def entered(self: Any) -> Any:
        result = enter(self)
        module = _module(self)
        if module is not None:
            with contextlib.suppress(Exception):  # an object that cannot travel is patched only here
                remote.ask("operate", "patch", (module, self.attribute, getattr(self.target, self.attribute)))
        return result

    def left(self: Any, *exception: Any) -> Any:
        module = _module(self)
        if module is not None:
            with contextlib.suppress(Exception):
                remote.ask("operate", "unpatch", (module, self.attribute))
        return leave(self, *exception)

    kind.__enter__, kind.__exit__ = entered, left
    try:
        yield
    finally:
        kind.__enter__, kind.__exit__ = enter, leave


def _module(patch: Any) -> str | None:
    target = getattr(patch, "target", None)
    if not isinstance(target, types.ModuleType) or target.__name__ in _OWN_MODULES or patch.attribute in _STREAMS:
        return None
    return target.__name__
