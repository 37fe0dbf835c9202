"""A stand-in for Berkeley's library `datascience`, which first courses use in place of pandas: its shape in small.

Tests install the text of this module. As there, `take` is an object that knows its table, a table is a mapping of labels
to columns, and `minimize` asks the code of a function how many arguments it takes.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["Table", "make_array", "minimize"]


def make_array(*items: Any) -> Any:
    return np.array(items)


class _RowTaker:
    def __init__(self, table: Table) -> None:
        self._table = table

    def __getitem__(self, rows: Any) -> Table:
        table = Table()
        for label, column in self._table._columns.items():
            table[label] = np.atleast_1d(column[rows])
        return table

    __call__ = __getitem__


class Table(collections.abc.MutableMapping):
    """Columns by their labels."""

    def __init__(self, labels: Any = ()) -> None:
        self._columns = collections.OrderedDict((label, np.array([])) for label in labels)
        self.take = _RowTaker(self)

    def __getitem__(self, label: str) -> Any:
        return self._columns[label]

    def __setitem__(self, label: str, column: Any) -> None:
        self._columns[label] = np.array(column)

    def __delitem__(self, label: str) -> None:
        del self._columns[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        rows = zip(*self._columns.values(), strict=True)
        return "\n".join(" | ".join(map(str, row)) for row in [self.labels, *rows])

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self._columns)

    @property
    def num_rows(self) -> int:
        return len(next(iter(self._columns.values()), ()))

    def column(self, label: str | int) -> Any:
        return self._columns[self.labels[label] if isinstance(label, int) else label]

    def copy(self) -> Table:
        return self.take[:]

    def append_column(self, label: str, column: Any) -> None:
        self[label] = column

    def with_columns(self, *pairs: Any) -> Table:
        table = self.copy()
        for label, column in zip(pairs[::2], pairs[1::2], strict=True):
            table[label] = column
        return table

    def where(self, label: Any, wanted: Any = None) -> Table:
        """Select rows by a value in a column, by a predicate of its values, or by an array of truth values."""
        if not isinstance(label, str | int):
            return self.take[np.asarray(label, bool)]
        column = self.column(label)
        return self.take[np.array([wanted(v) for v in column], bool) if callable(wanted) else column == wanted]

    def apply(self, function: Callable[..., Any], *labels: str) -> Any:
        return np.array([function(*row) for row in zip(*map(self.column, labels), strict=True)])


def minimize(f: Callable[..., float]) -> Any:
    """Find where a function of numbers is smallest, from zeros on; one without an end costs 60 steps."""
    best, step = [0.0] * f.__code__.co_argcount, 8.0
    smallest = f(*best)
    for _ in range(60):
        points = [[*best[:n], best[n] + move, *best[n + 1 :]] for n in range(len(best)) for move in (-step, step)]
        value, point = min((f(*point), point) for point in points)
        if value < smallest:
            smallest, best = value, point
        else:
            step /= 2
    return best[0] if len(best) == 1 else np.array(best)
