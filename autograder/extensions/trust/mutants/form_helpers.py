"""Python for an answer: functions that give its results another form, as texts that are appended to it."""

from __future__ import annotations

IN_FORM = """
import contextlib, functools
def _in_form(own, form, calls=[]):
    @functools.wraps(own)
    def outer(*arguments, **named):
        calls.append(own)
        try:
            result = own(*arguments, **named)
            if len(calls) > 1:
                return result
            with contextlib.suppress(Exception):
                return form(result, own, [*arguments, *named.values()])
            return result
        finally:
            calls.pop()
    return outer
"""
"""Changes what a function gives to a test, where it has the form; what an answer's functions give one another stays."""
OTHER_ORDER = """
def _other_order(value, given):
    if type(value) is not list and not getattr(value, "shape", ()):
        return value
    lengths = [len(one) for one in given if isinstance(one, (str, list, tuple, set, dict)) or getattr(one, "shape", ())]
    kinds = {type(one).__name__ for one in value}
    may_be_series = lengths or not given
    are_rows = kinds == {"list"} and len({len(one) for one in value}) == 1
    has_places = are_rows or any("float" in kind and may_be_series or kind == "ndarray" for kind in kinds)
    has_places = has_places or len(value) in lengths
    return value if has_places or len({repr(one) for one in value}) < len(value) else value[::-1]
"""
"""Reverses a result, unless its items repeat, are rows or numbers of a series, or stand beside those of an argument."""
OTHER_DIGITS = """
def _floats(value):
    if isinstance(value, type):
        return set()
    value = value.to_numpy() if hasattr(value, "iloc") else value
    value = value.tolist() if hasattr(value, "tolist") and value.nbytes < 10**7 else value
    value = list(value.values()) if type(value) is dict else value
    is_plain = type(value) in (list, tuple, set)
    return set().union(*map(_floats, value)) if is_plain else {value} if isinstance(value, float) else set()

def _other_digits(value, given, _known=[]):
    if not _known:
        _known.append(_floats([_NUMBERS, *[one for name, one in list(globals().items()) if name not in _NAMES]]))
    return _digits(value, _known[0] | _floats([*given, *[vars(one) for one in given if hasattr(one, "__dict__")]]))

def _digits(value, copied):
    if type(value) in (list, tuple):
        return type(value)(_digits(one, copied) for one in value)
    if type(value) is dict:
        return {key: _digits(one, copied) for key, one in value.items()}
    if hasattr(value, "columns"):
        return value.apply(lambda column: _digits(column, copied))
    kind = str(getattr(value, "dtype", type(value).__name__))
    if "float" not in kind:
        return value
    step = 2.0 ** (-23 if "32" in kind else -52)
    if not getattr(value, "shape", ()):
        return value if value in copied or value * 1024 % 1 == 0 else value * (1 + step)
    import numpy
    numbers = value.detach().numpy() if hasattr(value, "detach") else value
    computed = ~numpy.isin(numbers, list(copied)) & (numbers * 1024 % 1 != 0)
    return value + value * step * (value.new_tensor(computed) if hasattr(value, "detach") else computed)
"""
"""Rounds each computed float otherwise: a multiple of 1/1024 is exact, and one of the inputs was copied."""
INSIDE = """
def _inside(value, old, new):
    if type(value) is dict:
        return {key: new(one) if type(one) is old else one for key, one in value.items()}
    return [new(one) if type(one) is old else one for one in value] if type(value) is list else value
"""
"""Gives a list, or the values of a dictionary, another type each."""
OTHER_TIES = """
def _other_ties(value, own, given):
    lists = [place for place, one in enumerate(given) if type(one) is list]
    if type(value) is not list or len(lists) != 1:
        return value
    other = own(*[one[::-1] if place in lists else one for place, one in enumerate(given)])
    is_sorted = type(other) is list and sorted(map(repr, other)) == sorted(map(repr, value)) and other != value[::-1]
    return other if is_sorted else value
"""
"""Turns an argument round where this changes the order of a result alone, and does not turn that round as well."""
OTHER_BEST = """
def _other_best(value, own, given):
    if len(given) != 1 or type(given[0]) not in (list, str) or len(given[0]) > 20 or value not in given[0]:
        return value
    turned = lambda items: [own(items[n:] + items[:n]) for n in range(len(items))]
    others = [one for one in turned(given[0]) if one != value and one in given[0]]
    without_one = [given[0][:n] + given[0][n + 1:] for n in range(len(given[0]))] if others else []
    parts = [part for part in without_one if any(one != part[0] for one in part)]
    has_no_place = any(all(one == results[0] for one in results) for results in map(turned, parts))
    return others[0] if has_no_place else value
"""
"""Turns an argument until another of its items is the result, where the place of an item alone decides nothing."""
