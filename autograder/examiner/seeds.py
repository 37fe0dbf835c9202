"""Seeds that a test sets for random number generators, and what the kernel's generators get of them.

The kernel gets the test's seed only where the solution was seen to draw afterwards, and to lose points with another.
Elsewhere it gets that other one: with the test's own, a student's code could draw the numbers that the test expects.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy.random  # noqa: F401 - numpy imports it when it is first needed: in a test, that would be too late

from autograder.examiner.permissions import Observer
from autograder.records.observations import Act
from autograder.syntax.places import CallPosition

SEEDING = (
    ("random", "seed"),
    ("numpy.random", "seed"),
    ("keras.utils", "set_random_seed"),
    ("tensorflow.random", "set_seed"),
    ("torch", "manual_seed"),
)
"""Module and function. Only libraries that both sides have imported are seeded."""
_NUMBER = re.compile(r"\d[\d_.]*(e[+-]?\d+)?")


@contextlib.contextmanager
def shared_seeds(remote: Any, secret: str = "") -> Iterator[None]:
    """Let each function of :data:`SEEDING` seed the kernel, too, inside the block.

    Args:
        remote: the connection to the kernel.
        secret: what no student knows: the text of the test. The other seeds are made of it, but for its numbers: a
            changed threshold asks the kernel nothing new, and recordings answer.
    """
    watch, secret = _Watch(remote), _NUMBER.sub("0", secret)
    replaced = []
    for module, name in SEEDING:
        original = getattr(sys.modules.get(module), name, None)
        if original is not None:
            replaced.append((sys.modules[module], name, original))
            setattr(sys.modules[module], name, _seed_both(original, remote, module, name, watch, secret))
    try:
        yield
    finally:
        for library, name, original in replaced:
            setattr(library, name, original)
        watch.look()


class _Watch:
    """The seeds of the solution's run, and whether the kernel drew numbers after each of them."""

    def __init__(self, remote: Any) -> None:
        self.remote = remote
        self.set: dict[str, tuple[CallPosition, str]] = {}
        """Function → where the test called it last, and the state of the kernel's generator after it."""

    def seeded(self, position: CallPosition, function: str) -> None:
        """Note that the kernel's generator has a seed of the test's; others that it seeded anew are forgotten."""
        states = self._states()
        self.set = {name: seed for name, seed in self.set.items() if states.get(name) == seed[1]}
        if function in states:
            self.set[function] = position, states[function]

    def look(self) -> None:
        """Record which generators have drawn since they were seeded."""
        permissions = self.remote.permissions
        if not self.set or not isinstance(permissions, Observer):
            return
        now = self._states()
        drawn = [function for function, (_, state) in self.set.items() if now.get(function) != state]
        for function in drawn:
            position, _ = self.set.pop(function)
            permissions.note(Act.DRAWS, position.subject, function)

    def _states(self) -> dict[str, str]:
        with contextlib.suppress(Exception):  # a kernel that is gone draws no more
            states = self.remote.ask("operate", "generators", ())
            return dict(states) if type(states) is dict else {}
        return {}


def _seed_both(
    original: Callable[..., Any], remote: Any, module: str, name: str, watch: _Watch, secret: str
) -> Callable[..., Any]:
    function = f"{module}.{name}"

    @functools.wraps(original)
    def seed(*args: Any, **kwargs: Any) -> Any:
        position = remote.permissions.place()
        result = original(*args, **kwargs)
        watch.look()
        seed_arguments = (
            (args, kwargs)
            if remote.permissions.draws(position, function)
            else ((_other_seed(secret, args, kwargs),), {})
        )
        with contextlib.suppress(Exception):  # a kernel that refuses the seed draws without it
            remote.ask("operate", "seed", (module, name, *seed_arguments))
        if isinstance(remote.permissions, Observer):
            watch.seeded(position, function)
        return result

    return seed


def _other_seed(secret: str, args: Any, kwargs: Any) -> int:
    """Return another seed than the test's, the same for each submission; below 2**32, as NumPy wants it."""
    return int.from_bytes(hashlib.sha256(repr((secret, args, kwargs)).encode()).digest()[:4], "big")
