"""Fingerprints of token sequences by winnowing.

Schleimer, Wilkerson and Aiken (2003), "Winnowing: local algorithms for document fingerprinting", SIGMOD, 76–85.
Two sequences with :data:`WINDOW` + :data:`NOISE` - 1 equal tokens in a row share a fingerprint for certain; fewer than
:data:`NOISE` equal tokens never do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from autograder.extensions.insight.token_streams import Token

NOISE = 8
"""Tokens of code in a fingerprint."""
WORDS = 3
"""Words of a text in a fingerprint."""
WINDOW = 4
"""Fingerprints in a row of which one is kept."""

Fingerprints = dict[int, list[tuple[int, int]]]
"""Fingerprint → cell and line of its tokens."""


def fingerprints(tokens: Sequence[Token], length: int = NOISE, window: int = WINDOW) -> Fingerprints:
    """Choose the fingerprints of a sequence; a sequence shorter than ``length`` has none.

    In each window the smallest hash is kept, of equal ones the last.
    """
    hashes = list(_hashes(tokens, length))
    chosen: set[int] = set()
    for start in range(max(0, min(1, len(hashes)), len(hashes) - window + 1)):
        inside = range(start, min(start + window, len(hashes)))
        chosen.add(min(inside, key=lambda index: (hashes[index], -index)))
    result: Fingerprints = {}
    for index in sorted(chosen):
        lines = dict.fromkeys((token.cell, token.line) for token in tokens[index : index + length])
        result.setdefault(hashes[index], []).extend(lines)
    return result


def every_hash(tokens: Sequence[Token], length: int = NOISE) -> frozenset[int]:
    """Return the hashes of all runs of ``length`` tokens: those of a text that is subtracted from others."""
    return frozenset(_hashes(tokens, length))


def _hashes(tokens: Sequence[Token], length: int) -> Iterator[int]:
    texts = [token.text for token in tokens]
    for index in range(len(texts) - length + 1):
        run = "\0".join(texts[index : index + length]).encode("utf-8", "surrogatepass")
        yield int.from_bytes(hashlib.blake2b(run, digest_size=8).digest(), "big")
