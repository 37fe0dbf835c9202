"""Pairs of works that are more alike than the class.

Five views of a work are compared: its code as it stands, its code with every chosen name replaced, and its texts.
Then come its statements in any order, with its names and without. What the exam's release or the
solution has is subtracted. A fingerprint that n of N works share weighs ln(N/n)²: what two share counts far more than
what many do. The logarithm is the inverse document frequency of Spärck Jones (1972), "A statistical interpretation of
term specificity", Journal of Documentation 28.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograder.extensions.insight.student_work import StudentWork, WrittenCell
from autograder.extensions.insight.token_streams import chosen_names, code_tokens, comments, words, words_of
from autograder.extensions.insight.winnowing import WORDS, Fingerprints, every_hash, fingerprints, statements
from autograder.records.exam import Exam

ORDERS = ("code", "code with other names", "one answer with other names", "text")
"""Orders of the pairs, as of :attr:`AlikePair.heights`."""
MOST_SHARED = 0.5
"""Share of the works that have a fingerprint, above which it counts for nothing."""
MOST_MARKED, MIN_MARKED = 0.1, 3
"""Share of the works that may have a fingerprint for its lines to be marked, at least so many works."""
_TEXT, _TEXT_ROUNDS = 3, 3
"""Number of the order of texts, and rounds in which it has one place: texts quote the task and one another."""
_MIN_STATEMENTS = 8
"""Statements that the shorter of two works counts for at least, when their overlap is taken."""
_DEFINED = re.compile(r"^(?:async\s+def|def|class)\s+(\w+)", re.MULTILINE)
_Matrix: TypeAlias = NDArray[np.float64]
_Pairs: TypeAlias = tuple[NDArray[np.intp], ...]
_Subtracted = Sequence[frozenset[int]]


@dataclass(frozen=True)
class EqualLines:
    """What two works have in common, counted: the evidence, which needs no scale."""

    equal: int
    """Lines of the work with fewer lines that the other one has, too."""
    lines: int
    """Lines of that work; what the exam gave is no line of it."""
    unique: int
    """Equal lines that no other work has."""
    rare: int
    """Equal lines that few others have, see :data:`MOST_MARKED`."""
    identical: bool
    """Whether both works have the same lines in the same order, and most of them are rare."""

    @property
    def words(self) -> str:
        """A sentence for people."""
        subject = f"Identical: all {self.lines}" if self.identical else f"{self.equal} of {self.lines}"
        few = f" and {self.rare - self.unique} in few others" if self.rare > self.unique else ""
        return f"{subject} lines are equal; {self.unique} of these are in no other work{few}"


@dataclass(frozen=True)
class AlikePair:
    """Two works and how alike they are."""

    first: int
    """Number of the work, as of ``second``; a work of this term comes first."""
    second: int
    heights: tuple[float, ...]
    """For each of :data:`ORDERS`, how far the pair is above what its two works share with all others.

    1 is what the first pair of a class like this one shows by chance.
    """
    evidence: EqualLines
    shared: tuple[frozenset[int], ...]
    """For each view the rare fingerprints in both, see :data:`MOST_MARKED`."""

    @property
    def height(self) -> float:
        """Largest of the heights."""
        return max(self.heights)


@dataclass(frozen=True)
class ComparedClass:
    """Works and their pairs: identical ones first, then the first of each order, the second of each, and so on."""

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
    columns = list(zip(*prints, strict=True))
    lines = _Lines(exams, works)
    is_old = np.array([work.old for work in works], dtype=np.bool_)
    pairs = np.nonzero(np.triu(~(is_old[:, None] & is_old[None, :]), 1))
    heights = _heights(columns, works, pairs)
    twins = [n for n, pair in enumerate(zip(*pairs, strict=True)) if lines.are_twins(*map(int, pair))]
    twins.sort(key=lambda n: -lines.evidence(int(pairs[0][n]), int(pairs[1][n])).rare)
    order = list(dict.fromkeys([*twins, *_interleaved(heights, top)]))[:top]
    common = [_common(column) for column in columns]
    return ComparedClass(
        tuple(works),
        prints,
        tuple(_pair(int(pairs[0][n]), int(pairs[1][n]), heights[:, n], prints, common, lines) for n in order),
        len(pairs[0]),
    )


def _heights(columns: Sequence[Sequence[Fingerprints]], works: Sequence[StudentWork], pairs: _Pairs) -> _Matrix:
    """Compute :attr:`AlikePair.heights`: (orders, pairs).

    Each of the first three is the mean of two measures, of which each has its own chance: a copy is high in both.
    """
    code, renamed, texts, lines, renamed_lines = columns
    measures = (
        *map(_shared_weight, (code, renamed, texts)),
        _overlap(renamed_lines),
        _in_one_answer(lines, works),
        _in_one_answer(renamed_lines, works),
    )
    whole, other_names, text, overlap, answer, renamed_answer = (_above_chance(each, pairs) for each in measures)
    return np.array([(whole + answer) / 2, (other_names + overlap) / 2, (other_names + renamed_answer) / 2, text])


def _interleaved(heights: _Matrix, top: int) -> list[int]:
    """Take the first pair of each order, then the second of each: not by a sum."""
    ranked = np.argsort(-heights, axis=1, kind="stable")
    order = []
    for rank in range(min(top, heights.shape[1])):
        text_rank, until_text = divmod(rank, _TEXT_ROUNDS)
        order += [int(ranked[row][rank]) for row in range(_TEXT) if heights[row, ranked[row][rank]] > 0]
        text_pair = int(ranked[_TEXT][text_rank])
        order += [text_pair] if not until_text and heights[_TEXT, text_pair] > 1 else []
    return order


def _above_chance(matrix: _Matrix, pairs: _Pairs) -> _Matrix:
    """Divide how far pairs are above the class by what the first of so many shows by chance: (pairs,).

    Beyond its median, the weight that pairs share falls off about exponentially. So percentiles tell where a share
    1 / M is left: there the highest of M honest pairs is expected. Copies are fewer than a twentieth of all pairs and
    move none of them. Where 95 % share nothing, the highest pair is the measure, and the class tells nothing.
    """
    values = _above_the_class(matrix)[pairs]
    if not len(values):
        return values
    median, high, higher = np.percentile(values, [50, 90, 95])
    fall = max((high - median) / np.log(5), (higher - high) / np.log(2))
    chance = high + fall * np.log(len(values) / 10)
    if fall <= 0 or chance <= 0:
        chance = values.max()
    return values / chance if chance > 0 else np.zeros_like(values)


class _Lines:
    """Lines of works, without those that the exam gave."""

    def __init__(self, exams: Sequence[Exam], works: Sequence[StudentWork]) -> None:
        exam_lines = {
            line for exam in exams for cell in exam.cells for line in _lines(f"{cell.released}\n{cell.source}")
        }
        self.of = [
            [line for cell in work.cells for line in _lines(cell.source) if line not in exam_lines] for work in works
        ]
        self.owners = Counter(line for lines in self.of for line in set(lines))
        self.most = max(MIN_MARKED, MOST_MARKED * len(works))

    def are_twins(self, first: int, second: int) -> bool:
        """Tell whether two works are the same, and not only because there is no other answer."""
        lines = self.of[first]
        return lines == self.of[second] and sum(self.owners[line] <= self.most for line in lines) >= MIN_MARKED

    def evidence(self, first: int, second: int) -> EqualLines:
        """Count what two works have in common."""
        shorter, longer = sorted((self.of[first], self.of[second]), key=len)
        equal = list((Counter(shorter) & Counter(longer)).elements())
        unique, rare = (sum(self.owners[line] <= most for line in equal) for most in (2, self.most))
        return EqualLines(len(equal), len(shorter), unique, rare, self.are_twins(first, second))


def _lines(source: str) -> Iterable[str]:
    return filter(None, map(str.strip, source.split("\n")))


def _pair(
    first: int,
    second: int,
    heights: _Matrix,
    prints: Sequence[tuple[Fingerprints, ...]],
    common: Sequence[frozenset[int]],
    lines: _Lines,
) -> AlikePair:
    views = zip(prints[first], prints[second], common, strict=True)
    shared = tuple(frozenset(one.keys() & other.keys()) - usual for one, other, usual in views)
    return AlikePair(first, second, tuple(map(float, heights)), lines.evidence(first, second), shared)


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
        statements(code_tokens(code)),
        statements(code_tokens(code, names=names)),
    )
    return tuple(
        {key: lines for key, lines in prints.items() if key not in exam_keys}
        for exam_keys, prints in zip(subtracted, streams, strict=True)
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
        lambda source: frozenset(statements(code_tokens(source))),
        lambda source: frozenset(statements(code_tokens(source, names=names))),
    )
    sources = (code, code, texts, code, code)
    return [
        frozenset().union(*(hashes([source]) for source in every))
        for hashes, every in zip(separately, sources, strict=True)
    ]


def _owners(prints: Sequence[Iterable[int]]) -> list[list[int]]:
    """List for each fingerprint that two or more works have which ones do."""
    owners: dict[int, list[int]] = defaultdict(list)
    for number, work in enumerate(prints):
        for key in work:
            owners[key].append(number)
    return [numbers for numbers in owners.values() if len(numbers) > 1]


def _shared_weight(prints: Sequence[Iterable[int]]) -> _Matrix:
    """Sum the weights of the fingerprints that two works share: (works, works)."""
    count = len(prints)
    matrix = np.zeros((count, count))
    for numbers in _owners(prints):
        if len(numbers) <= MOST_SHARED * count:
            matrix[np.ix_(numbers, numbers)] += np.log(count / len(numbers)) ** 2
    return matrix


def _overlap(prints: Sequence[Fingerprints]) -> _Matrix:
    """Compute the share of the shorter work's statements that both have, however many others have them."""
    sizes = np.array([len(work) for work in prints], dtype=np.float64)
    matrix = np.zeros((len(prints), len(prints)))
    for numbers in _owners(prints):
        matrix[np.ix_(numbers, numbers)] += 1
    return matrix / np.maximum(np.minimum(sizes[:, None], sizes[None, :]), _MIN_STATEMENTS)


