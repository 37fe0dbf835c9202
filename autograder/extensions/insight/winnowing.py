"""Fingerprints of token sequences by winnowing.

Schleimer, Wilkerson and Aiken (2003), "Winnowing: local algorithms for document fingerprinting", SIGMOD, 76–85.
Two sequences with :data:`WINDOW` + :data:`NOISE` - 1 equal tokens in a row share a fingerprint for certain; fewer than
:data:`NOISE` equal tokens never do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from autograder.extensions.insight.token_streams import Token

NOISE = 8
"""Tokens of code in a fingerprint."""
WORDS = 3
"""Words of a text in a fingerprint."""
WINDOW = 4
"""Fingerprints in a row of which one is kept."""
_MIN_STATEMENT = 3
"""Fewest tokens of a statement."""
_NO_WORDS = frozenset("()[]{},:;.")

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


def statements(tokens: Sequence[Token]) -> Fingerprints:
    """Fingerprint each line, a bracket's lines as one, by what it says in any order; brackets and commas say nothing.

    So it is the same for keyword arguments, operands or lines in another order. Fewer than three tokens are left out.
    """
    result: Fingerprints = {}
    line: list[Token] = []
    depth = 0
    for token, following in zip_longest(tokens, tokens[1:]):
        line.append(token)
        depth = max(0, depth + (token.text in "([{") - (token.text in ")]}"))
        cell, row = (following.cell, following.line) if following else (-1, -1)
        if cell == token.cell and (row == token.line or depth):
            continue
        texts = sorted(each.text for each in line if each.text not in _NO_WORDS)
        if len(texts) >= _MIN_STATEMENT:
            result.setdefault(_hash(texts), []).extend(dict.fromkeys((each.cell, each.line) for each in line))
        line, depth = [], 0
    return result


def _hashes(tokens: Sequence[Token], length: int) -> Iterator[int]:
    texts = [token.text for token in tokens]
    for index in range(len(texts) - length + 1):
        yield _hash(texts[index : index + length])


def _hash(texts: Iterable[str]) -> int:
    run = "\0".join(texts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(run, digest_size=8).digest(), "big")
