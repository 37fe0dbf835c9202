"""A value that is built in any natural way arrives, and equals the same value that is built in another way."""

from __future__ import annotations

import collections
import datetime
import io
import zoneinfo
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.value_examples import STRING_DTYPE

from autograder.check.equality import same
from autograder.codec import decode, encode

TEXTS = ["setosa", "virginica", "setosa"]
NAMES = np.array(["setosa", "virginica"])
NUMBERS = [1.5, 2.0, 4.0]
COUNTS = [3, 1, 2]
TRUTHS = [True, False, True]
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
DAYS = ["2026-01-31", "2026-02-28", "2026-03-31"]
CSV = "day,species,count\n2026-01-31,setosa,3\n2026-02-28,virginica,1\n2026-03-31,setosa,2\n"
TABLE = pd.DataFrame({"species": TEXTS, "count": COUNTS})

TEXT_COLUMNS = {
    "a list": lambda: pd.Series(TEXTS),
    "a list of the array's items": lambda: pd.Series([NAMES[i] for i in [0, 1, 0]]),
    "an array": lambda: pd.Series(NAMES[[0, 1, 0]]),
    "the array's items as str": lambda: pd.Series([NAMES[i] for i in [0, 1, 0]], dtype="str"),
    "the array's items as string": lambda: pd.Series([NAMES[i] for i in [0, 1, 0]], dtype="string"),
    "objects": lambda: pd.Series([NAMES[i] for i in [0, 1, 0]], dtype=object),
    "an array of objects": lambda: pd.Series(np.array(list(NAMES[[0, 1, 0]]), dtype=object)),
    "map with a dict": lambda: pd.Series([0, 1, 0]).map(dict(enumerate(NAMES))),
    "map with a function": lambda: pd.Series([0, 1, 0]).map(lambda i: NAMES[i]),
    "apply": lambda: pd.Series([0, 1, 0]).apply(lambda i: NAMES[i]),
    "replace": lambda: pd.Series([0, 1, 0]).astype(object).replace(dict(enumerate(NAMES))),
    "np.where": lambda: pd.Series(np.where(np.array([0, 1, 0]) == 0, "setosa", "virginica")),
    "np.select": lambda: pd.Series(np.select([np.array([0, 1, 0]) == 0], [NAMES[0]], NAMES[1])),
    "np.take": lambda: pd.Series(np.take(NAMES, [0, 1, 0])),
    "np.vectorize": lambda: pd.Series(np.vectorize(lambda i: NAMES[i])([0, 1, 0])),
    "codes of a category": lambda: pd.Series(pd.Categorical.from_codes([0, 1, 0], NAMES)).astype(str),
    "a category as objects": lambda: pd.Series(pd.Categorical.from_codes([0, 1, 0], NAMES)).astype(object),
    "cells one by one": lambda: _filled([NAMES[0], NAMES[1], NAMES[0]]),
    "str.strip": lambda: pd.Series([f" {name} " for name in NAMES[[0, 1, 0]]]).str.strip(),
    "read_csv": lambda: pd.read_csv(io.StringIO(CSV))["species"].rename(None),
    "concat": lambda: pd.concat([pd.Series(NAMES), pd.Series([NAMES[0]])], ignore_index=True),
    "StringDtype of Python": lambda: pd.Series(list(NAMES[[0, 1, 0]]), dtype=pd.StringDtype("python")),
}
NUMBER_COLUMNS = {
    "a list": lambda: pd.Series(NUMBERS),
    "an array": lambda: pd.Series(np.array(NUMBERS)),
    "numpy's floats": lambda: pd.Series([np.float64(x) for x in NUMBERS]),
    "objects of Python": lambda: pd.Series(NUMBERS, dtype=object),
    "objects of numpy": lambda: pd.Series([np.float64(x) for x in NUMBERS], dtype=object),
    "float32": lambda: pd.Series(NUMBERS, dtype="float32"),
    "Float64": lambda: pd.Series(NUMBERS, dtype="Float64"),
    "to_numeric": lambda: pd.to_numeric(pd.Series(["1.5", "2", "4"])),
    "a column of an array": lambda: pd.DataFrame(np.array([NUMBERS, NUMBERS]).T)[0].rename(None),
    "cells one by one": lambda: _filled(NUMBERS).astype(float),
}
TRUTH_COLUMNS = {
    "a list": lambda: pd.Series(TRUTHS),
    "numpy's": lambda: pd.Series([np.bool_(x) for x in TRUTHS]),
    "objects of numpy": lambda: pd.Series([np.bool_(x) for x in TRUTHS], dtype=object),
    "boolean": lambda: pd.Series([np.bool_(x) for x in TRUTHS], dtype="boolean"),
    "a comparison": lambda: pd.Series(COUNTS) > 1,
    "isin": lambda: pd.Series(TEXTS).isin(["setosa"]),
    "str.startswith": lambda: pd.Series(TEXTS).str.startswith("s"),
    "a mask of an array": lambda: pd.Series(np.array(COUNTS) > 1),
}
DAY_COLUMNS = {
    "to_datetime": lambda: pd.Series(pd.to_datetime(DAYS)),
    "date_range": lambda: pd.Series(pd.date_range("2026-01-31", periods=3, freq="ME")),
    "datetime": lambda: pd.Series([datetime.datetime.fromisoformat(day) for day in DAYS]),
    "datetime64": lambda: pd.Series(np.array(DAYS, "M8[D]")),
    "datetime64 one by one": lambda: pd.Series([np.datetime64(day) for day in DAYS]),
    "Timestamp": lambda: pd.Series([pd.Timestamp(day) for day in DAYS]),
    "Timestamps as objects": lambda: pd.Series([pd.Timestamp(day) for day in DAYS], dtype=object),
    "datetime64 as objects": lambda: pd.Series([np.datetime64(day, "ns") for day in DAYS], dtype=object),
    "read_csv": lambda: pd.read_csv(io.StringIO(CSV), parse_dates=["day"])["day"].rename(None),
    "to_datetime of numpy's texts": lambda: pd.to_datetime(pd.Series(list(np.array(DAYS)))),
}
ZONED_COLUMNS = {
    "date_range": lambda: pd.Series(pd.date_range("2026-01-31", periods=2, tz="Europe/Berlin")),
    "date_range of a ZoneInfo": lambda: pd.Series(pd.date_range("2026-01-31", periods=2, tz=BERLIN)),
    "tz_localize": lambda: pd.Series(pd.to_datetime(["2026-01-31", "2026-02-01"])).dt.tz_localize("Europe/Berlin"),
    "tz_convert": lambda: pd.Series(pd.date_range("2026-01-30T23", periods=2, tz="UTC")).dt.tz_convert("Europe/Berlin"),
    "Timestamp": lambda: pd.Series([pd.Timestamp(f"2026-{day}", tz="Europe/Berlin") for day in ("01-31", "02-01")]),
    "datetime": lambda: pd.Series([datetime.datetime(2026, *day, tzinfo=BERLIN) for day in ((1, 31), (2, 1))]),
    "the column's dtype": lambda: pd.Series(["2026-01-31", "2026-02-01"], dtype="datetime64[ns, Europe/Berlin]"),
}
MISSING_TEXTS = {
    "None": lambda: pd.Series(["a", None, "b"]),
    "NaN": lambda: pd.Series(["a", np.nan, "b"]),
    "None among numpy's texts": lambda: pd.Series([np.str_("a"), None, np.str_("b")]),
    "NaN among objects": lambda: pd.Series([np.str_("a"), np.nan, "b"], dtype=object),
    "where": lambda: pd.Series(np.array(["a", "x", "b"])).where([True, False, True]),
    "mask": lambda: pd.Series(list(np.array(["a", "x", "b"]))).mask([False, True, False]),
    "reindex": lambda: pd.Series(list(np.array(["a", "b"])), index=[0, 2]).reindex([0, 1, 2]),
}
MISSING_NUMBERS = {
    "None": lambda: pd.Series([1.0, None, 3.0]),
    "NaN": lambda: pd.Series([1.0, np.nan, 3.0]),
    "math": lambda: pd.Series([1, float("nan"), 3]),
    "reindex": lambda: pd.Series([1, 3], index=[0, 2]).reindex([0, 1, 2]),
    "objects": lambda: pd.Series([np.float64(1), np.float64("nan"), 3], dtype=object),
    "shift": lambda: pd.Series([1.0, 0.0, 3.0]).where(lambda s: s > 0),
}
CATEGORIES = {
    "astype": lambda: pd.Series(TEXTS).astype("category"),
    "of an array": lambda: pd.Series(NAMES[[0, 1, 0]], dtype="category"),
    "of the array's items": lambda: pd.Series([NAMES[i] for i in [0, 1, 0]], dtype="category"),
    "of objects": lambda: pd.Series([NAMES[i] for i in [0, 1, 0]], dtype=object).astype("category"),
    "from codes": lambda: pd.Series(pd.Categorical.from_codes([0, 1, 0], NAMES)),
    "from codes and a list": lambda: pd.Series(pd.Categorical.from_codes([0, 1, 0], list(NAMES))),
    "renamed": lambda: pd.Series([0, 1, 0]).astype("category").cat.rename_categories(list(NAMES)),
    "CategoricalDtype": lambda: pd.Series(TEXTS, dtype=pd.CategoricalDtype(list(NAMES))),
    "cut": lambda: pd.Series(pd.cut([1, 5, 2], [0, 3, 6], labels=list(NAMES), ordered=False)),
}
INDEXED = {
    "a dict": lambda: pd.Series({"setosa": 5, "virginica": 1}),
    "a dict of numpy's": lambda: pd.Series({name: np.int64(n) for name, n in zip(NAMES, [5, 1], strict=True)}),
    "an index of an array": lambda: pd.Series([5, 1], index=NAMES),
    "an index of the array's items": lambda: pd.Series([5, 1], index=list(NAMES)),
    "an index of objects": lambda: pd.Series([5, 1], index=pd.Index(list(NAMES), dtype=object)),
    "groupby": lambda: TABLE.groupby("species")["count"].sum().rename(None).rename_axis(None),
    "groupby of numpy's texts": lambda: pd.Series(COUNTS).groupby([NAMES[i] for i in [0, 1, 0]]).sum(),
    "a column of a table": lambda: pd.DataFrame({"n": [5, 1]}, index=list(NAMES))["n"].rename(None),
    "set_index": lambda: (
        pd.DataFrame({"a": list(NAMES), "n": [5, 1]}).set_index("a")["n"].rename(None).rename_axis(None)
    ),
    "a Counter": lambda: pd.Series(collections.Counter(dict(zip(NAMES, [5, 1], strict=True)))),
}
TABLES = {
    "a dict of lists": lambda: pd.DataFrame({"species": TEXTS, "count": COUNTS}),
    "a dict of arrays": lambda: pd.DataFrame({"species": NAMES[[0, 1, 0]], "count": np.array(COUNTS)}),
    "a dict of the arrays' items": lambda: pd.DataFrame(
        {"species": list(NAMES[[0, 1, 0]]), "count": list(np.array(COUNTS))}
    ),
    "a dict of Series": lambda: pd.DataFrame(
        {"species": pd.Series(list(NAMES[[0, 1, 0]])), "count": pd.Series(COUNTS)}
    ),
    "a list of dicts": lambda: pd.DataFrame(
        [{"species": NAMES[i], "count": n} for i, n in zip([0, 1, 0], COUNTS, strict=True)]
    ),
    "a list of lists": lambda: pd.DataFrame(
        [[NAMES[i], n] for i, n in zip([0, 1, 0], COUNTS, strict=True)], columns=["species", "count"]
    ),
    "a list of tuples": lambda: pd.DataFrame(
        list(zip(NAMES[[0, 1, 0]], COUNTS, strict=True)), columns=["species", "count"]
    ),
    "from_records": lambda: pd.DataFrame.from_records(
        list(zip(NAMES[[0, 1, 0]], COUNTS, strict=True)), columns=["species", "count"]
    ),
    "from_dict": lambda: pd.DataFrame.from_dict(
        {0: [NAMES[0], 3], 1: [NAMES[1], 1], 2: [NAMES[0], 2]}, orient="index", columns=["species", "count"]
    ),
    "numpy's names of columns": lambda: pd.DataFrame({np.str_("species"): TEXTS, np.str_("count"): COUNTS}),
    "columns of an array": lambda: pd.DataFrame({0: TEXTS, 1: COUNTS}).set_axis(np.array(["species", "count"]), axis=1),
    "columns of an array's items": lambda: pd.DataFrame({0: TEXTS, 1: COUNTS}).set_axis(
        list(np.array(["species", "count"])), axis=1
    ),
    "a column at a time": lambda: pd.DataFrame(index=range(3)).assign(species=list(NAMES[[0, 1, 0]]), count=COUNTS),
    "a row at a time": lambda: _by_rows(),
    "concat": lambda: pd.concat(
        [pd.Series(list(NAMES[[0, 1, 0]]), name="species"), pd.Series(COUNTS, name="count")], axis=1
    ),
    "merge": lambda: pd.DataFrame({"k": [0, 1, 0], "count": COUNTS}).merge(
        pd.DataFrame({"k": [0, 1], "species": list(NAMES)})
    )[["species", "count"]],
    "insert": lambda: _inserted(),
    "explicit index": lambda: pd.DataFrame({"species": list(NAMES[[0, 1, 0]]), "count": COUNTS}, index=[0, 1, 2]),
    "numpy's numbers as index": lambda: pd.DataFrame(
        {"species": TEXTS, "count": COUNTS}, index=[np.int64(i) for i in range(3)]
    ),
    "np.char": lambda: pd.DataFrame(
        {"species": list(np.char.lower(np.array(["Setosa", "Virginica", "Setosa"]))), "count": COUNTS}
    ),
    "read_csv": lambda: pd.read_csv(io.StringIO(CSV))[["species", "count"]],
}
PLAIN = {
    "a dict": lambda: {"setosa": [1, 2.5], "ok": (True, "a")},
    "numpy's keys and items": lambda: {
        np.str_("setosa"): [np.int64(1), np.float64(2.5)],
        np.str_("ok"): (np.bool_(True), np.str_("a")),
    },
    "dict of zip": lambda: dict(
        zip(np.array(["setosa", "ok"]), [[np.int64(1), 2.5], (True, np.str_("a"))], strict=True)
    ),
    "a defaultdict": lambda: _defaultdict(),
    "an OrderedDict": lambda: collections.OrderedDict([(np.str_("setosa"), [1, 2.5]), ("ok", (np.True_, "a"))]),
}
SETS = {
    "a set": lambda: {"setosa", "virginica"},
    "of an array": lambda: set(NAMES),
    "of a column": lambda: set(pd.Series(list(NAMES))),
    "of unique": lambda: set(np.unique(NAMES[[0, 1, 0]])),
}
ARRAYS = {
    "of texts": lambda: np.array(TEXTS),
    "of objects": lambda: np.array(TEXTS, dtype=object),
    "of numpy's objects": lambda: np.array(list(NAMES[[0, 1, 0]]), dtype=object),
    "to_numpy": lambda: pd.Series(list(NAMES[[0, 1, 0]])).to_numpy(),
    "to_numpy of string": lambda: pd.Series(list(NAMES[[0, 1, 0]]), dtype="string").to_numpy(),
    "StringDType": lambda: np.array(list(NAMES[[0, 1, 0]]), dtype=np.dtypes.StringDType()),
    "an np.matrix's row": lambda: np.array(np.array([TEXTS])[0]),
}


