"""The assertions of unittest under nose's names."""

import re
import unittest

_case = unittest.TestCase()
_case.maxDiff = None
for _name in dir(_case):
    if _name.startswith("assert") and _name != "assert_":
        globals()[re.sub("([A-Z])", lambda m: f"_{m[1].lower()}", _name)] = getattr(_case, _name)
assert_equals, assert_not_equals = _case.assertEqual, _case.assertNotEqual


def ok_(value, message=None):
    assert value, message


def eq_(one, other, message=None):
    assert one == other, message or f"{one!r} != {other!r}"
