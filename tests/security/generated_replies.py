"""A kernel that answers the examiner's questions with anything: damaged, made up, or of another question."""

from __future__ import annotations

import random
from typing import Any

from helpers.fuzz_codec import Mutator
from helpers.kernels import InProcessKernel

from autograder.codec import Packed, Reference, encode
from autograder.execution.link import Answer

VALUES: list[Any] = [
    None, True, 0, 1, -1, 5, 10**30, 0.5, float("nan"), float("inf"), 1j, "", "value", b"x", [], {}, (), [None] * 9, {"a": 1},
    ("ok",), ("value", b"[]", []), ("value", 7, 7), {"mean": ("value", b"{", [])}, {"squares": ("value", b"[", [b"x"])},
    (1, ["mean", "squares", "line", "rescale"]), (1, [7, None, "x" * 1000]), ("raised", {}), {"classes": ["AssertionError"]},
]  # fmt: skip
KINDS = ["function", "class", "model", "module", "object", "figure", "axes", "type", "method", "exception", "nothing"]
TYPES = ["builtins.int", "__main__.C", "builtins.coroutine", "keras.Model", "x#1", "#", "numpy.ndarray", "int#99", ""]


class FuzzingKernel(InProcessKernel):
    """The agent's own answers, some of them replaced. The notebook's cells run as they are, so let them be tame."""

    mutators: dict[int, Mutator] = {}  # noqa: RUF012 - one for all: it is slow to make

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.mutator = self.mutators.setdefault(0, Mutator(0))
        self.share = self.chance.choice([0.1, 0.4, 1.0])
        self.past: list[Packed] = []
        self.replaced = 0

    def exchange(self, request: Packed, timeout: float | None = None, answer: Answer | None = None) -> Packed:
        honest = super().exchange(request, timeout, answer)
        self.past.append(honest)
        if self.chance.random() > self.share:
            return honest
        self.replaced += 1
        return self.chance.choice([self.damaged, self.made_up, self.other, self.noise, self.bare])(honest)

    def damaged(self, honest: Packed) -> Packed:
        text = bytearray(honest.text)
        for _ in range(self.chance.randrange(1, 4)):
            text[self.chance.randrange(len(text))] = self.chance.choice(b'[]",0123456789{}: \xffnaf')
        return Packed(bytes(text), list(honest.buffers)[: self.chance.randrange(3)])

    def made_up(self, honest: Packed) -> Packed:
        outcome = self.chance.choice(["ok", "ok", "ok", "raised", "perfect", None])
        return encode((outcome, self.value(), self.chance.choice(["", "printed", 7])), lambda leaf: leaf.reference)

    def value(self, depth: int = 2) -> Any:
        """A value, or a handle of any kind."""
        kind = self.chance.random()
        if kind < 0.3:
            number = self.chance.choice([0, 1, 2, 7, -1, -2, 2**31])
            return Handle(Reference(number, self.chance.choice(KINDS), self.chance.choice(TYPES)))
        if kind < 0.6 and depth:
            inner = [self.value(depth - 1) for _ in range(self.chance.randrange(4))]
            names = self.chance.sample(
                ["mean", "squares", "line", "rescale", "classes", "text", "args", "callback"], len(inner)
            )
            return self.chance.choice([inner, tuple(inner), dict(zip(names, inner, strict=True))])
        return self.chance.choice(VALUES)

    def other(self, honest: Packed) -> Packed:
        return self.chance.choice(self.past)

    def noise(self, honest: Packed) -> Packed:
        return Packed(*self.mutator.message())

    def bare(self, honest: Packed) -> Packed:
        """A value of any kind where a reply is due."""
        return self.chance.choice(self.mutator.seeds)


class Handle:
    """Encoded as a reference."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