def _filled(items: list[Any]) -> pd.Series:
    column = pd.Series([None] * len(items), dtype=object)
    for row, item in enumerate(items):
        column[row] = item
    return column


def _by_rows() -> pd.DataFrame:
    table = pd.DataFrame(columns=["species", "count"])
    for row, (i, n) in enumerate(zip([0, 1, 0], COUNTS, strict=True)):
        table.loc[row] = [NAMES[i], n]
    return table


def _inserted() -> pd.DataFrame:
    table = pd.DataFrame({"count": COUNTS})
    table.insert(0, np.str_("species"), [NAMES[i] for i in [0, 1, 0]])
    return table


def _defaultdict() -> Any:
    built = collections.defaultdict(list)
    built[np.str_("setosa")] += [np.int64(1), np.float32(2.5)]
    built["ok"] = (np.bool_(True), "a")
    return built


GROUPS = {
    "text column": TEXT_COLUMNS,
    "number column": NUMBER_COLUMNS,
    "column of truth values": TRUTH_COLUMNS,
    "column of dates": DAY_COLUMNS,
    "column of dates with a zone": ZONED_COLUMNS,
    "texts with a missing one": MISSING_TEXTS,
    "numbers with a missing one": MISSING_NUMBERS,
    "categories": CATEGORIES,
    "index": INDEXED,
    "table": TABLES,
    "containers": PLAIN,
    "set": SETS,
    "array": ARRAYS,
}
MARKS = {"StringDType": STRING_DTYPE}
WAYS = [
    pytest.param(group, way, id=f"{group}: {way}", marks=MARKS.get(way, ()))
    for group, ways in GROUPS.items()
    for way in ways
]


def test_there_are_many_ways():
    assert len(WAYS) > 100


@pytest.mark.parametrize(("group", "way"), WAYS)
def test_a_value_arrives_and_equals_the_one_that_was_built_the_first_way(group, way):
    first = next(iter(GROUPS[group].values()))()
    arrived = decode(*encode(GROUPS[group][way]()), strict=True)
    assert_equal(arrived, first)
    assert same(arrived, first)


@pytest.mark.parametrize(("group", "way"), WAYS)
def test_a_value_arrives_and_equals_itself(group, way):
    value = GROUPS[group][way]()
    assert_equal(decode(*encode(value), strict=True), value)


def assert_equal(actual: Any, expected: Any) -> None:
    """Compare as tests do: by value; an index or a column of objects equals one of texts."""
    if isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(
            actual, expected, check_dtype=False, check_index_type=False, check_column_type=False
        )
    elif isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(actual, expected, check_dtype=False, check_index_type=False)
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(actual, expected)
    else:
        assert actual == expected
