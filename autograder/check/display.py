"""Comparison of a value with the text that a notebook showed for it.

The text was saved once, by the versions of Python, numpy and pandas that the author had; other versions spell the same
value otherwise (``True`` and ``np.True_``). What is compared is shown here, from a captured value. An object that stays
in the kernel shows itself by its own code. It may do so only where the expected text cannot be that of a plain value.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from autograder.check.handle import holds_handle

_NUMBERS = r"(?:bool_?|u?int\d*|intp|uintp|u?longlong|float\d*|longdouble|half|single|double)"
_SPELLINGS = (
    # how a version spells a value: the plain spelling
    (re.compile(r"\b(?:np|numpy)\.(True|False)_"), r"\1"),
    (re.compile(rf"\b(?:np|numpy)\.{_NUMBERS}\(((?:[^()'\"])*)\)"), r"\1"),
    (re.compile(r"\b(?:np|numpy)\.(?:complex\d*|clongdouble)\(((?:[^()'\"])*)\)"), r"(\1)"),
    (re.compile(r"\b(?:np|numpy)\.(?:str|bytes)_\((b?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"))\)"), r"\1"),
    (re.compile(r"\bnumpy\.(datetime64|timedelta64)\("), r"np.\1("),
    (re.compile(r"\b(?:Int64|UInt64|Float64)Index\("), "Index("),
    (re.compile(r"\bdtype: str\b"), "dtype: object"),
    (re.compile(r"\bdtype='str'"), "dtype='object'"),
)
_TOKENS = re.compile(r"('(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")|\s*([\[\](){},])\s*|\s+")
_CONSTRUCTORS = frozenset(
    [
        "array",
        "matrix",
        "masked_array",
        "Timestamp",
        "Timedelta",
        "Interval",
        "Period",
        "Decimal",
        "Fraction",
        "Counter",
        "OrderedDict",
        "deque",
        "defaultdict",
        "range",
        "slice",
        "datetime.date",
        "datetime.datetime",
        "datetime.timedelta",
        "datetime.time",
        "UUID",
        "np.datetime64",
        "np.timedelta64",
        "Index",
        "RangeIndex",
        "DatetimeIndex",
        "MultiIndex",
        "PosixPath",
        "PurePosixPath",
        "dict_keys",
        "dict_values",
        "dict_items",
        "frozenset",
        "set",
        "dtype",
        "tensor",
        "poly1d",
    ]
)
_CALL = re.compile(r"\s*([\w.]+)\s*\(")
MAX_TEXT = 1_000_000


def shows(value: Any, expected: str) -> bool:
    """Tell whether a notebook would show ``expected`` for the value; None is not shown.

    Args:
        value: a value, or a handle of one that stays in the kernel.
        expected: the text, as a notebook saved it.
    """
    if value is None or not expected.strip():
        return value is None and not expected.strip()
    if len(expected) > MAX_TEXT:
        return False
    if _is_plain(expected) and holds_handle(value):
        return False
    text = repr(value)
    return same_display(text, expected)


def same_display(actual: str, expected: str) -> bool:
    """Tell whether two texts show the same value.

    They may differ in the spelling of numpy's and pandas' versions, in white space outside of texts, and in the order
    of sets and dictionaries.
    """
    if actual.strip() == expected.strip():
        return True
    actual_text, expected_text = spelled(actual), spelled(expected)
    if actual_text == expected_text:
        return True
    first, second = _literal(actual_text), _literal(expected_text)
    return first is not None and second is not None and _canonical(first[0]) == _canonical(second[0])


def spelled(text: str) -> str:
    """Return a shown value in its plain spelling, with single spaces."""
    text = plainly(text)
    return _TOKENS.sub(lambda found: found[1] or found[2] or " ", text.strip())


def plainly(text: str) -> str:
    """Return a text with values in their plain spelling, and its white space as it is."""
    for pattern, plain in _SPELLINGS:
        text = pattern.sub(plain, text)
    return text


def _is_plain(text: str) -> bool:
    """Tell whether a text shows a value that arrives as a copy."""
    match = _CALL.match(text)
    return _literal(spelled(text)) is not None or (match is not None and match[1] in _CONSTRUCTORS)


def _literal(text: str) -> tuple[Any] | None:
    try:
        return (ast.literal_eval(text),)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def _canonical(value: Any) -> str:
    """Return a text that two literals share only if type and value are the same."""
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{_canonical(k)}: {_canonical(v)}" for k, v in value.items())) + "}"
    if isinstance(value, list | tuple | set):
        items = [_canonical(item) for item in value]
        return f"{type(value).__name__}({', '.join(sorted(items) if isinstance(value, set) else items)})"
    return repr(value)
