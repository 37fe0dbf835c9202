"""Seeds that a test sets for random number generators, repeated in the kernel, where the student's code draws."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy.random  # noqa: F401 - numpy imports it when it is first needed: in a test, that would be too late

SEEDING = (
    ("random", "seed"),
    ("numpy.random", "seed"),
    ("keras.utils", "set_random_seed"),
    ("tensorflow.random", "set_seed"),
    ("torch", "manual_seed"),
)
"""Module and function. Only libraries that both sides have imported are seeded."""


@contextlib.contextmanager
def shared_seeds(remote: Any) -> Iterator[None]:
    """Call each function of :data:`SEEDING` in the kernel, too, after a call inside the block."""
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
        with contextlib.suppress(Exception):  # a kernel that refuses the seed draws without it
            remote.ask("operate", "seed", (module, name, args, kwargs))
        return result

    return seed
