"""Seeding a generator of random numbers in a test seeds the kernel's, too: there the student's code draws."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

SEEDING = (
    ("random", "seed"),
    ("numpy.random", "seed"),
    ("keras.utils", "set_random_seed"),
    ("tensorflow.random", "set_seed"),
    ("torch", "manual_seed"),
)
"""Module and function. Only what both sides have imported is seeded."""


@contextlib.contextmanager
def shared_seeds(remote: Any) -> Iterator[None]:
    """While the block runs, each of :data:`SEEDING` is called in the kernel after it was called here."""
    replaced = []
    for module, name in SEEDING:
        own = getattr(sys.modules.get(module), name, None)
        if own is not None:
            replaced.append((sys.modules[module], name, own))
            setattr(sys.modules[module], name, _seed_both(own, remote, module, name))
    try:
        yield
    finally:
        for found, name, own in replaced:
            setattr(found, name, own)


def _seed_both(own: Callable[..., Any], remote: Any, module: str, name: str) -> Callable[..., Any]:
    @functools.wraps(own)
    def seed(*args: Any, **kwargs: Any) -> Any:
        result = own(*args, **kwargs)
        with contextlib.suppress(Exception):  # a kernel that does not take it is a kernel that draws as it likes
            remote.ask("operate", "seed", (module, name, args, kwargs))
        return result

    return seed
