"""Bits of hidden data that pages tell a student: the length of the results in a code.

The code has a word for each result that a question can have next. The one for the result that was told last is short,
since most questions stay as they are. Words of a code fulfil Kraft's inequality, so n bits tell at most 2**n different
stories, whoever chooses the answers, and however. No more is learned of the hidden data.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from autograder.exchange import result_json
from autograder.records.grade import Grade

SAME_CHANCE = 7 / 8
"""Share of the code's words for the result that was told last: 0.2 bits for it, and three more for another one."""


class Disclosure(NamedTuple):
    """A question's result on a page, as its student reads it."""

    question: str
    """Notebook and id."""
    bits: int
    """Logarithm of how many results there could be."""
    digest: str
    """Hash of what is read."""


def disclosures(grade: Grade) -> Iterable[Disclosure]:
    """Yield the results that tell of hidden data, on a page that holds nothing back."""
    for book in result_json.public(grade).notebooks:
        for question in book.questions:
            if question.hidden_bits and not question.by_hand:
                mistakes = [model for model in book.mistakes if model.question == question.id]
                facts = question.score, question.outcome, question.waits, question.message, question.checks, mistakes
                yield Disclosure(f"{book.notebook}/{question.id}", question.hidden_bits, digest(facts))


def digest(facts: object) -> str:
    """Hash what a student reads of a result."""
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def length(results: Iterable[Disclosure], last: Mapping[str, str]) -> float:
    """Return the length of a page's results in bits, rounded up to hundredths.

    Args:
        results: the page's results.
        last: question → digest of the result that was told last; one that is not in it was never told.
    """
    bits = 0.0
    for result in results:
        before = last.get(result.question)
        if before == result.digest:
            bits -= math.log2(SAME_CHANCE)
        else:
            bits += result.bits - (0 if before is None else math.log2(1 - SAME_CHANCE))
    return math.ceil(100 * bits - 1e-9) / 100
