"""Test suites with which others prove that what they registered holds; they need pytest."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.executor_contract", f"{__name__}.sandbox_contract")
"""Then a failure says which values differ, however the kit is installed."""