def _in_one_answer(prints: Sequence[Fingerprints], works: Sequence[StudentWork]) -> _Matrix:
    """Find the largest weight that two works share in one answer, or in one function or class of it."""
    answers: dict[tuple[str, str], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for number, (work, keys) in enumerate(zip(works, prints, strict=True)):
        names = [_answer(cell) for cell in work.cells]
        for key, places in keys.items():
            for cell, _ in places:
                answers[names[cell]][number].add(key)
    largest = np.zeros((len(works), len(works)))
    for of_works in answers.values():
        if len(of_works) > 1:
            weight = _shared_weight([of_works.get(number, ()) for number in range(len(works))])
            np.maximum(largest, weight, out=largest)
    return largest


def _answer(cell: WrittenCell) -> tuple[str, str]:
    """Name the answer that a cell belongs to; a file is many answers, named as what they define."""
    defined = _DEFINED.search(cell.source)
    return cell.question, defined[1] if defined else ""


def _above_the_class(matrix: _Matrix) -> _Matrix:
    """Compare each pair with what its two works share with all others: (works, works).

    A work of many words shares more with everybody. So the medians of both works are taken off, and the median of all
    is added. This is the additive model of a two-way table (Tukey 1977, "Exploratory Data Analysis", chapter 11).
    """
    apart = ~np.eye(len(matrix), dtype=bool)
    medians = np.array([np.median(row[mask]) for row, mask in zip(matrix, apart, strict=True)])
    above: _Matrix = matrix - medians[:, None] - medians[None, :] + np.median(matrix[apart])
    return above
