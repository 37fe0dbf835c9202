"""Every example of the page on values goes through the codec as the page says."""

from __future__ import annotations

import ast
import importlib.util
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers.alike import assert_alike
from helpers.value_examples import KNOWN, LIBRARIES, examples

from autograder.check.numeric import is_tensor
from autograder.codec import Reference, decode, encode
from autograder.codec.dtypes import NARROW


def test_the_page_has_all_its_examples():
    assert len(examples()) > 120


@pytest.mark.parametrize(("source", "arrives"), examples())
def test_a_value_arrives_as_the_page_says(source, arrives):
    names = {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)}
    for name in names & set(LIBRARIES):
        if importlib.util.find_spec(LIBRARIES[name].split(".")[0]) is None:
            pytest.skip(f"{LIBRARIES[name]} is not installed")
    libraries = {name: importlib.import_module(LIBRARIES[name]) for name in names & set(LIBRARIES)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of np.matrix
        value = eval(source, {**KNOWN, **libraries})
    left: list[Any] = []

    def refer(leaf: Any) -> Reference:
        left.append(leaf)
        return Reference(7, "object", "x")

    back = decode(*encode(value, refer), refer=lambda reference: reference, strict=True)
    if arrives.startswith("the same for checks"):
        assert type(back) is Reference
        assert left[0] is value
        assert_alike(back.copy.value, value)
    elif arrives.startswith("of full width"):
        assert_of_full_width(back, value)
        assert_alike(
            decode(*encode(value, refer), refer=lambda reference: reference, strict=True, kept_types=None), value
        )
    elif arrives.startswith("remote"):
        assert len(left) == 1
        assert left[0] is value
        assert back._replace(copy=None) == Reference(7, "object", "x")
    elif arrives.startswith("the same"):
        assert type(back) is type(value)
        assert_like_a_tensor(back, value) if names & set(LIBRARIES) else assert_alike(back, value)
    elif arrives == "an equal one":
        assert type(back) is type(value)
        assert back == value
    elif arrives == "a tuple":
        assert back == tuple(value)
        assert type(back) is tuple
    elif arrives == "a defaultdict without a factory":
        assert back == value
        assert back.default_factory is None
    else:
        assert arrives == "a tensor with its value"
        assert "Tensor" in type(back).__name__
        plain = (back.detach(), value.detach()) if "torch" in source else (back, value)
        np.testing.assert_array_equal(*(one.numpy() for one in plain))


def assert_like_a_tensor(back, value):
    assert (back.dtype, back.shape) == (value.dtype, value.shape)
    assert str(back) == str(value)


def assert_of_full_width(back, value):
    """The same numbers, with no type of few bits, no mask and no nullable column among them."""
    columns = [back[name] for name in back] if isinstance(back, pd.DataFrame) else [back]
    for column in columns:
        dtype = np.dtype(column.dtype.as_numpy_dtype) if hasattr(column.dtype, "as_numpy_dtype") else column.dtype
        assert isinstance(dtype, np.dtype) or dtype == pd.StringDtype(na_value=np.nan)
        fields = [field for field, *_ in dtype.fields.values()] if getattr(dtype, "names", None) else [dtype]
        narrow = NARROW - {"int32"} if is_tensor(back) else NARROW  # tensors have 32 bits
        assert not {str(field) for field in fields} & narrow
        assert not isinstance(column, np.ma.MaskedArray)
    assert back.shape == value.shape
    assert np.asarray(back).tolist() == np.asarray(value).tolist()
