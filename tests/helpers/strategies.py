"""Random plain values for hypothesis: Python's, numpy's and pandas'."""

from __future__ import annotations

import collections
import datetime
import zoneinfo
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.extra import pandas as hpd
from scipy import sparse

ZONES = [zoneinfo.ZoneInfo(key) for key in ("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns")]
DTYPES = st.one_of(
    hnp.boolean_dtypes(), hnp.integer_dtypes(endianness="?"), hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?"), hnp.complex_number_dtypes(endianness="?"), hnp.datetime64_dtypes(),
    hnp.timedelta64_dtypes(), hnp.byte_string_dtypes(max_len=5), hnp.unicode_string_dtypes(max_len=5),
    hnp.array_dtypes(max_size=3, allow_subarrays=True),
)  # fmt: skip
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(max_size=20),
    st.binary(max_size=20), st.dates(), st.times(timezones=st.just(datetime.UTC)),
    st.datetimes(timezones=st.none() | st.sampled_from(ZONES)), st.timedeltas(), st.decimals().filter(lambda number: not number.is_snan()), st.fractions(), st.uuids(),
    st.ip_addresses(), st.sampled_from([int, str, np.float32, ...]),
)  # fmt: skip
KEYS = st.one_of(
    st.booleans(), st.integers(), st.text(max_size=5), st.dates(), st.tuples(st.integers(), st.text(max_size=3))
)
PLAIN = st.recursive(
    st.one_of(SCALARS, ARRAYS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4).map(collections.OrderedDict),
        st.lists(inner, max_size=4).map(collections.deque),
    ),
    max_leaves=12,
)
RUNS = st.one_of(
    st.lists(st.floats(), min_size=30, max_size=40),
    st.lists(st.integers(-(2**63), 2**63), min_size=30, max_size=40).map(tuple),
    st.lists(st.text(max_size=3), min_size=30, max_size=40),
)


def _columns(rows: int) -> Any:
    texts = st.none() | st.text(max_size=4)
    return st.one_of(
        *[hnp.arrays(kind, rows) for kind in ("i8", "f4", "f8", "?", "M8[ns]", "m8[us]", "M8[s]")],
        st.lists(texts, min_size=rows, max_size=rows).map(lambda v: pd.array(v, dtype="string")),
        st.lists(texts, min_size=rows, max_size=rows).map(lambda v: pd.array(v, dtype="str")),
        st.lists(texts, min_size=rows, max_size=rows).map(pd.Categorical),
        st.lists(st.none() | st.integers(-99, 99), min_size=rows, max_size=rows).map(
            lambda v: pd.array(v, dtype="Int8")
        ),
        st.lists(st.none() | st.booleans(), min_size=rows, max_size=rows).map(lambda v: pd.array(v, dtype="boolean")),
        st.lists(SCALARS, min_size=rows, max_size=rows).map(lambda v: pd.Series(v, dtype=object).array),
        st.sampled_from(ZONES).map(lambda zone: pd.date_range("2026-03-28", periods=rows, freq="11h", tz=zone).array),
        st.just(pd.period_range("2026", periods=rows, freq="M").array),
        st.just(pd.interval_range(0, rows).array),
    )


def _indexes(rows: int) -> Any:
    names = st.none() | st.text(max_size=3) | st.integers()
    return st.one_of(
        st.just(pd.RangeIndex(rows)),
        st.builds(lambda values, name: pd.Index(values, name=name), _columns(rows), names),
        st.just(pd.MultiIndex.from_arrays([list(range(rows)), ["a"] * rows], names=["n", None])),
        st.just(pd.date_range("2026", periods=rows, freq="D")),
    )


@st.composite
def frames(draw: Any) -> pd.DataFrame:
    rows, width = draw(st.integers(0, 4)), draw(st.integers(0, 4))
    frame = pd.DataFrame({i: draw(_columns(rows)) for i in range(width)}, index=draw(_indexes(rows)))
    frame.columns = draw(_indexes(width))
    return frame


SERIES = hpd.series(dtype=float) | frames().filter(lambda f: f.shape[1] > 0).map(lambda f: f.iloc[:, 0])


@st.composite
def matrices(draw: Any) -> Any:
    dense = draw(
        hnp.arrays(
            draw(st.sampled_from(["f4", "f8", "i8", "?", "c16"])), hnp.array_shapes(min_dims=2, max_dims=2, max_side=5)
        )
    )
    kind = draw(st.sampled_from(["csr", "csc", "bsr", "coo", "dia", "lil", "dok"])) + draw(
        st.sampled_from(["_array", "_matrix"])
    )
    return getattr(sparse, kind)(dense)
