"""Another content for an object that stays the same one: lists, dicts, sets, arrays and the like.

The kernel's server and the examiner both replace contents so, each in its own objects.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any


def refill(own: Any, value: Any) -> bool:
    """Give an object the content of another one of its type; return whether it can have it.

    A table cannot: only its constructor would replace all of it.
    """
    if type(own) is not type(value):
        return False
    if type(own) in (list, bytearray):
        own[:] = value
    elif type(own) in (dict, set, Counter, OrderedDict, defaultdict):
        own.clear()
        own.update(value)
    elif type(own) is deque:
        own.clear()
        own.extend(value)
    elif type(own).__name__ == "ndarray" and own.shape == value.shape and own.dtype == value.dtype:
        own[...] = value
    else:
        return False
    return True
