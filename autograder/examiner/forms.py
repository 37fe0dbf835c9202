"""Forms of answers: what a value is, and whether it holds anything.

An answer arrives in the form in which the solution's was seen at that place. A tensor, or a sparse matrix, where the
solution gave none is an array of the same numbers. Its operators may mean something else, as ``**`` of a matrix does.
An answer is empty only where the solution's was, asked the same: any comparison of its items would hold, since no item
of it is wrong.
"""

from __future__ import annotations

import decimal
import fractions
import hashlib
import itertools
import math
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Container, Iterator, Set
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from autograder.check.exact_integer import ExactInteger
from autograder.check.handle import reference_of
from autograder.check.numeric import is_sparse, is_tensor, tensor_array
from autograder.codec import CodecError, Reference, encode
from autograder.codec.dtypes import wide_dtype
from autograder.codec.tensors import KINDS as TENSORS
from autograder.examiner.empty_answer import EmptyAnswer

NOTHING, NUMBER, TEXT, ITEMS = "nothing", "number", "text", "items"
ARRAY, TABLE, TENSOR, OBJECT = "array", "table", "tensor", "object"
SPARSE, MATRIX = "sparse", "matrix"
"""Families of scipy.sparse: its arrays, and its matrices, whose ``*`` and ``**`` are of matrices."""
UNMEASURED = frozenset([NOTHING, OBJECT])
EMPTY = "empty"
"""The word of ``# examine: answers give empty``."""
MAX_DEPTH, MAX_KEYS, MAX_PARTS = 8, 50, 10_000
"""Levels of containers that are looked into, keys of one dictionary that count by name, and items of one container."""
_NUMBERS = (bool, int, ExactInteger, float, complex, decimal.Decimal, fractions.Fraction)
_TEXTS = (str, bytes, bytearray)
_ATOMS = frozenset([*_NUMBERS, str, type(None)])
_SEQUENCES = (list, tuple, deque)
_MAPPINGS = (dict, OrderedDict, defaultdict, Counter)
_HOLDING = (*_SEQUENCES, *_MAPPINGS)
_CONTAINERS = (*_HOLDING, set, frozenset, range)
_MEASURED = frozenset([ARRAY, TABLE, SPARSE, MATRIX, TENSOR, NUMBER])
"""Families whose emptiness is no value among others: nobody gives an array of nothing for one of numbers."""
_MAX_DENSE = 10_000_000
"""Most numbers of a sparse matrix that is made an array."""


class Form(NamedTuple):
    """What a value is, and how much of it there is."""

    family: str
    size: int
    """Number of items; 1 for a number, None, an object."""


def form_of(value: Any) -> Form:
    """Return the form of a value; its family is empty for values that have no items and are no numbers."""
    kind = type(value)
    library = kind.__module__.partition(".")[0]
    if value is None or value is False:
        return Form(NOTHING, 1)
    if kind in _NUMBERS or isinstance(value, np.generic):
        return Form(NUMBER, 1)
    if kind in _TEXTS:
        return Form(TEXT, len(value))
    if kind in _CONTAINERS:
        return Form(ITEMS, len(value))
    if (reference := reference_of(value)) is not None:
        return Form(OBJECT if reference.kind == "object" else "", 1)
    if (kind.__module__, kind.__name__) in TENSORS:
        return Form(TENSOR, _count(getattr(value, "flat_values", value).shape))
    if library in ("numpy", "pandas") and hasattr(value, "shape"):
        return Form(ARRAY if library == "numpy" else TABLE, _count(value.shape))
    if not is_sparse(value):
        return Form("", 1)
    return Form(MATRIX if kind.__name__.endswith("_matrix") else SPARSE, _count(value.shape))


def _count(shape: Any) -> int:
    return math.prod(int(size) for size in tuple(shape))


def is_emptied(before: Any, after: Any) -> bool:
    """Tell whether an object of a test's had items and has none now."""
    return form_of(before).size > 0 and form_of(after).size == 0


