"""Whether a value that went through the codec is what it was, type and dtype and order included."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse


def assert_alike(back: Any, value: Any) -> None:
    """An assertion; NaN is NaN, whatever its bits."""
    assert type(back) is type(value)
    if value is np.ma.masked:
        assert back is value
    elif isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(
            back, value, check_exact=True, check_index_type="exact", check_column_type="exact"
        )
    elif isinstance(value, pd.Series):
        pd.testing.assert_series_equal(back, value, check_exact=True, check_index_type="exact")
    elif isinstance(value, pd.Index):
        pd.testing.assert_index_equal(back, value, exact=True, check_exact=True)
        assert getattr(back, "freq", None) == getattr(value, "freq", None)
    elif isinstance(value, pd.api.extensions.ExtensionArray):
        pd.testing.assert_extension_array_equal(back, value, check_exact=True)
    elif sparse.issparse(value):
        assert (back.shape, back.dtype, back.format) == (value.shape, value.dtype, value.format)
        assert_alike(back.toarray(), value.toarray())
    elif isinstance(value, np.ndarray):
        assert (back.dtype, back.shape, back.flags.writeable) == (value.dtype, value.shape, True)
        if isinstance(value, np.ma.MaskedArray):
            np.testing.assert_array_equal(np.ma.getmaskarray(back), np.ma.getmaskarray(value))
            assert_alike(back.data, value.data)
        elif value.dtype.hasobject:
            for one, other in zip(back.ravel().tolist(), value.ravel().tolist(), strict=True):
                assert_alike(one, other)
        else:
            assert back.tobytes() == value.tobytes() or np.array_equal(back, value, equal_nan=True)
    elif isinstance(value, np.polynomial.Polynomial):
        assert back == value  # its repr differs: a domain that numpy 1 sets by itself has integers
    elif isinstance(value, list | tuple | set | frozenset | dict | memoryview):
        _assert_items_alike(back, value)
    elif isinstance(value, float | complex | np.inexact):
        assert repr(back) == repr(value)
    else:
        assert back is value or (isinstance(value, float) and math.isnan(value)) or repr(back) == repr(value)


def _assert_items_alike(back: Any, value: Any) -> None:
    if isinstance(value, set | frozenset):
        assert repr(sorted(map(repr, back))) == repr(sorted(map(repr, value)))
    elif isinstance(value, memoryview):
        assert (back, back.format, back.readonly) == (value, value.format, value.readonly)
    else:
        items = (back.items(), value.items()) if isinstance(value, dict) else (back, value)
        assert len(back) == len(value)
        for one, other in zip(*items, strict=True):
            assert_alike(one, other)
