"""Pairs of works that are more alike than the class.

Three views of a work are compared: its code as it stands, its code with every chosen name replaced, and its texts. What
the exam's release or the solution has is subtracted. A fingerprint that n of N works share weighs ln(N/n)²: what two
share counts far more than what many do. The logarithm is the inverse document frequency of Spärck Jones (1972), "A
statistical interpretation of term specificity", Journal of Documentation 28.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograder.extensions.insight.student_work import StudentWork
from autograder.extensions.insight.token_streams import chosen_names, code_tokens, comments, words, words_of
from autograder.extensions.insight.winnowing import WORDS, Fingerprints, every_hash, fingerprints
from autograder.records.exam import Exam

VIEWS = ("code", "code with other names", "text")
"""Views of a work, in the order of :attr:`AlikePair.deviations`."""
MOST_SHARED = 0.5
"""Share of the works that have a fingerprint, above which it counts for nothing."""
MOST_MARKED, MIN_MARKED = 0.1, 3
"""Share of the works that may have a fingerprint for its lines to be marked, at least so many works."""
_Matrix: TypeAlias = NDArray[np.float64]
_Subtracted = Mapping[str, frozenset[int]]


@dataclass(frozen=True)
class AlikePair:
    """Two works and how alike they are."""

    first: int
    """Number of the work, as of ``second``; a work of this term comes first."""
    second: int
    deviations: tuple[float, float, float]
    """For each of :data:`VIEWS`, how far the pair is above what its two works share with all others, in standard
    deviations over all pairs."""
    shared: tuple[frozenset[int], ...]
    """For each view the rare fingerprints in both, see :data:`MOST_MARKED`."""

    @property
    def deviation(self) -> float:
        """Largest of the deviations, by which pairs are ordered."""
        return max(self.deviations)


@dataclass(frozen=True)
class ComparedClass:
    """Works and their pairs, the most alike first."""

    works: tuple[StudentWork, ...]
    prints: tuple[tuple[Fingerprints, ...], ...]
    """Fingerprints of each work, a set for each view."""
    pairs: tuple[AlikePair, ...]
    compared: int
    """Number of pairs that were compared."""

    def same_lines(self, pair: AlikePair, number: int) -> frozenset[tuple[int, int]]:
        """Return cell and line of what a work of the pair shares with the other and few have."""
        views = zip(self.prints[number], pair.shared, strict=True)
        return frozenset(place for prints, shared in views for key in shared for place in prints[key])


def compared_class(exams: Sequence[Exam], works: Sequence[StudentWork], top: int) -> ComparedClass:
    """Compare all works with one another, but not old ones among themselves, and keep the ``top`` pairs."""
    given_words = words_of(cell.released + "\n" + cell.source for exam in exams for cell in exam.cells)
    subtracted = _subtracted(exams, given_words)
    prints = tuple(_views(work, subtracted, given_words) for work in works)
    matrices = [_above_the_class(_shared_weight([one[view] for one in prints])) for view in range(len(VIEWS))]
    highest = np.maximum.reduce(matrices)
    is_old = np.array([work.old for work in works], dtype=np.bool_)
    rows, columns = np.nonzero(np.triu(~(is_old[:, None] & is_old[None, :]), 1))
    order = np.argsort(-highest[rows, columns], kind="stable")[:top]
    common = [_common([one[view] for one in prints]) for view in range(len(VIEWS))]
    pairs = tuple(
        _pair(int(rows[index]), int(columns[index]), matrices, prints, common)
        for index in order
        if highest[rows[index], columns[index]] > 0
    )
    return ComparedClass(tuple(works), prints, pairs, len(rows))


def _pair(
    first: int,
    second: int,
    matrices: Sequence[_Matrix],
    prints: Sequence[tuple[Fingerprints, ...]],
    common: Sequence[frozenset[int]],
) -> AlikePair:
    code, renamed, text = (float(matrix[first, second]) for matrix in matrices)
    views = zip(prints[first], prints[second], common, strict=True)
    shared = tuple(frozenset(one.keys() & other.keys()) - usual for one, other, usual in views)
    return AlikePair(first, second, (code, renamed, text), shared)


def _common(prints: Sequence[Fingerprints]) -> frozenset[int]:
    """Return the fingerprints that too many works have to be marked on the page."""
    counts = Counter(key for work in prints for key in work)
    most = max(MIN_MARKED, MOST_MARKED * len(prints))
    return frozenset(key for key, count in counts.items() if count > most)


def _views(work: StudentWork, subtracted: _Subtracted, given_words: frozenset[str]) -> tuple[Fingerprints, ...]:
    code = [(number, cell.source) for number, cell in enumerate(work.cells) if cell.kind == "code"]
    texts = [(number, cell.source) for number, cell in enumerate(work.cells) if cell.kind != "code"]
    names = chosen_names((source for _, source in code), given_words)
    texts += [(number, text) for number, source in code for text in comments(source) if " " in text]
    streams = (
        fingerprints(code_tokens(code)),
        fingerprints(code_tokens(code, names=names)),
        fingerprints(words(texts), WORDS, 1),
    )
    return tuple(
        {key: lines for key, lines in prints.items() if key not in subtracted[view]}
        for view, prints in zip(VIEWS, streams, strict=True)
    )


def _subtracted(exams: Sequence[Exam], given_words: frozenset[str]) -> _Subtracted:
    """Collect the hashes of what students got and of the solution."""
    code: list[tuple[int, str]] = []
    texts: list[tuple[int, str]] = []
    for cell in (cell for exam in exams for cell in exam.cells):
        (code if cell.cell_type == "code" else texts).extend([(0, cell.released), (0, cell.source)])
        if cell.cell_type == "code":
            texts += [(0, text) for source in (cell.released, cell.source) for text in comments(source)]
    names = chosen_names((source for _, source in code), given_words)
    separately: tuple[Callable[[list[tuple[int, str]]], frozenset[int]], ...] = (
        lambda source: every_hash(code_tokens(source)),
        lambda source: every_hash(code_tokens(source, names=names)),
        lambda source: every_hash(words(source), WORDS),
    )
    sources = (code, code, texts)
    return {
        view: frozenset().union(*(hashes([source]) for source in every))
        for view, hashes, every in zip(VIEWS, separately, sources, strict=True)
    }


def _shared_weight(prints: Sequence[Fingerprints]) -> _Matrix:
    """Sum the weights of the fingerprints that two works share: (works, works)."""
    count = len(prints)
    owners: dict[int, list[int]] = defaultdict(list)
    for number, work in enumerate(prints):
        for key in work:
            owners[key].append(number)
    matrix = np.zeros((count, count))
    for numbers in owners.values():
        if 2 <= len(numbers) <= MOST_SHARED * count:
            matrix[np.ix_(numbers, numbers)] += np.log(count / len(numbers)) ** 2
    return matrix


def _above_the_class(matrix: _Matrix) -> _Matrix:
    """Compare each pair with what its two works share with all others: (works, works) standard deviations.

    A work of many words shares more with everybody. So the medians of both works are taken off, and the median of all
    is added. This is the additive model of a two-way table (Tukey 1977, "Exploratory Data Analysis", chapter 11). Then
    the differences are divided by their standard deviation.
    """
    apart = ~np.eye(len(matrix), dtype=bool)
    medians = np.array([np.median(row[mask]) for row, mask in zip(matrix, apart, strict=True)])
    above = matrix - medians[:, None] - medians[None, :] + np.median(matrix[apart])
    deviation = float(np.std(above[apart]))
    return above / deviation if deviation > 0 else np.zeros_like(above)