def forms_in(value: Any, path: str = "", depth: int = MAX_DEPTH) -> Iterator[tuple[str, Form]]:
    """Yield the form of a value and of what containers in it hold, each with its path.

    All items of a list have one path, ``/*``; the items of a short tuple, and keys of a small dictionary, one each.
    """
    form = form_of(value)
    if form.family:
        yield path, form
    if form.family == ITEMS and depth and type(value) in _HOLDING:
        kinds = _kinds(value)
        if not kinds.isdisjoint(_NUMBERS):
            yield f"{path}/*", Form(NUMBER, 1)
        if kinds <= _ATOMS:
            if str in kinds:
                yield f"{path}/*", Form(TEXT, 0 if "" in _values(value) else 1)
            return
        for key, item in _items(value):
            if type(item) not in _NUMBERS:
                yield from forms_in(item, f"{path}/{key}", depth - 1)


def is_settled(value: Any) -> bool:
    """Tell whether a value arrives as it is wherever it does: no tensor, and nothing empty, is in it."""
    family, size = form_of(value)
    if family == ITEMS and size and type(value) in _HOLDING:
        return _kinds(value) <= _ATOMS and "" not in _values(value)
    return size > 0 and family not in (TENSOR, SPARSE, MATRIX, OBJECT)


def _values(value: Any) -> Any:
    return value.values() if type(value) in _MAPPINGS else value


def _kinds(value: Any) -> Set[type]:
    return set(map(type, _values(value)))


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the items of a container, each with its step in a path."""
    is_named = len(value) <= MAX_KEYS and type(value) in (tuple, *_MAPPINGS)
    for key, item in _keyed(value):
        yield _step(key) if is_named and type(key) in (str, int) else "*", item


def _keyed(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the items of a container that are looked at, each with its key or number."""
    return itertools.islice(value.items() if type(value) in _MAPPINGS else enumerate(value), MAX_PARTS)


def _step(key: Any) -> str:
    return repr(key)[:40]


def question_of(request: Any, origin: Callable[[int], str]) -> str:
    """Return a short digest of what a test asks.

    Args:
        request: the request's words and arguments.
        origin: handle → the digest of the question that gave the object.
    """

    def refer(value: Any) -> Reference:
        reference = reference_of(value)
        return Reference(0, "object", origin(reference.handle) if reference is not None else type(value).__name__)

    try:
        text, buffers = encode(request, refer, gradients=False)
    except CodecError:
        return "?"
    return _digest(text, *buffers)


def size_of(forms: list[tuple[str, Form]]) -> str:
    """Return a short digest of how many items came; texts may have any length."""
    sizes = [(path, form.size if form.family != TEXT else bool(form.size)) for path, form in forms]
    return _digest(repr(sizes).encode())


def _digest(*parts: bytes) -> str:
    state = hashlib.sha256()
    for part in parts:
        state.update(len(part).to_bytes(8, "big") + part)
    return state.hexdigest()[:12]


class SolutionForms:
    """The forms in which the solution's answers were seen at a place.

    Args:
        holds: path and family, with a blank between them.
        questions: digests of those that were asked there in each run, with a dot and the answer's size.
        empty: digest or turn of a question, a blank, and the path of what was empty.
        turn: that of the present question at its place: it tells where no run of the solution was asked the same.
    """

    def __init__(
        self,
        holds: Set[str] = frozenset(),
        questions: Set[str] = frozenset(),
        empty: Set[str] = frozenset(),
        turn: str = "",
    ) -> None:
        self.families: dict[str, set[str]] = {}
        for path, _, family in (value.rpartition(" ") for value in holds):
            self.families.setdefault(path, set()).add(family)
        self._questions = {question.partition(".")[0] for question in questions}
        self._empty, self._turn = empty, turn

    def at(self, paths: Set[str]) -> Set[str]:
        """Return the families that were seen at one of these paths."""
        return frozenset().union(*(self.families.get(path, ()) for path in paths))

    def has(self, family: str, paths: Set[str]) -> bool:
        """Tell whether a family was at one of the paths, around it or in it, or no value anywhere."""
        places = [path for path, families in self.families.items() if family in families]
        near = any(path.startswith(place) or place.startswith(path) for place in places for path in paths)
        return near or not any(families - UNMEASURED for families in self.families.values())

    def may_be_empty(self, paths: Set[str], family: str, question: Callable[[], str]) -> bool:
        """Tell whether something empty of a family may stand there: the solution's was, or was an object or nothing."""
        families = self.at(paths)
        if OBJECT in families or (NOTHING in families and family in (ITEMS, TEXT)):
            return True
        if not self._empty:
            return False
        key = question()
        if key not in self._questions:
            key = self._turn
        return any(f"{key} {path}" in self._empty for path in paths)

    def is_certain(self, paths: Set[str], question: Callable[[], str]) -> bool:
        """Tell whether something empty there is wrong, as the same question gave numbers or arrays each time."""
        families = self.at(paths)
        return bool(families) and families <= _MEASURED and question() in self._questions


