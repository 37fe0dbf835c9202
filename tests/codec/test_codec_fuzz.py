"""Damaged messages: an error of one kind or a value; no hang, no memory."""

from __future__ import annotations

import pytest
from helpers.fuzz_codec import fuzz


def test_thousands_of_damaged_messages_give_an_error_or_a_value():
    found = fuzz(5000)
    assert found["errors"] > 2000
    assert found["values"] > 500
    assert found["grown"] < 700


@pytest.mark.slow
def test_a_hundred_thousand_damaged_messages_give_an_error_or_a_value():
    found = fuzz(100_000, seed=1)
    assert found["errors"] + found["values"] == 100_000
    assert found["grown"] < 700
