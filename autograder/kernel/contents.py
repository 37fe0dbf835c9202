"""Another content for an object that stays the same one: lists, dicts, sets, arrays and the like.

The kernel's server and the examiner both replace contents so, each in its own objects.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any


def refill(target: Any, value: Any) -> bool:
    """Give an object the content of another one of its type; return whether it can have it.

    A table cannot: only its constructor would replace all of it.
    """
    if type(target).__name__ in ("Tensor", "Parameter") and hasattr(target, "copy_") and hasattr(value, "detach"):
        if target.shape != value.shape:
            return False
        target.data.copy_(value.detach())
        return True
    if type(target) is not type(value):
        return False
    if type(target) in (list, bytearray):
        target[:] = value
    elif type(target) in (dict, set, Counter, OrderedDict, defaultdict):
        target.clear()
        target.update(value)
    elif type(target) is deque:
        target.clear()
        target.extend(value)
    elif type(target).__name__ == "ndarray" and target.shape == value.shape and target.dtype == value.dtype:
        target[...] = value
    else:
        return False
    return True