class Arrival:
    """Something of the student's that arrives at a place.

    Args:
        permissions: of the test; they note what was done.
        forms: those of the solution's.
        kinds: the narrow kinds that numbers there may have.
        question: returns the digest of what was asked; it is called only where it decides.
    """

    def __init__(
        self, permissions: Any, forms: SolutionForms, kinds: Container[str], question: Callable[[], str]
    ) -> None:
        self.permissions, self.forms, self.kinds, self.question = permissions, forms, kinds, question

    def convert(self, value: Any, paths: Set[str] = frozenset([""]), depth: int = MAX_DEPTH) -> Any:
        """Return the value in the solution's form; a container in which nothing changes is the same object."""
        if is_settled(value):
            return value
        family, size = form_of(value)
        if family == OBJECT:
            self._mark(value, paths)
        elif not size and not self._may_be_empty(paths, family):
            is_certain = self.forms.is_certain(paths, self.question)
            if is_certain or not self.permissions.allows_empty:
                self.permissions.has_empty |= not is_certain
                return EmptyAnswer(value, self.permissions.used_empty, compares=family in (ITEMS, TEXT))
        if family == TENSOR and is_tensor(value):
            return value if self._may_be_tensor(paths) else self._array(value)
        if family in (SPARSE, MATRIX) and not self.forms.has(family, paths):
            return self._less_sparse(value, size, paths)
        if family == ITEMS and depth and type(value) in _HOLDING:
            return self._with_items(value, paths, depth)
        return value

    def _may_be_empty(self, paths: Set[str], family: str) -> bool:
        return self.permissions.gives(EMPTY) or self.forms.may_be_empty(paths, family, self.question)

    def _may_be_tensor(self, paths: Set[str]) -> bool:
        return self.permissions.gives(TENSOR) or self.forms.has(TENSOR, paths)

    def _mark(self, handle: Any, paths: Set[str]) -> None:
        """Tell an object that stands for a value whether it may have no items."""
        if hasattr(type(handle), "_said"):
            handle._said.may_be_empty = self.permissions.allows_empty or self._may_be_empty(paths, ITEMS)

    def _array(self, tensor: Any) -> Any:
        """Return the numbers of a tensor as an array, or as a number if it has no dimensions."""
        array = tensor_array(tensor)
        if array.dtype.kind not in "biufc" or (array.dtype.kind == "f" and self.permissions.allows_tensors):
            return tensor
        self.permissions.has_converted = True
        return np.array(array, wide_dtype(array.dtype, self.kinds, 64))[()]

    def _less_sparse(self, value: Any, size: int, paths: Set[str]) -> Any:
        """Return what is sparse as an array of scipy's or NumPy's, as the solution's was."""
        if self.forms.has(SPARSE, paths):
            from scipy import sparse

            return getattr(sparse, f"{value.format}_array")(value)
        is_for_sparse = self.forms.has(MATRIX, paths) or size > _MAX_DENSE
        return value if is_for_sparse else value.toarray()

    def _with_items(self, value: Any, paths: Set[str], depth: int) -> Any:
        changed = {}
        for key, item in _keyed(value):
            steps = (_step(key), "*")
            converted = self.convert(item, {f"{path}/{step}" for path in paths for step in steps}, depth - 1)
            if converted is not item:
                changed[key] = converted
        if not changed:
            return value
        if type(value) is tuple:
            return tuple(changed.get(number, item) for number, item in enumerate(value))
        arrived = copy(value)
        for key, item in changed.items():
            arrived[key] = item
        return arrived
